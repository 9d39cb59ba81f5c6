package plugin

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Row is one row of a table as the text that lists, forms and files show: strings as they are, a value that is not there or
// null as "", anything else as JSON writes it, so that ids stay exact.
type Row struct {
	Columns []string
	Cells   []string // as many
}

// Text is the cell of a column, "" for a column that the row has not.
func (r Row) Text(column string) string {
	for i, name := range r.Columns {
		if name == column {
			return r.Cells[i]
		}
	}
	return ""
}

// ID is the row's number, 0 for one without.
func (r Row) ID() int64 { return r.number("id") }

// Version is what a form is made from; Save takes it back.
func (r Row) Version() int64 { return r.number("version") }

func (r Row) number(column string) int64 {
	n, err := strconv.ParseInt(r.Text(column), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// All gives the cells by column name.
func (r Row) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i, name := range r.Columns {
			if !yield(name, r.Cells[i]) {
				return
			}
		}
	}
}

// readCells reads the rows that came over the wire, at most so many. What a plugin says is not to be trusted: sizes that do not
// fit are refused, bytes that are no UTF-8 are replaced.
func readCells(cells *pluginpb.Cells, most int) ([]Row, error) {
	columns, sizes := cells.GetColumns(), cells.GetSizes()
	if err := fitting(len(columns), sizes, len(cells.GetText()), most); err != nil {
		return nil, fault.New(fault.Internal, "plugin.answer", "插件的回答有误，请稍后重试").Because(err)
	}
	raw, texts := cells.GetText(), make([]string, len(sizes))
	text := unsafe.String(unsafe.SliceData(raw), len(raw)) // nobody else has the message: cells are parts of it
	whole := utf8.ValidString(text)
	for i, size := range sizes {
		whole = whole && (text == "" || utf8.RuneStart(text[0])) // no character across two cells
		texts[i], text = text[:size], text[size:]
	}
	if !whole {
		for i, cell := range texts {
			texts[i] = strings.ToValidUTF8(cell, "\uFFFD")
		}
	}
	rows := make([]Row, 0, most)
	for ; len(texts) > 0; texts = texts[len(columns):] {
		rows = append(rows, Row{columns, texts[:len(columns):len(columns)]})
	}
	return rows, nil
}

// mostCells bounds the columns of a row: no screen has so many, and each costs the host memory beyond what it weighs on the wire.
const mostCells = 500

// fitting tells whether sizes are those of whole rows, at most so many, and of exactly the text.
func fitting(columns int, sizes []uint32, text, most int) error {
	var sum uint64
	for _, size := range sizes {
		sum += uint64(size)
	}
	switch {
	case sum != uint64(text):
		return fmt.Errorf("cells of %d bytes in a text of %d", sum, text)
	case len(sizes) == 0:
		return nil
	case columns == 0 || len(sizes)%columns != 0:
		return fmt.Errorf("%d cells in %d columns", len(sizes), columns)
	case columns > mostCells:
		return fmt.Errorf("rows of %d columns", columns)
	case len(sizes)/columns > most:
		return fmt.Errorf("%d rows where at most %d were asked for", len(sizes)/columns, most)
	}
	return nil
}
