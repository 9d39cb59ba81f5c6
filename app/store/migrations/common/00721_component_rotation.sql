-- +goose Up
-- While token or AES key are being changed, both pairs are good. rotated_at: since when, 0 = no change is under way.
-- previous_used_at: when a push last came under the previous pair.
ALTER TABLE component ADD COLUMN rotated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE component ADD COLUMN previous_used_at BIGINT NOT NULL DEFAULT 0;

-- What came of the automated checks before a full-network release (全网发布), one row per test account and kind.
CREATE TABLE release_check (
  component VARCHAR(32) NOT NULL,
  appid VARCHAR(32) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  detail VARCHAR(480) NOT NULL,
  received_at BIGINT NOT NULL,
  answered_at BIGINT NOT NULL,
  PRIMARY KEY (component, appid, kind)
);

-- +goose Down
DROP TABLE release_check;
ALTER TABLE component DROP COLUMN previous_used_at;
ALTER TABLE component DROP COLUMN rotated_at;
