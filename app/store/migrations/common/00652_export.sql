-- +goose Up
-- One file that a member asked for. state: waiting running done failed cancelled. lease_until is wall time.
CREATE TABLE transfer_export (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  source VARCHAR(120) NOT NULL,
  title VARCHAR(190) NOT NULL,
  format VARCHAR(8) NOT NULL,
  query TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  done_rows BIGINT NOT NULL,
  total_rows BIGINT NOT NULL,
  file_name VARCHAR(255) NOT NULL,
  file_size BIGINT NOT NULL,
  blob_id BIGINT NOT NULL,
  error VARCHAR(500) NOT NULL,
  attempt INT NOT NULL,
  owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX transfer_export_mine ON transfer_export (account_id, space_id, id);
CREATE INDEX transfer_export_state ON transfer_export (state, lease_until);
CREATE INDEX transfer_export_expiry ON transfer_export (expires_at);

-- +goose Down
DROP TABLE transfer_export;
