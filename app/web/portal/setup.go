package portal

import (
	"context"
	"net/http"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// Operators is what the setup page asks of the room account.
type Operators interface {
	Needed(ctx context.Context) (bool, error)
	Invited(ctx context.Context, token string) (bool, error)
	First(ctx context.Context, token string, r account.Registration) (account.Actor, error)
}

// setupView is the form that asks for the first operator, or the page without a token when Token is empty.
type setupView struct {
	Token, Name, Login string
	Problem            *fault.Error
	Error              map[string]string // by field
	PublicURL, Here    string
	SameAddress        bool
	Secure             bool // the public address is https, or this machine itself
}

func (p *Portal) newSetupView(r *http.Request, token string) setupView {
	v := setupView{Token: token, PublicURL: p.o.PublicURL, Here: p.here(r)}
	v.SameAddress = v.Here == v.PublicURL
	v.Secure = p.secure() || strings.HasPrefix(p.o.PublicURL, "http://127.0.0.1") || strings.HasPrefix(p.o.PublicURL, "http://localhost")
	return v
}

// here is the address by which the browser came. A proxy in front tells the scheme; without one it is plain HTTP.
func (p *Portal) here(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// setupPage asks for the first operator when the address carries a good token, says so when it does not, and is not
// there any more once there is an operator.
func (p *Portal) setupPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.mustNeedSetup(r); err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the token
	token := r.URL.Query().Get("token")
	invited, err := p.o.Operators.Invited(r.Context(), token)
	if err != nil {
		return err
	}
	view := p.newSetupView(r, token)
	if invited {
		return p.showSetup(w, r, v, view, http.StatusOK)
	}
	view.Token = ""
	if token != "" {
		view.Problem = fault.New(fault.NotFound, "setup_gone", "这个初始化地址无效或已过期（有效期 1 小时）")
	}
	return p.show(w, r, v, "unready", view, page{Title: "尚未完成初始化", Status: http.StatusServiceUnavailable, Width: "narrow"})
}

func (p *Portal) mustNeedSetup(r *http.Request) error {
	gone := fault.New(fault.NotFound, "not_found", "没有找到这个页面")
	if p.o.Operators == nil {
		return gone
	}
	needed, err := p.o.Operators.Needed(r.Context())
	if err == nil && !needed {
		err = gone
	}
	return err
}

func (p *Portal) showSetup(w http.ResponseWriter, r *http.Request, v *visit, view setupView, status int) error {
	return p.show(w, r, v, "setup", view, page{Title: "初始化", Subtitle: "创建第一个平台管理员", Status: status, Width: "narrow"})
}

// setup opens the first operator's account and logs it in.
func (p *Portal) setup(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.mustNeedSetup(r); err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	if err := parseForm(w, r); err != nil {
		return err
	}
	form := r.PostForm
	view := p.newSetupView(r, form.Get("token"))
	view.Name, view.Login = form.Get("name"), form.Get("login")
	view.Error = map[string]string{}
	if form.Get("password") != form.Get("again") {
		view.Error["again"] = "两次输入的密码不一样，请重新输入"
		return p.showSetup(w, r, v, view, http.StatusBadRequest)
	}
	actor, err := p.o.Operators.First(r.Context(), view.Token, account.Registration{Login: view.Login, Password: form.Get("password"), Name: view.Name})
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.Internal || len(f.Fields) == 0 {
			return err
		}
		view.Problem = f
		for _, field := range f.Fields {
			view.Error[field.Name] = field.Message
		}
		return p.showSetup(w, r, v, view, f.Kind.Status())
	}
	session, err := p.o.Accounts.SessionFor(r.Context(), actor, remoteIP(r), r.UserAgent())
	if err != nil {
		return err
	}
	p.keep(w, session)
	p.putFlash(w, "初始化完成，你是这个平台的第一个管理员")
	redirect(w, r, "/admin")
	return nil
}
