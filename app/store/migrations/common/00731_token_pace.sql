-- +goose Up
-- How many access_tokens of a mini program an API token has been given in the minute it was last asked for one, shared by
-- all replicas. minute counts from 1970 by wall time.
CREATE TABLE token_pace (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  minute BIGINT NOT NULL,
  calls BIGINT NOT NULL
);

-- +goose Down
DROP TABLE token_pace;
