-- +goose Up
CREATE TABLE api_token (
  id BIGINT NOT NULL PRIMARY KEY,
  token_hash VARCHAR(64) NOT NULL,
  hint VARCHAR(16) NOT NULL,
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  name VARCHAR(120) NOT NULL,
  scopes VARCHAR(2000) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  revoked_at BIGINT NOT NULL DEFAULT 0,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  last_ip VARCHAR(64) NOT NULL
);
CREATE UNIQUE INDEX api_token_hash ON api_token (token_hash);
CREATE INDEX api_token_member ON api_token (member_id, id);

-- +goose Down
DROP TABLE api_token;
