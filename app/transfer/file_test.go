package transfer

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"mime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

func columns() []Column {
	return []Column{{Title: "名称"}, {Title: "安装量", Kind: Int}, {Title: "编号", Kind: Int}, {Title: "时间", Kind: Time}, {Title: "启用", Kind: Bool},
		{Title: "状态", Labels: map[string]string{"on": "已上架"}}, {Title: "手机"}}
}

func sample() []string {
	return []string{"=cmd|' /C calc'!A0", "12", "8901234567890123", "1795339800000", "true", "on", "13800138000"}
}

func write(t *testing.T, w sheetWriter, rows int) {
	t.Helper()
	var header []cell
	for _, c := range columns() {
		header = append(header, cell{text: c.Title})
	}
	if err := w.row(header); err != nil {
		t.Fatal(err)
	}
	for range rows {
		if err := w.row(cellsOf(columns(), sample())); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
}

func TestACSVOpensInExcel(t *testing.T) {
	var b bytes.Buffer
	w, err := newCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, 1)
	text, found := strings.CutPrefix(b.String(), "\xef\xbb\xbf")
	if !found {
		t.Error("no mark of UTF-8")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"'=cmd|' /C calc'!A0", "12", "8901234567890123\t", "2026-11-22 17:30:00", "是", "已上架", "13800138000\t"}
	if fmt.Sprint(rows[1]) != fmt.Sprint(want) {
		t.Errorf("got %q", rows[1])
	}
}

func TestAWorkbookKeepsTextsAsTextsAndGoesOnInAnotherSheet(t *testing.T) {
	var b bytes.Buffer
	w, err := newXLSX(&b, "商品/上架:全部", t.TempDir(), 4)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, 7)
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	if got := strings.Join(book.GetSheetList(), "|"); got != "商品 上架 全部|商品 上架 全部 (2)|商品 上架 全部 (3)" {
		t.Errorf("sheets %s", got)
	}
	total := 0
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if rows[0][0] != "名称" || len(rows) > 4 {
			t.Errorf("%s: %d rows, header %q", sheet, len(rows), rows[0])
		}
		total += len(rows) - 1
		if fmt.Sprint(rows[1]) != fmt.Sprint([]string{"'=cmd|' /C calc'!A0", "12", "8901234567890123", "2026-11-22 17:30:00", "是", "已上架", "13800138000"}) {
			t.Errorf("row %q", rows[1])
		}
	}
	if total != 7 {
		t.Errorf("%d rows", total)
	}
	for ref, want := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "B2": excelize.CellTypeUnset, "C2": excelize.CellTypeInlineString, "G2": excelize.CellTypeInlineString} {
		if got, err := book.GetCellType(book.GetSheetList()[0], ref); err != nil || got != want {
			t.Errorf("%s has type %v, want %v: %v", ref, got, want, err)
		}
		if formula, err := book.GetCellFormula(book.GetSheetList()[0], ref); err != nil || formula != "" {
			t.Errorf("%s is a formula: %q %v", ref, formula, err)
		}
	}
}

func TestAFileNameTellsWhatIsInItAndSurvivesTheHeader(t *testing.T) {
	name := fileName("小程序", "电商 \"../x\r\n", XLSX, time.UnixMilli(1795339800000))
	if name != "小程序-电商 ..x-20261122-173000.xlsx" {
		t.Errorf("got %q", name)
	}
	header := Disposition(name)
	if strings.ContainsAny(header, "\r\n") {
		t.Error("line break in a header")
	}
	_, params, err := mime.ParseMediaType(header)
	if err != nil || params["filename"] != name {
		t.Errorf("%s gives %q: %v", header, params["filename"], err)
	}
}
