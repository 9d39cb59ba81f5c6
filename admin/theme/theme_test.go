package theme

import (
	"html/template"
	"strings"
	"testing"

	"github.com/GoAdminGroup/go-admin/template/components"
	"github.com/GoAdminGroup/go-admin/template/types"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"

	"minifleet/resource"
)

func TestPaginatorStaysGoAdminsOwnType(t *testing.T) {
	if _, ok := New().Paginator().(*components.PaginatorAttribute); !ok {
		t.Error("GoAdmin's paginator package asserts its own type")
	}
}

func TestComponentsBringNeitherScriptNorStyle(t *testing.T) {
	look := New()
	pasted := template.HTML(`<b>ok</b><script src="/x.js">alert(1)</script><SCRIPT>2</SCRIPT>`)
	for name, got := range map[string]template.HTML{
		"box":    look.Box().SetTitle("标题").SetBody("内容").SetFooter(pasted).GetContent(),
		"form":   look.Form().SetContent(types.FormFields{}).SetUrl("/x").SetOperationFooter(pasted).SetFooter(pasted).GetContent(),
		"table":  look.DataTable().SetThead(types.Thead{{Head: "名称", Field: "name"}}).SetButtons(pasted).SetActionJs("alert(1)").GetContent(),
		"alert":  look.Alert().SetTheme("danger").SetTitle("错").GetContent(),
		"popup":  look.Popup().SetID("p").SetTitle("标题").SetBody("内容").GetContent(),
		"tabs":   look.Tabs().SetData([]map[string]template.HTML{{"title": "一", "content": "甲"}}).GetContent(),
		"button": look.Button().SetContent("好").SetThemePrimary().SetHref(`/a"b`).GetContent(),
		"403":    look.Get403HTML(),
	} {
		low := strings.ToLower(string(got))
		for _, bad := range []string{"<script", "<style", " style=", "onclick", "javascript:", `a"b`} {
			if strings.Contains(low, bad) {
				t.Errorf("%s: %s in %s", name, bad, got)
			}
		}
		if name == "box" && !strings.Contains(string(got), "<b>ok</b>") {
			t.Errorf("what stood beside the script is gone: %s", got)
		}
	}
}

func TestFormEscapesWhatWasTypedOnceAndNamesWhatIsWrong(t *testing.T) {
	got := string(New().Form().SetUrl("/save").SetHiddenFields(map[string]string{"b": `"2"`, "a": "1"}).SetContent(types.FormFields{
		{Field: "name", Head: "名称", Must: true, FormType: formtype.Text, Value: `<script>"x"</script>`, HelpMsg: "用户可见", Foot: "请填写名称"},
		{Field: "note", Head: "说明", FormType: formtype.TextArea, Value: `a & b </textarea>`},
		{Field: "state", Head: "状态", FormType: formtype.SelectSingle, Placeholder: "请选择", Options: types.FieldOptions{{Text: "甲", Value: "a"}, {Text: "乙", Value: "b", Selected: true}}},
		{Field: "at", Head: "时间", FormType: formtype.Datetime, Value: "2026-11-22T09:30:00"},
		{Field: "id", Hide: true, Value: "7"},
	}).GetContent())
	for _, want := range []string{
		`value="&lt;script&gt;&#34;x&#34;&lt;/script&gt;"`, `aria-describedby="f-name-help f-name-error"`, `aria-invalid="true"`, `<p class="mf-error" id="f-name-error">请填写名称</p>`,
		`a &amp; b &lt;/textarea&gt;</textarea>`, `<option value="b" selected>乙</option>`, `type="datetime-local" step="1"`, `<input type="hidden" name="id" value="7">`, `value="&#34;2&#34;"`, `<label class="mf-label" for="f-state">`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestGridNamesItsHeadsAndFoldsManyActs(t *testing.T) {
	ops := []Op{{Title: "删除", Post: "/d", Danger: true, Word: `青"禾`, Confirm: "确定？"}, {Title: "甲", Href: "/a?x=1&y=2"}, {Title: "乙", Href: "/b"}, {Title: "丙", Post: "/c", Name: "one", Value: "7"}}
	got := string(Grid{Label: "小程序", Pick: true, Acts: true, Dense: true,
		Columns: []Column{{Name: "n", Title: "名称", Sort: "asc", Href: "?s=1&t=2"}, {Name: "c", Title: "数量", Number: true}},
		Rows:    []Row{{ID: "7", Name: `<b>"名"`, Cells: []template.HTML{"<i>一</i>", "2"}, Ops: ops, Off: true}}}.HTML())
	for _, want := range []string{
		`aria-label="小程序"`, `aria-sort="ascending"`, `href="?s=1&amp;t=2"`, `<th scope="col" class="mf-num">数量</th>`, `&lt;b&gt;&#34;名&#34;`, `<td data-label="名称"><i>一</i></td>`,
		`form="list-form" name="id" value="7"`, `<tr class="mf-row-off">`, "mf-table-dense", `data-confirm-word="青&#34;禾"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	open, folded, ok := strings.Cut(got, "更多")
	if !ok || !strings.Contains(folded, "删除") || strings.Contains(open, "删除") || !strings.Contains(open, "丙") {
		t.Errorf("what cannot be undone does not come last:\n%s", got)
	}
}

func TestFrameSaysWhereOneIs(t *testing.T) {
	f := Frame{
		Title: "<列表>", Trail: []Crumb{{"上级", "/admin/up"}, {"坏", "javascript:alert(1)"}}, Body: "<p>正文</p>",
		Menu: []MenuItem{{Title: "组", Icon: Icon("fa-cogs"), Children: []MenuItem{{Title: "页", Href: "/admin/x", On: true}}}, {Title: "别处", Href: "/admin/y", Icon: Icon("nothing")}},
		Bar:  resource.Bar{Theme: "dark", Lang: "en", Name: "小王", Space: `<b>"空间"`, Kind: "商户", Here: "/admin/x"}, Environment: "模拟环境", Flash: "已保存",
	}
	got := string(f.Full())
	for _, want := range []string{`<html lang="en" data-mf-theme="dark">`, `href="/admin/x" class="mf-side-on" aria-current="page"`, `class="mf-skip" href="#main"`, `<main class="mf-main" id="main"`, `aria-label="主菜单"`, "&lt;b&gt;&#34;空间&#34;", `action="/prefs"`, `href="/my/security"`, "<p>正文</p>", "已保存", "<h1>&lt;列表&gt;</h1>", `<a href="/admin/up">上级</a>`, `<a href="#">坏</a>`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	plain := string(f.Plain())
	if strings.Contains(plain, "mf-side") || !strings.Contains(plain, "<p>正文</p>") || !strings.Contains(plain, "&lt;列表&gt; · MiniFleet") {
		t.Errorf("the plain page is\n%s", plain)
	}
}
