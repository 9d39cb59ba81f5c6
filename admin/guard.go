package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/GoAdminGroup/go-admin/modules/auth"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/resource"
)

// maxBody bounds what a page may be sent: a plugin's page takes 8 MiB, and the rest is its form's own overhead.
const maxBody = 8<<20 + 64<<10

// strippedHeaders would let a caller have one address checked and another one served.
var strippedHeaders = []string{"X-Url-Path", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Pjax", "X-Pjax-Container", "Iframe"}

// visit is what the guard found out about a request, for the handlers behind the router.
type visit struct {
	actor account.Actor
	body  []byte
	menu  []menuEntry
	bar   resource.Bar
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// Guard is the outermost handler for /admin: it decides who comes in, and hands to next (the router) only known
// addresses, known parameters and a GoAdmin session of its own making.
func (a *Admin) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if !canonical(r.URL) {
			a.fail(w, r, nil, fault.New(fault.NotFound, "not_found", "没有这个页面"))
			return
		}
		actor, err := a.authenticate(r)
		if err != nil {
			a.unauthenticated(w, r, err)
			return
		}
		v := &visit{actor: actor}
		v.bar.Prefer(r)
		v.bar.Here = r.URL.EscapedPath() // with the query that is let through, once it is known
		if err := a.admit(w, r, v); err != nil {
			a.fail(w, r, v, err)
			return
		}
		if a.passPlugin(cookieless{w}, r, v) {
			return
		}
		clean, err := a.cleanRequest(w, r, v)
		if err != nil {
			a.fail(w, r, v, err)
			return
		}
		// Reading needs nothing of GoAdmin's session: it was made here, and its one permission is everything. Its generators draw
		// without it. Its router, and the five statements of its check, are for what changes something and for plugins' pages.
		if rt, _ := a.route(r); rt.kind != kindPlugin && !unsafeMethod(r.Method) {
			a.mux.ServeHTTP(cookieless{w}, clean)
			return
		}
		next.ServeHTTP(cookieless{w}, clean)
	})
}

// authenticate reads our cookie; GoAdmin's is never looked at.
func (a *Admin) authenticate(r *http.Request) (account.Actor, error) {
	c, err := r.Cookie(account.Cookie)
	if err != nil || c.Value == "" {
		return account.Actor{}, fault.New(fault.Unauthenticated, "unauthenticated", "请先登录")
	}
	return a.o.Accounts.Authenticate(r.Context(), c.Value, 0)
}

// unauthenticated sends a person to the portal's login page and back, and tells a script in its own words.
func (a *Admin) unauthenticated(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, account.ErrFactorNeeded) && r.Header.Get("HX-Request") == "" {
		http.Redirect(w, r, "/my/security/totp", http.StatusFound)
		return
	}
	if fault.KindOf(err) != fault.Unauthenticated {
		a.fail(w, r, nil, err)
		return
	}
	back := Prefix
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		back = r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			back += "?" + r.URL.RawQuery
		}
	}
	to := "/login?return=" + url.QueryEscape(back)
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// admit decides whether this person may send this request here at all.
func (a *Admin) admit(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.actor.SpaceKind == account.Personal {
		return errNoBackOffice
	}
	if unsafeMethod(r.Method) && !a.sameOrigin(r) {
		return fault.New(fault.Forbidden, "cross_origin", "这个请求不是从本站页面发出的，已拒绝。请在本站页面上重新操作")
	}
	rt, ok := a.route(r)
	if !ok || !rt.allows(v.actor) {
		return fault.New(fault.NotFound, "not_found", "没有这个页面，或者你所在的空间看不到它")
	}
	return account.Narrowed(v.actor, readPermission(r.URL.Path))
}

var errNoBackOffice = fault.New(fault.Forbidden, "no_back_office", "个人空间没有管理后台")

// cleanRequest is the request as the router sees it: bounded body, whitelisted query, our GoAdmin session only.
func (a *Admin) cleanRequest(w http.ResponseWriter, r *http.Request, v *visit) (*http.Request, error) {
	sh, err := a.shadows.session(r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	v.menu = a.menu(r.Context(), v.actor)
	rt, _ := a.route(r)
	if rt.may != nil {
		if err := rt.may(v.actor); err != nil {
			return nil, err
		}
	}
	if v.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, cmp.Or(rt.most, maxBody))); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return nil, fault.Newf(fault.Invalid, "too_large", "提交的内容超过 %d MB，请缩小后重试", cmp.Or(rt.most, maxBody)>>20)
		}
		return nil, fault.New(fault.Invalid, "body", "提交的内容没有传完，请重试").Because(err)
	}
	query, err := a.cleanQuery(r, v, rt)
	if err != nil {
		return nil, err
	}
	clean := r.Clone(context.WithValue(r.Context(), visitKey{}, v))
	clean.URL.RawQuery = query.Encode()
	clean.RequestURI = clean.URL.RequestURI()
	if r.Method == http.MethodGet {
		v.bar.Here = clean.RequestURI
	}
	clean.Body = io.NopCloser(bytes.NewReader(v.body))
	for _, h := range strippedHeaders {
		clean.Header.Del(h)
	}
	// GoAdmin reads a theme and a language from the referer's query; it needs neither.
	clean.Header.Del("Referer")
	clean.Header.Set("Cookie", (&http.Cookie{Name: auth.DefaultCookieKey, Value: sh.sid}).String())
	return clean, nil
}

// canonical refuses paths that a later hand could read differently from us.
func canonical(u *url.URL) bool {
	if strings.ContainsAny(u.Path, "\\\x00") || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return false
	}
	p := path.Clean(u.Path)
	return u.Path == p || u.Path == p+"/"
}

func unsafeMethod(m string) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, m)
}

// sameOrigin reports whether a browser says that the request came from a page of ours. A client without either
// header has no cookie jar that another site could ride on, but there is no such client of these pages: refused.
func (a *Admin) sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Host == r.Host || (a.o.PublicURL != "" && origin == a.o.PublicURL)
}

// secure sets the headers that every answer of the back office carries.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; font-src 'self' data:; style-src 'self'; script-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
}

// cookieless drops every cookie that GoAdmin or the router would set: the only session cookie is ours, set at login.
type cookieless struct{ http.ResponseWriter }

func (c cookieless) WriteHeader(code int) {
	c.Header().Del("Set-Cookie")
	c.ResponseWriter.WriteHeader(code)
}

func (c cookieless) Write(b []byte) (int, error) {
	c.Header().Del("Set-Cookie")
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real writer.
func (c cookieless) Unwrap() http.ResponseWriter { return c.ResponseWriter }
