package admin

import (
	"bytes"
	"html/template"
	"net/http"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/resource"
)

// framePage is what the frame's template reads.
type framePage struct {
	View        View
	Menu        []theme.MenuItem
	Bar         resource.Bar
	Environment string
	Head, Foot  template.HTML
	Flash       string
}

// html answers a view, in the frame unless it is bare or nobody is logged in.
func (a *Admin) html(w http.ResponseWriter, r *http.Request, v *visit, view View) {
	body := []byte(view.Body)
	switch {
	case view.Bare:
	case v == nil || v.actor.SpaceKind == account.Personal:
		body = a.execute("plain", r, nil, view)
	default:
		if v.menu == nil {
			v.menu = a.menu(r.Context(), v.actor)
		}
		body = a.execute("frame", r, v, view)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(orOK(view.Status))
	_, _ = w.Write(body) // the reader may be gone
}

// execute lays the view into the frame. The menu comes from memory: nothing is read or written for it.
func (a *Admin) execute(name string, r *http.Request, v *visit, view View) []byte {
	page := framePage{Environment: a.o.Environment, View: view, Head: a.o.Head, Foot: a.o.Foot}
	if v == nil {
		page.Bar.Prefer(r)
	} else {
		page.Menu, page.Bar, page.Flash = items(v.menu, r.URL.Path, view.Trail), a.bar(r, v), a.flash.take(v.actor)
	}
	var b bytes.Buffer
	if err := a.frame.ExecuteTemplate(&b, name, page); err != nil {
		a.log.ErrorContext(r.Context(), "admin: frame failed", "path", r.URL.Path, "error", err)
		return []byte("页面框架出错了，请把请求编号发给管理员：" + template.HTMLEscapeString(r.Header.Get("X-Request-Id")))
	}
	return b.Bytes()
}

// bar is what the top bar's blocks read; the preferences were taken before the guard cleared the cookies.
func (a *Admin) bar(r *http.Request, v *visit) resource.Bar {
	b := v.bar
	who := v.actor
	b.Name, b.Login, b.Space, b.Kind, b.BackOffice, b.Merchant = who.Name, who.Login, who.Space, who.SpaceKind.Title(), true, true
	if a.o.TopBar != nil {
		b.Bell = a.o.TopBar(r.Context(), who)
	}
	return b
}
