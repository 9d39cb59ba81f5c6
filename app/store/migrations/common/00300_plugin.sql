-- +goose Up
CREATE TABLE plugin_schema (
  plugin VARCHAR(16) NOT NULL,
  item VARCHAR(100) NOT NULL,
  spec TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (plugin, item)
);
CREATE TABLE plugin_commit (
  plugin VARCHAR(16) NOT NULL,
  idem_key VARCHAR(120) NOT NULL,
  ids TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (plugin, idem_key)
);
CREATE INDEX plugin_commit_age ON plugin_commit (created_at);
CREATE TABLE plugin_delegation (
  id BIGINT NOT NULL PRIMARY KEY,
  plugin VARCHAR(16) NOT NULL,
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  appid VARCHAR(32) NOT NULL,
  scopes TEXT NOT NULL,
  purpose VARCHAR(200) NOT NULL,
  until_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX plugin_delegation_space ON plugin_delegation (space_id, id);

-- +goose Down
DROP TABLE plugin_delegation;
DROP TABLE plugin_commit;
DROP TABLE plugin_schema;
