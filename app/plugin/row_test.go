package plugin

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"minifleet/plugins/sdk/pluginpb"
)

// sized reads bytes as sizes, so that a fuzzer finds those that do not fit.
func sized(columns uint8, text, sizes []byte) *pluginpb.Cells {
	cells := &pluginpb.Cells{Text: text}
	for i := range columns % 8 {
		cells.Columns = append(cells.Columns, string('a'+rune(i)))
	}
	for _, size := range sizes {
		if size == math.MaxUint8 {
			cells.Sizes = append(cells.Sizes, math.MaxUint32)
			continue
		}
		cells.Sizes = append(cells.Sizes, uint32(size))
	}
	return cells
}

func FuzzRowsAreWholeOrRefused(f *testing.F) {
	f.Add(uint8(2), []byte("1小程序2"), []byte{1, 9, 1, 0})
	f.Add(uint8(2), []byte("1小"), []byte{2, 2}) // a cell ends within a character
	f.Add(uint8(1), []byte("a"), []byte{255, 2})
	f.Add(uint8(1), []byte("a"), []byte{255, 255, 255, 255, 255})
	f.Add(uint8(0), []byte("a"), []byte{1})
	f.Add(uint8(0), []byte{}, []byte{})
	f.Add(uint8(3), []byte("abcd"), []byte{1, 1, 1, 1})
	f.Add(uint8(1), []byte("\xff\xfe"), []byte{1, 1})
	f.Add(uint8(1), []byte{}, make([]byte, 200))
	f.Fuzz(func(t *testing.T, columns uint8, text, sizes []byte) {
		const most = 100
		cells := sized(columns, text, sizes)
		rows, err := readCells(cells, most)
		if err != nil {
			if len(rows) != 0 {
				t.Fatalf("%d rows and %v", len(rows), err)
			}
			return
		}
		if len(rows) > most {
			t.Fatalf("%d rows", len(rows))
		}
		var seen strings.Builder
		for _, row := range rows {
			n := 0
			for name, cell := range row.All() {
				if !utf8.ValidString(cell) || row.Text(name) != cell {
					t.Fatalf("column %s reads %q and %q", name, cell, row.Text(name))
				}
				seen.WriteString(cell)
				n++
			}
			if n != len(cells.GetColumns()) {
				t.Fatalf("a row of %d cells in %d columns", n, len(cells.GetColumns()))
			}
		}
		if utf8.Valid(text) && !strings.Contains(seen.String(), "\uFFFD") && seen.String() != string(text) {
			t.Fatalf("of %q was read %q", text, seen.String())
		}
	})
}

func TestARowKnowsItsNumberAndVersion(t *testing.T) {
	rows, err := readCells(&pluginpb.Cells{Columns: []string{"id", "version", "name"}, Text: []byte("90071992547409937小程序x"), Sizes: []uint32{16, 1, 9, 0, 0, 1}}, 2)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v, %v", rows, err)
	}
	if r := rows[0]; r.ID() != 9007199254740993 || r.Version() != 7 || r.Text("name") != "小程序" || r.Text("other") != "" {
		t.Errorf("read %+v", r)
	}
	if r := rows[1]; r.ID() != 0 || r.Version() != 0 || r.Text("name") != "x" {
		t.Errorf("a row without a number is read as %+v", r)
	}
}

func TestAStoredJSONValueIsShownAsText(t *testing.T) {
	for stored, want := range map[string]string{"": "", "null": "", `"小\n程序"`: "小\n程序", `"null"`: "null", "12": "12", "true": "true", `{"a":"b"}`: `{"a":"b"}`, `["x"]`: `["x"]`} {
		if got := jsonCell(stored); got != want {
			t.Errorf("%s is shown as %q, want %q", stored, got, want)
		}
	}
}

func BenchmarkReadCells(b *testing.B) {
	row := "1wx0000000000000001小程序 1" + strings.Repeat("说明文字 ", 25) + "1000online"
	sizes := []uint32{1, 18, 11, 325, 4, 6}
	cells := &pluginpb.Cells{Columns: []string{"id", "appid", "name", "text", "count", "state"}}
	for range 20 {
		cells.Text, cells.Sizes = append(cells.Text, row...), append(cells.Sizes, sizes...)
	}
	for b.Loop() {
		if rows, err := readCells(cells, 20); err != nil || len(rows) != 20 {
			b.Fatal(len(rows), err)
		}
	}
}
