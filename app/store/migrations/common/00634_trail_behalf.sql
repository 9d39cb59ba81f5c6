-- +goose Up
CREATE INDEX trail_behalf ON trail (behalf_space_id, id);

-- +goose Down
-- The index stays: dropping one is written differently in every database.
SELECT 1;
