-- +goose Up
-- What is not sealed yet is read oldest first: without it each batch sorts everything that waits.
CREATE INDEX trail_unsealed ON trail (seq, id);

-- +goose Down
-- The index stays: the two databases drop it with different words, and an older build does not mind it.
SELECT 1;
