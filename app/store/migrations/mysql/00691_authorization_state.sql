-- +goose Up
-- Mini programs are listed and counted by the state of an authorisation. Without it one database looks through every
-- authorisation of that state for each mini program.
CREATE INDEX authorization_state ON authorization (state, appid);

-- +goose Down
DROP INDEX authorization_state ON authorization;
