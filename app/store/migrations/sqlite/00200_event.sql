-- +goose Up
-- What arrived together, packed into one row: the quickest way to make a push durable. The dispatcher unpacks it into
-- event_log, with its deliveries, in one transaction.
CREATE TABLE event_intake (
  id INTEGER NOT NULL PRIMARY KEY,
  data LONGBLOB NOT NULL
);

-- The event log. fanned_out: 0 deliveries still to be made, 1 made, 2 never (kept and shown only).
-- dedupe starts with the push's CreateTime so that the unique index grows at its end.
-- INTEGER makes id the row's own number here, which saves an index.
CREATE TABLE event_log (
  id INTEGER NOT NULL PRIMARY KEY,
  type VARCHAR(64) NOT NULL,
  source VARCHAR(72) NOT NULL,
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  space_id BIGINT NOT NULL,
  subject VARCHAR(190) NOT NULL,
  url_kind VARCHAR(16) NOT NULL,
  create_time BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  dedupe VARBINARY(32),
  payload LONGBLOB NOT NULL,
  fanned_out SMALLINT NOT NULL
);
CREATE UNIQUE INDEX event_log_dedupe ON event_log (dedupe);
CREATE INDEX event_log_fan ON event_log (id) WHERE fanned_out=0;
CREATE INDEX event_log_component ON event_log (component, id);
CREATE INDEX event_log_appid ON event_log (appid, id);
CREATE INDEX event_log_type ON event_log (type, id);

-- Who receives what; a row stays while its subscriber is away, so that nothing is missed.
CREATE TABLE event_subscriber (
  name VARCHAR(72) NOT NULL PRIMARY KEY,
  types TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- state: 0 pending, 1 done, 2 dead letter.
CREATE TABLE event_delivery (
  id INTEGER NOT NULL PRIMARY KEY,
  event_id BIGINT NOT NULL,
  subscriber VARCHAR(72) NOT NULL,
  queue VARCHAR(66) NOT NULL,
  state SMALLINT NOT NULL,
  attempts INT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX event_delivery_once ON event_delivery (event_id, subscriber);
CREATE INDEX event_delivery_queue ON event_delivery (subscriber, queue, state, event_id);
CREATE INDEX event_delivery_state ON event_delivery (state, event_id);

-- One row per (subscriber, component and mini program): who works on it now, and when it is due again.
CREATE TABLE event_queue (
  subscriber VARCHAR(72) NOT NULL,
  queue VARCHAR(66) NOT NULL,
  version BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  owner VARCHAR(64) NOT NULL,
  PRIMARY KEY (subscriber, queue)
);
CREATE INDEX event_queue_due ON event_queue (subscriber, due_at);

-- +goose Down
DROP TABLE event_queue;
DROP TABLE event_delivery;
DROP TABLE event_subscriber;
DROP TABLE event_log;
DROP TABLE event_intake;
