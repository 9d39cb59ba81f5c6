package plugin

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// schemas makes the tables of collections. What was made is noted in plugin_schema, so that a start with nothing new
// runs one query.
type schemas struct {
	db    *store.DB
	quota Quota
}

// step is one step towards the declared schema. Its item is noted in plugin_schema once it is done; "" notes nothing.
type step struct {
	item, sql string
	spec      string                          // noted with the item instead of sql
	do        func(ctx context.Context) error // instead of sql
	shape     *shape                          // noted in plugin_column
}

// apply brings a plugin's tables to its manifest. Tables, columns and indexes are only ever added, and text made wider: an
// older version of the plugin may still run on another replica. A declaration that the rows which are there do not fit is
// refused before anything is changed.
func (s schemas) apply(ctx context.Context, plugin string, collections map[string]*collection) (err error) {
	if s.quota.bounds(plugin) {
		for _, c := range collections {
			c.hidden = append(c.hidden, &Column{Name: bytesColumn, Type: "int"})
		}
	}
	if err := s.resume(ctx, plugin); err != nil {
		return err
	}
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
	for _, next := range missing {
		if err := s.take(ctx, plugin, next); err != nil {
			return fmt.Errorf("schema of plugin %s: %s: %w", plugin, next.item, err)
		}
	}
	return nil
}

func (s schemas) take(ctx context.Context, plugin string, next step) error {
	if next.do != nil {
		if err := next.do(ctx); err != nil {
			return err
		}
	}
	if next.sql != "" {
		if _, err := s.db.Exec(ctx, next.sql); err != nil && !alreadyThere(err) {
			return err
		}
	}
	if next.shape != nil {
		if err := s.noteShape(ctx, plugin, *next.shape); err != nil {
			return err
		}
	}
	if next.item == "" {
		return nil
	}
	_, err := s.db.InsertIgnore(ctx, "plugin_schema", map[string]any{
		"plugin": plugin, "item": next.item, "spec": cmp.Or(next.spec, next.sql), "created_at": time.Now().UnixMilli(),
	})
	return err
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

// missing lists what is to be done, in an order that does not change: many replicas may start at once.
func (s schemas) missing(ctx context.Context, plugin string, collections map[string]*collection) ([]step, error) {
	done, err := s.noted(ctx, plugin)
	if err != nil {
		return nil, err
	}
	shapes, err := s.shapes(ctx, plugin)
	if err != nil {
		return nil, err
	}
	var missing []step
	for _, name := range slices.Sorted(maps.Keys(collections)) {
		c := collections[name]
		_, made := done[c.name]
		if !made {
			missing = append(missing, step{item: c.name, sql: c.createTable()})
		}
		columns, err := s.columnSteps(c, done, shapes, made)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", plugin, err)
		}
		missing = append(missing, columns...)
		missing = append(missing, c.searchSteps(done, made)...)
		missing = append(missing, s.indexSteps(plugin, c, done)...)
	}
	return missing, nil
}

// noted gives the items that were made, with how.
func (s schemas) noted(ctx context.Context, plugin string) (map[string]string, error) {
	var items []struct{ Item, Spec string }
	if err := s.db.All(ctx, &items, "SELECT item, spec FROM plugin_schema WHERE plugin=?", plugin); err != nil {
		return nil, fmt.Errorf("read schema of plugin %s: %w", plugin, err)
	}
	done := map[string]string{}
	for _, item := range items {
		done[item.Item] = item.Spec
	}
	return done, nil
}

// columnSteps adds the columns that are missing and widens those that are too narrow.
func (s schemas) columnSteps(c *collection, done map[string]string, shapes map[string][]shape, made bool) ([]step, error) {
	var steps []step
	for _, column := range append(slices.Clone(c.columns[len(baseColumns):]), c.hidden...) {
		item := c.name + "." + column.GetName()
		spec, known := done[item]
		if !known {
			next := step{item: item, sql: "ALTER TABLE `" + c.table + "` ADD COLUMN " + columnSQL(column), shape: shapeOf(c, column)}
			if !made { // made with the table; noted so that it is not added again
				next.sql = ""
			}
			steps = append(steps, next)
			continue
		}
		was := shapes[item]
		if len(was) == 0 { // made by a build that did not note shapes
			was = adopted(c, column, cmp.Or(spec, done[c.name]))
			steps = append(steps, step{shape: &was[0]})
		}
		change, err := s.change(c, column, was, done)
		if err != nil {
			return nil, err
		}
		if change != nil {
			steps = append(steps, *change)
		}
	}
	return steps, nil
}

func (c *collection) createTable() string {
	lines := make([]string, 0, len(c.columns))
	for _, column := range append(slices.Clone(c.columns), c.hidden...) {
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

// indexSteps makes the indexes that are missing. One that shall be unique and was not is made beside the other; one that
// shall be unique no more makes way.
func (s schemas) indexSteps(plugin string, c *collection, done map[string]string) []step {
	var steps []step
	for _, index := range c.indexes {
		columns := strings.Join(index.GetColumns(), "_")
		plain, unique := indexItem(c.name+"#"+columns), indexItem(c.name+"#!"+columns)
		spec, made := done[plain]
		_, apart := done[unique]
		held := strings.HasPrefix(spec, "CREATE UNIQUE") // made unique from the start
		switch {
		case index.GetUnique() && !held && !apart:
			if !made {
				unique = plain
			}
			steps = append(steps, step{item: unique, sql: c.indexSQL(index, made)})
		case !index.GetUnique() && held:
			steps = append(steps, step{do: s.forget(plugin, c, index, false, plain)}, step{item: plain, sql: c.indexSQL(index, false)})
		case !index.GetUnique() && apart:
			steps = append(steps, step{do: s.forget(plugin, c, index, true, unique)})
		case !index.GetUnique() && !made:
			steps = append(steps, step{item: plain, sql: c.indexSQL(index, false)})
		}
	}
	return steps
}

// forget drops an index and its note.
func (s schemas) forget(plugin string, c *collection, index *pluginpb.Index, apart bool, item string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.db.DropIndex(ctx, c.table, c.indexName(index, apart)); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "DELETE FROM plugin_schema WHERE plugin=? AND item=?", plugin, item)
		return err
	}
}

// itemMost is how long an item may be.
const itemMost = 100

// indexItem is an index's item, shortened by a hash where its columns have long names.
func indexItem(item string) string {
	if len(item) <= itemMost {
		return item
	}
	return item[:itemMost-20] + "_" + short(item)
}

func short(text string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(text)) // a hash never fails
	return strconv.FormatUint(sum.Sum64(), 36)
}

// indexName names an index after its table and columns, shortened by a hash where MySQL's 64 characters need it. apart is
// the unique one beside a plain one.
func (c *collection) indexName(index *pluginpb.Index, apart bool) string {
	name := "px_" + strings.TrimPrefix(c.table, "plugin_") + "_" + strings.Join(index.GetColumns(), "_")
	if apart {
		name += "_unique"
	}
	if len(name) > 60 {
		name = name[:40] + "_" + short(name)
	}
	return name
}

func (c *collection) indexSQL(index *pluginpb.Index, apart bool) string {
	verb, quoted := "CREATE INDEX", "`"+strings.Join(index.GetColumns(), "`,`")+"`"
	if index.GetUnique() {
		verb = "CREATE UNIQUE INDEX"
	} else {
		quoted += ",`id`"
	}
	return verb + " `" + c.indexName(index, apart) + "` ON `" + c.table + "` (" + quoted + ")"
}
