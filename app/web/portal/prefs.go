package portal

import (
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/resource"
)

// bar is what the top bar's shared blocks read.
func (p *Portal) bar(r *http.Request, who account.Actor, more []link) resource.Bar {
	b := resource.Bar{Name: who.Name, Login: who.Login, Space: who.Space, Kind: who.SpaceKind.Title(), Merchant: who.SpaceKind != account.Personal && !who.Nobody()}
	b.Prefer(r)
	for _, l := range more {
		b.More = append(b.More, resource.BarLink{Title: l.Title, Href: l.Href})
	}
	if p.o.TopBar != nil && !who.Nobody() {
		b.Bell = p.o.TopBar(r.Context(), who)
	}
	return b
}

// preferences are the values that POST /prefs takes, by cookie.
var preferences = []struct {
	field, cookie string
	values        []string
}{
	{"theme", resource.ThemeCookie, []string{"auto", "light", "dark"}},
	{"lang", resource.LangCookie, []string{"zh", "en"}},
}

// prefer keeps the theme or the language in the browser for a year and leads back. Nobody needs to be logged in.
func (p *Portal) prefer(w http.ResponseWriter, r *http.Request, _ *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	set := false
	for _, one := range preferences {
		value := r.PostForm.Get(one.field)
		for _, known := range one.values {
			if value == known {
				http.SetCookie(w, &http.Cookie{Name: one.cookie, Value: value, Path: "/", MaxAge: 365 * 24 * 60 * 60, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure()})
				set = true
			}
		}
	}
	if !set {
		return fault.New(fault.Invalid, "bad_preference", "没有这个外观或语言，请从页面右上角重新选择")
	}
	to := localPath(r.PostForm.Get("return"))
	if to == "" {
		to = "/"
	}
	redirect(w, r, to)
	return nil
}

type spaceChoice struct {
	ID         int64
	Name, Kind string
	Now        bool
}

// spacesFragment is the list in the space switcher, loaded when it is opened. Switching leads to the space's own first
// page: the one that was open may not exist there.
func (p *Portal) spacesFragment(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.o.Accounts.Memberships(r.Context(), v.actor.AccountID)
	if err != nil {
		return err
	}
	var view []spaceChoice
	for _, m := range list {
		view = append(view, spaceChoice{m.SpaceID, m.Space, m.Kind.Title(), m.SpaceID == v.actor.SpaceID})
	}
	html, err := p.fragment("bar-spaces", view)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html)) // the reader may be gone
	return nil
}
