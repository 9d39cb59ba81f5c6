package plugin

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"minifleet/app/fault"
)

// shape is how a column was declared, now or before. A shape that served once may come back: an older build beside a newer
// one, or after it. Only what is new is held against the rows that are there.
type shape struct {
	collection, column string
	kind               string
	size               int // characters of text; 0 for all other kinds
}

func (s shape) String() string {
	if s.kind == "text" {
		return fmt.Sprintf("text(%d)", s.size)
	}
	return s.kind
}

func shapeOf(c *collection, column *Column) *shape {
	found := shape{collection: c.name, column: column.GetName(), kind: column.GetType()}
	if found.kind == "text" {
		found.size = sizeOf(column)
	}
	return &found
}

// shapes gives every noted shape, by collection.column.
func (s schemas) shapes(ctx context.Context, plugin string) (map[string][]shape, error) {
	var rows []struct {
		Collection, Name, Type string
		Size                   int64
	}
	if err := s.db.All(ctx, &rows, "SELECT collection, name, type, size FROM plugin_column WHERE plugin=?", plugin); err != nil {
		return nil, fmt.Errorf("read columns of plugin %s: %w", plugin, err)
	}
	found := map[string][]shape{}
	for _, row := range rows {
		item := row.Collection + "." + row.Name
		found[item] = append(found[item], shape{row.Collection, row.Name, row.Type, int(row.Size)})
	}
	return found, nil
}

func (s schemas) noteShape(ctx context.Context, plugin string, noted shape) error {
	_, err := s.db.InsertIgnore(ctx, "plugin_column", map[string]any{
		"plugin": plugin, "collection": noted.collection, "name": noted.column, "type": noted.kind, "size": noted.size,
	})
	return err
}

// adopted reads the shape of a column from the statement that made it, for columns of builds that noted no shapes. Where
// the table holds what is declared now, that is the shape.
func adopted(c *collection, column *Column, spec string) []shape {
	now := *shapeOf(c, column)
	made := regexp.MustCompile("`" + column.GetName() + "` (VARCHAR\\((\\d+)\\)|LONGTEXT|BIGINT)").FindStringSubmatch(spec)
	if made == nil {
		return []shape{now}
	}
	was := shape{collection: c.name, column: column.GetName(), kind: "longtext"}
	switch {
	case made[2] != "":
		was.kind = "text"
		was.size, _ = strconv.Atoi(made[2]) // digits
	case made[1] == "BIGINT":
		was.kind = "int"
	}
	fits := was.kind == now.kind && was.size >= now.size || was.kind == "longtext" && now.kind == "json" ||
		was.kind == "int" && (now.kind == "time" || now.kind == "bool")
	if fits {
		return []shape{now}
	}
	return []shape{was}
}

// change is the step from the shapes that a column had to the one that is declared, nil when there is nothing to do. What
// the rows that are there would not fit is refused.
func (s schemas) change(c *collection, column *Column, was []shape, done map[string]string) (*step, error) {
	now := *shapeOf(c, column)
	widest := was[0]
	for _, held := range was {
		if held == now {
			return nil, nil
		}
		if held.kind == "longtext" || held.size > widest.size {
			widest = held
		}
	}
	widen := &step{shape: &now, do: func(ctx context.Context) error {
		return s.db.WidenText(ctx, c.table, column.GetName(), now.size)
	}}
	switch {
	case widest.kind == "text" && now.kind == "text" && now.size > widest.size:
		return widen, nil
	case widest.kind == "text" && now.kind == "longtext":
		if index := indexOver(c.name, column.GetName(), done); index != "" {
			return nil, unfit(c, column, widest, now, "索引 "+index+" 还在使用它")
		}
		return widen, nil
	case now.kind == "text" && (widest.kind == "longtext" || widest.kind == "text"):
		return nil, unfit(c, column, widest, now, "已保存的内容可能更长，长度只能加大")
	default:
		return nil, unfit(c, column, widest, now, "已保存的数据不是这个类型，请另加一列")
	}
}

// unfit says which column of a new build does not fit the rows that are there, and why.
func unfit(c *collection, column *Column, was, now shape, reason string) error {
	return fault.Newf(fault.Conflict, "plugin.schema", "数据集 %s 的列 %s 不能从 %s 改为 %s：%s", c.name, column.GetName(), was, now, reason)
}

// indexOver finds a noted index that holds the column, "" when there is none.
func indexOver(collection, column string, done map[string]string) string {
	for item, spec := range done {
		if strings.HasPrefix(item, collection+"#") && strings.Contains(spec, "`"+column+"`") {
			return strings.TrimPrefix(item, collection+"#")
		}
	}
	return ""
}
