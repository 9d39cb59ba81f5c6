package admin

import (
	"context"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

func (a *Admin) miniProgramPages() []Page {
	pages := []Page{
		{Pattern: "GET /miniprograms", Title: "小程序", Query: listQuery("component", "state"), Handle: a.miniProgramsPage},
		{Pattern: "POST /miniprograms/links", Title: "授权链接", Kinds: merchants, Handle: a.makeLink},
		{Pattern: "GET /miniprograms/links/{ticket}", Title: "授权链接", Kinds: merchants, Handle: a.linkPage},
		{Pattern: "GET /miniprograms/links/{ticket}/state", Kinds: merchants, Handle: a.linkState},
	}
	if a.canSync() {
		pages = append(pages, Page{Pattern: "POST /miniprograms/{appid}/sync", Title: "小程序", Handle: a.syncMiniProgram})
	}
	return pages
}

func (a *Admin) canSync() bool {
	_, ok := a.o.Services.MiniPrograms.(Syncer)
	return ok
}

// syncMiniProgram reads one mini program from WeChat, if the actor's list shows it at all.
func (a *Admin) syncMiniProgram(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	appid := r.PathValue("appid")
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, miniprogram.Filter{Query: appid, Limit: 20})
	if err != nil {
		return View{}, err
	}
	if !slices.ContainsFunc(page.Items, func(m miniprogram.MiniProgram) bool { return m.AppID == appid }) {
		return View{}, miniprogram.ErrNotFound()
	}
	if err := explained(a.o.Services.MiniPrograms.(Syncer).Sync(ctx, actor, appid)); err != nil {
		if fault.KindOf(err) == fault.Internal {
			return View{}, err
		}
		return a.miniList(ctx, actor, at(r, url.Values{querySearch: {appid}}), err)
	}
	a.flash.put(actor, "已同步 "+appid)
	return View{Redirect: Prefix + "/miniprograms?q=" + url.QueryEscape(appid)}, nil
}

// miniAuth is one authorisation as the list shows it.
type miniAuth struct {
	Component, Name, Color, Label string
	Missing                       []string
}

// at is the request as if it had asked for the list with this query: what a form that was refused shows again.
func at(r *http.Request, q url.Values) *http.Request {
	again := r.Clone(r.Context())
	again.URL = &url.URL{Path: Prefix + "/miniprograms", RawQuery: q.Encode()}
	return again
}

func (a *Admin) miniProgramsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.miniList(ctx, actor, r, nil)
}

var authStates = []Option{{miniprogram.Active, "已授权", ""}, {miniprogram.Revoked, "已取消授权", ""}, {miniprogram.NeedsReauth, "授权失效", ""}}

func (a *Admin) miniList(ctx context.Context, actor account.Actor, r *http.Request, problem error) (View, error) {
	const base = Prefix + "/miniprograms"
	s, elsewhere, err := a.openList(ctx, actor, r, "miniprograms", base)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	f := miniprogram.Filter{Query: s.search, Component: s.q.Get("component"), Limit: s.size, Oldest: s.last}
	if v := s.q.Get("state"); slices.ContainsFunc(authStates, func(o Option) bool { return o.Value == v }) {
		f.State = v
	}
	f.Cursor, _ = strconv.ParseInt(s.cursor, 10, 64) // what is no number is the first page
	ids, page, err := a.miniPage(ctx, actor, f)
	if err != nil {
		return View{}, err
	}
	if s.last {
		slices.Reverse(page.Items)
	}
	components, err := a.componentNames(ctx, actor)
	if err != nil {
		return View{}, err
	}
	l := shownList{
		Name: "miniprograms", Title: "小程序", Address: base, Search: "名称、AppID、主体，可批量粘贴", Acts: true, Reverse: true, Export: true, Pasted: ids, Problem: fault.From(problem),
		Filters: []listFilter{{Name: "component", Title: "所属平台", Value: f.Component, Kind: "select", Options: components}, {Name: "state", Title: "授权状态", Value: f.State, Kind: "select", Options: authStates}},
		Columns: []theme.Column{{Name: "name", Title: "小程序"}, {Name: "appid", Title: "AppID"}, {Name: "principal", Title: "主体"}, {Name: "auth", Title: "所属平台与授权"}, {Name: "missing", Title: "权限缺口"}, {Name: "synced", Title: "最近同步"}},
		Rows:    a.miniRows(actor, page.Items, components), Empty: "还没有小程序。商户或用户授权后会出现在这里。",
	}
	l.Total, l.Capped = exact(page.Total)
	if page.Next != 0 {
		l.Next = strconv.FormatInt(page.Next, 10)
	}
	if actor.SpaceKind == account.Merchant && actor.Can("authorization.create") {
		l.Empty = "还没有小程序。生成一个授权链接，让小程序管理员扫码授权。"
		l.Tools = a.render("link-tools", len(components) > 0)
		if len(components) == 0 {
			l.Step = Link{"去绑定第三方平台", Prefix + "/components/new"}
		}
	}
	body := a.showList(s, l)
	if actor.SpaceKind == account.Merchant && actor.Can("authorization.create") {
		body += a.render("link-dialog", components)
	}
	return View{Title: "小程序", Body: body, Status: problemStatus(problem)}, nil
}

// exact is a room's total as the list takes it: beyond 10,000 it is not counted.
func exact(n int64) (total *int64, capped bool) {
	if n < 0 || n > 10_000 {
		return nil, true
	}
	return &n, false
}

// miniPage reads a page; a pasted list of AppIDs is looked up exactly, and what is missing is told.
func (a *Admin) miniPage(ctx context.Context, actor account.Actor, f miniprogram.Filter) (*pastedIDs, miniprogram.Page, error) {
	ids := pasted(f.Query)
	if ids != nil {
		f.Query = strings.Join(ids.Asked, ",")
		var found []string
		for all := (miniprogram.Filter{Query: f.Query, Component: f.Component, State: f.State, Limit: 100}); len(found) < maxEverything; {
			page, err := a.o.Services.MiniPrograms.List(ctx, actor, all)
			if err != nil {
				return nil, page, err
			}
			for _, m := range page.Items {
				found = append(found, m.AppID)
			}
			if all.Cursor = page.Next; page.Next == 0 {
				break
			}
		}
		ids.missing(found)
	}
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, f)
	return ids, page, err
}

// componentNames are the platform apps that the actor sees, as a choice.
func (a *Admin) componentNames(ctx context.Context, actor account.Actor) ([]Option, error) {
	if a.o.Services.Components == nil {
		return nil, nil
	}
	list, err := a.o.Services.Components.List(ctx, actor)
	var out []Option
	for _, c := range list {
		out = append(out, Option{Value: c.AppID, Label: c.Name})
	}
	return out, err
}

func (a *Admin) miniRows(actor account.Actor, items []miniprogram.MiniProgram, components []Option) []theme.Row {
	names := map[string]string{}
	for _, c := range components {
		names[c.Value] = c.Label
	}
	rows := make([]theme.Row, 0, len(items))
	for _, m := range items {
		id := url.PathEscape(m.AppID)
		standing := auths(m, names)
		row := theme.Row{ID: m.AppID, Name: m.Name()}
		if actor.Can("version.operate") { // what the version plugin's pages ask for
			row.Ops = append(row.Ops, theme.Op{Title: "三栏版本", Href: Prefix + "/p/version/miniprograms/" + id})
		}
		row.Ops = append(row.Ops, theme.Op{Title: "谁能操作", Href: Prefix + "/p/hosting/miniprograms/" + id},
			theme.Op{Title: "操作日志", Href: Prefix + "/trail?appid=" + url.QueryEscape(m.AppID)})
		if a.canSync() && account.Narrowed(actor, "miniprogram.sync") == nil {
			row.Ops = append(row.Ops, theme.Op{Title: "立即同步", Post: Prefix + "/miniprograms/" + id + "/sync", Test: "sync"})
		}
		row.Cells = a.miniCells(m, standing)
		row.Off = len(standing) > 0 && !slices.ContainsFunc(standing, func(x miniAuth) bool { return x.Color != "grey" })
		rows = append(rows, row)
	}
	return rows
}

// miniCells are the cells of a row, in the order of the columns. They are written without a template, as the table around
// them is: twenty rows of six templates were a seventh of the page's CPU.
func (a *Admin) miniCells(m miniprogram.MiniProgram, standing []miniAuth) []template.HTML {
	const none = template.HTML("—")
	name, principal, auth, missing := template.HTML(`<span class="mf-muted">资料待同步</span>`), none, none, none
	if m.NickName != "" {
		name = ours(m.NickName)
	}
	if m.OwnerSpaceID == 0 {
		name += " " + tag("orange", "未认领")
	}
	if m.Principal != "" {
		principal = ours(m.Principal)
	}
	if len(standing) > 0 {
		auth, missing = "", ""
	}
	for _, z := range standing {
		auth += "<div>" + ours(z.Name) + " " + tag(z.Color, z.Label) + "</div>"
		switch {
		case len(z.Missing) > 0:
			missing += "<div>" + tag("orange", "缺少") + " " + template.HTML(template.HTMLEscapeString(strings.Join(z.Missing, "、"))) + "</div>"
		case z.Color == "green":
			missing += "<div>" + tag("green", "完整") + "</div>"
		default:
			missing += "<div>—</div>"
		}
	}
	return []template.HTML{
		name, `<code class="mf-mono" translate="no">` + template.HTML(template.HTMLEscapeString(m.AppID)) + `</code>`, principal, "<div>" + auth + "</div>", "<div>" + missing + "</div>",
		`<span class="mf-nowrap" title="` + template.HTML(when(m.SyncedAt)) + `">` + template.HTML(ago(a.clock.Now(), m.SyncedAt)) + `</span>`,
	}
}

// ours is text of people or of WeChat, which no translation touches.
func ours(text string) template.HTML {
	return `<span translate="no">` + template.HTML(template.HTMLEscapeString(text)) + `</span>`
}

// auths puts the authorisations of a mini program into words; a lost one stays visible.
func auths(m miniprogram.MiniProgram, names map[string]string) []miniAuth {
	out := make([]miniAuth, 0, len(m.Authorizations))
	for _, z := range m.Authorizations {
		row := miniAuth{Component: z.Component, Name: names[z.Component]}
		if row.Name == "" {
			row.Name = z.Component
		}
		switch z.State {
		case miniprogram.Active:
			row.Color, row.Label = "green", "已授权"
			for _, set := range miniprogram.NeededSets() {
				if !slices.Contains(z.Sets, set) {
					row.Missing = append(row.Missing, miniprogram.SetName(set))
				}
			}
		case miniprogram.Revoked:
			row.Color, row.Label = "grey", "已取消授权"
		default:
			row.Color, row.Label = "red", "授权失效"
		}
		out = append(out, row)
	}
	return out
}

// makeLink opens an authorisation ticket for a client, or for a mini program of the merchant's own.
func (a *Admin) makeLink(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := r.PostForm
	ask := miniprogram.TicketRequest{Component: f.Get("component"), BizAppID: f.Get("biz_appid"), Unclaimed: f.Get("for") == "client", ReturnTo: "/my"}
	if !ask.Unclaimed {
		ask.ReturnTo = Prefix + "/miniprograms"
	}
	var t miniprogram.Ticket
	err := a.ownComponent(ctx, actor, ask.Component)
	if err == nil {
		t, err = a.o.Services.MiniPrograms.CreateTicket(ctx, actor, ask)
	}
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return View{}, err
		}
		return a.miniList(ctx, actor, at(r, url.Values{}), err)
	}
	return View{Redirect: Prefix + "/miniprograms/links/" + url.PathEscape(t.ID)}, nil
}

// ownComponent refuses a platform app that the actor's space does not see.
func (a *Admin) ownComponent(ctx context.Context, actor account.Actor, appid string) error {
	if appid == "" {
		return fault.InvalidInput().On("component", "请选择第三方平台；还没有的话，先去绑定一个")
	}
	if a.o.Services.Components == nil {
		return nil
	}
	_, err := a.o.Services.Components.Get(ctx, actor, appid)
	return err
}

type linkView struct {
	Ticket       miniprogram.Ticket
	URL          string
	QR           template.URL
	Color, Label string
	Over         bool
}

func (a *Admin) linkPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := a.link(ctx, actor, r.PathValue("ticket"))
	if err != nil {
		return View{}, err
	}
	png, err := qrcode.Encode(v.URL, qrcode.Medium, 480)
	if err != nil {
		return View{}, err
	}
	// A data address made of our own bytes; nothing of the request is in it.
	v.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
	return View{Title: "授权链接", Trail: []Link{{"小程序", Prefix + "/miniprograms"}}, Body: a.render("link", v)}, nil
}

func (a *Admin) linkState(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := a.link(ctx, actor, r.PathValue("ticket"))
	if err != nil {
		return View{}, err
	}
	return View{Bare: true, Body: a.render("link-state", v)}, nil
}

// link reads a ticket that the actor's space asked for.
func (a *Admin) link(ctx context.Context, actor account.Actor, id string) (linkView, error) {
	t, err := a.o.Services.MiniPrograms.Ticket(ctx, id)
	if err != nil {
		return linkView{}, err
	}
	if t.AskerSpaceID != actor.SpaceID {
		return linkView{}, fault.New(fault.NotFound, "ticket_not_found", "授权链接不存在或已失效，请重新生成")
	}
	v := linkView{Ticket: t, URL: a.o.Services.MiniPrograms.LandingURL(t.ID), Over: t.State != miniprogram.Waiting}
	switch t.State {
	case miniprogram.Waiting:
		v.Color, v.Label = "blue", "待授权"
	case miniprogram.Authorized:
		v.Color, v.Label = "green", "授权成功"
	case miniprogram.Cancelled:
		v.Color, v.Label = "grey", "已取消"
	case miniprogram.Expired:
		v.Color, v.Label = "orange", "已过期"
	default:
		v.Color, v.Label = "red", "授权失败"
	}
	return v, nil
}
