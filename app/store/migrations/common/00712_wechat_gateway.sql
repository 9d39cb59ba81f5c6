-- +goose Up
-- How many calls to WeChat a platform app or mini program has left, shared by all replicas. level_milli counts thousandths.
CREATE TABLE wechat_budget (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  level_milli BIGINT NOT NULL,
  filled_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

-- Endpoints that WeChat asked us to leave alone until a moment.
CREATE TABLE wechat_pause (
  name VARCHAR(190) NOT NULL PRIMARY KEY,
  errcode INT NOT NULL,
  until_at BIGINT NOT NULL
);
CREATE INDEX wechat_pause_until ON wechat_pause (until_at);

-- Requests that must not be repeated: written before they leave, closed with what became of them.
CREATE TABLE wechat_sent (
  id BIGINT NOT NULL PRIMARY KEY,
  sent_key VARCHAR(190) NOT NULL,
  endpoint VARCHAR(96) NOT NULL,
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  plugin VARCHAR(64) NOT NULL,
  space_id BIGINT NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  errcode INT NOT NULL,
  rid VARCHAR(64) NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX wechat_sent_key ON wechat_sent (sent_key);
CREATE INDEX wechat_sent_open ON wechat_sent (outcome, started_at);

-- The month's quotas of a platform app as WeChat told them, less what was spent here since.
CREATE TABLE wechat_quota (
  component VARCHAR(32) NOT NULL PRIMARY KEY,
  audit_rest BIGINT NOT NULL,
  audit_limit BIGINT NOT NULL,
  speedup_rest BIGINT NOT NULL,
  speedup_limit BIGINT NOT NULL,
  read_at BIGINT NOT NULL
);

-- Errcodes that the dictionary does not know.
CREATE TABLE wechat_unknown_code (
  errcode BIGINT NOT NULL PRIMARY KEY,
  seen BIGINT NOT NULL,
  last_message VARCHAR(400) NOT NULL,
  last_rid VARCHAR(64) NOT NULL,
  last_endpoint VARCHAR(96) NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE wechat_unknown_code;
DROP TABLE wechat_quota;
DROP TABLE wechat_sent;
DROP TABLE wechat_pause;
DROP TABLE wechat_budget;
