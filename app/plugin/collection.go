package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// collection is a checked declaration: the table, its columns and who sees a row.
type collection struct {
	name       string
	table      string // plugin_<id>_<name>
	columns    []*Column
	hidden     []*Column // kept by the host beside the declared ones: what a search looks in, what a row counts for
	byName     map[string]*Column
	visibility *pluginpb.Visibility
	indexes    []*pluginpb.Index
	sortable   map[string]bool
	extension  string    // the plugin's id when it is somebody else's
	postings   *postings // nil without columns to search
}

const (
	defaultSize = 255
	maxColumns  = 60
)

var baseColumns = []*Column{
	{Name: "id", Type: "int"}, {Name: "version", Type: "int"}, {Name: "space_id", Type: "int"},
	{Name: "created_at", Type: "time"}, {Name: "updated_at", Type: "time"},
}

func newCollection(plugin string, declared *pluginpb.Collection) (*collection, error) {
	c := &collection{
		name: declared.GetName(), table: "plugin_" + plugin + "_" + declared.GetName(), columns: slices.Clone(baseColumns),
		byName: map[string]*Column{}, visibility: declared.GetVisibility(), indexes: slices.Clone(declared.GetIndexes()),
		sortable: map[string]bool{"id": true, "created_at": true},
	}
	if !nameShape.MatchString(c.name) || len(c.name) > 30 {
		return nil, fmt.Errorf("plugin %s: collection name %q", plugin, c.name)
	}
	if len(declared.GetColumns()) > maxColumns {
		return nil, fmt.Errorf("plugin %s: collection %s has more than %d columns", plugin, c.name, maxColumns)
	}
	for _, column := range declared.GetColumns() {
		if !nameShape.MatchString(column.GetName()) || slices.Contains(baseNames, column.GetName()) {
			return nil, fmt.Errorf("plugin %s: collection %s: column name %q", plugin, c.name, column.GetName())
		}
		if !slices.Contains([]string{"text", "longtext", "int", "bool", "time", "json"}, column.GetType()) ||
			column.GetSize() < 0 || column.GetSize() > 1024 {
			return nil, fmt.Errorf("plugin %s: collection %s: column %s has type %q, size %d", plugin, c.name,
				column.GetName(), column.GetType(), column.GetSize())
		}
		c.columns = append(c.columns, column)
	}
	for _, column := range c.columns {
		if c.byName[column.GetName()] != nil {
			return nil, fmt.Errorf("plugin %s: collection %s: two columns %q", plugin, c.name, column.GetName())
		}
		c.byName[column.GetName()] = column
	}
	if err := c.checkVisibility(); err != nil {
		return nil, fmt.Errorf("plugin %s: collection %s: %w", plugin, c.name, err)
	}
	c.addSearch(plugin)
	return c, c.addIndexes(plugin)
}

// addIndexes completes the declared indexes with those that visibility, sorting and closed filters need.
func (c *collection) addIndexes(plugin string) error {
	for _, column := range c.columns {
		if column.GetSort() {
			c.indexes = append(c.indexes, &pluginpb.Index{Columns: []string{column.GetName()}})
		}
	}
	for _, name := range append(c.visibility.Bound(), "space_id") {
		c.indexes = append(c.indexes, &pluginpb.Index{Columns: []string{name}})
	}
	seen := map[string]bool{}
	var kept []*pluginpb.Index
	for _, index := range c.indexes {
		if len(index.GetColumns()) == 0 || len(index.GetColumns()) > 4 {
			return fmt.Errorf("plugin %s: collection %s: index over %d columns", plugin, c.name, len(index.GetColumns()))
		}
		for _, name := range index.GetColumns() {
			if column := c.byName[name]; column == nil || column.GetType() == "longtext" || column.GetType() == "json" {
				return fmt.Errorf("plugin %s: collection %s: index over %q", plugin, c.name, name)
			}
		}
		key := fmt.Sprint(index.GetColumns())
		if !seen[key] {
			seen[key] = true
			kept = append(kept, index)
			c.sortable[index.GetColumns()[0]] = true
		}
	}
	c.indexes = kept
	return nil
}

func (c *collection) checkVisibility() error {
	v := c.visibility
	need := func(name, kind string) error {
		if column := c.byName[name]; column == nil || column.GetType() != kind {
			return fmt.Errorf("visibility %s needs a %s column %q", v.GetKind(), kind, name)
		}
		return nil
	}
	switch v.GetKind() {
	case "space":
		return nil
	case "parties":
		if err := need(v.GetColumn(), "int"); err != nil {
			return err
		}
		return need(v.GetOther(), "int")
	case "miniprogram":
		if v.GetScope() == "" || v.GetWrite() == "" {
			return fmt.Errorf("visibility miniprogram needs scopes")
		}
		return need(v.GetColumn(), "text")
	case "public":
		return need(v.GetWhen(), "text")
	default:
		return fmt.Errorf("unknown visibility %q", v.GetKind())
	}
}

func (c *collection) has(column string) bool { return c.byName[column] != nil }

// value turns a JSON cell into what the database stores, and refuses what the column cannot hold.
func value(column *Column, raw json.RawMessage) (any, error) {
	refuse := func(zh string) error {
		return fault.InvalidInput().On(column.GetName(), zh)
	}
	empty := len(raw) == 0 || bytes.Equal(raw, []byte("null"))
	switch column.GetType() {
	case "text", "longtext":
		text := ""
		if !empty {
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, refuse("应为文字")
			}
		}
		if column.GetRequired() && text == "" {
			return nil, refuse("必填")
		}
		if column.GetType() == "text" && utf8.RuneCountInString(text) > sizeOf(column) {
			return nil, refuse("最多 " + strconv.Itoa(sizeOf(column)) + " 个字")
		}
		return text, nil
	case "int", "time":
		if empty {
			return int64(0), nil
		}
		number, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
		if err != nil {
			return nil, refuse("应为整数")
		}
		return number, nil
	case "bool":
		truth := false
		if !empty {
			if err := json.Unmarshal(raw, &truth); err != nil {
				return nil, refuse("应为是或否")
			}
		}
		if truth {
			return int64(1), nil
		}
		return int64(0), nil
	default: // json
		if empty {
			return "null", nil
		}
		if !json.Valid(raw) {
			return nil, refuse("不是有效的 JSON")
		}
		return string(raw), nil
	}
}

func sizeOf(column *Column) int {
	if column.GetSize() == 0 {
		return defaultSize
	}
	return int(column.GetSize())
}
