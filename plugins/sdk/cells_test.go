package sdk

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/plugins/sdk/pluginpb"
)

// cellsOf gives the cells that were written.
func cellsOf(t *testing.T, page *pluginpb.Cells) []string {
	t.Helper()
	var cells []string
	text := string(page.GetText())
	for _, size := range page.GetSizes() {
		cells, text = append(cells, text[:size]), text[size:]
	}
	if text != "" {
		t.Errorf("%q is in no cell", text)
	}
	return cells
}

func TestARowIsWrittenAsWhatIsShownOfIt(t *testing.T) {
	type state string
	type row struct {
		ID   int64 `json:"id"`
		Name string
		On   *bool `json:"on"`
	}
	columns := []string{"id", "version", "Name", "on"}
	page, err := writeCells(columns, []any{
		map[string]any{"id": int64(math.MaxInt64), "version": 7, "Name": "小<b>\n\"程序\"", "on": true, "secret": "not declared"},
		map[string]any{"id": json.Number("12"), "version": nil, "Name": state("已停用"), "on": false},
		row{ID: 5, Name: "结构"}, &row{ID: 6},
		map[string]any{"id": uint8(3), "version": 1.5, "Name": []string{"a", "<b>"}, "on": json.RawMessage(`"x\ty"`)},
		map[string]any{"Name": time.UnixMilli(0).UTC(), "on": (*bool)(nil)}, map[string]string{"Name": "of strings"}, map[string]any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"9223372036854775807", "7", "小<b>\n\"程序\"", "true", "12", "", "已停用", "false", "5", "", "结构", "", "6", "", "", "",
		"3", "1.5", `["a","<b>"]`, "x\ty", "", "", "1970-01-01T00:00:00Z", "", "", "", "of strings", "", "", "", "", "",
	}
	if got := cellsOf(t, page); !slices.Equal(got, want) || !slices.Equal(page.GetColumns(), columns) {
		t.Errorf("wrote %q\nwant  %q", got, want)
	}
	if page, err := writeCells(columns, nil); err != nil || len(page.GetSizes())+len(page.GetText()) != 0 {
		t.Errorf("no rows are written as %v, %v", page, err)
	}
	for _, bad := range []any{map[string]any{"id": math.NaN()}, map[string]any{"id": make(chan int)}, map[string]any{"id": json.RawMessage("{")}, []int{1}, "text", 7} {
		if page, err := writeCells(columns, []any{bad}); err == nil {
			t.Errorf("%v became %q", bad, page.GetText())
		}
	}
}

func TestAComputedRowCarriesWhatItsTableDeclares(t *testing.T) {
	p := New("shop", "店", "1.0.0")
	p.Table(Table{
		Name: "rows", Title: "表", Columns: []Column{{Name: "name", Title: "名称", Type: "text"}, {Name: "state", Title: "状态", Type: "text"}}, Form: []Column{{Name: "name", Title: "名称", Type: "text"}, {Name: "note", Title: "说明", Type: "text"}},
		CanEdit: true, Save: func(context.Context, int64, int64, map[string]string) (int64, error) { return 1, nil },
		Rows: func(context.Context, TableQuery) (TablePage, error) { return TablePage{}, nil },
		Row: func(context.Context, int64) (any, error) {
			return map[string]any{"id": 1, "version": 2, "name": "n", "state": "s", "note": "o", "secret": "x"}, nil
		},
	})
	answer, err := NewServer(p, nil, nil).Row(t.Context(), &pluginpb.RowRequest{Table: "rows", Id: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.GetRow(); !slices.Equal(got.GetColumns(), []string{"id", "version", "name", "state", "note"}) || string(got.GetText()) != "12nso" {
		t.Errorf("carries %v: %q", got.GetColumns(), got.GetText())
	}
}

func BenchmarkWriteCells(b *testing.B) {
	columns := []string{"id", "version", "name", "appid", "text", "count", "state"}
	rows := make([]any, 20)
	for i := range rows {
		rows[i] = map[string]any{"id": i, "name": "小程序 1", "appid": "wx0000000000000001", "text": strings.Repeat("说明文字 ", 25), "count": 1000, "state": "online"}
	}
	for b.Loop() {
		if page, err := writeCells(columns, rows); err != nil || len(page.GetText()) < 6000 {
			b.Fatal(len(page.GetText()), err)
		}
	}
}
