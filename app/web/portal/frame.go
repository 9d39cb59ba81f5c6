package portal

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/plugin"
	"minifleet/resource"
)

// page is what goes into the frame.
type page struct {
	Title, Subtitle string
	Crumbs          []link
	Body            template.HTML
	Status          int    // default 200
	Width           string // "narrow", "mid" or "" for the full width
	Flash           string
}

// link is a titled address. On marks where the person is.
type link struct {
	Title, Href string
	On          bool
}

// framed is what the frame's template reads.
type framed struct {
	page
	Actor       account.Actor
	Member      bool
	Nav, Bar    []link
	More        []link // plugins' entries, for the menu
	Top         resource.Bar
	Environment string
	Login       string // address of the login that leads back here
	Register    string
	Head, Foot  template.HTML
}

// fragment executes one named block.
func (p *Portal) fragment(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := p.views.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("portal: template %s: %w", name, err)
	}
	return template.HTML(b.String()), nil
}

// show executes a block and answers it in the frame.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, v *visit, block string, data any, pg page) error {
	var err error
	if pg.Body, err = p.fragment(block, data); err != nil {
		return err
	}
	return p.answer(w, r, v, pg)
}

// answer puts the page into the frame.
func (p *Portal) answer(w http.ResponseWriter, r *http.Request, v *visit, pg page) error {
	if pg.Flash == "" {
		pg.Flash = p.takeFlash(w, r)
	}
	f := framed{
		page: pg, Actor: v.actor, Member: !v.actor.Nobody(), Environment: p.o.Environment, Login: "/login", Register: "/register",
		Head: p.o.Assets.Head(), Foot: p.o.Assets.Foot() + p.o.PageEnd,
	}
	if r.Method == http.MethodGet && r.URL.Path != "/login" && r.URL.Path != "/register" {
		f.Login = loginAddress(r)
		f.Register = "/register" + strings.TrimPrefix(f.Login, "/login")
	}
	p.navigation(r.Context(), &f, r.URL.Path)
	f.Top = p.bar(r, v.actor, f.More)
	html, err := p.fragment("frame", f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if pg.Status == 0 {
		pg.Status = http.StatusOK
	}
	w.WriteHeader(pg.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(html)) // the reader may be gone
	}
	return nil
}

// navigation fills the top bar, the phone's bottom bar and the menu.
func (p *Portal) navigation(ctx context.Context, f *framed, here string) {
	store := link{Title: "APP Store", Href: "/market"}
	mine := link{Title: "我的小程序", Href: "/my/miniprograms"}
	f.Nav, f.Bar = []link{store}, []link{store}
	if f.Member {
		f.Nav, f.Bar = append(f.Nav, mine), append(f.Bar, mine)
		for _, item := range p.o.Plugins.Menu(ctx, f.Actor, plugin.FramePortal) {
			if item.Path == "" || item.Path == store.Href {
				continue
			}
			entry := link{Title: item.Title, Href: item.Path}
			f.Nav, f.More = append(f.Nav, entry), append(f.More, entry)
		}
		f.More = append(f.More, p.ownExtensions(f.Actor)...)
		f.Bar = append(f.Bar, link{Title: "我的", Href: "/account"})
	} else {
		f.Bar = append(f.Bar, link{Title: "登录", Href: f.Login})
	}
	// Where plugins own no entry of their own, their pages belong to a person's mini programs.
	if strings.HasPrefix(here, "/p/") && !slices.ContainsFunc(f.More, func(l link) bool { return strings.HasPrefix(here, l.Href) }) {
		here = mine.Href
	}
	light(f.Nav, here)
	light(f.Bar, here)
}

// light marks the entry with the longest path that leads to where the person is.
func light(entries []link, here string) {
	best, length := -1, 0
	for i, entry := range entries {
		if (here == entry.Href || strings.HasPrefix(here, entry.Href+"/")) && len(entry.Href) > length {
			best, length = i, len(entry.Href)
		}
	}
	if best >= 0 {
		entries[best].On = true
	}
}
