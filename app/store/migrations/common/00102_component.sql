-- +goose Up
CREATE TABLE component (
  appid VARCHAR(32) NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  name VARCHAR(120) NOT NULL,
  secret TEXT NOT NULL,
  token TEXT NOT NULL,
  aes_key TEXT NOT NULL,
  previous_token TEXT NOT NULL,
  previous_aes_key TEXT NOT NULL,
  ticket TEXT NOT NULL,
  ticket_time BIGINT NOT NULL,
  ticket_at BIGINT NOT NULL,
  access_token TEXT NOT NULL,
  token_expires_at BIGINT NOT NULL,
  last_error VARCHAR(255) NOT NULL,
  last_errcode BIGINT NOT NULL,
  last_error_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX component_space ON component (space_id, created_at);

-- +goose Down
DROP TABLE component;
