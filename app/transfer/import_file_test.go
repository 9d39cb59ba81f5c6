package transfer

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"minifleet/app/fault"
	"minifleet/app/store/storetest"
)

func TestFilesAreReadAsPeopleSaveThem(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("名称,状态\r\n甲店,上架\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, encoding string }{
		"with a mark": {bom + "名称,状态\n甲店,上架\n", "UTF-8"},
		"without":     {"名称,状态\n甲店,上架\n", "UTF-8"},
		"GBK":         {gbk, "GBK"},
		"UTF-16":      {"\xff\xfe" + "\x0d\x54\xf0\x79\x2c\x00\xb6\x72\x01\x60\x0a\x00\x32\x75\x97\x5e\x2c\x00\x0a\x4e\xb6\x67\x0a\x00", "UTF-16"},
		"semicolons":  {"名称;状态\n甲店;上架\n", "UTF-8"},
		"tabs":        {"名称\t状态\n甲店\t上架\n", "UTF-8"},
		"quoted":      {"\"名称\",\"状态\"\n\"甲店\",\"上架\"\n\n,\n", "UTF-8"},
	} {
		imp := r.upload(t, c.text)
		rows, err := r.Rows(t.Context(), me(), imp.ID, "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if imp.Encoding != c.encoding || imp.Rows != 1 || len(imp.Mapping) != 2 || rows[0].Cells[0] != "甲店" || rows[0].Cells[1] != "上架" {
			t.Errorf("%s: %+v %+v", name, imp, rows)
		}
	}
}

func TestFilesThatAreNoCSVAreRefusedWithAReason(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	for name, text := range map[string]string{
		"empty": "", "header only": "名称\n", "workbook": "PK\x03\x04 …", "binary": "a,b\n\x00\x01", "too large": strings.Repeat("x", MaxImportBytes+1),
		"too many rows": "名称\n" + strings.Repeat("x\n", maxImportRows+1), "neither code": "名\xff\xff\xff称\n1\n",
	} {
		_, err := r.Upload(t.Context(), me(), "shelf", "x.csv", strings.NewReader(text))
		if f := fault.From(err); err == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != "file" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := r.db.Int(t.Context(), "SELECT COUNT(*) FROM transfer_import_row"); err != nil || n != 0 {
		t.Fatalf("%d rows left: %v", n, err)
	}
}

func TestATemplateCanBeImported(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	file, err := r.Template(t.Context(), me(), "shelf")
	if err != nil {
		t.Fatal(err)
	}
	imp := r.upload(t, string(file.Content)+",甲,上架,是\r\n")
	if len(imp.Mapping) != 4 {
		t.Fatalf("%+v", imp.Mapping)
	}
}
