package lang

import (
	"strings"
	"testing"
)

const sample = `{
  "小程序": "Mini programs", "已授权": "Authorized", "版本": "Version", "共 {} 条": "{} in total",
  "已选 {} 项，共 {} 项": "{1} of {2} selected", "把 {} 交给 {}": "Hand {2} the {1}", "审核{}": "Review {}", "通过": "passed",
  "{} 天前": "{} days ago", "{} 天{}": "{} d {}", "查询": "Search", "确定删除？": "Delete?", "请填写 AppID": "Enter the AppID"
}`

func dictionary(t *testing.T) *Dictionary {
	t.Helper()
	d, err := New([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTranslate(t *testing.T) {
	d := dictionary(t)
	cases := map[string]struct {
		want  string
		whole bool
	}{
		"wx123":        {"wx123", true},
		"小程序":          {"Mini programs", true},
		"\n  小程序\n":    {"\n  Mini programs\n", true},
		"共 1,204 条":    {"1,204 in total", true},
		"已选 3 项，共 9 项": {"3 of 9 selected", true},
		"把 wx1 交给 A":   {"Hand A the wx1", true},
		"审核通过":         {"Review passed", true},
		"审核延后":         {"Review 延后", true},
		"小程序：已授权":      {"Mini programs: Authorized", true},
		"版本 2":         {"Version 2", true},
		"版本（2）· 已授权":   {"Version (2) · Authorized", true},
		"没有人翻译过这句":     {"没有人翻译过这句", false},
		"已授权，没有人翻译":    {"已授权，没有人翻译", false},
		"版本：没有人翻译，也不动标点。": {"版本：没有人翻译，也不动标点。", false},
		"查询。共 3 条：":       {"Search. 3 in total:", true},
		"把 wx1 交给 李小店":    {"Hand 李小店 the wx1", true},
		"开张三 天前后":         {"开张三 天前后", false},
		"查询；通过，查询：版本":     {"Search; passed, Search: Version", true},
		"：查询":             {": Search", true},
	}
	for in, c := range cases {
		if got, whole := d.Translate(in); got != c.want || whole != c.whole {
			t.Errorf("%q: %q %v, want %q %v", in, got, whole, c.want, c.whole)
		}
	}
}

func TestATranslationAsksOnlyForHolesThatAreThere(t *testing.T) {
	for _, bad := range []string{`{"共 {} 条":"{2} rows"}`, `{"共 {} 条":"{0} rows"}`, `{"{}":"{}"}`, `[`} {
		if _, err := New([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	d := dictionary(t)
	for i := range remembered + 10 {
		d.Translate("共 " + strings.Repeat("1", 1+i%50) + string(rune('一'+i%5000)) + " 条" + strings.Repeat(" ", i%3))
	}
	if len(d.seen) > remembered {
		t.Errorf("%d texts remembered", len(d.seen))
	}
}
