-- +goose Up
-- What rooms want to be told, as they said it: one row per Send, so that saying it locks nothing. The dispatcher folds
-- it into notices and removes it.
CREATE TABLE notice_outbox (
  id BIGINT NOT NULL PRIMARY KEY,
  event VARCHAR(64) NOT NULL,
  space_id BIGINT NOT NULL,
  accounts TEXT NOT NULL,
  title VARCHAR(190) NOT NULL,
  body TEXT NOT NULL,
  link VARCHAR(300) NOT NULL,
  batch VARCHAR(120) NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  created_at BIGINT NOT NULL
);

-- A notice, or the digest of a batch: ok, failed and other count its messages; it takes more until closes_at.
CREATE TABLE notice (
  id BIGINT NOT NULL PRIMARY KEY,
  event VARCHAR(64) NOT NULL,
  space_id BIGINT NOT NULL,
  title VARCHAR(190) NOT NULL,
  body TEXT NOT NULL,
  link VARCHAR(300) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  batch VARCHAR(120) NOT NULL,
  ok BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  other BIGINT NOT NULL,
  closes_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX notice_batch ON notice (space_id, event, batch);
CREATE INDEX notice_age ON notice (updated_at);

-- Who sees it in the list. seq grows with every change, so that an updated digest
-- comes to the top; read_at 0 is unread.
CREATE TABLE notice_recipient (
  id BIGINT NOT NULL PRIMARY KEY,
  notice_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  read_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notice_recipient_once ON notice_recipient (notice_id, account_id);
CREATE INDEX notice_recipient_list ON notice_recipient (account_id, seq);
CREATE INDEX notice_recipient_unread ON notice_recipient (account_id, read_at, seq);

-- What a member chose that differs from the default.
CREATE TABLE notice_preference (
  account_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  event VARCHAR(64) NOT NULL,
  channel VARCHAR(16) NOT NULL,
  chosen SMALLINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, space_id, event, channel)
);

-- One notice on its way out by one channel. state: 0 waiting, 1 delivered, 2 given up. due_at is platform time,
-- lease_until wall time.
CREATE TABLE notice_delivery (
  id BIGINT NOT NULL PRIMARY KEY,
  notice_id BIGINT NOT NULL,
  channel VARCHAR(16) NOT NULL,
  target BIGINT NOT NULL,
  event VARCHAR(64) NOT NULL,
  state SMALLINT NOT NULL,
  attempts INT NOT NULL,
  due_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  owner VARCHAR(64) NOT NULL,
  request TEXT NOT NULL,
  status INT NOT NULL,
  response TEXT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notice_delivery_once ON notice_delivery (notice_id, channel, target);
CREATE INDEX notice_delivery_due ON notice_delivery (state, due_at);
CREATE INDEX notice_delivery_target ON notice_delivery (channel, target, id);
CREATE INDEX notice_delivery_age ON notice_delivery (updated_at);

-- What was last told of something that is watched, such as the state of a 第三方平台.
CREATE TABLE notice_watch (
  subject VARCHAR(120) NOT NULL PRIMARY KEY,
  state VARCHAR(64) NOT NULL,
  updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE notice_watch;
DROP TABLE notice_delivery;
DROP TABLE notice_preference;
DROP TABLE notice_recipient;
DROP TABLE notice;
DROP TABLE notice_outbox;
