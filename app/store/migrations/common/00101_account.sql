-- +goose Up
CREATE TABLE account (
  id BIGINT NOT NULL PRIMARY KEY,
  login VARCHAR(190) NOT NULL,
  name VARCHAR(120) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  failures INT NOT NULL DEFAULT 0,
  locked_until BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_login ON account (login);

CREATE TABLE space (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(120) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE member (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  role VARCHAR(32) NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX member_once ON member (account_id, space_id);
CREATE INDEX member_space ON member (space_id);

CREATE TABLE login_session (
  id BIGINT NOT NULL PRIMARY KEY,
  token_hash VARCHAR(64) NOT NULL,
  account_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL,
  user_agent VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX login_session_token ON login_session (token_hash);
CREATE INDEX login_session_expiry ON login_session (expires_at);

-- +goose Down
DROP TABLE login_session;
DROP TABLE member;
DROP TABLE space;
DROP TABLE account;
