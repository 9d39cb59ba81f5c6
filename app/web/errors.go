package web

import (
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/trail"
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
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		failPage(w, f, id)
		return
	}
	var b errorBody
	b.Error.Code, b.Error.Message, b.Error.Detail, b.Error.Fields, b.Error.RequestID, b.Error.WeChat = f.Code, f.Message, f.Detail, f.Fields, id, f.WeChat
	writeJSON(w, f.Kind.Status(), b)
}

var errorPage = template.Must(template.New("error").Parse(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Message}}</title><h1>{{.Message}}</h1><p>请求编号：{{.ID}}</p><p><a href="/">返回首页</a></p></html>`))

func failPage(w http.ResponseWriter, f *fault.Error, id string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.Kind.Status())
	if err := errorPage.Execute(w, struct{ Message, ID string }{f.Message, id}); err != nil {
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
