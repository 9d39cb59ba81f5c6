package lang

import "testing"

func TestJSONKeepsItsShape(t *testing.T) {
	d := dictionary(t)
	for in, want := range map[string]string{
		`{"小程序":["版本",1,null,{"a":"查询"}],"n":12345678901234567}`: `{"n":12345678901234567,"小程序":["Version",1,null,{"a":"Search"}]}`,
		`"没有人翻译"`:    `"没有人翻译"`,
		`no json 查询`: `no json 查询`,
	} {
		if got := string(d.json([]byte(in))); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
