package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

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
	Body   []byte // at most 8 MiB; Pass reads it itself
	Length int64  // of the body, for Pass; -1 or 0 unknown
}

// Response is a plugin's answer.
type Response struct {
	Status int
	Header http.Header // Content-Type and a few more; never a cookie
	Body   []byte
	// Stream is the body of a streamed answer instead of Body; whoever gets it closes it. Send does.
	Stream io.ReadCloser
	// View is set for pages: put Body into the frame with this title, unless View.Redirect leads elsewhere or View.Bare.
	View *View
}

// forwarded are the request headers a plugin may see; cookies and credentials are not among them.
var forwarded = []string{
	"Content-Type", "Accept", "Accept-Language", "User-Agent", "Hx-Request", "Hx-Target", "Hx-Trigger", "Hx-Current-Url", "Hx-Boosted",
}

// returned are the headers a plugin may set, each once.
var returned = []string{"Content-Type", "Content-Disposition", "Cache-Control"}

// harmless are the media types that an answer without frame may have in the browser; anything else is downloaded. No script
// and no page is among them: what a plugin answers never runs in our origin.
var harmless = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/json", "text/plain", "text/csv"}

// rawPolicy is the content security policy of every answer without frame: should a browser show it as a page after all, it
// runs nothing, loads nothing and has no origin.
const rawPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Serve carries a request whose body was read to a plugin: page or raw in a frame, REST without. It decides who may come
// before the plugin is asked. What a route streams is read whole, up to 8 MiB.
func (h *Host) Serve(ctx context.Context, actor account.Actor, request Request) (Response, error) {
	if len(request.Body) > maxBody {
		return Response{}, bodyTooLarge(maxBody)
	}
	response, err := h.Pass(ctx, actor, request, bytes.NewReader(request.Body))
	if err != nil || response.Stream == nil {
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Stream, maxBody+1))
	if err = errors.Join(err, response.Stream.Close()); err != nil {
		return Response{}, err
	}
	if len(body) > maxBody {
		return Response{}, answerTooLarge()
	}
	response.Body, response.Stream = body, nil
	return response, nil
}

// Pass is Serve for a door that has not read the body: it is read here, whole and up to 8 MiB, or as a stream where the route
// says so. Doors give it Upload's.
func (h *Host) Pass(ctx context.Context, actor account.Actor, request Request, body io.Reader) (Response, error) {
	info, route, err := h.routed(ctx, actor, request)
	if err != nil {
		return Response{}, err
	}
	a := authority{
		kind: byPerson, actor: actor, requestID: trail.RequestID(ctx), frame: request.Frame, prefix: request.prefix(),
	}
	if route.GetStream() {
		return h.stream(ctx, a, request, route, body)
	}
	if request.Body == nil && body != nil {
		if request.Body, err = io.ReadAll(io.LimitReader(body, maxBody+1)); err != nil {
			return Response{}, fault.New(fault.Invalid, "plugin.body_broken", "提交的内容没有传完，请重试").Because(err)
		}
		if len(request.Body) > maxBody {
			return Response{}, bodyTooLarge(maxBody)
		}
	}
	wired := wireRequest(route, request)
	wired.Body = request.Body
	var answer *pluginpb.HTTPResponse
	err = h.call(ctx, request.Plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		var err error
		answer, err = client.ServeHTTP(ctx, wired)
		return err
	})
	if err != nil {
		return Response{}, err
	}
	response, err := respond(request.Plugin, route, answer)
	if err == nil && response.View != nil && info.third {
		response.Body = info.cleaned(response.Body)
	}
	return response, err
}

// Streamed tells whether a request goes to a route that streams; false also for one that does not exist.
func (h *Host) Streamed(request Request) bool {
	u := h.unit(request.Plugin)
	if u == nil {
		return false
	}
	info := u.known()
	if info == nil {
		return false
	}
	route, err := find(info, request)
	return err == nil && route.GetStream()
}

// routed finds a request's route, in the manifest that it returns with it, and decides who may come.
func (h *Host) routed(ctx context.Context, actor account.Actor, request Request) (*described, *Route, error) {
	u := h.unit(request.Plugin)
	if u == nil {
		return nil, nil, unknownPlugin()
	}
	if err := h.offered(ctx, actor, request.Plugin); err != nil {
		return nil, nil, err
	}
	info := u.known()
	if info == nil {
		return nil, nil, away(request.Plugin, u.current())
	}
	route, err := find(info, request)
	if err != nil {
		return nil, nil, err
	}
	return info, route, admit(info.manifest, actor, route)
}

// wireRequest is what a plugin may know of a request, without its body.
func wireRequest(route *Route, request Request) *pluginpb.HTTPRequest {
	wired := &pluginpb.HTTPRequest{Type: route.GetType(), Method: request.Method, Path: request.Path, Query: request.Query}
	if wired.Method == http.MethodHead {
		wired.Method = http.MethodGet
	}
	for _, name := range forwarded {
		if values := request.Header.Values(name); len(values) > 0 {
			wired.Headers = append(wired.Headers, &pluginpb.Header{Name: name, Values: values})
		}
	}
	return wired
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
func admit(m *Manifest, actor account.Actor, route *Route) error {
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
	return allow(m, actor, route.GetKinds(), route.GetPermission())
}

// allow admits an actor to what a declaration limits to kinds of spaces and to a permission, which the plugin itself may have
// named.
func allow(m *Manifest, actor account.Actor, kinds []string, permission string) error {
	if len(kinds) > 0 && !slices.Contains(kinds, string(actor.SpaceKind)) {
		return fault.New(fault.Forbidden, "plugin.kind", "当前身份不能使用这个功能，请切换身份后重试")
	}
	if permission != "" {
		return account.RequireTitled(actor, permission, titleOf(m, permission))
	}
	return nil
}

// titleOf is what the plugin calls a permission of its own, "" for one of the house.
func titleOf(m *Manifest, permission string) string {
	for _, p := range m.GetPermissions() {
		if p.GetName() == permission {
			return p.GetTitle()
		}
	}
	return ""
}

// respond keeps of an answer only what a plugin may decide.
func respond(plugin string, route *Route, answer *pluginpb.HTTPResponse) (Response, error) {
	if len(answer.GetBody()) > maxBody {
		return Response{}, answerTooLarge()
	}
	response := Response{Status: int(answer.GetStatus()), Body: answer.GetBody()}
	header, err := cleanHeader(answer.GetHeaders())
	if err == nil && !answers(route, response.Status) {
		err = fmt.Errorf("a %s answers with status %d", route.GetType(), response.Status)
	}
	if err != nil {
		return Response{}, fault.New(fault.Internal, "plugin.answer", "插件的回答有误，请稍后重试").Because(fmt.Errorf("plugin %s: %w", plugin, err))
	}
	response.Header = header
	if route.GetType() == "page" {
		response.View = answer.GetView()
		if response.View == nil {
			response.View = &View{}
		}
		if to := response.View.GetRedirect(); to != "" && !local(to) {
			return Response{}, fault.New(fault.Internal, "plugin.redirect", "插件 "+plugin+" 给出了站外跳转地址，已拦截")
		}
		header.Set("Content-Type", "text/html; charset=utf-8")
		return response, nil
	}
	if route.GetType() == "api" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !slices.Contains(harmless, media) {
		header.Set("Content-Type", "application/octet-stream")
		if !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			header.Set("Content-Disposition", "attachment")
		}
	}
	quarantine(header)
	return response, nil
}

// answers tells whether a route may answer with a status: redirects are a page's own word, and nothing informs on the way.
func answers(route *Route, status int) bool {
	if route.GetType() == "page" {
		return status >= 200 && status <= 599
	}
	return status >= 200 && status <= 299 || status >= 400 && status <= 599
}

// quarantine keeps an answer without frame from being run or kept by others, whatever it is.
func quarantine(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", rawPolicy)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Referrer-Policy", "no-referrer")
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store")
	}
}

// privateCache is what a plugin may say of keeping its answer: a shared cache would give it to others.
var privateCache = regexp.MustCompile(`^(no-store|no-cache|private(, ?max-age=[0-9]{1,8})?)$`)

// cleanHeader takes the headers that a plugin may set. One that comes twice means one thing to us and another to a browser,
// and one with a control character begins a line of its own: both are refused.
func cleanHeader(from []*pluginpb.Header) (http.Header, error) {
	header := http.Header{}
	for _, given := range from {
		name := http.CanonicalHeaderKey(given.GetName())
		if !slices.Contains(returned, name) {
			continue
		}
		if len(given.GetValues()) != 1 || header[name] != nil {
			return nil, fmt.Errorf("header %s comes more than once", name)
		}
		value := given.GetValues()[0]
		if len(value) > 1000 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) {
			return nil, fmt.Errorf("header %s is %q", name, value)
		}
		header[name] = []string{value}
	}
	if cache := header.Get("Cache-Control"); cache != "" && !privateCache.MatchString(cache) {
		header.Set("Cache-Control", "no-store")
	}
	return header, nil
}

func answerTooLarge() *fault.Error {
	return fault.New(fault.Internal, "plugin.answer_too_large", "插件的回答超过 8 MiB，无法显示")
}

// local tells whether an address stays on this site.
func local(address string) bool {
	parsed, err := url.Parse(address)
	return err == nil && parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(address, "/") &&
		!strings.HasPrefix(address, "//") && !strings.ContainsAny(address, "\\\r\n\t")
}
