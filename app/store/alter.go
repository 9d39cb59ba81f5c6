package store

import (
	"context"
	"fmt"
	"strings"
)

// The changes of a table whose syntax the databases do not share. Names come from the caller's code, never from a request.

// WidenText lets a text column hold size characters, or any number when size is 0. It loses nothing. SQLite holds no text
// to a length: there is nothing to do there.
func (d *DB) WidenText(ctx context.Context, table, column string, size int) error {
	if d.dialect == SQLite {
		return nil
	}
	kind := "LONGTEXT"
	if size > 0 {
		kind = fmt.Sprintf("VARCHAR(%d) NOT NULL DEFAULT ''", size)
	}
	_, err := d.Exec(ctx, "ALTER TABLE `"+table+"` MODIFY COLUMN `"+column+"` "+kind)
	return err
}

// DropIndex removes an index; that it is not there is no error.
func (d *DB) DropIndex(ctx context.Context, table, index string) error {
	query := "DROP INDEX IF EXISTS `" + index + "`"
	if d.dialect == MySQL {
		query = "ALTER TABLE `" + table + "` DROP INDEX `" + index + "`"
	}
	_, err := d.Exec(ctx, query)
	if err != nil && strings.Contains(err.Error(), "Error 1091") {
		return nil
	}
	return err
}

// DropColumn removes a column that no index holds; that it is not there is no error.
func (d *DB) DropColumn(ctx context.Context, table, column string) error {
	_, err := d.Exec(ctx, "ALTER TABLE `"+table+"` DROP COLUMN `"+column+"`")
	if err != nil && (strings.Contains(err.Error(), "Error 1091") || strings.Contains(err.Error(), "no such column")) {
		return nil
	}
	return err
}
