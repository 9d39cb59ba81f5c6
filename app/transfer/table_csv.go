package transfer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"minifleet/app/fault"
)

// Bounds of an import.
const (
	MaxImportBytes = 8_000_000 // below what the server takes of a request at all, form around it included
	maxImportRows  = 50_000
	maxColumns     = 100
	maxCellChars   = 20_000
)

func badFile(zh string) *fault.Error { return fault.InvalidInput().On("file", zh) }

// decodeText finds out how a file is encoded and gives it as UTF-8: UTF-8 with or without a mark, UTF-16 with one, GBK (as
// Excel in China saves a CSV).
func decodeText(raw []byte) (text []byte, encoding string, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")), bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0")):
		return nil, "", badFile("这是 Excel 工作簿，请先另存为 CSV 再上传")
	case bytes.HasPrefix(raw, []byte(bom)):
		raw, encoding = raw[len(bom):], "UTF-8"
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		if raw, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(raw); err != nil {
			return nil, "", badFile("文件编码无法识别，请另存为 UTF-8 编码的 CSV").Because(err)
		}
		encoding = "UTF-16"
	case utf8.Valid(raw):
		encoding = "UTF-8"
	default:
		if raw, err = simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err != nil || bytes.ContainsRune(raw, utf8.RuneError) {
			return nil, "", badFile("文件编码无法识别，请另存为 UTF-8 编码的 CSV").Because(err)
		}
		encoding = "GBK"
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return nil, "", badFile("文件内容不是文本，请另存为 UTF-8 编码的 CSV")
	}
	return raw, encoding, nil
}

// parseCSV reads the header and hands each row with its line's number of the file to each; empty rows are skipped.
func parseCSV(text []byte, each func(no int, cells []string) error) (header []string, err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	first, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, badFile("文件是空的")
	}
	if err != nil {
		return nil, badFile("第 1 行无法读取，请检查引号是否成对").Because(err)
	}
	header = append(header, first...)
	for i := range header {
		header[i] = strings.TrimSpace(rearm(header[i]))
	}
	if len(header) > maxColumns {
		return nil, badFile(fmt.Sprintf("列太多，最多 %d 列", maxColumns))
	}
	rows := 0
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			return nil, badFile(fmt.Sprintf("第 %d 行无法读取，请检查引号是否成对", line)).Because(err)
		}
		if blank(cells) {
			continue
		}
		for _, c := range cells {
			if utf8.RuneCountInString(c) > maxCellChars {
				return nil, badFile(fmt.Sprintf("第 %d 行有超过 %d 字的单元格", line, maxCellChars))
			}
		}
		if rows++; rows > maxImportRows {
			return nil, badFile(fmt.Sprintf("行太多，一次最多 %d 行，请拆成几个文件", maxImportRows))
		}
		if err := each(line, cells[:min(len(cells), len(header))]); err != nil {
			return nil, err
		}
	}
	if rows == 0 {
		return nil, badFile("文件里只有标题行，没有数据")
	}
	return header, nil
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// separator is the sign that occurs most in the header: some editions of Excel write ; or a tabulator.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, r := range []rune{';', '\t'} {
		if n := bytes.Count(line, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}
