package sdktest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// cells is one row: JSON by column name.
type cells map[string]json.RawMessage

func (c cells) number(column string) int64 {
	number, err := strconv.ParseInt(strings.Trim(string(c[column]), `"`), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

func (c cells) text(column string) string {
	var text string
	if json.Unmarshal(c[column], &text) != nil {
		return string(c[column])
	}
	return text
}

func (c cells) set(column string, number int64) {
	c[column] = strconv.AppendInt(nil, number, 10)
}

// memory is one collection.
type memory struct {
	declared *pluginpb.Collection
	columns  map[string]*pluginpb.Column
	sortable map[string]bool
	rows     []cells
}

func newMemory(declared *pluginpb.Collection) *memory {
	m := &memory{declared: declared, columns: map[string]*pluginpb.Column{}, sortable: map[string]bool{"id": true, "created_at": true, "space_id": true}}
	for _, name := range []string{"id", "version", "space_id"} {
		m.columns[name] = &pluginpb.Column{Name: name, Type: "int"}
	}
	for _, name := range []string{"created_at", "updated_at"} {
		m.columns[name] = &pluginpb.Column{Name: name, Type: "time"}
	}
	for _, column := range declared.GetColumns() {
		m.columns[column.GetName()] = column
		if column.GetSort() {
			m.sortable[column.GetName()] = true
		}
	}
	for _, index := range declared.GetIndexes() {
		if len(index.GetColumns()) > 0 {
			m.sortable[index.GetColumns()[0]] = true
		}
	}
	for _, name := range m.declared.GetVisibility().Bound() {
		m.sortable[name] = true
	}
	return m
}

func (m *memory) clone() *memory {
	copied := *m
	copied.rows = make([]cells, len(m.rows))
	for i, row := range m.rows {
		copied.rows[i] = make(cells, len(row))
		for name, cell := range row {
			copied.rows[i][name] = cell
		}
	}
	return &copied
}

// kind is a column's type, "" when there is none of the name.
func (m *memory) kind(name string) string { return m.columns[name].GetType() }

// compare orders two cells of a column: numbers by value, everything else by its bytes.
func (m *memory) compare(column string, x, y json.RawMessage) int {
	switch m.kind(column) {
	case "text", "longtext":
		return strings.Compare(cells{"": x}.text(""), cells{"": y}.text(""))
	case "int", "time":
		return cmp.Compare(cells{"": x}.number(""), cells{"": y}.number(""))
	default:
		return bytes.Compare(x, y)
	}
}

// size is how many bytes a row counts for, as in the product: 64 and 8 for each number, and its texts.
func (m *memory) size(row cells) int64 {
	size := int64(64)
	for _, column := range m.declared.GetColumns() {
		switch column.GetType() {
		case "text", "longtext":
			size += int64(len(row.text(column.GetName())))
		case "json":
			size += int64(len(row[column.GetName()]))
		default:
			size += 8
		}
	}
	return size
}

// refused is the answer to a mistake of the plugin's author.
func refused(format string, args ...any) error {
	return sdk.Fail("plugin.query", "插件的查询有误，请联系插件作者").Because(fmt.Errorf(format, args...))
}

// cell turns what an op brings into what the column holds, and refuses what it cannot hold.
func cell(column *pluginpb.Column, raw json.RawMessage) (json.RawMessage, error) {
	refuse := func(zh string) error {
		return sdk.Fail("invalid_input", "请检查填写的内容").On(column.GetName(), zh)
	}
	empty := len(raw) == 0 || bytes.Equal(raw, []byte("null"))
	switch column.GetType() {
	case "text", "longtext":
		text := ""
		if !empty && json.Unmarshal(raw, &text) != nil {
			return nil, refuse("应为文字")
		}
		size := cmp.Or(int(column.GetSize()), 255)
		if column.GetRequired() && text == "" {
			return nil, refuse("必填")
		}
		if column.GetType() == "text" && utf8.RuneCountInString(text) > size {
			return nil, refuse(fmt.Sprintf("最多 %d 个字", size))
		}
		return json.Marshal(text)
	case "int", "time":
		if empty {
			return json.RawMessage("0"), nil
		}
		if _, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64); err != nil {
			return nil, refuse("应为整数")
		}
		return json.RawMessage(bytes.Trim(raw, `"`)), nil
	case "bool":
		truth := false
		if !empty && json.Unmarshal(raw, &truth) != nil {
			return nil, refuse("应为是或否")
		}
		return strconv.AppendBool(nil, truth), nil
	default:
		if empty {
			return json.RawMessage("null"), nil
		}
		if !json.Valid(raw) {
			return nil, refuse("不是有效的 JSON")
		}
		return raw, nil
	}
}
