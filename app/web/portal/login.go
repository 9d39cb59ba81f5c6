package portal

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"

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
	Captcha                              *captchaView      // nil while none is asked for
	Code                                 codeView          // of the register page
	LoginHint                            string
}

func (l *loginView) fail(err error) { l.Problem, l.Error = refused(err) }

// refused takes an error apart for a form: the whole and each field's own sentence.
func refused(err error) (*fault.Error, map[string]string) {
	f, byField := fault.From(err), map[string]string{}
	for _, field := range f.Fields {
		byField[field.Name] = field.Message
	}
	return f, byField
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
	due, err := p.o.Accounts.CaptchaDue(r.Context(), view.Login, remoteIP(r), deviceOf(r))
	if err != nil {
		return err
	}
	if due {
		if view.Captcha, err = p.freshCaptcha(view.Error["captcha"]); err != nil {
			return err
		}
	}
	return p.show(w, r, v, "login", view, page{Title: "登录", Status: status, Width: "narrow"})
}

func (p *Portal) login(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := loginView{Login: r.PostForm.Get("login"), Return: localPath(r.PostForm.Get("return"))}
	session, err := p.o.Accounts.Login(r.Context(), account.Credentials{
		Login: view.Login, Password: r.PostForm.Get("password"), IP: remoteIP(r), UserAgent: r.UserAgent(), Device: deviceOf(r), Captcha: captchaOf(r),
	})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		view.fail(err)
		return p.showLogin(w, r, v, view, view.Problem.Kind.Status())
	}
	if session.SecondFactor != "" {
		http.SetCookie(w, p.pendingCookie(session.SecondFactor, 300))
		to := "/login/second-factor"
		if view.Return != "" {
			to += "?return=" + url.QueryEscape(view.Return)
		}
		redirect(w, r, to)
		return nil
	}
	return p.entered(w, r, v, session, view.Return)
}

// entered hands the browser its fresh session and leads on.
func (p *Portal) entered(w http.ResponseWriter, r *http.Request, v *visit, session account.Session, back string) error {
	if err := p.replace(r, v); err != nil {
		return err
	}
	p.keep(w, session)
	redirect(w, r, p.after(session.Actor, back))
	return nil
}

// pendingName is the cookie that names a login whose second factor is still to come; only the login pages get it.
const pendingName = "minifleet_pending"

func (p *Portal) pendingCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: pendingName, Value: value, Path: "/login", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure()}
}

// factorView is what the second page of a login reads.
type factorView struct {
	Return  string
	Problem *fault.Error
	Error   map[string]string
}

func (p *Portal) factorPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := r.Cookie(pendingName); err != nil {
		redirect(w, r, "/login")
		return nil //nolint:nilerr // no cookie: the login begins anew
	}
	return p.showFactor(w, r, v, factorView{Return: localPath(r.URL.Query().Get("return"))}, http.StatusOK)
}

func (p *Portal) showFactor(w http.ResponseWriter, r *http.Request, v *visit, view factorView, status int) error {
	return p.show(w, r, v, "second-factor", view, page{Title: "两步验证", Status: status, Width: "narrow"})
}

func (p *Portal) factor(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := factorView{Return: localPath(r.PostForm.Get("return"))}
	held := ""
	if c, err := r.Cookie(pendingName); err == nil {
		held = c.Value
	}
	session, err := p.o.Accounts.FinishLogin(r.Context(), account.SecondStep{
		SecondFactor: held, Code: r.PostForm.Get("code"), IP: remoteIP(r), UserAgent: r.UserAgent(), Device: deviceOf(r),
	})
	switch {
	case errors.Is(err, account.ErrPendingGone):
		http.SetCookie(w, p.pendingCookie("", -1))
		login := loginView{Return: view.Return}
		login.fail(err)
		return p.showLogin(w, r, v, login, http.StatusUnauthorized)
	case err != nil && fault.KindOf(err) == fault.Internal:
		return err
	case err != nil:
		view.Problem, view.Error = refused(err)
		return p.showFactor(w, r, v, view, view.Problem.Kind.Status())
	}
	http.SetCookie(w, p.pendingCookie("", -1))
	return p.entered(w, r, v, session, view.Return)
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
	view.LoginHint = p.o.Accounts.LoginHint()
	view.Code.Action, view.Code.Needed = "/register/code", p.o.Accounts.CodesNeeded()
	if view.Code.Error == "" {
		view.Code.Error = view.Error["code"]
	}
	return p.show(w, r, v, "register", view, page{Title: "注册", Status: status, Width: "narrow"})
}

func (p *Portal) register(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	form := r.PostForm
	view := readRegister(form)
	actor, err := p.o.Accounts.Register(r.Context(), account.Registration{
		Login: view.Login, Password: form.Get("password"), Name: view.Name, Kind: account.Kind(view.Kind), SpaceName: view.SpaceName, Agreed: form.Get("agreed") != "",
		Code: view.Code.Value, IP: remoteIP(r),
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
	p.putFlash(w, "注册成功，欢迎使用 MiniFleet")
	return p.entered(w, r, v, session, view.Return)
}

// readRegister keeps what was typed, but never the password.
func readRegister(form url.Values) loginView {
	view := loginView{Login: form.Get("login"), Name: form.Get("name"), Kind: form.Get("kind"), SpaceName: form.Get("space_name"), Return: localPath(form.Get("return"))}
	view.Code.Value = form.Get("code")
	if account.Kind(view.Kind) != account.Merchant {
		view.SpaceName = "" // a person's space bears the person's name
	}
	return view
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

// dataURL is a picture inside the page; what it is made of is ours.
func dataURL(kind string, raw string) template.URL { return template.URL("data:" + kind + "," + raw) }
