package sdk

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestARowIsWrittenAsTheEncoderWouldWriteIt(t *testing.T) {
	type pair struct{ A, B int }
	rows := []any{
		map[string]any{},
		map[string]any{"id": 1, "name": "小程序", "state": "online", "on": true, "off": false, "none": nil, "big": int64(math.MaxInt64), "small": int64(math.MinInt64)},
		map[string]any{"quote": `他说"好"\`, "line": "一\n二\t三", "nul": "\x00\x1f\x7f", "html": "<a href='x'>&amp;</a>", "broken": "\xff\xfe好", "cut": "好"[:2], "high": "𝄞"},
		map[string]any{"f": 1.5, "e": 1e300, "u": uint8(7), "list": []string{"a", "<b>"}, "map": map[string]int{"z": 1, "a": 2}, "raw": json.RawMessage(`{"x":1}`), "number": json.Number("12"), "pair": pair{1, 2}, "pointer": &pair{3, 4}},
		map[string]any{"a\"b": 1, "键": 2, "": 3},
		pair{5, 6}, []int{1}, "text",
	}
	for i, row := range rows {
		got, err := encodeRow(row)
		if err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		want, err := encodeJSON(row)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal(want, &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("row %d: wrote %s\nthe encoder %s", i, got, want)
		}
	}
	for _, bad := range []any{map[string]any{"f": math.NaN()}, map[string]any{"c": make(chan int)}, map[string]any{"r": json.RawMessage("{")}} {
		if got, err := encodeRow(bad); err == nil {
			t.Errorf("%v became %s", bad, got)
		}
	}
}

func BenchmarkEncodeRow(b *testing.B) {
	row := map[string]any{"id": 1, "name": "小程序 1", "appid": "wx0000000000000001", "text": strings.Repeat("说明文字 ", 25), "count": 1000, "state": "online"}
	for name, encode := range map[string]func(any) ([]byte, error){"ours": encodeRow, "encoding/json": encodeJSON} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if out, err := encode(row); err != nil || len(out) < 300 {
					b.Fatal(fmt.Sprint(len(out)), err)
				}
			}
		})
	}
}
