package admin

import (
	"context"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/skip2/go-qrcode"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

func (a *Admin) miniProgramPages() []Page {
	pages := []Page{
		{Pattern: "GET /miniprograms", Title: "小程序", Query: []string{"q", "component", "state", queryCursor}, Handle: a.miniProgramsPage},
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
		return a.miniList(ctx, actor, url.Values{"q": {appid}}, err)
	}
	a.flash.put(actor, "已同步 "+appid)
	return View{Redirect: Prefix + "/miniprograms?q=" + url.QueryEscape(appid)}, nil
}

type miniRow struct {
	miniprogram.MiniProgram
	Auths []miniAuth
}

// miniAuth is one authorisation as the list shows it.
type miniAuth struct {
	Component, Name, Color, Label string
	Missing                       []string
}

type miniView struct {
	Rows       []miniRow
	Components []component.Component
	Filter     miniprogram.Filter
	Total      string
	Next       string
	Filtered   bool
	CanLink    bool
	CanSync    bool
	Problem    *fault.Error
}

func (a *Admin) miniProgramsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.miniList(ctx, actor, r.URL.Query(), nil)
}

func (a *Admin) miniList(ctx context.Context, actor account.Actor, q url.Values, problem error) (View, error) {
	f := miniprogram.Filter{Query: q.Get("q"), Component: q.Get("component"), Limit: 20}
	if s := q.Get("state"); slices.Contains([]string{miniprogram.Active, miniprogram.Revoked, miniprogram.NeedsReauth}, s) {
		f.State = s
	}
	if n, err := strconv.ParseInt(q.Get(queryCursor), 10, 64); err == nil {
		f.Cursor = n
	}
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, f)
	if err != nil {
		return View{}, err
	}
	v := miniView{Filter: f, Total: countText(page.Total), Filtered: f.Query != "" || f.Component != "" || f.State != "", CanLink: actor.SpaceKind == account.Merchant, CanSync: a.canSync(), Problem: fault.From(problem)}
	names := map[string]string{}
	if a.o.Services.Components != nil {
		if v.Components, err = a.o.Services.Components.List(ctx, actor); err != nil {
			return View{}, err
		}
		for _, c := range v.Components {
			names[c.AppID] = c.Name
		}
	}
	for _, m := range page.Items {
		v.Rows = append(v.Rows, miniRow{m, auths(m, names)})
	}
	if page.Next != 0 {
		next := clone(q)
		next.Set(queryCursor, strconv.FormatInt(page.Next, 10))
		v.Next = Prefix + "/miniprograms?" + next.Encode()
	}
	return View{Title: "小程序", Body: a.render("miniprograms", v), Status: problemStatus(problem)}, nil
}

// countText is exact below the cap that the room counts to.
func countText(n int64) string {
	if n >= 10000 {
		return "10,000+"
	}
	return grouped(n)
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
		return a.miniList(ctx, actor, url.Values{}, err)
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
