package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// Extensions is what the pages ask about a space's extensions; *plugin.Host is one.
type Extensions interface {
	Extensions(ctx context.Context, who account.Actor) ([]plugin.Extension, error)
	Extension(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOn(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOff(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SaveSettings(ctx context.Context, who account.Actor, id string, f plugin.SettingsForm) (plugin.Extension, error)
	FormSettings(id string, text func(name string) string, remove func(name string) bool) (map[string]any, error)
}

const (
	extensionsBase      = "/my/extensions"
	extensionPermission = "space.extension"
)

func (p *Portal) extensionRoutes(member func(string, handler)) {
	member("GET "+extensionsBase, p.extensions)
	member("GET "+extensionsBase+"/{id}", p.extension)
	member("POST "+extensionsBase+"/{id}/on", p.switchExtension(true))
	member("POST "+extensionsBase+"/{id}/off", p.switchExtension(false))
	member("POST "+extensionsBase+"/{id}/settings", p.saveExtension)
}

// ownExtensions is the way to them for a person whose space has no back office, which would show it in its menu.
func (p *Portal) ownExtensions(who account.Actor) []link {
	if p.o.SpaceExtensions == nil || who.SpaceKind != account.Personal || !who.Can(extensionPermission) {
		return nil
	}
	return []link{{Title: "扩展", Href: extensionsBase}}
}

// extensionsView is the list; extensionView one of them with its form.
type extensionsView struct {
	Base  string
	Items []plugin.Extension
}

type extensionView struct {
	Base    string
	X       plugin.Extension
	Places  []link // where it is used
	Fields  []plugin.SettingField
	Problem *fault.Error
}

func (p *Portal) extensions(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.o.SpaceExtensions.Extensions(r.Context(), v.actor)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "extensions", extensionsView{extensionsBase, list}, page{Title: "扩展", Subtitle: "给「" + v.actor.Space + "」增加功能", Width: "mid"})
}

func (p *Portal) extension(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.o.SpaceExtensions.Extension(r.Context(), v.actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	problem := x.Problem
	if x.Stopped == "" { // nothing was filled in yet: that is no mistake
		problem = nil
	}
	return p.showExtension(w, r, v, extensionView{Base: extensionsBase, X: x, Fields: x.Form(nil, problem)}, http.StatusOK)
}

func (p *Portal) showExtension(w http.ResponseWriter, r *http.Request, v *visit, view extensionView, status int) error {
	for _, item := range p.o.Plugins.Menu(r.Context(), v.actor, plugin.FramePortal) {
		if item.Plugin == view.X.ID && item.Path != "" && view.X.On {
			view.Places = append(view.Places, link{Title: item.Title, Href: item.Path})
		}
	}
	if view.X.On {
		view.Places = append(view.Places, p.tablePlaces(r.Context(), v.actor, view.X.ID)...)
	}
	return p.show(w, r, v, "extension", view, page{Title: view.X.Title, Crumbs: []link{{Title: "扩展", Href: extensionsBase}}, Width: "mid", Status: status})
}

func (p *Portal) switchExtension(on bool) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		act, words := p.o.SpaceExtensions.SwitchOff, "已关闭，立即生效"
		if on {
			act, words = p.o.SpaceExtensions.SwitchOn, "已开启"
		}
		x, err := act(r.Context(), v.actor, r.PathValue("id"))
		if err != nil {
			return err
		}
		p.putFlash(w, "「"+x.Title+"」"+words)
		redirect(w, r, extensionsBase+"/"+x.ID)
		return nil
	}
}

// saveExtension keeps the settings and, with the other button, turns the extension on. What was typed stays through a
// refusal, but for secrets.
func (p *Portal) saveExtension(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	x, err := p.o.SpaceExtensions.Extension(r.Context(), v.actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	id := x.ID
	values, err := p.o.SpaceExtensions.FormSettings(id, r.PostForm.Get, func(name string) bool { return slices.Contains(r.PostForm["_clear"], name) })
	if err == nil {
		revision, badNumber := strconv.ParseInt(r.PostForm.Get("_revision"), 10, 64)
		if badNumber != nil {
			revision = 0
		}
		_, err = p.o.SpaceExtensions.SaveSettings(r.Context(), v.actor, id, plugin.SettingsForm{Values: values, Revision: revision})
	}
	words := "设置已保存"
	if err == nil && r.PostForm.Get("_on") == "1" {
		_, err = p.o.SpaceExtensions.SwitchOn(r.Context(), v.actor, id)
		words = "设置已保存，扩展已开启"
	}
	if err != nil {
		problem := fault.From(err)
		if problem.Kind != fault.Invalid && problem.Kind != fault.Conflict {
			return err
		}
		return p.showExtension(w, r, v, extensionView{Base: extensionsBase, X: x, Fields: x.Form(r.PostForm.Get, problem), Problem: problem}, problem.Kind.Status())
	}
	p.putFlash(w, words)
	redirect(w, r, extensionsBase+"/"+id)
	return nil
}
