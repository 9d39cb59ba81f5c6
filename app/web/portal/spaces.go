package portal

import (
	"context"
	"errors"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// spaceRoutes are the pages about a person's spaces, invitations and leaving.
func (p *Portal) spaceRoutes(anyone, member func(pattern string, handle handler)) {
	if p.o.Spaces == nil {
		return
	}
	member("GET /my/spaces", p.mySpaces)
	member("POST /my/spaces", p.openSpace)
	member("POST /my/spaces/leave", p.leaveSpace)
	anyone("GET /invite/{token}", p.invitation)
	member("POST /invite/{token}", p.acceptInvitation)
	member("GET /my/data", p.myData)
	member("GET /my/data/minifleet-data.zip", p.exportData)
	member("POST /my/data/close", p.closeAccount)
	p.memberRoutes(member)
}

// mistakeIn keeps what a form shows again; what is no mistake of the person's stays an error.
func mistakeIn(err error) (*fault.Error, error) {
	f := fault.From(err)
	switch f.Kind {
	case fault.Invalid, fault.Conflict, fault.Forbidden, fault.TooMany:
		return f, nil
	default:
		return nil, err
	}
}

// on is the sentence at a field, "" for none.
func on(f *fault.Error, name string) string {
	if f == nil {
		return ""
	}
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Message
		}
	}
	return ""
}

type spacesView struct {
	Actor       account.Actor
	Memberships []account.Membership
	Kind        string
	Name        string
	Problem     *fault.Error
	NameError   string
}

func (p *Portal) mySpaces(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showSpaces(w, r, v, spacesView{Kind: string(account.Merchant)})
}

func (p *Portal) showSpaces(w http.ResponseWriter, r *http.Request, v *visit, view spacesView) error {
	var err error
	if view.Memberships, err = p.o.Accounts.Memberships(r.Context(), v.actor.AccountID); err != nil {
		return err
	}
	view.Actor = v.actor
	status := http.StatusOK
	if view.Problem != nil {
		status, view.NameError = view.Problem.Kind.Status(), on(view.Problem, "name")
	}
	return p.show(w, r, v, "spaces", view, page{Title: "我的空间", Subtitle: "一个账号可以同时是普通用户和商户，也可以加入别人的空间", Width: "mid", Status: status})
}

func (p *Portal) openSpace(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	kind, name := r.PostForm.Get("kind"), r.PostForm.Get("name")
	m, err := p.o.Spaces.Open(r.Context(), v.actor, account.Kind(kind), name)
	if err != nil {
		problem, err := mistakeIn(err)
		if err != nil {
			return err
		}
		return p.showSpaces(w, r, v, spacesView{Kind: kind, Name: name, Problem: problem})
	}
	actor, err := p.o.Accounts.Switch(r.Context(), v.token, m.SpaceID)
	if err != nil {
		return err
	}
	p.putFlash(w, "已开通并切换到 "+m.Space)
	redirect(w, r, p.after(actor, ""))
	return nil
}

func (p *Portal) leaveSpace(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.o.Spaces.Leave(r.Context(), v.actor); err != nil {
		problem, err := mistakeIn(err)
		if err != nil {
			return err
		}
		return p.showSpaces(w, r, v, spacesView{Kind: string(account.Merchant), Problem: problem})
	}
	p.putFlash(w, "已退出 "+v.actor.Space)
	redirect(w, r, "/my/spaces")
	return nil
}

type invitationView struct {
	Actor    account.Actor
	Offer    account.Offer
	Token    string
	Login    string
	Register string
	Problem  *fault.Error
}

// invitation shows what one is invited to; accepting needs the invited login.
func (p *Portal) invitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showInvitation(w, r, v, nil)
}

func (p *Portal) showInvitation(w http.ResponseWriter, r *http.Request, v *visit, problem *fault.Error) error {
	token := r.PathValue("token")
	offer, err := p.o.Spaces.Offer(r.Context(), v.actor, token)
	if err != nil {
		return err
	}
	back := "?return=/invite/" + token
	view := invitationView{Actor: v.actor, Offer: offer, Token: token, Login: "/login" + back, Register: "/register" + back, Problem: problem}
	status := http.StatusOK
	if problem != nil {
		status = problem.Kind.Status()
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the invitation
	return p.show(w, r, v, "invitation", view, page{Title: "加入空间", Width: "narrow", Status: status})
}

func (p *Portal) acceptInvitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	m, err := p.o.Spaces.Accept(r.Context(), v.actor, r.PathValue("token"))
	if err != nil {
		problem, err := mistakeIn(err)
		if err != nil {
			return err
		}
		return p.showInvitation(w, r, v, problem)
	}
	actor, err := p.o.Accounts.Switch(r.Context(), v.token, m.SpaceID)
	if err != nil {
		return err
	}
	p.putFlash(w, "已加入 "+m.Space+"，角色："+m.RoleTitle)
	redirect(w, r, p.after(actor, ""))
	return nil
}

type dataView struct {
	Actor         account.Actor
	Plan          account.LeavingPlan
	Problem       *fault.Error
	Login         string
	LoginError    string
	PasswordError string
}

func (p *Portal) myData(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showData(w, r, v, dataView{})
}

func (p *Portal) showData(w http.ResponseWriter, r *http.Request, v *visit, view dataView) error {
	var err error
	if view.Plan, err = p.o.Spaces.Leaving(r.Context(), v.actor); err != nil {
		return err
	}
	view.Actor = v.actor
	status := http.StatusOK
	if view.Problem != nil {
		status, view.LoginError, view.PasswordError = view.Problem.Kind.Status(), on(view.Problem, "login"), on(view.Problem, "password")
	}
	return p.show(w, r, v, "data", view, page{Title: "我的数据", Subtitle: "导出我的数据，或注销账号", Width: "mid", Status: status})
}

// exportData sends the zip while it is made.
func (p *Portal) exportData(w http.ResponseWriter, r *http.Request, v *visit) error {
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="minifleet-data.zip"`)
	h.Set("Cache-Control", "private, no-store")
	err := p.o.Spaces.ExportData(r.Context(), v.actor, w)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.log.ErrorContext(r.Context(), "portal: export of personal data failed", "error", err)
		}
		panic(http.ErrAbortHandler) // the status is out: only a broken connection tells that the file is not whole
	}
	return nil
}

func (p *Portal) closeAccount(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	login := r.PostForm.Get("login")
	if err := p.o.Spaces.CloseAccount(r.Context(), v.actor, r.PostForm.Get("password"), login); err != nil {
		problem, err := mistakeIn(err)
		if err != nil {
			return err
		}
		return p.showData(w, r, v, dataView{Problem: problem, Login: login})
	}
	p.forget(w)
	p.putFlash(w, "账号已注销，感谢使用")
	redirect(w, r, "/market")
	return nil
}
