-- +goose Up
-- What a member keeps about a list of the back office: filters saved under a name (kind filter, content is the query) and
-- which columns are hidden and how dense the rows are (kind choice, content is JSON, no title).
CREATE TABLE admin_list_view (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  list_name VARCHAR(120) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  title VARCHAR(80) NOT NULL,
  content TEXT NOT NULL,
  is_default BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX admin_list_view_title ON admin_list_view (member_id, list_name, kind, title);

-- +goose Down
DROP TABLE admin_list_view;
