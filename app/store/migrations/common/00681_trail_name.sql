-- +goose Up
-- Who an entry of the operation log names, outside of the sealed entry: entries hold the id, this the name of today.
-- gone: the account or space was closed, and the name is never written again.
CREATE TABLE trail_name (
  id BIGINT NOT NULL PRIMARY KEY,
  ref VARCHAR(24) NOT NULL,
  name VARCHAR(120) NOT NULL,
  gone SMALLINT NOT NULL
);
CREATE UNIQUE INDEX trail_name_ref ON trail_name (ref);

-- Whose answers these are, so that they end with the account.
ALTER TABLE idempotency ADD COLUMN account_id BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE idempotency DROP COLUMN account_id;
DROP TABLE trail_name;
