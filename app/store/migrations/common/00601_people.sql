-- +goose Up
-- Counters of attempts: by login, device, address. A row that has expired counts as absent.
CREATE TABLE throttle (
  name VARCHAR(120) NOT NULL PRIMARY KEY,
  hits INT NOT NULL,
  locked_until BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX throttle_expiry ON throttle (expires_at);

-- Codes that were sent to a login. code_hash fits nothing where the answer must look the same but no code was sent.
CREATE TABLE login_code (
  id BIGINT NOT NULL PRIMARY KEY,
  purpose VARCHAR(16) NOT NULL,
  login VARCHAR(190) NOT NULL,
  account_id BIGINT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  tries INT NOT NULL,
  used_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX login_code_login ON login_code (login, purpose, id);
CREATE INDEX login_code_expiry ON login_code (expires_at);

CREATE TABLE captcha_used (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
CREATE INDEX captcha_used_expiry ON captcha_used (expires_at);

-- confirmed_at is 0 until the first code of the secret was right; last_step is the newest time step that was used.
CREATE TABLE second_factor (
  account_id BIGINT NOT NULL PRIMARY KEY,
  secret VARCHAR(255) NOT NULL,
  confirmed_at BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE recovery_code (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX recovery_code_once ON recovery_code (account_id, code_hash);

-- A password was right; the second factor is still to come.
CREATE TABLE login_pending (
  id BIGINT NOT NULL PRIMARY KEY,
  token_hash VARCHAR(64) NOT NULL,
  account_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX login_pending_token ON login_pending (token_hash);
CREATE INDEX login_pending_expiry ON login_pending (expires_at);

ALTER TABLE login_session ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX login_session_account ON login_session (account_id);

-- +goose Down
ALTER TABLE login_session DROP COLUMN confirmed_at;
DROP TABLE login_pending;
DROP TABLE recovery_code;
DROP TABLE second_factor;
DROP TABLE captcha_used;
DROP TABLE login_code;
DROP TABLE throttle;
