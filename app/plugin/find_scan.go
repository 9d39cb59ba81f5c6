package plugin

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// scanner reads rows of known column types and writes them as JSON.
type scanner struct {
	columns []*Column
	texts   []sql.NullString
	numbers []sql.NullInt64
	targets []any
}

func newScanner(columns []*Column) *scanner {
	s := &scanner{
		columns: columns, texts: make([]sql.NullString, len(columns)), numbers: make([]sql.NullInt64, len(columns)),
		targets: make([]any, len(columns)),
	}
	for i, column := range columns {
		switch column.GetType() {
		case "text", "longtext", "json":
			s.targets[i] = &s.texts[i]
		default:
			s.targets[i] = &s.numbers[i]
		}
	}
	return s
}

func (s *scanner) json() []byte {
	var row bytes.Buffer
	row.WriteByte('{')
	for i, column := range s.columns {
		if i > 0 {
			row.WriteByte(',')
		}
		row.WriteString(`"` + column.GetName() + `":`)
		switch column.GetType() {
		case "text", "longtext":
			row.Write(jsonText(s.texts[i].String))
		case "json":
			if s.texts[i].String == "" {
				row.WriteString("null")
			} else {
				row.WriteString(s.texts[i].String)
			}
		case "bool":
			row.WriteString(strconv.FormatBool(s.numbers[i].Int64 != 0))
		default:
			row.WriteString(strconv.FormatInt(s.numbers[i].Int64, 10))
		}
	}
	row.WriteByte('}')
	return row.Bytes()
}

// values is the row that json writes, without the way through its text.
func (s *scanner) values() (map[string]any, error) {
	row := make(map[string]any, len(s.columns))
	for i, column := range s.columns {
		name := column.GetName()
		switch column.GetType() {
		case "text", "longtext":
			row[name] = s.texts[i].String
		case "json":
			value, err := decodeValue(s.texts[i].String)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
			row[name] = value
		case "bool":
			row[name] = s.numbers[i].Int64 != 0
		default:
			row[name] = json.Number(strconv.FormatInt(s.numbers[i].Int64, 10))
		}
	}
	return row, nil
}

func decodeValue(text string) (value any, err error) {
	if text == "" {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

func jsonText(text string) []byte {
	encoded, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`)
	}
	return encoded
}
