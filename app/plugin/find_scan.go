package plugin

import (
	"bytes"
	"database/sql"
	"encoding/json"
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

// cells is the row that json writes, as a table shows it.
func (s *scanner) cells() []string {
	cells := make([]string, len(s.columns))
	for i, column := range s.columns {
		switch column.GetType() {
		case "text", "longtext":
			cells[i] = s.texts[i].String
		case "json":
			cells[i] = jsonCell(s.texts[i].String)
		case "bool":
			cells[i] = strconv.FormatBool(s.numbers[i].Int64 != 0)
		default:
			cells[i] = strconv.FormatInt(s.numbers[i].Int64, 10)
		}
	}
	return cells
}

// jsonCell is a stored JSON value as a table shows it: a string as it is, null as "", anything else as JSON.
func jsonCell(stored string) string {
	if stored == "null" {
		return ""
	}
	var text string
	if strings.HasPrefix(stored, `"`) && json.Unmarshal([]byte(stored), &text) == nil {
		return text
	}
	return stored
}

func (s *scanner) names() []string {
	names := make([]string, len(s.columns))
	for i, column := range s.columns {
		names[i] = column.GetName()
	}
	return names
}

func jsonText(text string) []byte {
	encoded, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`)
	}
	return encoded
}
