package admin

import (
	"html/template"
	"io"
	"net/http"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/resource"
)

// html answers a view, in the frame unless it is bare or nobody is logged in.
func (a *Admin) html(w http.ResponseWriter, r *http.Request, v *visit, view View) {
	body := view.Body
	switch {
	case view.Bare:
	case v == nil || v.actor.SpaceKind == account.Personal:
		f := theme.Frame{Title: view.Title, Body: view.Body, Head: a.o.Head, Foot: a.o.Foot}
		f.Bar.Prefer(r)
		body = f.Plain()
	default:
		if v.menu == nil {
			v.menu = a.menu(r.Context(), v.actor)
		}
		body = a.framed(r, v, view)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(orOK(view.Status))
	_, _ = io.WriteString(w, string(body)) // the reader may be gone
}

// framed lays the view into the frame. The menu comes from memory: nothing is read or written for it.
func (a *Admin) framed(r *http.Request, v *visit, view View) template.HTML {
	f := theme.Frame{
		Title: view.Title, Subtitle: view.Subtitle, Body: view.Body, Environment: a.o.Environment, Head: a.o.Head, Foot: a.o.Foot,
		Menu: items(v.menu, r.URL.Path, view.Trail), Bar: a.bar(r, v), Flash: a.flash.take(v.actor),
	}
	for _, l := range view.Trail {
		f.Trail = append(f.Trail, theme.Crumb(l))
	}
	return f.Full()
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
