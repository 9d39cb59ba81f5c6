package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/trail"
)

// programView is what the page of one mini program reads.
type programView struct {
	App            miniprogram.MiniProgram
	Owner          bool // the current space owns it
	OwnerName      string
	Authorizations []authorizationView
	Grants         []grantView
	Trail          []trail.Entry
	Next           string
	Problem        *fault.Error
	Tab            string
	Versions       bool // the version plugin's pages are open to this member
	// SyncWhy and AuthorizeWhy say why the member cannot do it, "" where they can.
	SyncWhy, AuthorizeWhy string
}

type authorizationView struct {
	miniprogram.Authorization
	Space   string // whose platform app it is
	Names   []string
	Missing []string // needed sets that it lacks
}

type grantView struct {
	Space  string
	Scopes []string
	Until  int64
}

// program shows one mini program of the current space; one of another space is not found.
func (p *Portal) program(w http.ResponseWriter, r *http.Request, v *visit) error {
	m, err := p.o.Grants.MiniProgram(r.Context(), v.actor, r.PathValue("appid"))
	if err != nil {
		return err
	}
	return p.showProgram(w, r, v, m, nil)
}

func (p *Portal) showProgram(w http.ResponseWriter, r *http.Request, v *visit, m miniprogram.MiniProgram, problem error) error {
	view := programView{App: m, Owner: m.OwnerSpaceID == v.actor.SpaceID, Tab: "overview", Versions: v.actor.Can(versionPages)}
	view.SyncWhy, view.AuthorizeWhy = why(account.Narrowed(v.actor, "miniprogram.sync")), why(account.Require(v.actor, "authorization.create"))
	status := http.StatusOK
	if problem != nil {
		view.Problem = fault.From(problem)
		status = view.Problem.Kind.Status()
	}
	err := error(nil)
	if r.URL.Query().Get("tab") == "trail" {
		view.Tab = "trail"
		err = p.fillTrail(r, v.actor, &view)
	} else {
		err = p.fillOverview(r.Context(), v.actor, &view)
	}
	if err != nil {
		return err
	}
	return p.show(w, r, v, "program", view, page{
		Title: m.Name(), Subtitle: m.Principal, Status: status, Crumbs: []link{{Title: "我的小程序", Href: "/my/miniprograms"}},
	})
}

// why is the reason of a refusal for beside a button, "" for none.
func why(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Message
}

func (p *Portal) fillOverview(ctx context.Context, who account.Actor, view *programView) error {
	grants, err := p.o.Grants.ForMiniProgram(ctx, who, view.App.AppID)
	if err != nil && fault.KindOf(err) != fault.NotFound { // a merchant sees an unclaimed one without a grant on it
		return err
	}
	ids := []int64{}
	if view.App.OwnerSpaceID != 0 {
		ids = append(ids, view.App.OwnerSpaceID)
	}
	askers := map[string]int64{}
	for _, a := range view.App.Authorizations {
		if askers[a.Component], err = p.o.Components.SpaceOf(ctx, a.Component); err != nil {
			return err
		}
		ids = append(ids, askers[a.Component])
	}
	for _, g := range grants {
		ids = append(ids, g.SpaceID)
	}
	spaces, err := p.o.Accounts.Spaces(ctx, ids...)
	if err != nil {
		return err
	}
	view.OwnerName = spaces[view.App.OwnerSpaceID].Name
	for _, a := range view.App.Authorizations {
		view.Authorizations = append(view.Authorizations, nameSets(a, spaces[askers[a.Component]].Name))
	}
	for _, g := range grants {
		row := grantView{Space: spaces[g.SpaceID].Name, Until: g.Until}
		for _, scope := range g.Scopes {
			row.Scopes = append(row.Scopes, grant.Title(scope))
		}
		view.Grants = append(view.Grants, row)
	}
	return nil
}

func nameSets(a miniprogram.Authorization, space string) authorizationView {
	row := authorizationView{Authorization: a, Space: space}
	for _, set := range a.Sets {
		row.Names = append(row.Names, miniprogram.SetName(set))
	}
	for _, set := range miniprogram.NeededSets() {
		if !slices.Contains(a.Sets, set) {
			row.Missing = append(row.Missing, miniprogram.SetName(set))
		}
	}
	return row
}

// fillTrail reads the acts on the mini program: all of them for its owner, one's own for others.
func (p *Portal) fillTrail(r *http.Request, who account.Actor, view *programView) error {
	cursor, err := cursorOf(r)
	if err != nil {
		return err
	}
	filter := trail.Filter{AppID: view.App.AppID, Cursor: cursor, Limit: pageSize}
	if !view.Owner && !who.Operator() {
		filter.SpaceID = who.SpaceID
	}
	rows, next, err := p.o.Trail.List(r.Context(), filter)
	if err != nil {
		return err
	}
	view.Trail = rows
	if next > 0 {
		view.Next = r.URL.Path + "?tab=trail&cursor=" + strconv.FormatInt(next, 10)
	}
	return nil
}

func cursorOf(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("cursor")
	if text == "" {
		return 0, nil
	}
	cursor, err := strconv.ParseInt(text, 10, 64)
	if err != nil || cursor <= 0 {
		return 0, fault.New(fault.Invalid, "bad_cursor", "翻页地址不完整，请回到第一页再试")
	}
	return cursor, nil
}

// syncProgram reads the profile from WeChat now (立即同步).
func (p *Portal) syncProgram(w http.ResponseWriter, r *http.Request, v *visit) error {
	appid := r.PathValue("appid")
	if _, err := p.o.Grants.Sync(r.Context(), v.actor, appid); err != nil {
		kind := fault.KindOf(err)
		if kind == fault.NotFound || kind == fault.Internal {
			return err
		}
		m, readErr := p.o.Grants.MiniProgram(r.Context(), v.actor, appid)
		if readErr != nil {
			return readErr
		}
		return p.showProgram(w, r, v, m, err)
	}
	p.putFlash(w, "已同步到微信的最新资料")
	redirect(w, r, "/my/miniprograms/"+appid)
	return nil
}

// reauthorize asks for a new authorisation of the same mini program to a platform app it was authorised to before.
func (p *Portal) reauthorize(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	m, err := p.o.Grants.MiniProgram(r.Context(), v.actor, r.PathValue("appid"))
	if err != nil {
		return err
	}
	component := r.PostForm.Get("component")
	if !slices.ContainsFunc(m.Authorizations, func(a miniprogram.Authorization) bool { return a.Component == component }) {
		return fault.New(fault.NotFound, "component_not_found", "这个小程序没有授权给过这个第三方平台")
	}
	ticket, err := p.o.Apps.CreateTicket(r.Context(), v.actor, miniprogram.TicketRequest{
		Component: component, BizAppID: m.AppID, ReturnTo: "/my/miniprograms/" + m.AppID,
		Unclaimed: m.OwnerSpaceID != v.actor.SpaceID, // whoever asks for others does not become the owner by it
	})
	if err != nil {
		return err
	}
	redirect(w, r, "/auth/"+ticket.ID)
	return nil
}
