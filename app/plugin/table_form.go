package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// formValues keeps the form's columns and checks what every form checks.
func formValues(table *Table, values map[string]string) (map[string]string, error) {
	refused := fault.InvalidInput()
	kept := map[string]string{}
	for _, column := range table.GetForm() {
		text, given := values[column.GetName()]
		if !given {
			if column.GetType() != "bool" {
				continue
			}
			text = "false" // an unticked box is not sent
		}
		if column.GetRequired() && text == "" {
			refused.On(column.GetName(), "必填")
		} else if text != "" && len(column.GetOptions()) > 0 && !slices.ContainsFunc(column.GetOptions(), func(o *Option) bool { return o.GetValue() == text }) {
			refused.On(column.GetName(), "请从列表中选择")
		}
		kept[column.GetName()] = text
	}
	return kept, refused.OrNil()
}

// formOp is the change that a form of a kept table asks for. Columns that decide who sees a row stay as they are: a form
// that holds them as they were is fine, one that changes them is told so at the field.
func (h *Host) formOp(ctx context.Context, a authority, info *described, table *Table, id, version int64, values map[string]string) (*pluginpb.Op, error) {
	c := info.collections[table.GetCollection()]
	var fixed []string
	if c != nil && id != 0 {
		fixed = slices.DeleteFunc(c.visibility.Bound(), func(name string) bool { _, given := values[name]; return !given })
	}
	if len(fixed) == 0 {
		return saveOp(table, id, version, values)
	}
	page, err := h.committer.search(ctx, a, c, byID(id), "")
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, rowNotFound()
	}
	refused, kept := fault.InvalidInput(), maps.Clone(values)
	for _, name := range fixed {
		if strings.TrimSpace(values[name]) != page.Rows[0].Text(name) {
			refused.On(name, "保存后不能更改")
		}
		delete(kept, name)
	}
	if err := refused.OrNil(); err != nil {
		return nil, err
	}
	return saveOp(table, id, version, kept)
}

func byID(id int64) *pluginpb.FindRequest {
	return &pluginpb.FindRequest{Limit: 1, Where: []*pluginpb.Where{{Column: "id", Op: "eq", Values: [][]byte{strconv.AppendInt(nil, id, 10)}}}}
}

func rowNotFound() *fault.Error {
	return fault.New(fault.NotFound, "plugin.row", "没有找到这条数据，可能已被删除")
}

func saveOp(table *Table, id, version int64, values map[string]string) (*pluginpb.Op, error) {
	cells := map[string]json.RawMessage{}
	for _, column := range table.GetForm() {
		text, given := values[column.GetName()]
		if !given {
			continue
		}
		cell, err := formCell(column, text)
		if err != nil {
			return nil, err
		}
		cells[column.GetName()] = cell
	}
	row, err := json.Marshal(cells)
	if err != nil {
		return nil, fmt.Errorf("encode form of %s: %w", table.GetName(), err)
	}
	op := &pluginpb.Op{Kind: "update", Collection: table.GetCollection(), Id: id, IfVersion: version, Row: row}
	if id == 0 {
		op.Kind = "insert"
	}
	return op, nil
}

func formCell(column *Column, text string) (json.RawMessage, error) {
	switch column.GetType() {
	case "time":
		if text == "" {
			return []byte("0"), nil
		}
		for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
			if at, err := time.ParseInLocation(layout, text, shanghai()); err == nil {
				return strconv.AppendInt(nil, at.UnixMilli(), 10), nil
			}
		}
		return filterValue(column, text)
	case "json":
		if text == "" {
			return []byte("null"), nil
		}
		if !json.Valid([]byte(text)) {
			return nil, fault.InvalidInput().On(column.GetName(), "不是有效的 JSON")
		}
		return []byte(text), nil
	case "int":
		if text == "" {
			return []byte("0"), nil
		}
	}
	return filterValue(column, text)
}
