-- +goose Up
-- How many events led to this one: 0 for what began by itself, one more than the event in whose handling a plugin published it.
ALTER TABLE event_log ADD COLUMN hops SMALLINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE event_log DROP COLUMN hops;
