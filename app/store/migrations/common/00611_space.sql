-- +goose Up
-- role is a built-in one, or "custom" with role_id; limited=1 reaches only the mini programs named in appids.
ALTER TABLE member ADD COLUMN role_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN limited INT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN appids VARCHAR(4000) NOT NULL DEFAULT '';

CREATE TABLE space_role (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  name VARCHAR(120) NOT NULL,
  permissions VARCHAR(4000) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX space_role_name ON space_role (space_id, name);

CREATE TABLE invitation (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  token_hash VARCHAR(64) NOT NULL,
  login VARCHAR(190) NOT NULL,
  role VARCHAR(32) NOT NULL,
  role_id BIGINT NOT NULL,
  limited INT NOT NULL,
  appids VARCHAR(4000) NOT NULL,
  state VARCHAR(16) NOT NULL,
  invited_by BIGINT NOT NULL,
  accepted_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX invitation_token ON invitation (token_hash);
CREATE INDEX invitation_space ON invitation (space_id, id);
CREATE INDEX invitation_by ON invitation (invited_by);

-- What a merchant has filled in, one row for each merchant space; people is sealed.
CREATE TABLE merchant_application (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  round_no INT NOT NULL,
  company VARCHAR(190) NOT NULL,
  credit_code VARCHAR(32) NOT NULL,
  category VARCHAR(64) NOT NULL,
  people TEXT NOT NULL,
  license_blob BIGINT NOT NULL,
  letter_blob BIGINT NOT NULL,
  version INT NOT NULL,
  submitted_at BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX merchant_application_space ON merchant_application (space_id);
CREATE INDEX merchant_application_state ON merchant_application (state, id);

-- Every round that was handed in, as it was then, and what was decided; reasons are JSON: field to sentence.
CREATE TABLE merchant_round (
  id BIGINT NOT NULL PRIMARY KEY,
  application_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  round_no INT NOT NULL,
  state VARCHAR(16) NOT NULL,
  company VARCHAR(190) NOT NULL,
  credit_code VARCHAR(32) NOT NULL,
  category VARCHAR(64) NOT NULL,
  people TEXT NOT NULL,
  license_blob BIGINT NOT NULL,
  letter_blob BIGINT NOT NULL,
  reasons TEXT NOT NULL,
  note VARCHAR(1000) NOT NULL,
  submitted_by BIGINT NOT NULL,
  submitted_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decider VARCHAR(120) NOT NULL,
  decided_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX merchant_round_once ON merchant_round (application_id, round_no);

-- +goose Down
DROP TABLE merchant_round;
DROP TABLE merchant_application;
DROP TABLE invitation;
DROP TABLE space_role;
ALTER TABLE member DROP COLUMN appids;
ALTER TABLE member DROP COLUMN limited;
ALTER TABLE member DROP COLUMN role_id;
