package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"minifleet/plugins/sdk/pluginpb"
)

// writeCells writes rows of a computed table as the text that the host shows of them. Rows given as maps of plain cells,
// which is how most tables give them, need no reflection. Bytes that are no UTF-8 are left to the reader, which looks at all.
func writeCells(columns []string, rows []any) (*pluginpb.Cells, error) {
	out := &pluginpb.Cells{Columns: columns, Sizes: make([]uint32, 0, len(columns)*len(rows))}
	for i, row := range rows {
		cells, plain := row.(map[string]any)
		if !plain {
			var err error
			if cells, err = fieldsOf(row); err != nil {
				return nil, err
			}
		}
		for _, column := range columns {
			before := len(out.Text)
			var err error
			if out.Text, err = appendCell(out.Text, cells[column]); err != nil {
				return nil, fmt.Errorf("column %s: %w", column, err)
			}
			out.Sizes = append(out.Sizes, uint32(len(out.Text)-before))
		}
		if i == 0 { // the others are about as long
			out.Text = slices.Grow(out.Text, (len(out.Text)+16)*(len(rows)-1))
		}
	}
	return out, nil
}

// fieldsOf is a row that is no map by the names its JSON has.
func fieldsOf(row any) (map[string]any, error) {
	encoded, err := encodeJSON(row)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &fields); err != nil {
		return nil, fmt.Errorf("a row of type %T is no JSON object: %w", row, err)
	}
	cells := make(map[string]any, len(fields))
	for name, raw := range fields {
		cells[name] = raw
	}
	return cells, nil
}

func appendCell(out []byte, cell any) ([]byte, error) {
	switch v := cell.(type) {
	case nil:
		return out, nil
	case string:
		return append(out, v...), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case int:
		return strconv.AppendInt(out, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	}
	encoded, err := encodeJSON(cell)
	switch {
	case err != nil:
		return nil, err
	case bytes.Equal(encoded, []byte("null")):
		return out, nil
	case encoded[0] == '"':
		var text string
		err := json.Unmarshal(encoded, &text)
		return append(out, text...), err
	}
	return append(out, encoded...), nil
}
