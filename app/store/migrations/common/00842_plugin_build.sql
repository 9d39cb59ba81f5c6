-- +goose Up
-- What the plugin processes of all replicas are built for: uses are the collections and columns that a build declares, drops
-- those it no longer needs, one after the other. A row goes with its process; seen_at is wall time and kept fresh by its replica.
CREATE TABLE plugin_build (
  id BIGINT NOT NULL PRIMARY KEY,
  replica VARCHAR(32) NOT NULL,
  plugin VARCHAR(16) NOT NULL,
  title VARCHAR(190) NOT NULL,
  uses LONGTEXT NOT NULL,
  drops LONGTEXT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE INDEX plugin_build_plugin ON plugin_build (plugin, seen_at);

-- began_at: 0 while an approved removal waits, negative while it is asked whether somebody still uses what goes, positive once it
-- has begun and has to be brought to its end.
ALTER TABLE plugin_drop ADD COLUMN began_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE plugin_drop DROP COLUMN began_at;
DROP TABLE plugin_build;
