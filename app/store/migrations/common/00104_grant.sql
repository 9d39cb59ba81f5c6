-- +goose Up
CREATE TABLE access_grant (
  id BIGINT NOT NULL PRIMARY KEY,
  appid VARCHAR(32) NOT NULL,
  space_id BIGINT NOT NULL,
  scopes VARCHAR(500) NOT NULL,
  source VARCHAR(64) NOT NULL,
  source_key VARCHAR(96) NOT NULL,
  until_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_by BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX access_grant_source ON access_grant (source_key);
CREATE INDEX access_grant_appid ON access_grant (appid, space_id);
CREATE INDEX access_grant_space ON access_grant (space_id, revoked_at, appid);

-- +goose Down
DROP TABLE access_grant;
