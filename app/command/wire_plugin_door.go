package command

import (
	"context"
	"net/http"
	"strings"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/plugin"
)

var _ admin.PluginDoor = adminPlugins{}

// Door answers the back office's requests of plugins that GoAdmin cannot carry.
func (p adminPlugins) Door(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), id, path string) (passed bool, err error) {
	if topic, ok := strings.CutPrefix(path, "/topics/"); ok && r.Method == http.MethodGet {
		return true, p.host.ServeTopic(w, r, actor, again, id, topic)
	}
	request := plugin.Request{
		Plugin: id, Frame: plugin.FrameAdmin, Method: r.Method, Path: path, Query: r.URL.RawQuery, Header: r.Header, Length: r.ContentLength,
	}
	if !p.host.Streamed(request) {
		return false, nil
	}
	answer, err := p.host.Pass(r.Context(), actor, request, plugin.Upload(w, r))
	if err != nil {
		return true, err
	}
	answer.Send(w, r)
	return true, nil
}
