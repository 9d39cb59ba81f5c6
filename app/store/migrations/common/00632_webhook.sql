-- +goose Up
-- A space's address that is told of its events. secret is sealed. failing_since 0: the last delivery arrived.
CREATE TABLE webhook (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  name VARCHAR(120) NOT NULL,
  url VARCHAR(500) NOT NULL,
  secret TEXT NOT NULL,
  events TEXT NOT NULL,
  enabled SMALLINT NOT NULL,
  failing_since BIGINT NOT NULL,
  disabled_reason VARCHAR(190) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX webhook_space ON webhook (space_id, id);

-- Mails of a demo, which go nowhere.
CREATE TABLE mail_outbox (
  id BIGINT NOT NULL PRIMARY KEY,
  recipient VARCHAR(190) NOT NULL,
  subject VARCHAR(300) NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE mail_outbox;
DROP TABLE webhook;
