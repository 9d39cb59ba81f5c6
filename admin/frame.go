package admin

import (
	"bytes"
	"html/template"
	"net/http"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	gomenu "github.com/GoAdminGroup/go-admin/modules/menu"
	gotemplate "github.com/GoAdminGroup/go-admin/template"
	"github.com/GoAdminGroup/go-admin/template/types"

	"minifleet/app/account"
)

// framePage is what the frame's template reads: GoAdmin's page and what it has no place for.
type framePage struct {
	*types.Page
	Actor       account.Actor
	Environment string
	View        View
	Shared      template.HTML
	Foot        template.HTML
	Flash       string
}

// html answers a view, in the frame unless it is bare or nobody is logged in.
func (a *Admin) html(w http.ResponseWriter, r *http.Request, v *visit, view View) {
	body := []byte(view.Body)
	switch {
	case view.Bare:
	case v == nil || v.actor.SpaceKind == account.Personal:
		body = a.execute("plain", r, &visit{}, view)
	default:
		if v.menu == nil {
			v.menu = a.menu(r.Context(), v.actor)
		}
		body = a.execute("layout", r, v, view)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(orOK(view.Status))
	_, _ = w.Write(body) // the reader may be gone
}

// execute lays the view into GoAdmin's frame. The menu comes from memory: nothing is read or written for it.
func (a *Admin) execute(name string, r *http.Request, v *visit, view View) []byte {
	ctx := gocontext.NewContext(r)
	menu := &gomenu.Menu{List: items(v.menu, r.URL.Path)}
	theme := gotemplate.Get(nil, themeName)
	page := framePage{
		Page: types.NewPage(ctx, &types.NewPageParam{
			Menu:           menu,
			Panel:          types.Panel{Title: template.HTML(template.HTMLEscapeString(view.Title)), Content: view.Body},
			Logo:           "MiniFleet",
			NavButtonsHTML: " ",
		}),
		Actor: v.actor, Environment: a.o.Environment, View: view, Shared: a.tags, Foot: a.o.Foot, Flash: a.flash.take(v.actor),
	}
	tmpl, _ := theme.GetTemplate(false)
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, name, page); err != nil {
		a.log.ErrorContext(r.Context(), "admin: frame failed", "path", r.URL.Path, "error", err)
		return []byte("页面框架出错了，请把请求编号发给管理员：" + template.HTMLEscapeString(r.Header.Get("X-Request-Id")))
	}
	return b.Bytes()
}
