-- +goose Up
CREATE TABLE job_run (
  id BIGINT NOT NULL PRIMARY KEY,
  job VARCHAR(96) NOT NULL,
  tick BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  note VARCHAR(1000) NOT NULL,
  asked_by VARCHAR(120) NOT NULL,
  owner VARCHAR(64) NOT NULL,
  attempt INT NOT NULL,
  lease_until BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX job_run_tick ON job_run (job, tick);
CREATE INDEX job_run_state ON job_run (state, lease_until);
CREATE INDEX job_run_started ON job_run (started_at);

-- +goose Down
DROP TABLE job_run;
