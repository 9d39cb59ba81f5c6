-- +goose Up
-- One CSV that a member brings. phase: map (columns to be named), check (dry run), apply; state as of an export, and idle
-- while the person's next step is waited for.
CREATE TABLE transfer_import (
  id BIGINT NOT NULL PRIMARY KEY,
  space_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  target VARCHAR(120) NOT NULL,
  title VARCHAR(190) NOT NULL,
  file_name VARCHAR(255) NOT NULL,
  encoding VARCHAR(16) NOT NULL,
  header TEXT NOT NULL,
  mapping TEXT NOT NULL,
  phase VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  total_rows BIGINT NOT NULL,
  done_rows BIGINT NOT NULL,
  create_rows BIGINT NOT NULL,
  update_rows BIGINT NOT NULL,
  refused_rows BIGINT NOT NULL,
  error VARCHAR(500) NOT NULL,
  attempt INT NOT NULL,
  owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX transfer_import_mine ON transfer_import (account_id, space_id, id);
CREATE INDEX transfer_import_state ON transfer_import (state, lease_until);
CREATE INDEX transfer_import_expiry ON transfer_import (expires_at);

-- Its rows. verdict: '' not looked at, create, update, refused after the dry run; created, updated after the import;
-- begun while a row is in the hands of a target that cannot be asked twice.
CREATE TABLE transfer_import_row (
  import_id BIGINT NOT NULL,
  no INT NOT NULL,
  cells TEXT NOT NULL,
  verdict VARCHAR(16) NOT NULL,
  row_id BIGINT NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (import_id, no)
);
CREATE INDEX transfer_import_row_verdict ON transfer_import_row (import_id, verdict, no);

-- +goose Down
DROP TABLE transfer_import_row;
DROP TABLE transfer_import;
