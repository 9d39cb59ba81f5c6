package sdk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"

	"minifleet/plugins/sdk/pluginpb"
)

// Column describes one column of a computed table or one field of a form. A
// collection's columns come from struct tags instead:
//
//	col:"name,标题,type,flags…"
//
// type is text, longtext, int, bool, time (Unix milliseconds) or json. Flags:
// required · size:N (text, most characters, default 255) · filter:eq ·
// filter:like · search (part of the table's search box) · list (shown in
// lists) · form (editable) · sort · help:… · options:value=标签|colour;value=标签
//
// Register lists every column and puts each into the form unless tags say
// otherwise: readonly (in the list only) · hidden (in neither).
type Column struct {
	Name     string
	Title    string
	Type     string // default text
	Required bool
	Size     int    // text: most characters; 0 is 255
	Filter   string // "", "eq", "like"
	Search   bool
	List     bool
	Form     bool
	Sort     bool
	Options  []Option
	Help     string

	readonly, hidden bool // tags of a Register-ed type
}

// Option is one value of a closed choice. Color is green, blue, orange, red,
// grey or empty.
type Option struct{ Value, Label, Color string }

// Row is embedded first in every type of a collection. The host sets all of
// it.
type Row struct {
	ID        int64 `json:"id,string"`
	Version   int64 `json:"version"`         // grows by one with each update
	SpaceID   int64 `json:"space_id,string"` // the tenant that inserted the row, 0 for the system
	CreatedAt int64 `json:"created_at"`      // Unix milliseconds
	UpdatedAt int64 `json:"updated_at"`
}

// Names of Row's columns, which every collection has.
const (
	ColumnID        = "id"
	ColumnVersion   = "version"
	ColumnSpace     = "space_id"
	ColumnCreatedAt = "created_at"
	ColumnUpdatedAt = "updated_at"
)

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// shape is a type's columns and where its fields are.
type shape struct {
	columns []Column
	fields  map[string][]int
	typ     reflect.Type
}

var rowType = reflect.TypeFor[Row]()

// encode gives the row's declared columns as a JSON object. Row's own columns
// are the host's business and are left out.
func (s shape) encode(value reflect.Value) ([]byte, error) {
	row := make(map[string]any, len(s.columns))
	for _, column := range s.columns {
		row[column.Name] = value.FieldByIndex(s.fields[column.Name]).Interface()
	}
	encoded, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", s.typ, err)
	}
	return encoded, nil
}

// decode fills the fields that raw has.
func (s shape) decode(raw []byte, value reflect.Value) error {
	var row map[string]json.RawMessage
	if err := json.Unmarshal(raw, &row); err != nil {
		return fmt.Errorf("decode %s: %w", s.typ, err)
	}
	for name, cell := range row {
		index, known := s.fields[name]
		if !known || string(cell) == "null" {
			continue
		}
		if err := json.Unmarshal(cell, value.FieldByIndex(index).Addr().Interface()); err != nil {
			return fmt.Errorf("decode %s.%s: %w", s.typ, name, err)
		}
	}
	return nil
}

// wire turns columns into their declaration on the wire.
func wireColumns(columns []Column) []*pluginpb.Column {
	wired := make([]*pluginpb.Column, 0, len(columns))
	for _, column := range columns {
		declared := &pluginpb.Column{
			Name: column.Name, Title: column.Title, Type: column.Type, Required: column.Required, Size: int32(column.Size),
			Filter: column.Filter, Search: column.Search, List: column.List, Form: column.Form, Help: column.Help, Sort: column.Sort,
		}
		if declared.Type == "" {
			declared.Type = "text"
		}
		for _, option := range column.Options {
			declared.Options = append(declared.Options, &pluginpb.Option{Value: option.Value, Label: option.Label, Color: option.Color})
		}
		wired = append(wired, declared)
	}
	return wired
}
