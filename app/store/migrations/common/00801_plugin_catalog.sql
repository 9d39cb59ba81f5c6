-- +goose Up
-- One archive that was handed in. state: pending approved rejected withdrawn. submitted_by and decided_by are accounts, 0 the command line or
-- the host itself. spec is plugin.yaml as it came, binaries its binaries with size and sha256 as JSON.
CREATE TABLE plugin_archive (
  id BIGINT NOT NULL PRIMARY KEY,
  plugin VARCHAR(16) NOT NULL,
  version VARCHAR(80) NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  size BIGINT NOT NULL,
  spec TEXT NOT NULL,
  binaries TEXT NOT NULL,
  blob_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  space_id BIGINT NOT NULL,
  submitted_by BIGINT NOT NULL,
  submitted_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason VARCHAR(500) NOT NULL
);
CREATE INDEX plugin_archive_plugin ON plugin_archive (plugin, id);
CREATE INDEX plugin_archive_space ON plugin_archive (space_id, id);
CREATE INDEX plugin_archive_state ON plugin_archive (state, id);
CREATE INDEX plugin_archive_sum ON plugin_archive (sha256);
-- One extension: which archive serves (0 none) and which one did before. number is its own for ever: its user id is made of it.
CREATE TABLE plugin_catalog (
  plugin VARCHAR(16) NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  archive_id BIGINT NOT NULL,
  previous_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX plugin_catalog_number ON plugin_catalog (number);

-- +goose Down
DROP TABLE plugin_catalog;
DROP TABLE plugin_archive;
