package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestPastedAppIDsAreReadHoweverTheyAreApart(t *testing.T) {
	a, b := "wx1111111111111111", "wxaaaaaaaaaaaaaaaa"
	for _, c := range []struct {
		in   string
		want []string
	}{
		{a + "\n" + b, []string{a, b}},
		{" " + a + ", " + b + "；" + a + " ", []string{a, b}},
		{a + b, []string{a, b}}, // a browser that drops line breaks
		{strings.ToUpper(a) + "，" + b, []string{a, b}},
		{a, nil},
		{"青禾 " + a + " " + b, nil},
		{"", nil},
	} {
		var got []string
		if p := pasted(c.in); p != nil {
			got = p.Asked
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.in, got, c.want)
		}
	}
	p := pasted(a + " " + b)
	p.missing([]string{b})
	if p.Found != 1 || !slices.Equal(p.Missing, []string{a}) {
		t.Errorf("%+v", p)
	}
}

func TestPastedListSaysHowManyWereFound(t *testing.T) {
	h, r := withRooms(t)
	q := url.Values{"q": {mini + "\nwx9999999999999999"}}
	h.get("merchant", "/admin/miniprograms?"+q.Encode()).want(t, 200, "粘贴了 2 个 AppID", "wx9999999999999999")
	if last := r.minis.asked[len(r.minis.asked)-1]; last.Query != "wx9999999999999999,"+mini {
		t.Errorf("asked for %q", last.Query)
	}
}

func TestListIsWalkedFromItsEnd(t *testing.T) {
	plugins := newFakePlugins(65)
	h := open(t, Options{Plugins: plugins})
	first := h.get("merchant", tableURL+"?__sort=name&__sort_type=desc").want(t, 200, "末页", `aria-sort="descending"`).lacks(t, "首页", "上一页")
	last := h.get("merchant", link(t, first.text, "last")).want(t, 200, "首页", "上一页").lacks(t, "下一页", "末页")
	if ask := plugins.asked[len(plugins.asked)-1]; ask.Sort != "name" || ask.Cursor != "" {
		t.Errorf("the last page was asked as %+v", ask)
	}
	// The fake keeps its order, so the last page is its first one turned round.
	if strings.Index(last.text, ">模板 20<") > strings.Index(last.text, ">模板 1<") {
		t.Error("the last page stands in the order in which it was read")
	}
	before := h.get("merchant", link(t, last.text, "prev")).want(t, 200, ">模板 21<", "下一页", "上一页", "首页")
	h.get("merchant", link(t, before.text, "next")).want(t, 200, ">模板 1<").lacks(t, ">模板 21<")
	h.get("merchant", tableURL+"?last=2").want(t, 200).lacks(t, "首页")
}

func TestConditionsBeyondThreeAreFolded(t *testing.T) {
	h, _ := withRooms(t)
	h.get("operator", "/admin/events").want(t, 200, "展开", `class="mf-query"`)
	h.get("operator", "/admin/events?component=wx1").want(t, 200, "收起", `class="mf-query mf-query-open"`)
	h.get("operator", "/admin/events?from=gestern").want(t, 400, `aria-describedby="e-from"`, "时间应为", `value="gestern"`)
	h.get("merchant", "/admin/miniprograms").want(t, 200).lacks(t, "data-query-more")
}

func TestSavedFiltersBelongToTheirMember(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	post := func(path string, form url.Values) answer {
		form.Set("return", tableURL)
		return h.do("merchant", "POST", "/admin/lists/version_templates/"+path, form)
	}
	post("filters", url.Values{"title": {"草稿们"}, "query": {"state=draft"}}).want(t, 303)
	page := h.get("merchant", tableURL).want(t, 200, "草稿们", `href="/admin/info/version_templates?state=draft"`).text
	_, after, _ := strings.Cut(page, `action="/admin/lists/version_templates/filters/`)
	id, _, _ := strings.Cut(after, `"`)
	post("filters/"+id, url.Values{"do": {"rename"}, "title": {"我的草稿"}}).want(t, 303)
	post("filters/"+id, url.Values{"do": {"default"}}).want(t, 303)
	a := h.get("merchant", tableURL).want(t, 303)
	if to := a.Header.Get("Location"); to != tableURL+"?state=draft" {
		t.Errorf("the list opens with %s", to)
	}
	h.get("merchant", tableURL+"?view=all").want(t, 200, "我的草稿", "模板 1")
	h.get("merchant", tableURL+"?state=draft").want(t, 200, "没有符合条件的记录", tableURL+"?view=all")

	people["colleague"] = people["merchant"]
	t.Cleanup(func() { delete(people, "colleague") })
	other := people["merchant"]
	other.MemberID, other.SessionID = 101, 1001
	people["colleague"] = other
	h.get("colleague", tableURL).want(t, 200).lacks(t, "我的草稿")
	h.do("colleague", "POST", "/admin/lists/version_templates/filters/"+id, url.Values{"do": {"delete"}, "return": {tableURL}}).want(t, 404)
	post("filters/"+id, url.Values{"do": {"delete"}}).want(t, 303)
	h.get("merchant", tableURL).want(t, 200).lacks(t, "我的草稿")

	post("filters", url.Values{"title": {" "}, "query": {"a=1"}}).want(t, 400, "请给筛选起个名字")
	post("filters", url.Values{"title": {"太长"}, "query": {strings.Repeat("a", maxFilterQuery+1)}}).want(t, 400, "存不下")
	h.do("merchant", "POST", "/admin/lists/version_templates/filters", url.Values{"title": {"x"}, "return": {"https://evil.example/"}}).want(t, 400)
}

func TestMemberChoosesColumnsAndDensity(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	form := url.Values{"known": {"name", "state", "made_at", "note"}, "column": {"name", "state"}, "density": {"dense"}, "return": {tableURL}}
	h.do("merchant", "POST", "/admin/lists/version_templates/choice", form).want(t, 303)
	h.get("merchant", tableURL).want(t, 200, "mf-table-dense", `data-label="状态"`).lacks(t, `data-label="说明"`, `data-label="创建时间"`)
	form.Del("column")
	h.do("merchant", "POST", "/admin/lists/version_templates/choice", form).want(t, 400, "至少要显示一列")
	form["column"], form["density"] = form["known"], []string{"normal"}
	h.do("merchant", "POST", "/admin/lists/version_templates/choice", form).want(t, 303)
	h.get("merchant", tableURL).want(t, 200, `data-label="说明"`).lacks(t, "mf-table-dense")
}

func TestAllResultsAreCountedBeforeTheyAreTouched(t *testing.T) {
	plugins := newFakePlugins(250)
	var ends []BatchEnd
	h := open(t, Options{Plugins: plugins, Services: Services{BatchEnded: func(_ context.Context, who account.Actor, b BatchEnd) {
		if who.AccountID != people["merchant"].AccountID {
			t.Errorf("told %+v", who)
		}
		ends = append(ends, b)
	}}})
	h.get("merchant", tableURL+"?state=listed").want(t, 200, "全选本页", "全选 250 个结果")
	ask := url.Values{"all": {"1"}, "query": {"state=listed&__prefix=manager"}}
	h.do("merchant", "POST", tableURL+"/act/delist", ask).want(t, 200, "全部 <b>250</b> 条记录", "下架后用户不能再安装", "模板 1", `name="expect" value="250"`, `data-confirm-word="250"`)
	if len(plugins.acted) > 0 {
		t.Fatalf("acted before it was confirmed: %v", plugins.acted)
	}
	// One more came in the meantime: the number is said anew.
	plugins.rows = append(plugins.rows, TableRow{ID: "251", Values: map[string]string{"name": "新来的", "state": "listed"}})
	ask.Set("expect", "250")
	h.do("merchant", "POST", tableURL+"/act/delist", ask).want(t, 200, "251")
	ask.Set("expect", "251")
	h.do("merchant", "POST", tableURL+"/act/delist", ask).want(t, 303)
	if len(ends) != 1 || ends[0].Done != 251 || ends[0].Left != 0 || ends[0].Act != "下架" || ends[0].Link != tableURL+"?state=listed" {
		t.Errorf("told of the end: %+v", ends)
	}
	if len(plugins.acted) != 3 || !strings.HasPrefix(plugins.acted[0], "delist [1 2 ") || !strings.HasSuffix(plugins.acted[2], " 251]") {
		t.Errorf("acted in %d calls", len(plugins.acted))
	}
	h.do("merchant", "POST", tableURL+"/act/check", url.Values{"all": {"1"}}).want(t, 400)
	h.do("merchant", "POST", tableURL+"/act/delist", url.Values{"all": {"1"}, "query": {"state=draft"}}).want(t, 400, "没有可以执行")
	for i := range maxEverything {
		plugins.rows = append(plugins.rows, TableRow{ID: fmt.Sprint(1000 + i), Values: map[string]string{"state": "listed"}})
	}
	h.do("merchant", "POST", tableURL+"/act/delist", ask).want(t, 400, "超过 2,000 条")
}

func TestActsAreOfferedOnlyWhereTheyFit(t *testing.T) {
	only := Table{Plugin: "p", Name: "t", Actions: []Action{{Name: "list", Title: "上架", WhenColumn: "state", When: []string{"delisted"}}, {Name: "open", Title: "查看"}}}
	for state, want := range map[string]int{"delisted": 2, "listed": 1, "": 1} {
		if got := only.ops(TableRow{ID: "1", Values: map[string]string{"state": state}}); len(got) != want {
			t.Errorf("state %q: %d acts, want %d", state, len(got), want)
		}
	}
}

func TestOfManyActsThreeStandOpen(t *testing.T) {
	h, _ := withRooms(t)
	page := h.get("merchant", "/admin/miniprograms?q="+mini).want(t, 200, `<summary class="mf-op">更多</summary>`).text
	_, row, _ := strings.Cut(page, `class="mf-cell-actions mf-sticky"><`)
	open, menu, _ := strings.Cut(row, "<details")
	if n := strings.Count(open, "mf-op"); n != 3 || !strings.Contains(menu, "立即同步") {
		t.Errorf("%d acts stand open", n)
	}
}

func TestExportAndImportAreOffered(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	h.get("merchant", tableURL+"?state=listed").want(t, 200, `action="/admin/exports"`, `name="table" value="version_templates"`, `name="table" value="version_templates"><input type="hidden" name="state" value="listed">`, `value="xlsx"`, `href="/admin/imports?table=version_templates"`)
}

func TestListViewsOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, v := context.Background(), listViews{db}
		for i := range maxSavedFilters {
			if err := v.save(ctx, 1, "t", fmt.Sprint("筛选 ", i), "a=1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.save(ctx, 1, "t", "一个太多", "a=1"); err == nil {
			t.Error("more than the bound is kept")
		}
		if err := v.save(ctx, 1, "t", "筛选 3", "a=2"); err != nil {
			t.Errorf("saving under the same title: %v", err)
		}
		if err := v.choose(ctx, 1, "t", listChoice{Dense: true}); err != nil {
			t.Fatal(err)
		}
		if err := v.choose(ctx, 1, "t", listChoice{Hidden: []string{"note"}}); err != nil {
			t.Fatal(err)
		}
		k, err := v.read(ctx, 1, "t")
		if err != nil || len(k.filters) != maxSavedFilters || k.filters[3].Query != "a=2" || k.choice.Dense || !slices.Equal(k.choice.Hidden, []string{"note"}) {
			t.Errorf("kept %+v, %v", k, err)
		}
		if err := v.rename(ctx, 1, "t", k.filters[0].ID, "筛选 1"); err == nil {
			t.Error("two filters with one name")
		}
		for _, f := range k.filters[:2] {
			if err := v.standard(ctx, 1, "t", f.ID); err != nil {
				t.Fatal(err)
			}
		}
		if k, err = v.read(ctx, 1, "t"); err != nil || k.filters[0].Default || !k.filters[1].Default {
			t.Errorf("the standard is %+v, %v", k.filters[:2], err)
		}
		if other, err := v.read(ctx, 2, "t"); err != nil || len(other.filters) > 0 {
			t.Errorf("another member reads %v, %v", other.filters, err)
		}
	})
}

// TestABatchThatStopsHalfWaySaysHowFarItCame lets the third call of an act on 250 rows be refused: what is done stays done,
// the page and the message say how much that is and why the rest was left.
func TestABatchThatStopsHalfWaySaysHowFarItCame(t *testing.T) {
	plugins := newFakePlugins(250)
	plugins.stops = 2
	var ends []BatchEnd
	h := open(t, Options{Plugins: plugins, Services: Services{BatchEnded: func(_ context.Context, _ account.Actor, b BatchEnd) { ends = append(ends, b) }}})
	a := h.do("merchant", "POST", tableURL+"/act/delist", url.Values{"all": {"1"}, "query": {"state=listed"}, "expect": {"250"}})
	if a.StatusCode == 303 {
		a = h.get("merchant", a.Header.Get("Location"))
	}
	if !strings.Contains(a.text, "已完成 200 条，之后停下：本月额度已用完") {
		t.Errorf("%d: %s", a.StatusCode, a.text)
	}
	if len(plugins.acted) != 2 {
		t.Errorf("acted in %d calls", len(plugins.acted))
	}
	if len(ends) != 1 || ends[0].Done != 200 || ends[0].Left != 50 || ends[0].Reason != "本月额度已用完" {
		t.Errorf("told of the end: %+v", ends)
	}
}
