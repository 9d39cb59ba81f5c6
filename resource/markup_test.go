package resource_test

import (
	"strings"
	"testing"

	"minifleet/resource"
)

func TestMarkupEscapesAndRefusesScripts(t *testing.T) {
	for address, want := range map[string]string{
		"/admin?q=a:b":             ` href="/admin?q=a:b"`,
		"https://a.example/x":      ` href="https://a.example/x"`,
		"javascript:alert(1)":      ` href="#"`,
		"JAVASCRIPT:alert(1)":      ` href="#"`,
		"\tjava\nscript:alert(1)":  ` href="#"`,
		"data:text/html,x":         ` href="#"`,
		`/x"onmouseover="alert(1)`: ` href="/x&#34;onmouseover=&#34;alert(1)"`,
		"#main":                    ` href="#main"`,
		"?cursor=1:2":              ` href="?cursor=1:2"`,
	} {
		var m resource.Markup
		m.Href(address)
		if got := string(m.Done()); got != want {
			t.Errorf("%q became %s, want %s", address, got, want)
		}
	}
	var m resource.Markup
	m.Raw("<p>")
	m.Text(`<b>&"'`)
	m.If(true, "</p>")
	m.If(false, "never")
	if got := string(m.Done()); got != "<p>&lt;b&gt;&amp;&#34;&#39;</p>" {
		t.Error(got)
	}
}

func TestBarEscapesNames(t *testing.T) {
	b := resource.Bar{Theme: "dark", Lang: "en", Here: `/a"b`, Name: `<小明>`, Login: "x@y", Space: `"空间"`, Kind: "商户空间", BackOffice: true, Bell: "<i></i>", More: []resource.BarLink{{"更多", "/more"}}}
	want := map[string]bool{
		`value="/a&#34;b"`: true, `&lt;小明&gt;`: true, `&#34;空间&#34;`: true, `<i></i>`: true, `href="/more"`: true, `>打开门户<`: true,
		`value="dark" aria-current="true"`: true, `value="light" aria-current="true"`: false, `<小明>`: false, `管理后台`: false, `href="/my/security"`: true,
	}
	got := string(b.End())
	for part, in := range want {
		if strings.Contains(got, part) != in {
			t.Errorf("%s in the bar: %v, want %v\n%s", part, !in, in, got)
		}
	}
}
