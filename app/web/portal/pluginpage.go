package portal

import (
	"context"
	"html/template"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// pluginPage hands the request to a plugin and frames its answer. mount is the fixed path that id has claimed; "" takes
// the plugin from the address.
func (p *Portal) pluginPage(mount, id string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		request := plugin.Request{
			Plugin: id, Frame: plugin.FramePortal, Prefix: mount, Method: r.Method, Path: "/" + r.PathValue("path"),
			Query: r.URL.RawQuery, Header: r.Header, Length: r.ContentLength,
		}
		if request.Plugin == "" {
			request.Plugin = r.PathValue("plugin")
		}
		answer, err := p.o.Plugins.Pass(r.Context(), v.actor, request, plugin.Upload(w, r))
		if err != nil {
			return err
		}
		return p.answerPlugin(w, r, v, answer)
	}
}

func (p *Portal) answerPlugin(w http.ResponseWriter, r *http.Request, v *visit, answer plugin.Response) error {
	view := answer.View
	switch {
	case view == nil:
		answer.Send(w, r)
		return nil
	case view.GetRedirect() != "":
		to := localPath(view.GetRedirect())
		if to == "" {
			return fault.New(fault.Unavailable, "plugin_redirect", "插件给出的跳转地址有误，已拦截")
		}
		p.putFlash(w, view.GetFlash())
		redirect(w, r, to)
		return nil
	case view.GetBare():
		answer.Send(w, r)
		return nil
	}
	pg := page{
		Title: view.GetTitle(), Subtitle: view.GetSubtitle(), Status: answer.Status, Flash: view.GetFlash(),
		// A plugin's fragment is HTML of its own making, under the page's policy: no script of its own can run.
		Body: template.HTML(answer.Body),
	}
	for _, crumb := range view.GetCrumbs() {
		if to := localPath(crumb.GetPath()); to != "" {
			pg.Crumbs = append(pg.Crumbs, link{Title: crumb.GetTitle(), Href: to})
		}
	}
	return p.answer(w, r, v, pg)
}

// pluginAsset answers a plugin's static file.
func (p *Portal) pluginAsset(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.o.Plugins.ServeAsset(w, r, v.actor, r.PathValue("plugin"), r.PathValue("sha256"), r.PathValue("path"))
}

// pluginTopic lets a page listen to a plugin's topic for as long as the session holds.
func (p *Portal) pluginTopic(w http.ResponseWriter, r *http.Request, v *visit) error {
	again := func(ctx context.Context) (account.Actor, error) { return p.o.Accounts.Authenticate(ctx, v.token, 0) }
	return p.o.Plugins.ServeTopic(w, r, v.actor, again, r.PathValue("plugin"), r.PathValue("topic"))
}
