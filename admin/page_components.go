package admin

import (
	"context"
	"net/http"
	"net/url"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

func (a *Admin) componentPages() []Page {
	return []Page{
		{Pattern: "GET /components", Title: "第三方平台", Query: []string{"state"}, Handle: a.componentsPage},
		{Pattern: "GET /components/new", Title: "绑定第三方平台", Kinds: merchants, Handle: a.bindPage},
		{Pattern: "POST /components/new", Title: "绑定第三方平台", Kinds: merchants, Handle: a.bindStep},
		{Pattern: "GET /components/{appid}", Handle: a.componentPage},
		{Pattern: "GET /components/{appid}/setup", Handle: a.setupPage},
		{Pattern: "GET /components/{appid}/wait", Handle: a.waitFragment},
		{Pattern: "POST /components/{appid}/push", Handle: a.startPush},
		{Pattern: "POST /components/{appid}/check", Handle: a.checkPage},
	}
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

func (a *Admin) componentsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	list, err := a.o.Services.Components.List(ctx, actor)
	if err != nil {
		return View{}, err
	}
	rows := make([]componentRow, 0, len(list))
	state := r.URL.Query().Get("state")
	for _, c := range list {
		if state != "" && c.State != state {
			continue
		}
		row, err := a.componentRow(ctx, actor, c)
		if err != nil {
			return View{}, err
		}
		rows = append(rows, row)
	}
	return View{Title: "第三方平台", Body: a.render("components", struct {
		Rows     []componentRow
		CanBind  bool
		Filtered bool
		Total    string
	}{rows, actor.Can("component.bind"), state != "", grouped(int64(len(rows)))})}, nil
}

func (a *Admin) componentRow(ctx context.Context, actor account.Actor, c component.Component) (componentRow, error) {
	row := componentRow{Component: c, Minis: "—", CanCheck: account.Narrowed(actor, "component.check") == nil, CanPush: actor.Can("component.push")}
	row.Color, row.Label = componentTag(c.State)
	if a.o.Services.MiniPrograms == nil {
		return row, nil
	}
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, miniprogram.Filter{Component: c.AppID, State: miniprogram.Active, Limit: 1})
	row.Minis = grouped(page.Total)
	return row, err
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
	Problem   *fault.Error
}

func (a *Admin) componentView(ctx context.Context, actor account.Actor, c component.Component, checks []component.Check) (View, error) {
	row, err := a.componentRow(ctx, actor, c)
	if err != nil {
		return View{}, err
	}
	v := componentView{Row: row, Addresses: a.o.Services.Components.Addresses(c.AppID), Failures: a.failures(c.AppID), Checks: checks}
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
