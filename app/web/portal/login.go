package portal

import (
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// formLimit bounds a small form, in bytes.
const formLimit = 64 << 10

// loginView is what the login and register pages read.
type loginView struct {
	Login, Name, Kind, SpaceName, Return string
	Problem                              *fault.Error
	Error                                map[string]string // by field
}

func (l *loginView) fail(err error) {
	l.Problem, l.Error = fault.From(err), map[string]string{}
	for _, field := range l.Problem.Fields {
		l.Error[field.Name] = field.Message
	}
}

// home leads to where the person has most to do.
func (p *Portal) home(w http.ResponseWriter, r *http.Request, _ *visit) error {
	redirect(w, r, "/market")
	return nil
}

func (p *Portal) loginPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	back := localPath(r.URL.Query().Get("return"))
	if !v.actor.Nobody() {
		redirect(w, r, p.after(v.actor, back))
		return nil
	}
	return p.showLogin(w, r, v, loginView{Return: back}, http.StatusOK)
}

func (p *Portal) showLogin(w http.ResponseWriter, r *http.Request, v *visit, view loginView, status int) error {
	return p.show(w, r, v, "login", view, page{Title: "登录", Status: status, Width: "narrow"})
}

func (p *Portal) login(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := loginView{Login: r.PostForm.Get("login"), Return: localPath(r.PostForm.Get("return"))}
	session, err := p.o.Accounts.Login(r.Context(), account.Credentials{
		Login: view.Login, Password: r.PostForm.Get("password"), IP: remoteIP(r), UserAgent: r.UserAgent(),
	})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		view.fail(err)
		return p.showLogin(w, r, v, view, view.Problem.Kind.Status())
	}
	if err := p.replace(r, v); err != nil {
		return err
	}
	p.keep(w, session)
	redirect(w, r, p.after(session.Actor, view.Return))
	return nil
}

// replace ends the session that the browser had before: nobody would ever end it otherwise.
func (p *Portal) replace(r *http.Request, v *visit) error {
	if v.token == "" {
		return nil
	}
	return p.o.Accounts.Logout(r.Context(), v.token)
}

// after is where a person goes once they are logged in.
func (p *Portal) after(actor account.Actor, back string) string {
	switch {
	case back != "":
		return back
	case actor.SpaceKind == account.Personal:
		return "/my/miniprograms"
	default:
		return "/admin"
	}
}

func (p *Portal) registerPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	back := localPath(r.URL.Query().Get("return"))
	if !v.actor.Nobody() {
		redirect(w, r, p.after(v.actor, back))
		return nil
	}
	view := loginView{Return: back, Kind: string(account.Personal)}
	if r.URL.Query().Get("kind") == string(account.Merchant) {
		view.Kind = string(account.Merchant)
	}
	return p.showRegister(w, r, v, view, http.StatusOK)
}

func (p *Portal) showRegister(w http.ResponseWriter, r *http.Request, v *visit, view loginView, status int) error {
	return p.show(w, r, v, "register", view, page{Title: "注册", Status: status, Width: "narrow"})
}

func (p *Portal) register(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	form := r.PostForm
	view := loginView{
		Login: form.Get("login"), Name: form.Get("name"), Kind: form.Get("kind"), SpaceName: form.Get("space_name"), Return: localPath(form.Get("return")),
	}
	kind := account.Kind(view.Kind)
	if kind != account.Merchant {
		view.SpaceName = "" // a person's space bears the person's name
	}
	actor, err := p.o.Accounts.Register(r.Context(), account.Registration{
		Login: view.Login, Password: form.Get("password"), Name: view.Name, Kind: kind, SpaceName: view.SpaceName, Agreed: form.Get("agreed") != "",
	})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		view.fail(err)
		return p.showRegister(w, r, v, view, view.Problem.Kind.Status())
	}
	session, err := p.o.Accounts.SessionFor(r.Context(), actor, remoteIP(r), r.UserAgent())
	if err != nil {
		return err
	}
	p.keep(w, session)
	p.putFlash(w, "注册成功，欢迎使用 MiniFleet")
	redirect(w, r, p.after(session.Actor, view.Return))
	return nil
}

func (p *Portal) logout(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.replace(r, v); err != nil {
		return err
	}
	p.forget(w)
	redirect(w, r, "/market")
	return nil
}

// logoutPage answers those who typed the address: logging out by a mere link would let any site do it.
func (p *Portal) logoutPage(w http.ResponseWriter, r *http.Request, _ *visit) error {
	redirect(w, r, "/account")
	return nil
}

func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "bad_form", "提交的内容不完整或太长，请返回重新填写").Because(err)
	}
	return nil
}

// text answers a page without data.
func (p *Portal) text(block, title string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		return p.show(w, r, v, block, nil, page{Title: title, Width: "mid"})
	}
}

func (p *Portal) swagger(w http.ResponseWriter, _ *http.Request, _ *visit) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(p.o.Assets.Swagger("/api.json")) // the reader may be gone
	return nil
}
