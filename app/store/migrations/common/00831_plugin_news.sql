-- +goose Up
-- Replicas that have browsers listening to topics of plugins; who publishes asks whether there are others.
CREATE TABLE plugin_listening (
  replica VARCHAR(32) NOT NULL PRIMARY KEY,
  seen_at BIGINT NOT NULL
);

-- News on their way to the listeners of other replicas: many in one row, for a minute.
CREATE TABLE plugin_news (
  id BIGINT NOT NULL PRIMARY KEY,
  replica VARCHAR(32) NOT NULL,
  at BIGINT NOT NULL,
  body LONGBLOB NOT NULL
);
CREATE INDEX plugin_news_at ON plugin_news (at, id);

-- +goose Down
DROP TABLE plugin_news;
DROP TABLE plugin_listening;
