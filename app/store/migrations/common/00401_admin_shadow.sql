-- +goose Up
-- The GoAdmin user that stands for a membership in the back office.
CREATE TABLE admin_shadow (
  member_id BIGINT NOT NULL PRIMARY KEY,
  goadmin_user_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX admin_shadow_user ON admin_shadow (goadmin_user_id);

-- The GoAdmin session that goes with a session of ours. Several members may be visited under one session.
CREATE TABLE admin_session (
  session_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  sid VARCHAR(80) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (session_id, member_id)
);
CREATE INDEX admin_session_created ON admin_session (created_at);

-- +goose Down
DROP TABLE admin_session;
DROP TABLE admin_shadow;
