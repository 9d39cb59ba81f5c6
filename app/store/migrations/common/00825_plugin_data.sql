-- +goose Up
-- Every shape in which a column of a plugin's collection was ever declared: an older build beside a newer one is known by it.
CREATE TABLE plugin_column (
  plugin VARCHAR(16) NOT NULL,
  collection VARCHAR(30) NOT NULL,
  name VARCHAR(40) NOT NULL,
  type VARCHAR(16) NOT NULL,
  size BIGINT NOT NULL,
  PRIMARY KEY (plugin, collection, name, type, size)
);
-- What a space keeps in the collections of a plugin whose data is bounded.
CREATE TABLE plugin_usage (
  plugin VARCHAR(16) NOT NULL,
  space_id BIGINT NOT NULL,
  rows_used BIGINT NOT NULL,
  bytes_used BIGINT NOT NULL,
  PRIMARY KEY (plugin, space_id)
);
-- What an operator allowed to be removed for good; done_at 0 until it is.
CREATE TABLE plugin_drop (
  id BIGINT NOT NULL PRIMARY KEY,
  plugin VARCHAR(16) NOT NULL,
  item VARCHAR(100) NOT NULL,
  rows_lost BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
CREATE INDEX plugin_drop_open ON plugin_drop (plugin, done_at);

-- +goose Down
DROP TABLE plugin_drop;
DROP TABLE plugin_usage;
DROP TABLE plugin_column;
