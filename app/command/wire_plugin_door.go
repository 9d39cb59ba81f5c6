package command

import (
	"net/http"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/plugin"
)

var _ admin.PluginDoor = adminPlugins{}

// Door answers the back office's requests of plugins that GoAdmin cannot carry.
func (p adminPlugins) Door(w http.ResponseWriter, r *http.Request, actor account.Actor, id, path string) (passed bool, err error) {
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
