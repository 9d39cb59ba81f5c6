-- +goose Up
-- What the person should know of a row that goes in, apart from what is wrong with one that does not.
ALTER TABLE transfer_import_row ADD COLUMN note VARCHAR(500) NOT NULL DEFAULT '';

-- Who had a job run, by number: names are not unique. 0 is the clock, or a run of before.
ALTER TABLE job_run ADD COLUMN asked_by_id BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE job_run DROP COLUMN asked_by_id;
ALTER TABLE transfer_import_row DROP COLUMN note;
