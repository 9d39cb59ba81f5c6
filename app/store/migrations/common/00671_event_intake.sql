-- +goose Up
-- What was taken in and cannot be read: put aside, so that it does not hold up what came after it.
CREATE TABLE event_intake_damaged (
  id BIGINT NOT NULL PRIMARY KEY,
  found_at BIGINT NOT NULL,
  reason VARCHAR(480) NOT NULL,
  data LONGBLOB NOT NULL
);

-- How far the intake journal beside an SQLite file was unpacked: one row per start that its segments may still tell of.
CREATE TABLE event_journal (
  id VARCHAR(32) NOT NULL PRIMARY KEY,
  started_at BIGINT NOT NULL,
  unpacked BIGINT NOT NULL
);

-- +goose Down
DROP TABLE event_journal;
DROP TABLE event_intake_damaged;
