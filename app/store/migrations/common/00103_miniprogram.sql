-- +goose Up
CREATE TABLE mini_program (
  appid VARCHAR(32) NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  owner_space_id BIGINT NOT NULL,
  nick_name VARCHAR(190) NOT NULL,
  user_name VARCHAR(64) NOT NULL,
  head_img VARCHAR(500) NOT NULL,
  principal VARCHAR(190) NOT NULL,
  signature VARCHAR(500) NOT NULL,
  service_type INT NOT NULL,
  verify_type INT NOT NULL,
  account_status INT NOT NULL,
  categories TEXT NOT NULL,
  synced_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX mini_program_id ON mini_program (id);
CREATE INDEX mini_program_owner ON mini_program (owner_space_id, id);

CREATE TABLE authorization (
  id BIGINT NOT NULL PRIMARY KEY,
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  state VARCHAR(16) NOT NULL,
  sets VARCHAR(500) NOT NULL,
  refresh_token TEXT NOT NULL,
  access_token TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  auth_time BIGINT NOT NULL,
  revoked_time BIGINT NOT NULL,
  version BIGINT NOT NULL,
  last_error VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX authorization_once ON authorization (appid, component);
CREATE INDEX authorization_component ON authorization (component, id);
CREATE INDEX authorization_due ON authorization (state, expires_at);

CREATE TABLE auth_ticket (
  id VARCHAR(40) NOT NULL PRIMARY KEY,
  component VARCHAR(32) NOT NULL,
  account_id BIGINT NOT NULL,
  asker_space_id BIGINT NOT NULL,
  owner_space_id BIGINT NOT NULL,
  biz_appid VARCHAR(32) NOT NULL,
  return_to VARCHAR(300) NOT NULL,
  state VARCHAR(16) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  failure VARCHAR(32) NOT NULL,
  opened_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX auth_ticket_expiry ON auth_ticket (state, expires_at);

CREATE TABLE pre_auth_code (
  hash VARCHAR(64) NOT NULL PRIMARY KEY,
  ticket VARCHAR(40) NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX pre_auth_code_age ON pre_auth_code (created_at);

CREATE TABLE auth_code (
  hash VARCHAR(64) NOT NULL PRIMARY KEY,
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  ticket VARCHAR(40) NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX auth_code_age ON auth_code (created_at);

-- +goose Down
DROP TABLE auth_code;
DROP TABLE pre_auth_code;
DROP TABLE auth_ticket;
DROP TABLE authorization;
DROP TABLE mini_program;
