package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// routing headers let some routers be told another address than the one that was checked; nobody needs them here.
var routingHeaders = []string{"X-Url-Path", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Prefix"}

// guard is around every request but WeChat's: request id, headers, origin of unsafe requests, panics, measuring.
func (s *Server) guard(w http.ResponseWriter, r *http.Request, next http.Handler) {
	started := time.Now()
	id := r.Header.Get("X-Request-Id")
	if !requestIDForm.MatchString(id) {
		id = rand.Text()
	}
	for _, h := range routingHeaders {
		r.Header.Del(h)
	}
	r.Header.Set("X-Request-Id", id)
	// A new trace begins here: what a stranger's traceparent says does not count.
	ctx, span := s.o.Tracer.Start(trail.WithRequestID(r.Context(), id), r.Method+" "+partOf(r.URL.Path), trace.WithSpanKind(trace.SpanKindServer), trace.WithNewRoot())
	r = r.WithContext(withHead(ctx, s.o.Head))
	out := &recorder{ResponseWriter: w, status: http.StatusOK}
	securityHeaders(out.Header(), r, id)
	if r.TLS != nil || strings.HasPrefix(s.o.PublicURL, "https://") {
		out.Header().Set("Strict-Transport-Security", transportSecurity)
	}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.o.Log.ErrorContext(r.Context(), "a handler panicked", "path", loggedPath(r), "request_id", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !out.wrote {
				fail(out, r, fault.New(fault.Internal, "internal", "系统出错了，请稍后重试；如仍失败，请把请求编号发给管理员"))
			}
		}
		took := time.Since(started)
		s.metrics.observe(r, out.status, took)
		if span.IsRecording() {
			span.SetAttributes(attribute.String("minifleet.request_id", id), attribute.String("url.path", loggedPath(r)), attribute.Int("http.response.status_code", out.status))
		}
		span.End()
		s.o.Log.DebugContext(r.Context(), "request", "method", r.Method, "path", loggedPath(r), "status", out.status, "ms", took.Milliseconds(), "request_id", id)
	}()
	if err := s.sameOrigin(r); err != nil {
		fail(out, r, err)
		return
	}
	next.ServeHTTP(out, r)
}

// loggedPath is the address without query; authorisation tickets, which whoever holds may use, are left out.
func loggedPath(r *http.Request) string {
	for _, prefix := range []string{"/auth/", "/api/v1/authorizations/", "/invite/", "/api/v1/invitations/token/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return prefix + "…"
		}
	}
	return r.URL.Path
}

// transportSecurity keeps browsers on TLS for half a year after each visit. Subdomains are not ours to speak for. A browser
// that came without TLS does not heed it.
const transportSecurity = "max-age=15552000"

// portalCSP allows nothing from elsewhere and nothing inline.
const portalCSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func securityHeaders(h http.Header, r *http.Request, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	if r.URL.Path != "/admin" && !strings.HasPrefix(r.URL.Path, "/admin/") {
		h.Set("Content-Security-Policy", portalCSP)
	}
}

var errOrigin = fault.New(fault.Forbidden, "cross_origin", "请求来自其他网站，已拒绝。请从本站页面操作")

// sameOrigin refuses unsafe requests that a page of another site could make the browser send with our cookie. A bearer
// token is never sent by a browser on its own.
func (s *Server) sameOrigin(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return nil
	}
	if _, err := r.Cookie(account.Cookie); err != nil && !loginPath(r.URL.Path) {
		return nil
	}
	if bearer(r) != "" {
		return nil
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return nil
	case "cross-site", "same-site":
		return errOrigin
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return errOrigin
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host != r.Host && origin != s.o.PublicURL {
		return errOrigin
	}
	return nil
}

// loginPath tells the forms that must be guarded although no one is logged in yet: logging a victim in as somebody
// else is an attack too.
func loginPath(path string) bool {
	for _, p := range []string{"/login", "/register", "/reset", "/setup", "/demo/login"} {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(token)
}

// recorder remembers the status for the log and the metrics.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if !r.wrote {
		r.status, r.wrote = http.StatusOK, true
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
