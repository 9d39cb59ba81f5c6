package portal

import (
	"html/template"
	"io"
	"net/http"
	"strconv"

	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// bodyLimit is the most that a request to a plugin may carry: 8 MiB.
const bodyLimit = 8 << 20

// pluginPage hands the request to a plugin and frames its answer. mount is the fixed path that id has claimed; "" takes
// the plugin from the address.
func (p *Portal) pluginPage(mount, id string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err != nil {
			return fault.New(fault.Invalid, "body_too_long", "提交的内容超过 8 MiB，请减小后重试").Because(err)
		}
		request := plugin.Request{
			Plugin: id, Frame: plugin.FramePortal, Prefix: mount, Method: r.Method, Path: "/" + r.PathValue("path"),
			Query: r.URL.RawQuery, Header: r.Header, Body: body,
		}
		if request.Plugin == "" {
			request.Plugin = r.PathValue("plugin")
		}
		answer, err := p.o.Plugins.Serve(r.Context(), v.actor, request)
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
		raw(w, r, answer)
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
		raw(w, r, answer)
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

// raw answers bytes without a frame. The host has already kept the headers to a few and the types to harmless ones.
func raw(w http.ResponseWriter, r *http.Request, answer plugin.Response) {
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
	status := answer.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer.Body) // the reader may be gone
	}
}
