package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// fakePlugins is a plugin host in memory with one table of notes and a page.
type fakePlugins struct {
	form []Column // fields beside its own
	mu   sync.Mutex
	rows []TableRow
	down bool
	// columns come after those of every table.
	columns []Column
	asked   []TableQuery
	saved   []TableSave
	acted   []string
	seen    []PluginRequest
	save    func(context.Context, TableSave) error
	// stops, when positive, is how many calls of an act go through before one is refused.
	stops int
}

var errDown = fault.New(fault.Unavailable, "plugin_down", "「版本管理」插件暂时不可用，正在自动重启，请稍后刷新")

func newFakePlugins(n int) *fakePlugins {
	p := &fakePlugins{}
	for i := range n {
		p.rows = append(p.rows, TableRow{ID: strconv.Itoa(i + 1), Version: 1, Values: map[string]string{
			"name": fmt.Sprintf("模板 %d", i+1), "state": "listed", "made_at": "1795305600000", "note": `<script>alert("x")</script>`,
		}})
	}
	return p
}

func (p *fakePlugins) Menu(_ context.Context, a account.Actor) []PluginMenu {
	if a.SpaceKind != account.Merchant {
		return nil
	}
	return []PluginMenu{{Title: "模板库", Href: "/admin/info/version_templates", Group: "模板中心", Order: 2}, {Title: "草稿箱", Href: "/admin/p/version/drafts", Group: "模板中心", Order: 1}}
}

func (p *fakePlugins) Table(_ context.Context, a account.Actor, plugin, table string) (Table, error) {
	if p.down {
		return Table{}, errDown
	}
	if plugin != "version" || table != "templates" || a.SpaceKind != account.Merchant {
		return Table{}, fault.New(fault.NotFound, "not_found", "没有这个列表")
	}
	state := Column{Name: "state", Title: "状态", Options: []Option{{"listed", "已上架", "green"}, {"draft", "草稿", "grey"}, {"", "未提交", "grey"}}}
	return Table{
		Title: "模板库", Intro: "可安装的模板版本", Search: true, Sort: "-id",
		Columns:   append([]Column{{Name: "name", Title: "名称", Sort: true}, state, {Name: "made_at", Title: "创建时间", Type: "time"}, {Name: "note", Title: "说明"}}, p.columns...),
		Filters:   []Column{state},
		Form:      append([]Column{{Name: "name", Title: "名称", Required: true, Size: 20}, {Name: "note", Title: "说明", Type: "longtext", Help: "用户可见"}, state}, p.form...),
		Actions:   []Action{{Name: "delist", Title: "下架", Confirm: "下架后用户不能再安装", Batch: true, Danger: true}, {Name: "check", Title: "检查"}},
		CanCreate: true, CanEdit: true, CanRemove: true,
	}, nil
}

func (p *fakePlugins) Rows(_ context.Context, _ account.Actor, _, _ string, q TableQuery) (TablePage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	if p.down {
		return TablePage{}, errDown
	}
	rows := slices.Clone(p.rows)
	if s := q.Filters["state"]; s != "" {
		rows = slices.DeleteFunc(rows, func(r TableRow) bool { return r.Values["state"] != s })
	}
	total := int64(len(rows))
	from, _ := strconv.Atoi(q.Cursor)
	rows = rows[min(from, len(rows)):]
	next := ""
	if len(rows) > q.Limit {
		rows, next = rows[:q.Limit], strconv.Itoa(from+q.Limit)
	}
	return TablePage{Rows: rows, Next: next, Total: &total}, nil
}

func (p *fakePlugins) Row(_ context.Context, _ account.Actor, _, _, id string) (TableRow, error) {
	for _, r := range p.rows {
		if r.ID == id {
			return r, nil
		}
	}
	return TableRow{}, fault.New(fault.NotFound, "not_found", "这条记录不存在，可能已被删除")
}

func (p *fakePlugins) Save(ctx context.Context, _ account.Actor, _, _ string, s TableSave) error {
	if s.Values["name"] == "重名" {
		return fault.InvalidInput().On("name", "这个名称已被使用，请换一个")
	}
	if p.save != nil {
		return p.save(ctx, s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved = append(p.saved, s)
	return nil
}

func (p *fakePlugins) Remove(_ context.Context, _ account.Actor, _, _ string, ids []string) error {
	p.acted = append(p.acted, fmt.Sprint("remove ", ids))
	return nil
}

func (p *fakePlugins) Act(_ context.Context, _ account.Actor, _, _, action string, ids []string) (ActResult, error) {
	if action == "check" {
		return ActResult{}, fault.New(fault.Conflict, "busy", "模板正在被使用，请稍后再检查")
	}
	if p.stops > 0 && len(p.acted) == p.stops {
		return ActResult{}, fault.New(fault.Conflict, "quota_used", "本月额度已用完")
	}
	p.acted = append(p.acted, fmt.Sprint(action, " ", ids))
	return ActResult{Message: "已下架"}, nil
}

func (p *fakePlugins) Serve(_ context.Context, _ account.Actor, r PluginRequest) (PluginResponse, error) {
	p.seen = append(p.seen, r)
	switch r.Path {
	case "/":
		return PluginResponse{Framed: true, Title: "首页", Body: []byte("<p>插件的首页</p>")}, nil
	case "/drafts":
		return PluginResponse{Framed: true, Title: "<b>草稿箱</b>", Body: []byte(`<p id="from-plugin">一份草稿</p>`), Trail: []Link{{"外站", "https://evil.example"}, {"模板", "/admin/p/version/x"}}}, nil
	case "/qr":
		return PluginResponse{Header: http.Header{"Content-Type": {"image/png"}, "Set-Cookie": {"minifleet_session=stolen"}}, Body: []byte("PNG")}, nil
	case "/page.html":
		return PluginResponse{Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<script>1</script>")}, nil
	case "/away":
		return PluginResponse{Redirect: "https://evil.example/"}, nil
	case "/panic":
		panic("boom")
	}
	return PluginResponse{}, errDown
}
