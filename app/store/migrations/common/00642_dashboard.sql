-- +goose Up
-- How many events were received in each closed quarter of an hour. Every event is counted once, so that the chart of a
-- day does not read a day of events.
CREATE TABLE event_rate (
  bucket BIGINT NOT NULL PRIMARY KEY,
  n BIGINT NOT NULL
);

-- Errors of WeChat by code, failed runs and spaces by kind are counted from these alone.
CREATE INDEX trail_errcode ON trail (errcode, at);
CREATE INDEX job_run_outcome ON job_run (state, started_at);
CREATE INDEX space_kind ON space (kind, id);

-- What a member has done with a checklist of the 工作台. state: open, folded or dismissed.
CREATE TABLE checklist (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  list VARCHAR(32) NOT NULL,
  state VARCHAR(16) NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX checklist_once ON checklist (member_id, list);

-- +goose Down
-- The indexes stay: the two databases drop them with different words, and an older build does not mind them.
DROP TABLE checklist;
DROP TABLE event_rate;
