package portal

import (
	"net/http"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

type accountView struct {
	Actor       account.Actor
	Memberships []account.Membership
	More        []link
}

// accountPage shows who one is, and the spaces one may work in (身份切换).
func (p *Portal) accountPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.o.Accounts.Memberships(r.Context(), v.actor.AccountID)
	if err != nil {
		return err
	}
	view := accountView{Actor: v.actor, Memberships: list}
	for _, item := range p.o.Plugins.Menu(r.Context(), v.actor, plugin.FramePortal) {
		if item.Path != "" && item.Path != "/market" {
			view.More = append(view.More, link{Title: item.Title, Href: item.Path})
		}
	}
	view.More = append(view.More, p.ownExtensions(v.actor)...)
	return p.show(w, r, v, "account", view, page{Title: "账号", Width: "mid"})
}

// switchSpace makes another of the person's spaces the current one.
func (p *Portal) switchSpace(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("space"), 10, 64)
	if err != nil || id <= 0 {
		return fault.New(fault.Invalid, "bad_space", "请选择要切换到的身份")
	}
	actor, err := p.o.Accounts.Switch(r.Context(), v.token, id)
	if err != nil {
		return err
	}
	p.putFlash(w, "已切换到 "+actor.Space)
	redirect(w, r, p.after(actor, localPath(r.PostForm.Get("return"))))
	return nil
}
