package sdk

import (
	"strconv"
)

// encodeRow is encodeJSON for one row of a computed table. Rows given as maps of plain cells, which is how most tables
// give them, are written without reflection and in no order: that is four fifths of what a page costs its plugin.
func encodeRow(row any) ([]byte, error) {
	cells, plain := row.(map[string]any)
	if !plain {
		return encodeJSON(row)
	}
	size := 2
	for name, cell := range cells {
		text, _ := cell.(string)
		size += len(name) + len(text) + 26 // quotes, colon, comma and the longest number
	}
	out := append(make([]byte, 0, size), '{')
	for name, cell := range cells {
		if len(out) > 1 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendText(out, name); err != nil {
			return nil, err
		}
		if out, err = appendCell(append(out, ':'), cell); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendCell(out []byte, cell any) ([]byte, error) {
	switch v := cell.(type) {
	case nil:
		return append(out, "null"...), nil
	case string:
		return appendText(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case int:
		return strconv.AppendInt(out, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	}
	encoded, err := encodeJSON(cell)
	return append(out, encoded...), err
}

// appendText writes a string that needs no escapes as it is, any other through the encoder. Bytes that are no UTF-8 are left
// to the reader, which looks at the whole row once.
func appendText(out []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == '"' || b == '\\' {
			encoded, err := encodeJSON(text)
			return append(out, encoded...), err
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"'), nil
}
