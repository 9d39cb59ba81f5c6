package sdk

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// MaxBody bounds a request's and an answer's body, in bytes.
const MaxBody = 8 << 20

// View is a page: a fragment that the host sets into the frame of the portal
// or the back office.
type View struct {
	Title    string
	Subtitle string
	Crumbs   []Crumb
	HTML     template.HTML
	Status   int    // default 200
	Redirect string // complete path (use Path); the browser goes there by 303
	Flash    string // shown once, on this page or on the one Redirect leads to
	Bare     bool   // an htmx answer: send the fragment without a frame
}

// Crumb is a step of the way back; Path is complete (use the function Path).
type Crumb struct{ Title, Path string }

// Content is a raw answer: an image, a download.
type Content struct {
	Type     string // media type
	Body     []byte // at most MaxBody
	Filename string // set: the browser saves it under this name
	Status   int    // default 200
	MaxAge   int    // seconds a browser may keep it, default 0
	// Write makes the body instead of Body. It runs after the head has gone out; with Streaming its bytes go out as it
	// writes them, up to MaxStream, otherwise they are gathered first, up to MaxBody.
	Write func(w io.Writer) error
	// Size is how many bytes Write will write exactly, so that a browser can show how far it is; 0: not known.
	Size int64
}

// answer is the content on the wire.
func (c Content) answer() answer {
	out := &pluginpb.HTTPResponse{Status: int32(c.Status), Body: c.Body}
	if out.Status == 0 {
		out.Status = http.StatusOK
	}
	header := func(name, value string) {
		out.Headers = append(out.Headers, &pluginpb.Header{Name: name, Values: []string{value}})
	}
	header("Content-Type", c.Type)
	if c.Filename != "" {
		header("Content-Disposition", fmt.Sprintf("attachment; filename*=UTF-8''%s", url.PathEscape(c.Filename)))
	}
	if c.MaxAge > 0 {
		header("Cache-Control", fmt.Sprintf("private, max-age=%d", c.MaxAge))
	}
	if c.Write != nil && c.Size > 0 {
		header("Content-Length", strconv.FormatInt(c.Size, 10))
	}
	return answer{HTTPResponse: out, write: c.Write}
}

// PageHandler makes a page. r carries the path below the plugin's prefix, its
// path values, the query and the parsed form.
type PageHandler func(ctx context.Context, r *http.Request) (View, error)

// RawHandler makes a raw answer.
type RawHandler func(ctx context.Context, r *http.Request) (Content, error)

// RouteOption narrows or widens who may come.
type RouteOption func(*pluginpb.Route)

// PublicAccess lets visitors without login come.
func PublicAccess() RouteOption {
	return func(r *pluginpb.Route) { r.Public = true }
}

// Kinds admits only spaces of these kinds: "personal" "merchant" "platform".
func Kinds(kinds ...string) RouteOption {
	return func(r *pluginpb.Route) { r.Kinds = kinds }
}

// Permission admits only roles that hold it.
func Permission(name string) RouteOption {
	return func(r *pluginpb.Route) { r.Permission = name }
}

// Summary is the sentence in the OpenAPI document.
func Summary(text string) RouteOption {
	return func(r *pluginpb.Route) { r.Summary = text }
}

type route struct {
	declared *pluginpb.Route
	serve    func(ctx context.Context, r *http.Request) (answer, error)
}

// Page declares a page: p.Page("GET /drafts/{id}", handler). Patterns are those
// of net/http.ServeMux, below the plugin's prefix. Forms post to a page
// declared with POST, which usually answers a View with Redirect.
func (p *Plugin) Page(pattern string, handle PageHandler, options ...RouteOption) {
	if handle == nil {
		p.mistaken(fmt.Sprintf("page %q", pattern), "the handler is nil")
	}
	p.route("page", pattern, options, func(ctx context.Context, r *http.Request) (answer, error) {
		view, err := handle(ctx, r)
		if err != nil {
			return answer{}, err
		}
		out := &pluginpb.HTTPResponse{
			Status: int32(view.Status), Body: []byte(view.HTML),
			View: &pluginpb.View{
				Title: view.Title, Subtitle: view.Subtitle, Redirect: view.Redirect, Flash: view.Flash, Bare: view.Bare,
			},
		}
		for _, crumb := range view.Crumbs {
			out.View.Crumbs = append(out.View.Crumbs, &pluginpb.Crumb{Title: crumb.Title, Path: crumb.Path})
		}
		if out.Status == 0 {
			out.Status = http.StatusOK
			if view.Redirect != "" {
				out.Status = http.StatusSeeOther
			}
		}
		return answer{HTTPResponse: out}, nil
	})
}

// Raw declares an address that answers an image or a download, without frame.
func (p *Plugin) Raw(pattern string, handle RawHandler, options ...RouteOption) {
	if handle == nil {
		p.mistaken(fmt.Sprintf("raw %q", pattern), "the handler is nil")
	}
	p.route("raw", pattern, options, bytesRoute(Bytes(handle)))
}

func (p *Plugin) route(kind, pattern string, options []RouteOption, serve func(context.Context, *http.Request) (answer, error)) {
	method, path, ok := strings.Cut(pattern, " ")
	declared := &pluginpb.Route{Type: kind, Method: method, Pattern: path}
	for _, option := range options {
		option(declared)
	}
	p.manifest.Routes = append(p.manifest.Routes, declared)
	made := &route{declared: declared, serve: serve}
	p.routes = append(p.routes, made)
	where := fmt.Sprintf("%s %q", kind, pattern)
	if !ok || !strings.HasPrefix(path, "/") {
		p.mistaken(where, "the pattern is not METHOD /path")
		return
	}
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		p.mistaken(where, "method %q is none of GET, POST, PUT, PATCH, DELETE", method)
		return
	}
	if reason := badKinds(declared.GetKinds()); reason != "" {
		p.mistaken(where, "%s", reason)
	}
	if err := checkRoute(declared); err != nil {
		p.mistaken(where, "%v", err)
	}
	p.handle(declared, &routed{made})
}
