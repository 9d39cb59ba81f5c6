package admin

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/transfer"
)

type digit struct {
	n     int
	appid string
}

func digits(n int) shortList[digit] {
	return shortList[digit]{
		name: "digits", title: "数字", address: Prefix + "/digits",
		admit: func(who account.Actor) error { return account.Require(who, "trail.read") },
		rows: func(context.Context, account.Actor) ([]digit, error) {
			var out []digit
			for i := range n {
				out = append(out, digit{i, "wx000000000000000" + strconv.Itoa(i%10)})
			}
			return out, nil
		},
		key: func(d digit) string { return strconv.Itoa(d.n) }, label: func(d digit) string { return strconv.Itoa(d.n) },
		filters: []shortFilter[digit]{{"half", "一半", []Option{{"low", "小", ""}, {"high", "大", ""}}, func(d digit, v string) bool { return (v == "low") == (d.n < n/2) }}},
		columns: []shortColumn[digit]{
			{name: "n", title: "数", found: true, text: func(d digit) string { return "N" + strconv.Itoa(d.n) }, order: func(x, y digit) int { return x.n - y.n }},
			{name: "appid", title: "AppID", appID: true, text: func(d digit) string { return d.appid }},
		},
	}
}

func (l shortList[T]) ids(rows []T) string {
	var out []string
	for _, row := range rows {
		out = append(out, l.key(row))
	}
	return strings.Join(out, " ")
}

func TestShortListIsNarrowedAndOrdered(t *testing.T) {
	l := digits(10)
	rows, err := l.rows(t.Context(), account.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, query, want string }{
		{"nothing asked", "", "0 1 2 3 4 5 6 7 8 9"},
		{"a filter", "half=low", "0 1 2 3 4"},
		{"a value that the filter does not have", "half=middle", "0 1 2 3 4 5 6 7 8 9"},
		{"search in any case", "q=+n7+", "7"},
		{"search not in other columns", "q=wx0", ""},
		{"search and filter", "q=7&half=low", ""},
		{"pasted AppIDs", "q=wx0000000000000003,wx0000000000000008", "3 8"},
		{"descending", "__sort=n", "9 8 7 6 5 4 3 2 1 0"},
		{"ascending", "__sort=n&__sort_type=asc", "0 1 2 3 4 5 6 7 8 9"},
		{"a column without order", "__sort=appid", "0 1 2 3 4 5 6 7 8 9"},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		left, _ := l.narrowed(rows, q)
		if got := l.ids(left); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	_, ids := l.narrowed(rows, url.Values{"q": {"wx0000000000000003 wxffffffffffffffff"}})
	if ids == nil || ids.Found != 1 || !slices.Equal(ids.Missing, []string{"wxffffffffffffffff"}) {
		t.Errorf("pasted: %+v", ids)
	}
}

func TestShortListIsPagedFromBothEnds(t *testing.T) {
	l := digits(7)
	rows, err := l.rows(t.Context(), account.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cursor string
		last   bool
		want   string
		next   string
	}{
		{"", false, "0 1 2", "2"}, {"2", false, "3 4 5", "5"}, {"5", false, "6", ""},
		{"", true, "4 5 6", "4"}, {"4", true, "1 2 3", "1"}, {"1", true, "0", ""},
		{"gone", false, "0 1 2", "2"}, {"6", false, "", ""},
	} {
		page, next := l.page(rows, listState{size: 3, cursor: c.cursor, last: c.last})
		if got := l.ids(page); got != c.want || next != c.next {
			t.Errorf("behind %q, from the end %v: %q then %q, want %q then %q", c.cursor, c.last, got, next, c.want, c.next)
		}
	}
	if l.ids(rows) != "0 1 2 3 4 5 6" {
		t.Error("paging has turned the rows themselves round")
	}
}

func TestShortListAsAFile(t *testing.T) {
	l := digits(10)
	owner := people["operator"]
	if _, err := l.Sheet(t.Context(), account.Actor{}, "digits", transfer.Query{}); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("for nobody: %v", err)
	}
	for _, c := range []struct {
		name  string
		query transfer.Query
		want  string
		words string
	}{
		{"all", transfer.Query{Values: url.Values{}}, "N0 N1 N2 N3 N4 N5 N6 N7 N8 N9", ""},
		{"what the page shows", transfer.Query{Values: url.Values{"half": {"high"}, "__sort": {"n"}}}, "N9 N8 N7 N6 N5", "大"},
		{"ticked rows, whatever the query says", transfer.Query{Values: url.Values{"half": {"high"}}, IDs: []string{"1", "8"}}, "N1 N8", "大"},
		{"no row ticked", transfer.Query{Values: url.Values{}, IDs: []string{}}, "", ""},
	} {
		sheet, err := l.Sheet(t.Context(), owner, "digits", c.query)
		if err != nil {
			t.Fatal(err)
		}
		rows, next, err := sheet.Page(t.Context(), "")
		if err != nil || next != "" {
			t.Fatal(next, err)
		}
		var got []string
		for _, row := range rows {
			got = append(got, row[0])
		}
		if strings.Join(got, " ") != c.want || sheet.Filter != c.words {
			t.Errorf("%s: %v %q, want %q %q", c.name, got, sheet.Filter, c.want, c.words)
		}
	}
}

func TestPlatformAppsJobsAndPluginsHaveTheListTools(t *testing.T) {
	h, r := withRooms(t)
	for i := range 25 {
		id := "wx77777777777777" + strconv.Itoa(10+i)
		r.components.list = append(r.components.list, component.Component{AppID: id, Name: "平台" + strconv.Itoa(i), SpaceID: 10, State: component.StateOK, TicketAt: start.UnixMilli() - int64(i)*60_000, CreatedAt: start.UnixMilli()})
	}
	first := h.get("merchant", "/admin/components").want(t, 200, "共 27 条", "末页", "下一页", "列设置", "我的筛选", "绑定第三方平台", "更多", "启动推送票据").lacks(t, "首页")
	h.get("merchant", link(t, first.text, "next")).want(t, 200, "平台24", "首页", "上一页").lacks(t, "平台17<", "末页")
	h.get("merchant", link(t, first.text, "last")).want(t, 200, "平台24", "首页").lacks(t, "星河开放平台<", "末页")
	h.get("merchant", "/admin/components?q=%E6%98%9F%E6%B2%B3").want(t, 200, "共 1 条", "星河开放平台").lacks(t, "平台1<")
	h.get("merchant", "/admin/components?q="+bound+"+wx0000000000000000").want(t, 200, "粘贴了 2 个 AppID", "共 1 条", "wx0000000000000000")
	h.get("merchant", "/admin/components?state=token_failing").want(t, 200, "没有符合条件的记录", "清除筛选").lacks(t, "下一页")
	h.get("merchant", "/admin/components?__sort=ticket").want(t, 200, `aria-sort="descending"`, ">平台0<").lacks(t, ">新平台<")
	h.do("merchant", "POST", "/admin/lists/components/choice", url.Values{"known": {"name", "token"}, "column": {"name"}, "density": {"dense"}, "return": {"/admin/components"}}).want(t, 303)
	h.get("merchant", "/admin/components").want(t, 200, "mf-table-dense").lacks(t, `data-label="令牌到期"`)

	h.get("operator", "/admin/jobs").want(t, 200, "共 2 条", "运行记录", "列设置", "component.tokens")
	h.get("operator", "/admin/jobs?q=TOKENS").want(t, 200, "共 1 条", "刷新平台令牌").lacks(t, "清理</a>")
	h.get("operator", "/admin/plugins?q=market").want(t, 200, "共 1 条", "exit status 2", "重启").lacks(t, "版本管理</")
	people["looker"] = account.Actor{AccountID: 4, SpaceID: 20, MemberID: 201, SessionID: 2001, Name: "看看", Role: account.RoleReadOnly, SpaceKind: account.Platform, Permissions: []string{"job.read", "plugin.read", "component.read"}}
	t.Cleanup(func() { delete(people, "looker") })
	h.get("looker", "/admin/jobs").want(t, 200, "运行记录").lacks(t, "立即执行")
	h.get("looker", "/admin/plugins").want(t, 200, "版本管理").lacks(t, "/restart")
}

func TestShortListsAreFilesForWhoMayReadThem(t *testing.T) {
	lists := Sources(newRooms().services())
	for name, want := range map[string]string{"components": "星河开放平台", "jobs": "刷新平台令牌", "plugins": "版本管理"} {
		sheet, err := lists[name].Sheet(t.Context(), people["operator"], name, transfer.Query{Values: url.Values{}})
		if err != nil {
			t.Fatal(name, err)
		}
		rows, _, err := sheet.Page(t.Context(), "")
		if err != nil || len(rows) == 0 || rows[0][0] != want || len(rows[0]) != len(sheet.Columns) {
			t.Errorf("%s: %v %v", name, rows, err)
		}
		_, err = lists[name].Sheet(t.Context(), people["merchant"], name, transfer.Query{Values: url.Values{}})
		if refused := fault.KindOf(err) == fault.Forbidden; refused != (name != "components") {
			t.Errorf("%s for a merchant: %v", name, err)
		}
		if _, err := lists[name].Sheet(t.Context(), people["user"], name, transfer.Query{}); name != "components" && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s for a person: %v", name, err)
		}
	}
}
