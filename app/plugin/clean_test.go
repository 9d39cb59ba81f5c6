package plugin

import (
	"strings"
	"testing"
)

func TestAnExtensionsFragmentActsOnNothingButItself(t *testing.T) {
	for name, c := range map[string]struct{ in, keeps, loses string }{
		"a script":                       {`<p>a</p><script>alert(1)</script>`, `<p>a</p>`, "alert"},
		"a handler":                      {`<p onclick="x()">a</p>`, `<p>a</p>`, "onclick"},
		"a style":                        {`<p style="position:fixed">a</p><style>body{}</style>`, `<p>a</p>`, "position"},
		"htmx to the core":               {`<div hx-post="/my/tokens" hx-trigger="load">a</div>`, "a</div>", "/my/tokens"},
		"htmx to another plugin":         {`<div hx-get="/p/market/x">a</div>`, "a</div>", "hx-get"},
		"htmx to a longer name":          {`<div hx-get="/p/couponx/x">a</div>`, "a</div>", "hx-get"},
		"htmx that climbs out":           {`<div hx-get="/p/coupon/../../my/x">a</div>`, "a</div>", "/my/"},
		"htmx that climbs out, hidden":   {`<div hx-get="/p/coupon/%2e%2e/%2E%2e/my/x">a</div>`, "a</div>", "/my/"},
		"data- spelling":                 {`<div data-hx-post="/my/tokens">a</div>`, "a</div>", "hx-post"},
		"htmx code":                      {`<div hx-on:click="x()" hx-vals="js:{a:1}" hx-headers='{"a":1}' hx-include="body">a</div>`, "a</div>", "hx-"},
		"htmx swap of the frame":         {`<div hx-get="/p/coupon/x" hx-target="body">a</div>`, `hx-get="/p/coupon/x"`, "body"},
		"its own htmx":                   {`<div id="x-list" hx-get="/p/coupon/list?page=2" hx-trigger="revealed" hx-target="#x-list" hx-swap="beforeend">a</div>`, `hx-get="/p/coupon/list?page=2"`, "~"},
		"its own htmx, back office":      {`<div hx-post="/admin/p/coupon/x">a</div>`, `hx-post="/admin/p/coupon/x"`, "~"},
		"a form to the core":             {`<form action="/my/security/password" method="post"><input name="a" value="b"></form>`, `<input name="a" value="b">`, "/my/security"},
		"a form to another site":         {`<form action="https://evil.example/"><input name="a"></form>`, `<input name="a">`, "evil"},
		"a button to the core":           {`<button formaction="/my/tokens">a</button>`, "<button>a</button>", "formaction"},
		"a field of the frame's form":    {`<input form="mf-login" name="a">`, `<input name="a">`, "mf-login"},
		"its own form":                   {`<form action="/admin/p/coupon/save" method="post"><button type="submit">a</button></form>`, `action="/admin/p/coupon/save"`, "~"},
		"script addresses":               {`<a href="javascript:alert(1)">a</a><a href="data:text/html,x">b</a>`, "a", "javascript"},
		"embedded pages":                 {`<iframe src="/my/tokens"></iframe><object data="/x"></object><embed src="/x"><p>a</p>`, "<p>a</p>", "/my/"},
		"base and meta":                  {`<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=/x"><p>a</p>`, "<p>a</p>", "evil"},
		"a style sheet of somebody else": {`<link rel="stylesheet" href="https://evil.example/a.css"><p>a</p>`, "<p>a</p>", "evil"},
		"its own style sheet":            {`<link rel="stylesheet" href="/p/coupon/assets/` + strings.Repeat("a", 64) + `/app.css">`, "app.css", "~"},
		"an id of the frame":             {`<div id="mf-side">a</div>`, "<div>a</div>", "mf-side"},
		"links, pictures, tables":        {`<a href="/p/coupon/x">a</a><img src="/p/coupon/raw.png" alt="图"><table class="mf-table"><tr><td colspan="2">好</td></tr></table>`, `<td colspan="2">好</td>`, "~"},
		"the frame's scripted acts":      {`<div data-autosubmit data-autoclick data-jump="/my/x">a</div>`, "a</div>", "data-auto"},
		"news of its own":                {`<div data-news="/p/coupon/topics/sold">a</div><div data-news="/p/market/topics/x">b</div>`, "/p/coupon/topics/sold", "/p/market"},
		"an icon":                        {`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 13a8 8 0 1 1 16 0" stroke="none"/></svg>`, `d="M4 13a8 8 0 1 1 16 0"`, "~"},
		"an icon with a script":          {`<svg onload="x()"><a href="javascript:x()"><script>x()</script><use href="/x#y"/></a></svg>`, "svg", "x()"},
		"comments":                       {`<!-- <p>x</p> --><p>a</p>`, "<p>a</p>", "<!--"},
	} {
		got := string(cleaner("coupon").SanitizeBytes([]byte(c.in)))
		if !strings.Contains(got, c.keeps) || strings.Contains(got, c.loses) {
			t.Errorf("%s: %s\nbecame %s", name, c.in, got)
		}
	}
}

func BenchmarkClean(b *testing.B) {
	page := []byte(strings.Repeat(`<tr><td class="mf-mono">wx0123456789abcdef</td><td>说明文字 说明文字</td><td><a class="mf-btn" href="/p/coupon/x">查看</a></td></tr>`, 100))
	policy := cleaner("coupon")
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		policy.SanitizeBytes(page)
	}
}
