package portal

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// visit is one request with who makes it. actor is nobody for a visitor.
type visit struct {
	actor account.Actor
	token string
}

// handler answers a request or says why it cannot; it has written nothing when it returns an error.
type handler func(w http.ResponseWriter, r *http.Request, v *visit) error

// open resolves the session and turns errors into pages. An expired or unknown cookie makes a visitor.
func (p *Portal) open(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-cache")
		v := &visit{}
		if cookie, err := r.Cookie(account.Cookie); err == nil && cookie.Value != "" {
			actor, err := p.o.Accounts.Authenticate(r.Context(), cookie.Value, 0)
			if errors.Is(err, account.ErrFactorNeeded) {
				if !setupPath(r.URL.Path) {
					p.putFlash(w, fault.From(err).Message)
					redirect(w, r, "/my/security/totp")
					return
				}
				err = nil
			}
			if err != nil && fault.KindOf(err) != fault.Unauthenticated {
				p.problem(w, r, v, err)
				return
			}
			if err == nil {
				v.actor, v.token = actor, cookie.Value
				r = r.WithContext(account.With(r.Context(), actor))
			}
		}
		if err := handle(w, r, v); err != nil {
			p.problem(w, r, v, err)
		}
	})
}

// setupPath tells the pages that an operator may see before their second factor is on, where the platform asks for one.
func setupPath(path string) bool {
	switch path {
	case "/login", "/logout", "/account", "/account/spaces", "/space", "/prefs", "/agreement", "/privacy", "/my/security":
		return true
	}
	return strings.HasPrefix(path, "/my/security/")
}

var errLogin = fault.New(fault.Unauthenticated, "login_required", "请先登录")

func needLogin(handle handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if v.actor.Nobody() {
			return errLogin
		}
		return handle(w, r, v)
	}
}

// keep gives the browser the session.
func (p *Portal) keep(w http.ResponseWriter, s account.Session) {
	http.SetCookie(w, &http.Cookie{
		Name: account.Cookie, Value: s.Token, Path: "/", Expires: s.ExpiresAt,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(),
	})
	if s.Device != "" {
		http.SetCookie(w, &http.Cookie{
			Name: account.DeviceCookie, Value: s.Device, Path: "/", MaxAge: int(account.DeviceLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(),
		})
	}
}

// deviceOf is the cookie that recognises the device, "" for a new one.
func deviceOf(r *http.Request) string {
	if c, err := r.Cookie(account.DeviceCookie); err == nil {
		return c.Value
	}
	return ""
}

// forget takes the session from the browser.
func (p *Portal) forget(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: account.Cookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(),
	})
}

func (p *Portal) secure() bool { return strings.HasPrefix(p.o.PublicURL, "https://") }

// localPath keeps a return address to this site; anything else becomes "".
func localPath(address string) string {
	if len(address) > 1000 || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return ""
	}
	if strings.ContainsFunc(address, func(c rune) bool { return c < ' ' || c == '\\' || c == 0x7f }) {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "/login" || strings.HasPrefix(u.Path, "/login/") || u.Path == "/register" || u.Path == "/reset" || u.Path == "/logout" {
		return ""
	}
	return address
}

// loginAddress leads to the login and back to where the person was.
func loginAddress(r *http.Request) string {
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Hx-Request") != "" {
		// What was posted cannot be repeated after the login: go back to the page the form was on.
		back = ""
		for _, name := range []string{"Hx-Current-Url", "Referer"} {
			if u, err := url.Parse(r.Header.Get(name)); err == nil && u.Host == r.Host && u.Path != "" {
				back = u.RequestURI()
				break
			}
		}
	}
	if back = localPath(back); back == "" || back == "/" {
		return "/login"
	}
	return "/login?return=" + url.QueryEscape(back)
}

// redirect leads the browser on; a script's request is told by htmx's own header.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	if r.Header.Get("Hx-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusOK)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// remoteIP is the address the connection came from.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
