package plugin

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

var rowSeeds = []string{
	`{}`, `{"id":1}`, `{"id":9223372036854775807,"name":"小程序","on":true,"off":false,"none":null,"neg":-5,"zero":0}`,
	`{"a":"x\ny","b":"\u597d"}`, `{"a":1.5,"b":1e3,"c":[1,{"d":2}],"e":{"f":"g"}}`, `{"a":1,"a":2}`, `{"":""}`, ` { "a" : 1 } `,
	`{"a":01}`, `{"a":-}`, `{"a":+1}`, `{"a":tru}`, `{"a"}`, `{"a":1,}`, `{,}`, `{"a":1}{"b":2}`, `{"a":1}}`, `[1]`, `null`, `"x"`, ``, `{`, `}`, `{"a":`, `{"a":}`,
	"{\"a\":\"\xff\"}", "{\"a\":\"\n\"}", `{"a":"}`, `{"a":1,"b"}`, `{"a":1 }`, `{"a": 1}`, `{"a":12345678901234567890123456789}`,
}

// whole is what the row means by encoding/json alone.
func whole(raw []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var row map[string]any
	if decoder.Decode(&row) != nil || decoder.More() {
		return nil, false
	}
	return row, json.Valid(raw)
}

func FuzzARowIsReadAsJSONReadsIt(f *testing.F) {
	for _, seed := range rowSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		row, err := decodeRow(raw)
		want, valid := whole(raw)
		if (err == nil) != valid {
			t.Fatalf("%q: error %v, JSON says valid=%v", raw, err, valid)
		}
		if err == nil && utf8.Valid(raw) && !reflect.DeepEqual(row, want) {
			t.Fatalf("%q: read %#v, JSON %#v", raw, row, want)
		}
	})
}

func TestFlatRowsNeedNoDecoder(t *testing.T) {
	for _, seed := range rowSeeds[:3] {
		if _, ok := plainRow([]byte(seed)); !ok {
			t.Errorf("%s goes the long way", seed)
		}
	}
}

func BenchmarkDecodeRow(b *testing.B) {
	raw := []byte(`{"appid":"wx0000000000000001","count":1000,"id":1,"name":"小程序 1","state":"online","text":"` + string(bytes.Repeat([]byte("说明文字 "), 25)) + `"}`)
	for name, decode := range map[string]func([]byte) bool{
		"ours":          func(raw []byte) bool { _, err := decodeRow(raw); return err == nil },
		"encoding/json": func(raw []byte) bool { _, ok := whole(raw); return ok },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !decode(raw) {
					b.Fatal("not read")
				}
			}
		})
	}
}
