package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/transfer"
)

func (a *Admin) componentPages() []Page {
	pages := []Page{
		{Pattern: "GET /components", Title: "第三方平台", Query: listQuery(componentList(a.o.Services).names()...), Handle: a.componentsPage},
		{Pattern: "GET /components/new", Title: "绑定第三方平台", Kinds: merchants, Handle: a.bindPage},
		{Pattern: "POST /components/new", Title: "绑定第三方平台", Kinds: merchants, Handle: a.bindStep},
		{Pattern: "GET /components/{appid}", Handle: a.componentPage},
		{Pattern: "GET /components/{appid}/setup", Handle: a.setupPage},
		{Pattern: "GET /components/{appid}/wait", Handle: a.waitFragment},
		{Pattern: "POST /components/{appid}/push", Handle: a.startPush},
		{Pattern: "POST /components/{appid}/check", Handle: a.checkPage},
	}
	if k, ok := a.o.Services.Components.(KeyTurner); ok {
		pages = append(pages, a.keyPages(k)...)
	}
	return pages
}

// componentTag is the word and colour of a component's state.
func componentTag(state string) (color, label string) {
	switch state {
	case component.StateOK:
		return "green", "正常"
	case component.StateWaitingTicket:
		return "blue", "等待票据"
	case component.StateTicketLate:
		return "orange", "票据延迟"
	case component.StateTicketExpired:
		return "red", "票据过期"
	case component.StateTokenFailing:
		return "red", "令牌获取失败"
	default:
		return "grey", state
	}
}

type componentRow struct {
	CanCheck, CanPush bool
	component.Component
	Color, Label string
	Minis        string
}

var componentStates = []Option{
	{component.StateOK, "正常", ""}, {component.StateWaitingTicket, "等待票据", ""}, {component.StateTicketLate, "票据延迟", ""}, {component.StateTicketExpired, "票据过期", ""}, {component.StateTokenFailing, "令牌获取失败", ""},
}

// componentList are the platform apps that a person sees.
func componentList(s Services) shortList[componentRow] {
	millis := func(get func(componentRow) int64) (func(componentRow) string, func(x, y componentRow) int) {
		return func(row componentRow) string { return strconv.FormatInt(get(row), 10) }, func(x, y componentRow) int { return cmp.Compare(get(x), get(y)) }
	}
	ticket, byTicket := millis(func(row componentRow) int64 { return row.TicketAt })
	token, byToken := millis(func(row componentRow) int64 { return row.TokenExpiresAt })
	bound, _ := millis(func(row componentRow) int64 { return row.CreatedAt })
	return shortList[componentRow]{
		name: listComponents, title: "第三方平台", address: Prefix + "/components", search: "名称或 AppID，可批量粘贴",
		empty: "还没有第三方平台。绑定之后才能管理模板、给小程序上传代码。",
		admit: func(who account.Actor) error { return account.Require(who, "component.read") },
		rows: func(ctx context.Context, who account.Actor) ([]componentRow, error) {
			list, err := s.Components.List(ctx, who)
			rows := make([]componentRow, 0, len(list))
			for _, c := range list {
				rows = append(rows, rowOfComponent(who, c))
			}
			return rows, err
		},
		fill: func(ctx context.Context, who account.Actor, rows []componentRow) error {
			for i := range rows {
				if err := rows[i].count(ctx, who, s.MiniPrograms); err != nil {
					return err
				}
			}
			return nil
		},
		key: func(row componentRow) string { return row.AppID }, label: func(row componentRow) string { return row.Name },
		filters: []shortFilter[componentRow]{{"state", "状态", componentStates, func(row componentRow, v string) bool { return row.State == v }}},
		columns: []shortColumn[componentRow]{
			{name: "name", title: "平台", cell: "component-name", found: true, text: func(row componentRow) string { return row.Name }, order: func(x, y componentRow) int { return cmp.Compare(x.Name, y.Name) }},
			{name: "appid", title: "AppID", cell: "component-appid", found: true, appID: true, text: func(row componentRow) string { return row.AppID }},
			{name: "state", title: "状态", cell: "component-state", text: func(row componentRow) string { return row.State }, labels: labelsOf(componentStates)},
			{name: "ticket", title: "最近票据", cell: "component-ticket", kind: transfer.Time, text: ticket, order: byTicket},
			{name: "token", title: "令牌到期", cell: "component-token", kind: transfer.Time, text: token, order: byToken, more: []shortColumn[componentRow]{{name: "bound", title: "绑定时间", kind: transfer.Time, text: bound}}},
			{name: "minis", title: "已授权小程序", cell: "component-minis", number: true, text: func(row componentRow) string { return row.Minis }},
		},
		ops: componentOps,
	}
}

func componentOps(_ account.Actor, row componentRow) []theme.Op {
	base := Prefix + "/components/" + row.AppID
	ops := []theme.Op{{Title: "详情", Href: base}}
	if row.State == component.StateWaitingTicket {
		ops = append(ops, theme.Op{Title: "继续配置", Href: base + "/setup"})
	}
	if row.CanCheck {
		ops = append(ops, theme.Op{Title: "自检", Post: base + "/check"})
	}
	if row.State != component.StateWaitingTicket {
		ops = append(ops, theme.Op{Title: "回调地址", Href: base + "/setup"})
	}
	if row.CanPush {
		ops = append(ops, theme.Op{Title: "启动推送票据", Post: base + "/push"})
	}
	return ops
}

func (a *Admin) componentsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return showShort(ctx, a, actor, r, componentList(a.o.Services), func(l *shownList) {
		if actor.Can("component.bind") {
			l.Tools = a.render("component-tools", nil)
			l.Step = Link{"去绑定", Prefix + "/components/new"}
		}
	})
}

func rowOfComponent(actor account.Actor, c component.Component) componentRow {
	row := componentRow{Component: c, Minis: "—", CanCheck: account.Narrowed(actor, "component.check") == nil, CanPush: actor.Can("component.push")}
	row.Color, row.Label = componentTag(c.State)
	return row
}

// count fills in how many mini programs are authorised to the platform app.
func (row *componentRow) count(ctx context.Context, actor account.Actor, minis MiniPrograms) error {
	if minis == nil {
		return nil
	}
	page, err := minis.List(ctx, actor, miniprogram.Filter{Component: row.AppID, State: miniprogram.Active, Limit: 1})
	if total, capped := exact(page.Total); capped {
		row.Minis = "10,000+"
	} else {
		row.Minis = grouped(*total)
	}
	return err
}

func (a *Admin) componentRow(ctx context.Context, actor account.Actor, c component.Component) (componentRow, error) {
	row := rowOfComponent(actor, c)
	return row, row.count(ctx, actor, a.o.Services.MiniPrograms)
}

// componentPage is the health of one platform app.
func (a *Admin) componentPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	c, err := a.o.Services.Components.Get(ctx, actor, r.PathValue("appid"))
	if err != nil {
		return View{}, err
	}
	return a.componentView(ctx, actor, c, nil)
}

type componentView struct {
	Row       componentRow
	Addresses component.Addresses
	Failures  []Failure
	Checks    []component.Check
	Release   []component.ReleaseCheck
	CanTurn   bool // may change the message keys
	Problem   *fault.Error
}

func (a *Admin) componentView(ctx context.Context, actor account.Actor, c component.Component, checks []component.Check) (View, error) {
	row, err := a.componentRow(ctx, actor, c)
	if err != nil {
		return View{}, err
	}
	v := componentView{Row: row, Addresses: a.o.Services.Components.Addresses(c.AppID), Failures: a.failures(c.AppID), Checks: checks}
	if v.Release, err = a.releaseChecks(ctx, actor, c.AppID); err != nil {
		return View{}, err
	}
	v.CanTurn = len(v.Release) > 0 && actor.Can("component.bind")
	return View{Title: c.Name, Subtitle: c.AppID, Trail: []Link{{"第三方平台", Prefix + "/components"}}, Body: a.render("component", v)}, nil
}

func (a *Admin) failures(appid string) []Failure {
	if a.o.Services.Failures == nil {
		return nil
	}
	list := a.o.Services.Failures(appid)
	return list[:min(len(list), 5)]
}

// setupPage is step 3 of binding: the addresses to copy, and the live wait for the ticket.
func (a *Admin) setupPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	c, err := a.o.Services.Components.Get(ctx, actor, r.PathValue("appid"))
	if err != nil {
		return View{}, err
	}
	return a.setupView(c, nil), nil
}

func (a *Admin) setupView(c component.Component, problem error) View {
	v := componentView{Row: componentRow{Component: c}, Addresses: a.o.Services.Components.Addresses(c.AppID), Failures: a.failures(c.AppID), Problem: fault.From(problem)}
	v.Row.Color, v.Row.Label = componentTag(c.State)
	trail := []Link{{"第三方平台", Prefix + "/components"}, {c.Name, Prefix + "/components/" + c.AppID}}
	return View{Title: "绑定 " + c.Name, Subtitle: c.AppID, Trail: trail, Body: a.render("setup", v), Status: problemStatus(problem)}
}

// waitFragment is what the setup page loads every two seconds until the ticket is there.
func (a *Admin) waitFragment(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	c, err := a.o.Services.Components.Get(ctx, actor, r.PathValue("appid"))
	if err != nil {
		return View{}, err
	}
	row := componentRow{Component: c}
	row.Color, row.Label = componentTag(c.State)
	return View{Bare: true, Body: a.render("wait", componentView{Row: row, Failures: a.failures(c.AppID)})}, nil
}

func (a *Admin) startPush(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	appid := r.PathValue("appid")
	if err := explained(a.o.Services.Components.StartPush(ctx, actor, appid)); err != nil {
		c, found := a.o.Services.Components.Get(ctx, actor, appid)
		if found != nil || fault.KindOf(err) == fault.Internal {
			return View{}, err
		}
		return a.setupView(c, err), nil
	}
	a.flash.put(actor, "已请微信重新推送票据，通常几秒内到达")
	return View{Redirect: Prefix + "/components/" + url.PathEscape(appid) + "/setup"}, nil
}

// checkPage runs the self-check. It reads from WeChat, so it runs on a click and not on every view.
func (a *Admin) checkPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	appid := r.PathValue("appid")
	checks, err := a.o.Services.Components.Check(ctx, actor, appid)
	if err != nil {
		return View{}, err
	}
	c, err := a.o.Services.Components.Get(ctx, actor, appid)
	if err != nil {
		return View{}, err
	}
	return a.componentView(ctx, actor, c, checks)
}

// Passed counts the lines of the self-check that are good.
func (v componentView) Passed() int {
	n := 0
	for _, c := range v.Checks {
		if c.State == "ok" {
			n++
		}
	}
	return n
}

// fieldsOf keeps the refused fields that a step of a form asks for.
func fieldsOf(err error, names ...string) *fault.Error {
	f := fault.From(err)
	if f == nil {
		return nil
	}
	out := fault.InvalidInput()
	for _, field := range f.Fields {
		for _, name := range names {
			if field.Name == name {
				out.On(name, field.Message)
			}
		}
	}
	if len(out.Fields) == 0 {
		return nil
	}
	return out
}
