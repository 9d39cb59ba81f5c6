package plugin

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"minifleet/app/store"
)

// schemas makes the tables of collections. What was made is noted in plugin_schema, so that a start with nothing new
// runs one query.
type schemas struct{ db *store.DB }

// statement is one step towards the declared schema, known by its item.
type statement struct{ item, sql string }

// apply brings a plugin's tables to its manifest. Tables, columns and indexes are only ever added: an older version of
// the plugin may still run on another replica.
func (s schemas) apply(ctx context.Context, plugin string, collections map[string]*collection) (err error) {
	missing, err := s.missing(ctx, plugin, collections)
	if err != nil || len(missing) == 0 {
		return err
	}
	lease, err := s.await(ctx, "plugin.schema")
	if err != nil {
		return fmt.Errorf("schema of plugin %s: %w", plugin, err)
	}
	defer func() {
		if releaseErr := s.db.Release(context.WithoutCancel(ctx), lease); err == nil && releaseErr != nil {
			err = fmt.Errorf("schema of plugin %s: %w", plugin, releaseErr)
		}
	}()
	if missing, err = s.missing(ctx, plugin, collections); err != nil {
		return err
	}
	for _, step := range missing {
		if step.sql != "" {
			if _, err = s.db.Exec(ctx, step.sql); err != nil && !alreadyThere(err) {
				return fmt.Errorf("schema of plugin %s: %s: %w", plugin, step.item, err)
			}
		}
		_, err = s.db.InsertIgnore(ctx, "plugin_schema", map[string]any{
			"plugin": plugin, "item": step.item, "spec": step.sql, "created_at": time.Now().UnixMilli(),
		})
		if err != nil {
			return fmt.Errorf("schema of plugin %s: note %s: %w", plugin, step.item, err)
		}
	}
	return nil
}

// alreadyThere knows the answer to a step that a crash left done but not noted.
func alreadyThere(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "already exists") || strings.Contains(text, "duplicate key name") || strings.Contains(text, "duplicate column")
}

func (s schemas) await(ctx context.Context, name string) (store.Lease, error) {
	for {
		lease, ok, err := s.db.Lease(ctx, name, time.Minute)
		if err != nil || ok {
			return lease, err
		}
		select {
		case <-ctx.Done():
			return lease, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s schemas) missing(ctx context.Context, plugin string, collections map[string]*collection) ([]statement, error) {
	var items []struct{ Item string }
	if err := s.db.All(ctx, &items, "SELECT item FROM plugin_schema WHERE plugin=?", plugin); err != nil {
		return nil, fmt.Errorf("read schema of plugin %s: %w", plugin, err)
	}
	done := map[string]bool{}
	for _, item := range items {
		done[item.Item] = true
	}
	var missing []statement
	for _, c := range collections {
		isNew := !done[c.name]
		if isNew {
			missing = append(missing, statement{c.name, c.createTable()})
		}
		for _, column := range c.columns[len(baseColumns):] {
			step := statement{c.name + "." + column.GetName(), "ALTER TABLE `" + c.table + "` ADD COLUMN " + columnSQL(column)}
			if isNew { // made with the table; noted so that it is not added again
				step.sql = ""
			}
			if !done[step.item] {
				missing = append(missing, step)
			}
		}
		for _, step := range c.createIndexes() {
			if !done[step.item] {
				missing = append(missing, step)
			}
		}
	}
	return missing, nil
}

func (c *collection) createTable() string {
	lines := make([]string, 0, len(c.columns))
	for _, column := range c.columns {
		lines = append(lines, columnSQL(column))
	}
	return "CREATE TABLE IF NOT EXISTS `" + c.table + "` (" + strings.Join(lines, ", ") + ", PRIMARY KEY (`id`))"
}

// columnSQL is portable: LONGTEXT takes no default in MySQL and is therefore nullable; null reads as empty.
func columnSQL(column *Column) string {
	name := "`" + column.GetName() + "` "
	switch column.GetType() {
	case "text":
		return name + "VARCHAR(" + strconv.Itoa(sizeOf(column)) + ") NOT NULL DEFAULT ''"
	case "longtext", "json":
		return name + "LONGTEXT"
	default:
		return name + "BIGINT NOT NULL DEFAULT 0"
	}
}

// createIndexes names each index after its table and columns, shortened by a hash where MySQL's 64 characters need it.
func (c *collection) createIndexes() []statement {
	steps := make([]statement, 0, len(c.indexes))
	for _, index := range c.indexes {
		columns := strings.Join(index.GetColumns(), "_")
		name := "px_" + strings.TrimPrefix(c.table, "plugin_") + "_" + columns
		if len(name) > 60 {
			sum := fnv.New64a()
			_, _ = sum.Write([]byte(name)) // a hash never fails
			name = name[:40] + "_" + strconv.FormatUint(sum.Sum64(), 36)
		}
		verb := "CREATE INDEX"
		quoted := "`" + strings.Join(index.GetColumns(), "`,`") + "`"
		if index.GetUnique() {
			verb = "CREATE UNIQUE INDEX"
		} else {
			quoted += ",`id`"
		}
		steps = append(steps, statement{c.name + "#" + columns, verb + " `" + name + "` ON `" + c.table + "` (" + quoted + ")"})
	}
	return steps
}
