package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// Extensions is what the pages ask about extensions: those of the member's own space, and, for operators, whom each is
// open to. *plugin.Host is one.
type Extensions interface {
	Extensions(ctx context.Context, who account.Actor) ([]plugin.Extension, error)
	Extension(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOn(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOff(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SaveSettings(ctx context.Context, who account.Actor, id string, f plugin.SettingsForm) (plugin.Extension, error)
	FormSettings(id string, text func(name string) string, remove func(name string) bool) (map[string]any, error)
	ReachOf(ctx context.Context, who account.Actor, id string) (plugin.Reach, error)
	SetReach(ctx context.Context, who account.Actor, id string, f plugin.ReachForm) (plugin.Reach, error)
}

const extensionsBase = Prefix + "/extensions"

func (a *Admin) extensionPages() []Page {
	return []Page{
		{Pattern: "GET /extensions", Title: "扩展", Handle: a.extensionsPage},
		{Pattern: "GET /extensions/{id}", Title: "扩展", Handle: a.extensionPage},
		{Pattern: "POST /extensions/{id}/on", Title: "扩展", Handle: a.switchExtension(true)},
		{Pattern: "POST /extensions/{id}/off", Title: "扩展", Handle: a.switchExtension(false)},
		{Pattern: "POST /extensions/{id}/settings", Title: "扩展", Handle: a.saveExtension},
		{Pattern: "GET /reach/{id}", Title: "可用范围", Kinds: operators, Handle: a.reachPage},
		{Pattern: "POST /reach/{id}", Title: "可用范围", Kinds: operators, Handle: a.saveReach},
	}
}

type extensionsView struct {
	Base  string
	Items []plugin.Extension
}

type extensionView struct {
	Base    string
	X       plugin.Extension
	Places  []Link // where it is used
	Fields  []plugin.SettingField
	Problem *fault.Error
}

func (a *Admin) extensionsPage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	list, err := a.o.Services.SpaceExtensions.Extensions(ctx, actor)
	if err != nil {
		return View{}, err
	}
	return View{Subtitle: "给「" + actor.Space + "」增加功能", Body: a.render("extensions", extensionsView{extensionsBase, list})}, nil
}

func (a *Admin) extensionPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	x, err := a.o.Services.SpaceExtensions.Extension(ctx, actor, r.PathValue("id"))
	if err != nil {
		return View{}, err
	}
	problem := x.Problem
	if x.Stopped == "" { // nothing was filled in yet: that is no mistake
		problem = nil
	}
	return a.extensionView(ctx, actor, extensionView{Base: extensionsBase, X: x, Fields: x.Form(nil, problem)}), nil
}

func (a *Admin) extensionView(ctx context.Context, actor account.Actor, v extensionView) View {
	v.Places = a.places(ctx, actor, v.X)
	out := View{Title: v.X.Title, Trail: []Link{{"扩展", extensionsBase}}, Body: a.render("extension", v)}
	if v.Problem != nil {
		out.Status = v.Problem.Kind.Status()
	}
	return out
}

// places are an extension's own entries of the menu, for a member who has just switched it on and looks for it.
func (a *Admin) places(ctx context.Context, actor account.Actor, x plugin.Extension) (out []Link) {
	if !x.On || a.o.Plugins == nil {
		return nil
	}
	for _, it := range a.o.Plugins.Menu(ctx, actor) {
		if it.Plugin == x.ID && localPath(it.Href) {
			out = append(out, Link{it.Title, it.Href})
		}
	}
	return out
}

func (a *Admin) switchExtension(on bool) func(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return func(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
		act, words := a.o.Services.SpaceExtensions.SwitchOff, "已关闭，立即生效"
		if on {
			act, words = a.o.Services.SpaceExtensions.SwitchOn, "已开启"
		}
		x, err := act(ctx, actor, r.PathValue("id"))
		if err != nil {
			return View{}, err
		}
		a.flash.put(actor, "「"+x.Title+"」"+words)
		return View{Redirect: extensionsBase + "/" + x.ID}, nil
	}
}

// saveExtension keeps the settings and, with the other button, turns the extension on. What was typed stays through a
// refusal, but for secrets.
func (a *Admin) saveExtension(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	s := a.o.Services.SpaceExtensions
	x, err := s.Extension(ctx, actor, r.PathValue("id"))
	if err != nil {
		return View{}, err
	}
	values, err := s.FormSettings(x.ID, r.PostForm.Get, func(name string) bool { return slices.Contains(r.PostForm["_clear"], name) })
	if err == nil {
		revision, badNumber := strconv.ParseInt(r.PostForm.Get("_revision"), 10, 64)
		if badNumber != nil {
			revision = 0
		}
		_, err = s.SaveSettings(ctx, actor, x.ID, plugin.SettingsForm{Values: values, Revision: revision})
	}
	words := "设置已保存"
	if err == nil && r.PostForm.Get("_on") == "1" {
		_, err = s.SwitchOn(ctx, actor, x.ID)
		words = "设置已保存，扩展已开启"
	}
	if err != nil {
		problem := fault.From(err)
		if problem.Kind != fault.Invalid && problem.Kind != fault.Conflict {
			return View{}, err
		}
		return a.extensionView(ctx, actor, extensionView{Base: extensionsBase, X: x, Fields: x.Form(r.PostForm.Get, problem), Problem: problem}), nil
	}
	a.flash.put(actor, words)
	return View{Redirect: extensionsBase + "/" + x.ID}, nil
}
