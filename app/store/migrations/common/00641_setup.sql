-- +goose Up
-- The one-time addresses that ask an empty installation's first operator in. Only hashes of tokens are kept.
CREATE TABLE setup_token (
  token_hash VARCHAR(64) NOT NULL PRIMARY KEY,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Row 1 is written with the first operator: of two submits at once only one can write it.
CREATE TABLE setup_claim (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE setup_claim;
DROP TABLE setup_token;
