-- +goose Up
-- How somebody came to act (via: token, delegation; via_id and via_name which), whose mini program it was, and what changed.
ALTER TABLE trail ADD COLUMN via VARCHAR(16) NOT NULL DEFAULT '';
ALTER TABLE trail ADD COLUMN via_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trail ADD COLUMN via_name VARCHAR(120) NOT NULL DEFAULT '';
ALTER TABLE trail ADD COLUMN behalf VARCHAR(120) NOT NULL DEFAULT '';
ALTER TABLE trail ADD COLUMN behalf_space_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trail ADD COLUMN changes TEXT;

-- The place in the chain: NULL until the sealer has come by. hash covers the entry, its place and the hash before it.
ALTER TABLE trail ADD COLUMN seq BIGINT;
ALTER TABLE trail ADD COLUMN hash VARCHAR(64);
CREATE UNIQUE INDEX trail_seq ON trail (seq);
CREATE INDEX trail_account ON trail (account_id, id);
CREATE INDEX trail_act ON trail (act, id);
CREATE INDEX trail_rid ON trail (rid);

-- Signed points of the chain. kind: anchor (every thousand entries, and every hour), pruned (everything up to seq was
-- removed because it was old enough). n counts from 1 without gaps; signature covers the row and the signature before it.
-- n 0 is the head: the newest sealed entry.
CREATE TABLE trail_anchor (
  n BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  seq BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  at BIGINT NOT NULL,
  signature VARCHAR(64) NOT NULL
);
CREATE INDEX trail_anchor_seq ON trail_anchor (seq);

-- +goose Down
-- The columns stay: only the newest code fills them.
DROP TABLE trail_anchor;
