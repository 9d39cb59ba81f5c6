-- +goose Up
-- raw is a push as it was received: its query, a line break, its cipher text. NULL for events that were never encrypted.
ALTER TABLE event_log ADD COLUMN raw LONGBLOB;

-- A subscriber may be narrowed to one 第三方平台 and, as JSON, to some of its mini programs; '' for all.
ALTER TABLE event_subscriber ADD COLUMN component VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE event_subscriber ADD COLUMN appids VARCHAR(4000) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE event_subscriber DROP COLUMN appids;
ALTER TABLE event_subscriber DROP COLUMN component;
ALTER TABLE event_log DROP COLUMN raw;
