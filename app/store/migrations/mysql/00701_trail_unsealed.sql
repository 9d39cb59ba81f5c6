-- +goose Up
-- What is not sealed yet is read oldest first: without it each batch sorts everything that waits.
CREATE INDEX trail_unsealed ON trail (seq, id);

-- +goose Down
DROP INDEX trail_unsealed ON trail;
