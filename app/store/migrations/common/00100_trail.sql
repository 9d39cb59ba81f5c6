-- +goose Up
CREATE TABLE trail (
  id BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  actor VARCHAR(120) NOT NULL,
  plugin VARCHAR(64) NOT NULL,
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  act VARCHAR(96) NOT NULL,
  object VARCHAR(190) NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  errcode BIGINT NOT NULL,
  rid VARCHAR(64) NOT NULL,
  request_id VARCHAR(64) NOT NULL,
  detail TEXT NOT NULL,
  duration_ms BIGINT NOT NULL
);
CREATE INDEX trail_appid ON trail (appid, id);
CREATE INDEX trail_space ON trail (space_id, id);
CREATE INDEX trail_at ON trail (at);

-- +goose Down
DROP TABLE trail;
