package admin

import (
	"context"
	"html/template"
	"mime"
	"net/http"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// passedHeaders are what a plugin's page may know of the browser's request: no cookie, no address, no proxy header.
var passedHeaders = []string{"Accept", "Accept-Language", "Content-Type", "Hx-Request", "Hx-Target", "Hx-Trigger", "User-Agent", "Idempotency-Key"}

// inlineTypes are the kinds of raw answers that a browser may show inside our origin; everything else is a download.
var inlineTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/csv", "application/json", "application/pdf"}

// passPlugin lets a plugin's streams and topics past GoAdmin, whose check of its own session knows nothing that the guard has
// not looked at. It runs after admit.
func (a *Admin) passPlugin(w http.ResponseWriter, r *http.Request, v *visit) bool {
	door, ok := a.o.Plugins.(PluginDoor)
	if rt, _ := a.route(r); !ok || rt.kind != kindPlugin {
		return false
	}
	id, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix+"/p/"), "/")
	again := func(ctx context.Context) (account.Actor, error) { return a.authenticate(r.WithContext(ctx)) }
	passed, err := door.Door(w, r.WithContext(account.With(r.Context(), v.actor)), v.actor, again, id, "/"+path)
	if err != nil {
		a.fail(w, r, v, err)
		return true
	}
	return passed
}

// pluginPage hands the request to the plugin and frames its answer.
func (a *Admin) pluginPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	header := http.Header{}
	for _, name := range passedHeaders {
		if values := r.Header.Values(name); len(values) > 0 {
			header[name] = values
		}
	}
	answer, err := a.o.Plugins.Serve(ctx, actor, PluginRequest{
		Plugin: r.PathValue("plugin"), Method: r.Method, Path: "/" + r.PathValue("path"),
		Query: r.URL.Query(), Header: header, Body: visitOf(r.Context()).body,
	})
	if err != nil {
		return View{}, err
	}
	if answer.Flash != "" {
		a.flash.put(actor, answer.Flash)
	}
	if answer.Redirect != "" {
		return View{Redirect: answer.Redirect}, nil
	}
	if !answer.Framed {
		return rawView(answer)
	}
	return View{
		Title: answer.Title, Subtitle: answer.Subtitle, Trail: localLinks(answer.Trail), Status: answer.Status, Bare: answer.Bare,
		// A plugin's fragment is HTML of its own making, under the page's policy: no script of its own can run.
		Body: template.HTML(answer.Body),
	}, nil
}

func rawView(answer PluginResponse) (View, error) {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		return View{}, fault.New(fault.Unavailable, "plugin_answer", "插件的回答不完整，请稍后重试").Because(err)
	}
	raw := &Raw{ContentType: answer.Header.Get("Content-Type"), Header: answer.Header.Clone(), Body: answer.Body}
	if !slices.Contains(inlineTypes, kind) && raw.Header.Get("Content-Disposition") == "" {
		raw.Header.Set("Content-Disposition", "attachment")
	}
	return View{Status: answer.Status, Raw: raw}, nil
}

func localLinks(in []Link) []Link {
	return slices.DeleteFunc(slices.Clone(in), func(l Link) bool { return !localPath(l.Href) })
}
