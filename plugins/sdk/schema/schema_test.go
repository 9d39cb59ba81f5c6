package schema_test

import (
	"slices"
	"strings"
	"testing"

	"minifleet/plugins/sdk/schema"
)

const coupon = `{"type":"object","required":["name"],"additionalProperties":false,"properties":{
	"name":{"type":"string","minLength":2,"maxLength":4},"stock":{"type":"integer","minimum":0,"maximum":9.5},"kind":{"enum":["a","b"]},
	"shops":{"type":["array","null"],"items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}}}`

func TestWhatDoesNotFitIsNamedFieldByField(t *testing.T) {
	s, err := schema.Compile([]byte(coupon))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string][]schema.Wrong{
		`{"name":"满减","stock":3,"kind":"a","shops":[{"id":"1"}]}`: nil,
		`{"name":"满减","shops":null}`:                              nil,
		`{}`:                                                      {{"name", "必填"}},
		`{"name":"满减","color":"red"}`:                             {{"color", "没有这个字段"}},
		`{"name":5}`:                                              {{"name", "类型不正确，应为 string"}},
		`{"name":"满"}`:                                            {{"name", "至少 2 个字"}},
		`{"name":"满减满减满减"}`:                                       {{"name", "最多 4 个字"}},
		`{"name":"满减","stock":-1}`:                                {{"stock", "不能小于 0"}},
		`{"name":"满减","stock":10}`:                                {{"stock", "不能大于 9.5"}},
		`{"name":"满减","kind":"c"}`:                                {{"kind", "请从列表中选择"}},
		`{"name":"满减","shops":[{}]}`:                              {{"shops.0.id", "必填"}},
		`[]`:                                                      {{"", "类型不正确，应为 object"}},
		`{"name":"满减","shops":[{"id":1},{"id":"2"},{"id":3}]}`: {{"shops.0.id", "类型不正确，应为 string"}, {"shops.2.id", "类型不正确，应为 string"}},
	} {
		wrong, err := s.Check([]byte(value))
		slices.SortFunc(wrong, func(a, b schema.Wrong) int { return strings.Compare(a.Name, b.Name) })
		if !slices.Equal(wrong, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %+v, %v; want %+v", value, wrong, err, want)
		}
	}
}

func TestAValueThatIsNoJSONFitsNothing(t *testing.T) {
	var none *schema.Schema
	for value, fits := range map[string]bool{`{"x":1}`: true, `5`: true, `{"x":`: false, ``: false} {
		if wrong, err := none.Check([]byte(value)); (err == nil) != fits || wrong != nil {
			t.Errorf("%q against no schema: %+v, %v", value, wrong, err)
		}
	}
}

func TestASchemaLeadsNowhereOutside(t *testing.T) {
	for _, raw := range []string{
		`{"$ref":"file:///etc/passwd"}`, `{"$ref":"http://127.0.0.1/schema"}`, `{"type":"nothing"}`, `{`, `{"title":"` + strings.Repeat("x", schema.Most) + `"}`,
	} {
		if s, err := schema.Compile([]byte(raw)); err == nil {
			t.Errorf("%.40s compiled to %+v", raw, s)
		}
	}
	if s, err := schema.Compile(nil); s != nil || err != nil {
		t.Errorf("no schema compiled to %+v, %v", s, err)
	}
}
