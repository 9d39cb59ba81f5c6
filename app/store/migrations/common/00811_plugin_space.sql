-- +goose Up
-- To whom operators make an extension available. reach: none, all, kinds (of space) or spaces (plugin_offer_space).
CREATE TABLE plugin_offer (
  plugin VARCHAR(16) NOT NULL PRIMARY KEY,
  reach VARCHAR(16) NOT NULL,
  kinds VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE plugin_offer_space (
  plugin VARCHAR(16) NOT NULL,
  space_id BIGINT NOT NULL,
  PRIMARY KEY (plugin, space_id)
);

-- What a space makes of an extension. settings is sealed as a whole; shape is the hash of the schema that they fitted when
-- they were last looked at. stopped_for says why it was switched off by itself: '' by a person, 'settings'.
CREATE TABLE plugin_space (
  plugin VARCHAR(16) NOT NULL,
  space_id BIGINT NOT NULL,
  is_on SMALLINT NOT NULL,
  stopped_for VARCHAR(16) NOT NULL,
  settings LONGBLOB NOT NULL,
  shape VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (plugin, space_id)
);
CREATE INDEX plugin_space_space ON plugin_space (space_id, is_on);
CREATE INDEX plugin_space_on ON plugin_space (plugin, is_on, space_id);

-- Spaces that have already heard of an event which another space failed on, so that the next try leaves them out.
CREATE TABLE plugin_heard (
  plugin VARCHAR(16) NOT NULL,
  event_id BIGINT NOT NULL,
  space_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (plugin, event_id, space_id)
);
CREATE INDEX plugin_heard_age ON plugin_heard (created_at);

-- +goose Down
DROP TABLE plugin_heard;
DROP TABLE plugin_space;
DROP TABLE plugin_offer_space;
DROP TABLE plugin_offer;
