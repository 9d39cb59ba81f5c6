package lang

import (
	"slices"
	"testing"
)

func TestPagesAreTranslatedWhereTheyAreOurs(t *testing.T) {
	d := dictionary(t)
	cases := map[string]struct{ page, want string }{
		"text":            {`<p class=a>小程序</p>`, `<p class=a>Mini programs</p>`},
		"spaces stay":     {"<li> 小程序 <b>版本</b></li>", "<li> Mini programs <b>Version</b></li>"},
		"entities":        {`<p>&lt;共 3 条&gt;</p>`, `<p>&lt;共 3 条&gt;</p>`},
		"user's own text": {`<td translate="no">小程序<td>版本</td></td><td>版本</td>`, `<td translate="no">小程序<td>版本</td></td><td>Version</td>`},
		"nested own text": {`<div translate="no"><div>版本</div><br>版本</div>版本`, `<div translate="no"><div>版本</div><br>版本</div>Version`},
		"attributes":      {`<input placeholder="请填写 AppID" value="小程序">`, `<input placeholder="Enter the AppID" value="小程序">`},
		"buttons":         {`<input type="submit" value="查询">`, `<input type="submit" value="Search">`},
		"script":          {`<script>"小程序"</script>查询`, `<script>"小程序"</script>Search`},
		"textarea":        {`<textarea>小程序</textarea>查询`, `<textarea>小程序</textarea>Search`},
		"html":            {`<html lang="zh-CN"><title>小程序</title>`, `<html lang="en"><title>Mini programs</title>`},
		"confirm":         {`<form data-confirm="确定删除？">`, `<form data-confirm="Delete?">`},
		"unclosed":        {`查询<p`, `Search`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := string(d.HTML([]byte(c.page), nil)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhatIsLeftIsNamed(t *testing.T) {
	d := dictionary(t)
	var left []string
	d.HTML([]byte(`<p title="还没有">新词</p><p translate="no">谁</p><p>查询</p>`), func(s string) { left = append(left, s) })
	if !slices.Equal(left, []string{"还没有", "新词"}) {
		t.Errorf("left %q", left)
	}
}

func FuzzHTML(f *testing.F) {
	d, err := New([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`<p translate=no>小程序</p><input value=查询 type=submit><textarea>`)
	f.Add(`<script>查询</script`)
	f.Fuzz(func(t *testing.T, page string) {
		if Chinese(page) {
			d.HTML([]byte(page), func(string) {})
			return
		}
		if len(d.HTML([]byte(page), func(s string) { t.Errorf("left %q", s) })) > 4*len(page)+64 {
			t.Error("a page without Chinese grew")
		}
	})
}
