-- +goose Up
-- Addresses that a merchant has the pushes of one platform app told to (消息转发). secret, token and aes_key are sealed.
-- paused_at > 0: paused by itself after failures, events wait. version grows with what the event log has to know.
CREATE TABLE forward_target (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  component VARCHAR(32) NOT NULL,
  name VARCHAR(120) NOT NULL,
  url VARCHAR(500) NOT NULL,
  form VARCHAR(16) NOT NULL,
  types TEXT NOT NULL,
  appids TEXT NOT NULL,
  secret TEXT NOT NULL,
  token TEXT NOT NULL,
  aes_key TEXT NOT NULL,
  enabled SMALLINT NOT NULL,
  paused_at BIGINT NOT NULL,
  paused_reason VARCHAR(190) NOT NULL,
  failing_since BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX forward_target_space ON forward_target (space_id, id);

-- Each try of telling one event to one address.
CREATE TABLE forward_attempt (
  id BIGINT NOT NULL PRIMARY KEY,
  target_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  type VARCHAR(64) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  attempt INT NOT NULL,
  ok SMALLINT NOT NULL,
  status INT NOT NULL,
  duration_ms BIGINT NOT NULL,
  request TEXT NOT NULL,
  response TEXT NOT NULL,
  last_error VARCHAR(480) NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX forward_attempt_target ON forward_attempt (target_id, id);
CREATE INDEX forward_attempt_time ON forward_attempt (created_at);

-- +goose Down
DROP TABLE forward_attempt;
DROP TABLE forward_target;
