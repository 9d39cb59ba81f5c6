package web

import (
	"context"
	"encoding/json"
	"html/template"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/resource"
	"minifleet/resource/dictionary"
)

// errorBody is the one shape of an error in REST.
type errorBody struct {
	Error struct {
		Code      string          `json:"code"`
		Message   string          `json:"message"`
		Detail    string          `json:"detail"`
		Fields    []fault.Field   `json:"fields,omitempty"`
		RequestID string          `json:"request_id"`
		WeChat    *fault.Upstream `json:"wechat,omitempty"`
	} `json:"error"`
}

// fail answers an error: as JSON to programs, as a small page to people. The cause goes to the log, never outside.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	id := trail.RequestID(r.Context())
	if f.Kind == fault.Internal {
		slog.ErrorContext(r.Context(), "request failed", "path", loggedPath(r), "request_id", id, "error", err)
	}
	if f.Kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="MiniFleet"`)
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		failPage(w, r, f, id)
		return
	}
	var b errorBody
	b.Error.Code, b.Error.Message, b.Error.Detail, b.Error.Fields, b.Error.RequestID, b.Error.WeChat = f.Code, f.Message, f.Detail, f.Fields, id, f.WeChat
	writeJSON(w, f.Kind.Status(), b)
}

var errorPage = template.Must(template.Must(template.New("error").Parse(dictionary.Block())).Parse(`<!DOCTYPE html>
<html lang="{{.Bar.HTMLLang}}"{{with .Bar.HTMLTheme}} data-mf-theme="{{.}}"{{end}}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Fault.Message}} · MiniFleet</title><link rel="icon" href="data:,">{{.Head}}</head>
<body class="mf-page"><header class="mf-topbar"><div class="mf-topbar-in"><a class="mf-brand" href="/market">MiniFleet</a></div></header>
<main class="mf-main mf-main-narrow" id="main"><div class="mf-page-head"><h1>没有完成</h1></div>
<section class="mf-card"><div class="mf-alert mf-alert-red" role="alert"><strong class="mf-alert-title">{{.Fault.Headline}}</strong>{{template "wechat-refusal" .Fault.WeChat}}</div>
<p>可以返回首页重新操作；如果一再出现，请把请求编号发给管理员。</p><p class="mf-actions"><a class="mf-btn mf-btn-primary" href="/">返回首页</a></p>
<p class="mf-rid">请求编号 <code translate="no">{{.ID}}</code></p></section></main></body></html>`))

type headKey struct{}

// withHead notes what links the style sheet, for a page that must be shown where nothing else works.
func withHead(ctx context.Context, head template.HTML) context.Context {
	return context.WithValue(ctx, headKey{}, head)
}

func failPage(w http.ResponseWriter, r *http.Request, f *fault.Error, id string) {
	view := struct {
		Fault *fault.Error
		ID    string
		Head  template.HTML
		Bar   resource.Bar
	}{Fault: f, ID: id}
	view.Head, _ = r.Context().Value(headKey{}).(template.HTML)
	view.Bar.Prefer(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.Kind.Status())
	if err := errorPage.Execute(w, view); err != nil {
		slog.Error("an error page could not be written", "error", err)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		slog.Error("an answer could not be written", "error", err)
	}
}
