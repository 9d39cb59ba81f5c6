package sdk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

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

// shapeOf reads the tags of T. It panics on an author's mistake.
func shapeOf(typ reflect.Type) shape {
	if typ.Kind() != reflect.Struct {
		panic(fmt.Sprintf("sdk: %s is not a struct", typ))
	}
	base, ok := typ.FieldByName("Row")
	if !ok || base.Type != rowType || !base.Anonymous {
		panic(fmt.Sprintf("sdk: %s does not embed sdk.Row", typ))
	}
	found := shape{typ: typ, fields: map[string][]int{
		ColumnID:        append(append([]int(nil), base.Index...), 0),
		ColumnVersion:   append(append([]int(nil), base.Index...), 1),
		ColumnSpace:     append(append([]int(nil), base.Index...), 2),
		ColumnCreatedAt: append(append([]int(nil), base.Index...), 3),
		ColumnUpdatedAt: append(append([]int(nil), base.Index...), 4),
	}}
	for _, field := range reflect.VisibleFields(typ) {
		tag, tagged := field.Tag.Lookup("col")
		if !tagged {
			continue
		}
		column := parseColumn(typ.String()+"."+field.Name, tag)
		if _, twice := found.fields[column.Name]; twice {
			panic(fmt.Sprintf("sdk: %s has two columns %q", typ, column.Name))
		}
		checkGoType(typ.String()+"."+field.Name, column, field.Type)
		found.fields[column.Name] = field.Index
		found.columns = append(found.columns, column)
	}
	if len(found.columns) == 0 {
		panic(fmt.Sprintf("sdk: %s has no field with a col tag", typ))
	}
	return found
}

func parseColumn(where, tag string) Column {
	parts := strings.Split(tag, ",")
	if len(parts) < 3 {
		panic(fmt.Sprintf("sdk: %s: tag %q is not name,标题,type,…", where, tag))
	}
	column := Column{Name: strings.TrimSpace(parts[0]), Title: strings.TrimSpace(parts[1]), Type: strings.TrimSpace(parts[2])}
	if !nameShape.MatchString(column.Name) {
		panic(fmt.Sprintf("sdk: %s: column name %q is not [a-z][a-z0-9_]*", where, column.Name))
	}
	switch column.Type {
	case "text", "longtext", "int", "bool", "time", "json":
	default:
		panic(fmt.Sprintf("sdk: %s: unknown column type %q", where, column.Type))
	}
	for _, flag := range parts[3:] {
		parseFlag(where, &column, strings.TrimSpace(flag))
	}
	return column
}

func parseFlag(where string, column *Column, flag string) {
	key, value, _ := strings.Cut(flag, ":")
	switch key {
	case "required":
		column.Required = true
	case "search":
		column.Search = true
	case "list":
		column.List = true
	case "form":
		column.Form = true
	case "sort":
		column.Sort = true
	case "help":
		column.Help = value
	case "size":
		size, err := strconv.Atoi(value)
		if err != nil || size < 1 || size > 1024 {
			panic(fmt.Sprintf("sdk: %s: size %q is not 1…1024", where, value))
		}
		column.Size = size
	case "filter":
		if value != "eq" && value != "like" {
			panic(fmt.Sprintf("sdk: %s: filter %q is neither eq nor like", where, value))
		}
		column.Filter = value
	case "options":
		for _, option := range strings.Split(value, ";") {
			stored, label, _ := strings.Cut(option, "=")
			label, color, _ := strings.Cut(label, "|")
			column.Options = append(column.Options, Option{stored, label, color})
		}
	default:
		panic(fmt.Sprintf("sdk: %s: unknown flag %q", where, flag))
	}
}

func checkGoType(where string, column Column, typ reflect.Type) {
	fits := true
	switch column.Type {
	case "text", "longtext":
		fits = typ.Kind() == reflect.String
	case "int", "time":
		fits = typ.Kind() == reflect.Int64 || typ.Kind() == reflect.Int || typ.Kind() == reflect.Int32
	case "bool":
		fits = typ.Kind() == reflect.Bool
	}
	if !fits {
		panic(fmt.Sprintf("sdk: %s: Go type %s does not fit column type %s", where, typ, column.Type))
	}
}

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
