package admin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/GoAdminGroup/go-admin/template/types"

	"minifleet/app/fault"
)

const tableURL = "/admin/info/version_templates"

func TestListShowsRowsOfThePlugin(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(25)})
	h.get("merchant", tableURL).want(t, 200, "模板 1", "模板 20", "共 25 条", `mf-tag-green">已上架`, "2026-11-22 08:00:00", "下一页", "查询", "重置", "下架后用户不能再安装").
		lacks(t, ">模板 21<", "上一页")
}

func TestListWalksByCursorBothWays(t *testing.T) {
	plugins := newFakePlugins(65)
	h := open(t, Options{Plugins: plugins})
	first := h.get("merchant", tableURL+"?state=listed&__sort=name&__sort_type=asc").want(t, 200, "下一页")
	second := h.get("merchant", link(t, first.text, "next")).want(t, 200, ">模板 21<", "上一页", "首页").lacks(t, ">模板 1<")
	third := h.get("merchant", link(t, second.text, "next")).want(t, 200, ">模板 41<")
	last := plugins.asked[len(plugins.asked)-1]
	if last.Sort != "name" || last.Filters["state"] != "listed" || last.Cursor != "40" {
		t.Errorf("the third page was asked as %+v", last)
	}
	back := h.get("merchant", link(t, third.text, "prev")).want(t, 200, ">模板 21<")
	h.get("merchant", link(t, back.text, "prev")).want(t, 200, ">模板 1<").lacks(t, "上一页")
	h.get("merchant", tableURL+"?__pageSize=50").want(t, 200, ">模板 50<")
	h.get("merchant", tableURL+"?__pageSize=100000").want(t, 200, ">模板 20<").lacks(t, ">模板 21<")
}

// link finds the address of the link with this rel.
func link(t *testing.T, page, rel string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, `rel="`+rel+`" href="`)
	href, _, _ := strings.Cut(after, `"`)
	if !ok {
		t.Fatalf("no %s link", rel)
	}
	return strings.ReplaceAll(href, "&amp;", "&")
}

func TestFiltersAndSearchReachThePlugin(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	h.get("merchant", tableURL+"?state=draft&q="+url.QueryEscape("咖啡 \"x")).want(t, 200, "没有符合条件的记录", "清除筛选", `value="咖啡 &#34;x"`, `value="draft" selected`)
	if last := plugins.asked[len(plugins.asked)-1]; last.Search != `咖啡 "x` || last.Filters["state"] != "draft" {
		t.Errorf("asked %+v", last)
	}
	// One person's filter is nobody else's: GoAdmin marks the selected option in the slice it is given.
	h.get("merchant", tableURL).want(t, 200, `<option value="">不限</option>`).lacks(t, " selected", ">未提交</option>")
}

func TestEmptyListsSayWhatToDo(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(0)})
	h.get("merchant", tableURL).want(t, 200, "还没有记录", "新建")
}

func TestFailingPluginIsAMessageAndNotAnEmptyList(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	plugins.down = true
	h.get("merchant", tableURL).want(t, 503, "「版本管理」插件暂时不可用", "工作台").lacks(t, "还没有记录")
	h.get("merchant", "/admin/p/version/elsewhere").want(t, 503, "「版本管理」插件暂时不可用")
	h.get("merchant", "/admin/p/version/panic").want(t, 500, "系统出错了").lacks(t, "boom")
}

func TestTablesOfOtherSpacesDoNotExist(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	h.get("operator", tableURL).want(t, 404)
	for _, path := range []string{"/admin/info/version_nothing", "/admin/info/nothing", "/admin/info/_", "/admin/info/version_templates/other"} {
		h.get("merchant", path).want(t, 404)
	}
}

func TestFormSavesOnlyDeclaredFieldsOfTheVersionItWasOpenedOn(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	h.get("merchant", tableURL+"/edit?id=2").want(t, 200, `value="模板 2"`, `name="mf_version" value="1"`, "用户可见", `name="id" value="2"`)
	a := h.do("merchant", "POST", tableURL+"/edit", url.Values{"id": {"2"}, "mf_version": {"1"}, "name": {"新名字"}, "note": {"多行\n说明 <b>"}, "state": {"draft"}, "space_id": {"99"}, "made_at": {"1"}})
	a.want(t, 303)
	if to := a.Header.Get("Location"); to != tableURL {
		t.Errorf("Location %s", to)
	}
	got := plugins.saved[0]
	if got.ID != "2" || got.Version != 1 || got.Values["name"] != "新名字" || got.Values["note"] != "多行\n说明 <b>" || got.Values["state"] != "draft" || len(got.Values) != 3 {
		t.Errorf("saved %+v", got)
	}
	h.get("merchant", tableURL).want(t, 200, "已保存")
	h.get("merchant", tableURL).want(t, 200).lacks(t, "已保存")

	h.get("merchant", tableURL+"/new").want(t, 200, "新建模板库").lacks(t, `name="id"`)
	h.do("merchant", "POST", tableURL+"/new", url.Values{"name": {"第一"}, "state": {"listed"}}).want(t, 303)
	if got := plugins.saved[1]; got.ID != "" || got.Values["name"] != "第一" {
		t.Errorf("created %+v", got)
	}
	h.get("merchant", tableURL+"/edit?id=404").want(t, 404, "这条记录不存在")
}

func TestAFormOffersTheMiniProgramsOneSees(t *testing.T) {
	plugins := newFakePlugins(3)
	plugins.form = []Column{{Name: "appid", Title: "小程序", Required: true}}
	h := open(t, Options{Plugins: plugins, Services: newRooms().services()})
	h.get("merchant", tableURL+"/new").want(t, 200, `list="f-appid-list"`, `<datalist id="f-appid-list" translate="no"><option value="`+mini+`">星河咖啡</option>`)
	h.get("merchant", tableURL+"/edit?id=2").want(t, 200).lacks(t, "<datalist")
}

func TestAListNamesTheMiniProgramsOneSees(t *testing.T) {
	plugins := newFakePlugins(3)
	plugins.columns = []Column{{Name: "appid", Title: "小程序"}}
	plugins.rows[0].Values["appid"] = mini
	plugins.rows[1].Values["appid"], plugins.rows[1].Values["name"] = mini, "星河咖啡" // says it itself
	plugins.rows[2].Values["appid"] = "wx9999999999999999"                         // nobody's
	rooms := newRooms()
	page := open(t, Options{Plugins: plugins, Services: rooms.services()}).get("merchant", tableURL)
	page.want(t, 200, `<span><span translate="no">星河咖啡</span><br><code class="mf-mono" translate="no">`+mini, `<code class="mf-mono" translate="no">wx9999999999999999`)
	if n := strings.Count(page.text, "星河咖啡</span><br>"); n != 1 {
		t.Errorf("%d rows say the name of the mini program beside its AppID", n)
	}
	if asked := rooms.minis.asked; len(asked) != 1 || !slices.Equal(asked[0].AppIDs, []string{mini, "wx9999999999999999"}) {
		t.Errorf("asked %+v", asked)
	}
}

func TestRefusedFormKeepsInputAndNamesTheField(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	for _, c := range []struct {
		name string
		form url.Values
		want string
	}{
		{"required", url.Values{"note": {"保留这一段"}}, "请填写名称"},
		{"too long", url.Values{"name": {strings.Repeat("长", 21)}, "note": {"保留这一段"}}, "名称最多 20 个字，现在有 21 个"},
		{"not a choice", url.Values{"name": {"x"}, "state": {"hacked"}, "note": {"保留这一段"}}, "请从列表中选择状态"},
		{"refused by the plugin", url.Values{"name": {"重名"}, "note": {"保留这一段"}}, "这个名称已被使用"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.do("merchant", "POST", tableURL+"/new", c.form).want(t, 400, c.want, "保留这一段", `<p class="mf-error" id="f-`, `<li><a href="#f-`, `aria-invalid="true"`)
		})
	}
	if len(plugins.saved) > 0 {
		t.Errorf("saved %v", plugins.saved)
	}
	h.do("merchant", "POST", tableURL+"/edit", url.Values{"id": {"2"}, "name": {"x"}}).want(t, 400, "表单不完整")
}

func TestTheSummaryOfARefusedFormNamesEachField(t *testing.T) {
	table := Table{Columns: []Column{{Name: "stock", Title: "库存"}, {Name: "until", Title: "有效期至"}}}
	got := summary(table, fault.InvalidInput().On("stock", "不能小于 0").On("until", "请填写有效期至").On("other", "没有这一列"))
	want := []wrongField{{"stock", "库存", "不能小于 0"}, {"until", "", "请填写有效期至"}, {"other", "", "没有这一列"}}
	if !slices.Equal(got.Fields, want) {
		t.Errorf("the summary lists %v", got.Fields)
	}
	if summary(table, nil) != nil {
		t.Error("a form without a problem has a summary")
	}
}

func TestValuesAreCheckedByTheirColumn(t *testing.T) {
	moment := time.Date(2026, 11, 22, 9, 30, 0, 0, shanghai).UnixMilli()
	for _, c := range []struct {
		column    Column
		in, want  string
		complaint string
	}{
		{Column{Title: "数量", Type: "int"}, " 42 ", "42", ""},
		{Column{Title: "数量", Type: "int"}, "四", "四", "数量应为整数"},
		{Column{Title: "时间", Type: "time"}, "2026-11-22T09:30", strconv.FormatInt(moment, 10), ""},
		{Column{Title: "时间", Type: "time"}, "昨天", "昨天", "时间应为日期和时间"},
		{Column{Title: "开关", Type: "bool"}, "true", "true", ""},
		{Column{Title: "开关", Type: "bool"}, "maybe", "", "请从列表中选择开关"},
		{Column{Title: "长文", Type: "longtext"}, strings.Repeat("字", 5000), strings.Repeat("字", 5000), ""},
		{Column{Title: "可空", Type: "text"}, "  ", "", ""},
	} {
		got, err := checkValue(c.column, c.in)
		if err == nil {
			err = errors.New("")
		}
		if got != c.want || !strings.HasPrefix(err.Error(), c.complaint) || (c.complaint == "" && err.Error() != "") {
			t.Errorf("%s %q: %q, %v", c.column.Title, c.in, got, err)
		}
	}
}

func TestCellsShowValuesByTheirType(t *testing.T) {
	for _, c := range []struct {
		column Column
		in     string
		want   string
	}{
		{Column{Type: "time"}, "1795305600000", "2026-11-22 08:00:00"},
		{Column{Type: "time"}, "0", "—"},
		{Column{Type: "bool"}, "true", "是"},
		{Column{Type: "bool"}, "", "否"},
		{Column{Type: "longtext"}, strings.Repeat("字", 100), strings.Repeat("字", 80) + "…"},
		{Column{Options: []Option{{"a", `<i>"甲`, "purple"}}}, "a", `<span class="mf-tag mf-tag-grey">&lt;i&gt;&#34;甲</span>`},
		{Column{Type: "text"}, "<b>", "&lt;b&gt;"},
	} {
		shown := types.FieldDisplay{Display: func(v types.FieldModel) interface{} { return cell(c.column, v.Value) }, DisplayProcessChains: types.DisplayProcessFnChains{escapeCell}}
		if got := shown.ToDisplayString(types.FieldModel{Value: c.in}); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.column.Type, c.in, got, c.want)
		}
	}
}

func TestClicksWorkOnOneRowOrOnTheTickedOnes(t *testing.T) {
	plugins := newFakePlugins(5)
	h := open(t, Options{Plugins: plugins})
	h.do("merchant", "POST", tableURL+"/act/delist", url.Values{"id": {"1", "2"}, "one": {"4"}}).want(t, 303)
	h.do("merchant", "POST", tableURL+"/act/delist", url.Values{"id": {"1", "2"}}).want(t, 303)
	h.do("merchant", "POST", tableURL+"/delete", url.Values{"one": {"3"}}).want(t, 303)
	if got := strings.Join(plugins.acted, ";"); got != "delist [4];delist [1 2];remove [3]" {
		t.Errorf("acted %s", got)
	}
	h.do("merchant", "POST", tableURL+"/act/delist", url.Values{}).want(t, 400, "请先勾选要操作的记录", "模板 1")
	h.do("merchant", "POST", tableURL+"/act/check", url.Values{"id": {"1", "2"}}).want(t, 400, "一次只能操作一条记录")
	h.do("merchant", "POST", tableURL+"/act/check", url.Values{"one": {"1"}}).want(t, 409, "模板正在被使用", "模板 1")
	h.do("merchant", "POST", tableURL+"/act/nothing", url.Values{"one": {"1"}}).want(t, 404)
	h.get("merchant", tableURL+"/act/delist?one=1").want(t, 404)
}

func TestPluginPagesAreFramedAndRawAnswersAreNot(t *testing.T) {
	plugins := newFakePlugins(1)
	h := open(t, Options{Plugins: plugins})
	h.get("merchant", "/admin/p/version/drafts").want(t, 200, `<p id="from-plugin">一份草稿</p>`, "&lt;b&gt;草稿箱&lt;/b&gt;", `href="/admin/p/version/x"`, "mf-side-menu").lacks(t, "evil.example", "<b>草稿箱")
	for _, first := range []string{"/admin/p/version", "/admin/p/version/"} {
		h.get("merchant", first).want(t, 200, "<p>插件的首页</p>")
	}
	qr := h.get("merchant", "/admin/p/version/qr").want(t, 200)
	if qr.text != "PNG" || qr.Header.Get("Content-Type") != "image/png" || len(qr.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("raw answer: %q %v", qr.text, qr.Header)
	}
	if d := h.get("merchant", "/admin/p/version/page.html").want(t, 200).Header.Get("Content-Disposition"); d != "attachment" {
		t.Errorf("HTML of a plugin's own is shown inline: %q", d)
	}
	h.do("merchant", "POST", "/admin/p/version/drafts?component=wx1", url.Values{"a": {"1", "2"}}, withHeader("X-Secret", "s"), withHeader("Hx-Request", "true")).want(t, 200)
	got := plugins.seen[len(plugins.seen)-1]
	if got.Method != http.MethodPost || got.Path != "/drafts" || string(got.Body) != "a=1&a=2" || got.Query.Get("component") != "wx1" {
		t.Errorf("the plugin saw %+v", got)
	}
	if got.Header.Get("Cookie") != "" || got.Header.Get("X-Secret") != "" || got.Header.Get("Hx-Request") != "true" || got.Header.Get("Content-Type") == "" {
		t.Errorf("the plugin saw headers %v", got.Header)
	}
}

func TestMenuGathersPluginEntriesBelowTheirGroup(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1), Services: newRooms().services()})
	page := h.get("merchant", tableURL).want(t, 200, "模板中心", `<a href="/admin/info/version_templates" class="mf-side-on" aria-current="page">模板库</a>`).lacks(t, "平台管理", "版本与发布", "/admin/jobs").text
	if strings.Index(page, "草稿箱") > strings.Index(page, ">模板库</a>") {
		t.Error("the entries are not in their order")
	}
	h.get("operator", "/admin").want(t, 200, "平台管理", "事件日志", "定时任务", "/admin/plugins", "操作日志").lacks(t, "模板中心")
}
