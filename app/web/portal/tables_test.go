package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/plugin"
)

// fakeTables is one table of coupons that keeps what it was asked and given.
type fakeTables struct {
	declared *plugin.Table
	rows     []plugin.Row
	next     string
	asked    plugin.TableQuery
	done     []string
	err      error
}

func newFakeTables() *fakeTables {
	state := []*plugin.Option{{Value: "on", Label: "发放中", Color: "green"}, {Value: "off", Label: "已停用", Color: "grey"}}
	return &fakeTables{
		declared: &plugin.Table{
			Name: "coupons", Title: "优惠券", Intro: "门店的优惠券", CanCreate: true, CanEdit: true, CanRemove: true,
			Columns: []*plugin.Column{
				{Name: "name", Title: "名称", Type: "text", List: true, Search: true, Sort: true}, {Name: "state", Title: "状态", Type: "text", List: true, Filter: "eq", Options: state},
				{Name: "until", Title: "有效期至", Type: "time", List: true}, {Name: "vip", Title: "会员专享", Type: "bool", List: true, Filter: "eq"}, {Name: "secret", Title: "不显示", Type: "text"},
			},
			Form: []*plugin.Column{
				{Name: "name", Title: "名称", Type: "text", Required: true, Size: 20}, {Name: "state", Title: "状态", Type: "text", Options: state}, {Name: "until", Title: "有效期至", Type: "time"},
				{Name: "vip", Title: "会员专享", Type: "bool"}, {Name: "note", Title: "说明", Type: "longtext", Help: "给店员看"},
			},
			Actions: []*plugin.Action{{Name: "stop", Title: "停用", Confirm: "停用后不能再领取", WhenColumn: "state", WhenValues: []string{"on"}}, {Name: "boss", Title: "只有店长", Permission: "plugin.approve"}},
		},
		rows: []plugin.Row{
			{Columns: []string{"id", "version", "name", "state", "until", "vip", "secret", "note"}, Cells: []string{"901", "7", "满减<b>", "on", "1764000000000", "true", "藏", "不限门店"}},
			{Columns: []string{"id", "version", "name", "state", "until", "vip"}, Cells: []string{"902", "8", "旧券", "off", "0", "false"}},
		},
	}
}

func (f *fakeTables) Table(_ context.Context, who account.Actor, id, name string) (*plugin.Table, error) {
	if id != "coupon" || name != "coupons" || who.SpaceKind != account.Personal {
		return nil, fault.New(fault.NotFound, "plugin.table", "没有找到这个列表")
	}
	return f.declared, nil
}

func (f *fakeTables) Rows(_ context.Context, _ account.Actor, _, _ string, query plugin.TableQuery) (plugin.TablePage, error) {
	f.asked = query
	return plugin.TablePage{Rows: f.rows, Next: f.next, Total: int64(len(f.rows)), Note: "数据来自门店"}, f.err
}

func (f *fakeTables) Row(_ context.Context, _ account.Actor, _, _ string, id int64) (plugin.Row, error) {
	for _, row := range f.rows {
		if row.ID() == id {
			return row, nil
		}
	}
	return plugin.Row{}, fault.New(fault.NotFound, "plugin.row", "没有找到这条数据，可能已被删除")
}

func (f *fakeTables) Save(_ context.Context, who account.Actor, id, name string, row, version int64, values map[string]string) (int64, error) {
	f.done = append(f.done, fmt.Sprint("save ", who.Name, id, name, " ", row, " ", version, " ", values))
	return row, f.err
}

func (f *fakeTables) Remove(_ context.Context, _ account.Actor, _, _ string, ids []int64) error {
	f.done = append(f.done, fmt.Sprint("remove ", ids))
	return f.err
}

func (f *fakeTables) Act(_ context.Context, _ account.Actor, _, _, action string, ids []int64) (plugin.Result, error) {
	f.done = append(f.done, fmt.Sprint(action, " ", ids))
	return plugin.Result{Message: "已停用 1 张"}, f.err
}

func TestAPersonWorksWithAnExtensionsTableInThePortal(t *testing.T) {
	h := open(t)
	b, who := h.member("user@example.test", account.Personal)
	const base = "/my/tables/coupon/coupons"
	list := b.get(base + "?q=" + "满" + "&f_state=on&f_vip=&sort=-name&cursor=c1")
	for _, want := range []string{
		"满减&lt;b&gt;", `<span class="mf-tag mf-tag-green">发放中</span>`, "2025-11-25 00:00:00", "<td data-label=\"会员专享\">是</td>", "数据来自门店", "共 2 条", `data-row="902"`,
		`action="` + base + `/rows/901/act/stop" data-confirm="停用后不能再领取"`, `href="` + base + `/rows/901"`, `<option value="on" selected>`, `aria-sort="descending"`,
		`href="` + base + `?f_state=on&amp;q=%E6%BB%A1&amp;sort=name"`, `href="` + base + `?f_state=on&amp;q=%E6%BB%A1&amp;sort=-name">首页`,
	} {
		if !strings.Contains(list.body, want) {
			t.Errorf("no %s on the list (%d)\n%s", want, list.status, list.body)
		}
	}
	for _, none := range []string{"藏", "只有店长", base + "/rows/902/act/stop", "下一页"} {
		if strings.Contains(list.body, none) {
			t.Errorf("%s is on the list", none)
		}
	}
	if q := h.tables.asked; q.Search != "满" || q.Sort != "-name" || q.Cursor != "c1" || q.Limit != 20 || len(q.Filters) != 1 || q.Filters["state"] != "on" {
		t.Errorf("asked was %+v", q)
	}
	h.tables.next = "c2"
	if got := b.get(base); !strings.Contains(got.body, `rel="next" href="`+base+`?cursor=c2"`) || strings.Contains(got.body, "首页</a>") {
		t.Errorf("the first of two pages\n%s", got.body)
	}

	form := b.get(base + "/rows/901").body
	for _, want := range []string{`name="_version" value="7"`, `value="满减&lt;b&gt;"`, `value="2025-11-25T00:00:00"`, `value="true" checked`, ">不限门店</textarea>", `<option value="on" selected>`, "给店员看", `maxlength="20"`} {
		if !strings.Contains(form, want) {
			t.Errorf("no %s in the form\n%s", want, form)
		}
	}
	if got := b.get(base + "/new"); got.status != http.StatusOK || strings.Contains(got.body, "满减") {
		t.Errorf("an empty form answers %d", got.status)
	}
	if got := b.post(base+"/rows/901", "_version", "7", "name", "新名", "vip", "true", "secret", "x"); got.status != http.StatusSeeOther {
		t.Errorf("saving answers %d", got.status)
	}
	for _, version := range []string{"", "0", "-1", "x"} {
		if got := b.post(base+"/rows/901", "_version", version, "name", "盖过去"); got.status != http.StatusBadRequest {
			t.Errorf("a form of version %q answers %d", version, got.status)
		}
	}
	if got := b.post(base+"/new", "name", "第二张"); got.status != http.StatusSeeOther {
		t.Errorf("a new one answers %d", got.status)
	}
	if got := b.post(base + "/rows/902/delete"); got.status != http.StatusSeeOther {
		t.Errorf("deleting answers %d", got.status)
	}
	if got := b.post(base + "/rows/901/act/stop"); got.status != http.StatusSeeOther || !strings.Contains(b.get(base).body, "已停用 1 张") {
		t.Errorf("the act answers %d", got.status)
	}
	want := []string{"save " + who.Name + "couponcoupons 901 7 map[name:新名 vip:true]", "save " + who.Name + "couponcoupons 0 0 map[name:第二张]", "remove [902]", "stop [901]"}
	if !slices.Equal(h.tables.done, want) {
		t.Errorf("done was %q, want %q", h.tables.done, want)
	}

	h.tables.err = fault.InvalidInput().On("name", "已有同名的优惠券")
	got := b.post(base+"/new", "name", "重名", "note", "留着")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, `value="重名"`) || !strings.Contains(got.body, "留着</textarea>") || !strings.Contains(got.body, `<a href="#row-name"><span>名称</span>：<span>已有同名的优惠券</span></a>`) {
		t.Errorf("a refusal answers %d\n%s", got.status, got.body)
	}
	h.tables.err = fault.InvalidInput().On("state", "没有这个状态")
	if got := b.get(base + "?f_state=x"); got.status != http.StatusBadRequest || !strings.Contains(got.body, `<a href="#f_state"><span>状态</span>：<span>没有这个状态</span></a>`) || !strings.Contains(got.body, `id="f_state-e"`) {
		t.Errorf("a refused filter answers %d\n%s", got.status, got.body)
	}
	h.tables.err = nil

	for _, path := range []string{"/my/tables/coupon/others", base + "/rows/999", base + "/rows/x"} {
		if got := b.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.status)
		}
	}
	h.tables.declared.CanCreate, h.tables.declared.CanEdit, h.tables.rows = false, false, nil
	if got := b.get(base + "/new"); got.status != http.StatusForbidden {
		t.Errorf("the form of a table that takes nothing new answers %d", got.status)
	}
	if got := b.get(base + "?q=x"); !strings.Contains(got.body, "没有符合条件的记录") || strings.Contains(got.body, `data-test="new"`) {
		t.Errorf("an empty list\n%s", got.body)
	}
}

func TestTheExtensionsPageLeadsAPersonToItsTables(t *testing.T) {
	h := open(t)
	h.plugins.menu = []plugin.MenuItem{{Plugin: "robot", Title: "机器人记录", Table: "lines"}, {Plugin: "other", Title: "别的", Table: "lines"}}
	b, _ := h.member("user@example.test", account.Personal)
	if got := b.get("/my/extensions/robot").body; strings.Contains(got, "/my/tables/robot/lines") {
		t.Error("one that is off leads to its table")
	}
	h.extensions.x.On = true
	if got := b.get("/my/extensions/robot").body; strings.Count(got, `href="/my/tables/robot/lines"`) != 1 || strings.Contains(got, "/my/tables/other") {
		t.Errorf("the page leads elsewhere\n%s", got)
	}
}

func TestTablePagesFitPhoneAndDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser: part of `make test`, not of `make check`")
	}
	h := open(t)
	h.tables.next = "c2"
	b, _ := h.member("user@example.test", account.Personal)
	for name, size := range map[string][2]int{"360": {360, 740}, "1366": {1366, 800}} {
		t.Run(name, func(t *testing.T) {
			c := h.chrome(size[0], size[1])
			c.login(b)
			c.look("/my/tables/coupon/coupons", "table-"+name)
			c.look("/my/tables/coupon/coupons/rows/901", "table-form-"+name)
		})
	}
}

// TestAFormOffersTheSpacesMiniPrograms: nobody knows an AppID by heart, and one that is not theirs costs them nothing of what they typed.
func TestAFormOffersTheSpacesMiniPrograms(t *testing.T) {
	h := open(t)
	b, who := h.member("user@example.test", account.Personal)
	h.authorised(who, authtest.ShopID)
	const base = "/my/tables/coupon/coupons"
	h.tables.declared.Form = append(h.tables.declared.Form, &plugin.Column{Name: "appid", Title: "小程序", Type: "text", Required: true})
	if got := b.get(base + "/new").body; !strings.Contains(got, `list="row-appid-l"`) || !strings.Contains(got, `<option value="`+authtest.ShopID+`">`) {
		t.Errorf("the form offers no mini program\n%s", got)
	}
	if got := b.get(base + "/rows/901").body; strings.Contains(got, "<datalist") {
		t.Error("a row that is there offers others")
	}
	h.tables.err = fault.New(fault.Forbidden, "plugin.not_yours", "没有权限写入这条数据，请联系小程序主体授权").On("appid", "应为你能操作的小程序的 AppID")
	got := b.post(base+"/new", "name", "打了很久的名称", "appid", "wxffffffffffffffff")
	for _, want := range []string{"打了很久的名称", "wxffffffffffffffff", "没有权限写入这条数据", "应为你能操作的小程序的 AppID", `href="#row-appid"`} {
		if got.status != http.StatusForbidden || !strings.Contains(got.body, want) {
			t.Errorf("no %s (%d)\n%s", want, got.status, got.body)
		}
	}
	h.tables.err = nil
	h.tables.declared.Columns = append(h.tables.declared.Columns, &plugin.Column{Name: "appid", Title: "小程序", Type: "text", List: true})
	for i, id := range []string{authtest.ShopID, "wxffffffffffffffff"} {
		row := &h.tables.rows[i]
		row.Columns, row.Cells = append(row.Columns, "appid"), append(row.Cells, id)
	}
	if got := b.get(base).body; !strings.Contains(got, `<span translate="no">街角咖啡</span><br><code class="mf-mono" translate="no">`+authtest.ShopID+`</code>`) || !strings.Contains(got, `<td data-label="小程序"><code class="mf-mono" translate="no">wxffffffffffffffff</code></td>`) {
		t.Errorf("mini programs stand without their names, or one that is not theirs with it\n%s", got)
	}
	if b.get(base + "?sort=secret"); h.tables.asked.Sort != "" {
		t.Errorf("an address sorts by %q", h.tables.asked.Sort)
	}
}
