-- +goose Up
-- A file kept in the database. ready=0: still being written, or on its way out; nobody may read it.
-- touched_at is wall time, moved on while chunks arrive; expires_at is the platform's time, 0 for never.
CREATE TABLE blob_file (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  name VARCHAR(255) NOT NULL,
  content_type VARCHAR(127) NOT NULL,
  size BIGINT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  ready SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX blob_file_space ON blob_file (space_id, kind, ready);
CREATE INDEX blob_file_expiry ON blob_file (ready, expires_at);
CREATE INDEX blob_file_touched ON blob_file (ready, touched_at);

CREATE TABLE blob_chunk (
  blob_id BIGINT NOT NULL,
  no INT NOT NULL,
  data LONGBLOB NOT NULL,
  PRIMARY KEY (blob_id, no)
);

-- +goose Down
DROP TABLE blob_chunk;
DROP TABLE blob_file;
