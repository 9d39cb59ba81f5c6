package sdk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Views of the core that rows of a collection can be joined with, and what they are found by.
const (
	ViewMiniPrograms = "core.miniprograms" // by AppID
	ViewComponents   = "core.components"   // by AppID
	ViewSpaces       = "core.spaces"       // by id
)

// Join reads columns of a core view beside each row. Make it with With.
type Join struct {
	column, view string
	columns      []string
}

// With joins each row with a core view by one of the row's columns: With("appid", ViewMiniPrograms, "nick_name"). Each
// column fills the field that is tagged join:"appid.nick_name". What the actor of the call may not see stays away: the field
// keeps its zero value.
func With(column, view string, columns ...string) Join { return Join{column, view, columns} }

// joined tells where the columns of the joins go.
func (c *Collection[T]) joined(joins []Join) (map[string][]int, error) {
	if len(joins) == 0 {
		return nil, nil
	}
	tagged := map[string][]int{}
	for _, field := range reflect.VisibleFields(c.shape.typ) {
		if name := field.Tag.Get("join"); name != "" {
			tagged[name] = field.Index
		}
	}
	fields := map[string][]int{}
	for _, join := range joins {
		wanted := "text"
		if join.view == ViewSpaces {
			wanted = "int"
		}
		if !slices.Contains([]string{ViewMiniPrograms, ViewComponents, ViewSpaces}, join.view) || c.shape.kind(join.column) != wanted {
			return nil, authorMistake("find %s: column %q does not join with %q", c.name, join.column, join.view)
		}
		for _, name := range join.columns {
			index, known := tagged[join.column+"."+name]
			if !known {
				return nil, authorMistake(`find %s: no field is tagged join:"%s.%s"`, c.name, join.column, name)
			}
			fields[join.column+"."+name] = index
		}
	}
	return fields, nil
}

// decodeJoined fills the fields of joins from a row that the host sent.
func decodeJoined(raw []byte, fields map[string][]int, row reflect.Value) error {
	if len(fields) == 0 {
		return nil
	}
	var cells map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cells); err != nil {
		return fmt.Errorf("decode joins: %w", err)
	}
	for name, index := range fields {
		cell, given := cells[name]
		if !given || string(cell) == "null" {
			continue
		}
		field := row.FieldByIndex(index)
		if field.Kind() == reflect.Int64 { // ids travel as text, since a browser's numbers do not hold them
			cell = json.RawMessage(strings.Trim(string(cell), `"`))
		}
		if err := json.Unmarshal(cell, field.Addr().Interface()); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
	}
	return nil
}
