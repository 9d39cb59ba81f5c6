package transfer

import (
	"bufio"
	"encoding/csv"
	"io"
)

// sheetWriter writes rows into a file of one format.
type sheetWriter interface {
	// row adds a row; the first one is the header.
	row(cells []cell) error
	// finish writes what is left; nothing may be added afterwards.
	finish() error
	// close lets go of temporary files; safe at any time.
	close() error
}

// bom lets Excel read a CSV as UTF-8 instead of the system's code page.
const bom = "\uFEFF"

type csvFile struct {
	out   *bufio.Writer
	csv   *csv.Writer
	texts []string
}

func newCSV(w io.Writer) (*csvFile, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	_, err := out.WriteString(bom)
	f := &csvFile{out: out, csv: csv.NewWriter(out)}
	f.csv.UseCRLF = true
	return f, err
}

func (f *csvFile) row(cells []cell) error {
	f.texts = f.texts[:0]
	for _, c := range cells {
		text := c.text
		if !c.isInt && numberLike(text) {
			text += "\t" // a text to a spreadsheet, and nothing to see
		}
		f.texts = append(f.texts, text)
	}
	return f.csv.Write(f.texts)
}

func (f *csvFile) finish() error {
	f.csv.Flush()
	if err := f.csv.Error(); err != nil {
		return err
	}
	return f.out.Flush()
}

func (f *csvFile) close() error { return nil }
