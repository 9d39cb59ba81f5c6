package plugin

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// Frames a request may come from; REST has none.
const (
	FramePortal = "portal"
	FrameAdmin  = "admin"
	FrameAPI    = "api"
)

// Request is one HTTP request for a plugin, already authenticated by web or admin.
type Request struct {
	Plugin string
	Frame  string // FramePortal, FrameAdmin or FrameAPI
	// Prefix is the address in front of Path, for the plugin's links: "/p/version", "/admin/p/version", "/market".
	// Empty: the usual one of the frame.
	Prefix string
	Method string
	Path   string // below the prefix, begins with "/"
	Query  string // raw, without "?"
	Header http.Header
	Body   []byte // at most 8 MiB
}

// Response is a plugin's answer.
type Response struct {
	Status int
	Header http.Header // Content-Type and a few more; never a cookie
	Body   []byte
	// View is set for pages: put Body into the frame with this title, unless View.Redirect leads elsewhere or View.Bare.
	View *View
}

// forwarded are the request headers a plugin may see; cookies and credentials are not among them.
var forwarded = []string{
	"Content-Type", "Accept", "Accept-Language", "User-Agent", "Hx-Request", "Hx-Target", "Hx-Trigger", "Hx-Current-Url", "Hx-Boosted",
}

// returned are the headers a plugin may set.
var returned = []string{"Content-Type", "Content-Disposition", "Cache-Control"}

// harmless are the media types that a raw answer may have in the browser; anything else is downloaded.
var harmless = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/json", "text/plain", "text/csv"}

// Serve carries a request to a plugin: page or raw in a frame, REST without. It decides who may come before the plugin
// is asked.
func (h *Host) Serve(ctx context.Context, actor account.Actor, request Request) (Response, error) {
	u := h.unit(request.Plugin)
	if u == nil {
		return Response{}, unknownPlugin()
	}
	if err := h.offered(ctx, actor, request.Plugin); err != nil {
		return Response{}, err
	}
	if len(request.Body) > maxBody {
		return Response{}, fault.New(fault.Invalid, "plugin.body_too_large", "提交的内容超过 8 MiB，请减小后重试")
	}
	info := u.known()
	if info == nil {
		return Response{}, unavailable(request.Plugin)
	}
	route, err := find(info, request)
	if err != nil {
		return Response{}, err
	}
	if err := admit(actor, route); err != nil {
		return Response{}, err
	}
	a := authority{
		kind: byPerson, actor: actor, requestID: trail.RequestID(ctx), frame: request.Frame, prefix: request.prefix(),
	}
	wired := &pluginpb.HTTPRequest{
		Type: route.GetType(), Method: request.Method, Path: request.Path, Query: request.Query, Body: request.Body,
	}
	if wired.Method == http.MethodHead {
		wired.Method = http.MethodGet
	}
	for _, name := range forwarded {
		if values := request.Header.Values(name); len(values) > 0 {
			wired.Headers = append(wired.Headers, &pluginpb.Header{Name: name, Values: values})
		}
	}
	var answer *pluginpb.HTTPResponse
	err = h.call(ctx, request.Plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		var err error
		answer, err = client.ServeHTTP(ctx, wired)
		return err
	})
	if err != nil {
		return Response{}, err
	}
	return respond(request.Plugin, route, answer)
}

func (r Request) prefix() string {
	switch {
	case r.Prefix != "":
		return r.Prefix
	case r.Frame == FrameAdmin:
		return "/admin/p/" + r.Plugin
	case r.Frame == FrameAPI:
		return "/api/v1/" + r.Plugin
	default:
		return "/p/" + r.Plugin
	}
}

func find(info *described, request Request) (*Route, error) {
	types := []string{"page", "raw"}
	if request.Frame == FrameAPI {
		types = []string{"api"}
	}
	if !strings.HasPrefix(request.Path, "/") {
		request.Path = "/" + request.Path
	}
	for _, kind := range types {
		if route, ok := info.route(kind, request.Method, request.Path); ok {
			return route, nil
		}
	}
	return nil, fault.New(fault.NotFound, "plugin.page", "没有找到这个页面")
}

// admit applies a route's rules to who asks.
func admit(actor account.Actor, route *Route) error {
	if route.GetPublic() {
		return nil
	}
	if actor.Nobody() {
		return fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	// A token reaches what names a permission it may carry: a route that names none is for people.
	if actor.ByToken() && route.GetPermission() == "" {
		return fault.New(fault.Forbidden, "plugin.token", "API 令牌不能用于这个接口，请登录后操作")
	}
	return allow(actor, route.GetKinds(), route.GetPermission())
}

func allow(actor account.Actor, kinds []string, permission string) error {
	if len(kinds) > 0 && !slices.Contains(kinds, string(actor.SpaceKind)) {
		return fault.New(fault.Forbidden, "plugin.kind", "当前身份不能使用这个功能，请切换身份后重试")
	}
	if permission != "" {
		return account.Require(actor, permission)
	}
	return nil
}

// respond keeps of an answer only what a plugin may decide.
func respond(plugin string, route *Route, answer *pluginpb.HTTPResponse) (Response, error) {
	if len(answer.GetBody()) > maxBody {
		return Response{}, fault.New(fault.Internal, "plugin.answer_too_large", "插件的回答超过 8 MiB，无法显示")
	}
	response := Response{Status: int(answer.GetStatus()), Header: http.Header{}, Body: answer.GetBody()}
	if response.Status < 200 || response.Status > 599 {
		return Response{}, fault.New(fault.Internal, "plugin.answer", "插件的回答有误，请稍后重试")
	}
	for _, header := range answer.GetHeaders() {
		if slices.Contains(returned, http.CanonicalHeaderKey(header.GetName())) {
			response.Header[http.CanonicalHeaderKey(header.GetName())] = header.GetValues()
		}
	}
	switch route.GetType() {
	case "page":
		response.View = answer.GetView()
		if response.View == nil {
			response.View = &View{}
		}
		if to := response.View.GetRedirect(); to != "" && !local(to) {
			return Response{}, fault.New(fault.Internal, "plugin.redirect", "插件 "+plugin+" 给出了站外跳转地址，已拦截")
		}
		response.Header.Set("Content-Type", "text/html; charset=utf-8")
	case "raw":
		media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if err != nil || !slices.Contains(harmless, media) {
			response.Header.Set("Content-Type", "application/octet-stream")
			if !strings.HasPrefix(response.Header.Get("Content-Disposition"), "attachment") {
				response.Header.Set("Content-Disposition", "attachment")
			}
		}
		response.Header.Set("X-Content-Type-Options", "nosniff")
	}
	return response, nil
}

// local tells whether an address stays on this site.
func local(address string) bool {
	parsed, err := url.Parse(address)
	return err == nil && parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(address, "/") &&
		!strings.HasPrefix(address, "//") && !strings.ContainsAny(address, "\\\r\n\t")
}
