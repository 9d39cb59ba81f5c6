-- +goose Up
-- Mini programs are listed and counted by the state of an authorisation. Without it one database looks through every
-- authorisation of that state for each mini program.
CREATE INDEX authorization_state ON authorization (state, appid);

-- +goose Down
-- The index stays: the two databases drop it with different words, and an older build does not mind it.
SELECT 1;
