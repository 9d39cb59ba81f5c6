package transfer

import (
	"archive/zip"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Bounds of the format.
const (
	xlsxRows  = excelize.TotalRows // of one sheet, the header included: 1,048,576
	xlsxChars = 32_767             // of one cell
)

// xlsxFile streams rows to a temporary file and, at the end, the whole workbook to out. It goes on in a further sheet
// when one is full.
type xlsxFile struct {
	out    io.Writer
	book   *excelize.File
	sheet  *excelize.StreamWriter
	header []any
	values []any
	bold   int
	name   string
	sheets int
	at     int // rows of the sheet at hand
	most   int // rows of a sheet
}

// newXLSX begins a workbook; most bounds the rows of a sheet, 0 is the format's own bound.
func newXLSX(out io.Writer, name, tempDir string, most int) (*xlsxFile, error) {
	if most == 0 {
		most = xlsxRows
	}
	f := &xlsxFile{out: out, book: excelize.NewFile(excelize.Options{TmpDir: tempDir}), name: sheetName(name), most: most}
	var err error
	f.bold, err = f.book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F1F5F9"}}})
	return f, err
}

// sheetName keeps to what a workbook allows: 31 characters and none of :\/?*[].
func sheetName(s string) string {
	out := []rune{}
	for _, r := range s {
		switch r {
		case ':', '\\', '/', '?', '*', '[', ']', '\'':
			r = ' '
		}
		if r >= ' ' && len(out) < 24 {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return "导出"
	}
	return string(out)
}

func (f *xlsxFile) row(cells []cell) error {
	f.values = f.values[:0]
	for _, c := range cells {
		switch {
		case c.isInt:
			f.values = append(f.values, c.number)
		case c.text == "":
			f.values = append(f.values, nil)
		default:
			f.values = append(f.values, cut(c.text, xlsxChars))
		}
	}
	if f.header == nil {
		f.header = append([]any{}, f.values...)
		return f.begin()
	}
	if f.at == f.most {
		if err := f.sheet.Flush(); err != nil {
			return fmt.Errorf("transfer: end a sheet: %w", err)
		}
		if err := f.begin(); err != nil {
			return err
		}
	}
	f.at++
	return f.sheet.SetRow("A"+strconv.Itoa(f.at), f.values)
}

// begin opens the next sheet with its frozen header.
func (f *xlsxFile) begin() (err error) {
	f.sheets++
	name := f.name
	if f.sheets == 1 {
		err = f.book.SetSheetName("Sheet1", name)
	} else {
		name += " (" + strconv.Itoa(f.sheets) + ")"
		_, err = f.book.NewSheet(name)
	}
	if err != nil {
		return fmt.Errorf("transfer: begin a sheet: %w", err)
	}
	if f.sheet, err = f.book.NewStreamWriter(name); err != nil {
		return fmt.Errorf("transfer: begin a sheet: %w", err)
	}
	if err := f.sheet.SetColWidth(1, max(len(f.header), 1), 22); err != nil {
		return err
	}
	if err := f.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	f.at = 1
	return f.sheet.SetRow("A1", f.header, excelize.RowOpts{StyleID: f.bold})
}

func (f *xlsxFile) finish() error {
	if err := f.sheet.Flush(); err != nil {
		return fmt.Errorf("transfer: end a sheet: %w", err)
	}
	// The archive goes straight to out: excelize would keep the whole of it in memory first.
	f.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(f.out) })
	if _, err := f.book.WriteToBuffer(); err != nil {
		return fmt.Errorf("transfer: write workbook: %w", err)
	}
	return nil
}

func (f *xlsxFile) close() error { return f.book.Close() }

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
