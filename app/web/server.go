// Package web is the HTTP server: the outermost handler with its guards, the REST API of the core rooms on GoFrame, and
// the doors to inbox, portal, back office and plugins. It holds no business rule and no table but idempotency keys.
// command builds it; nothing imports it but command.
package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gogf/gf/v2/net/ghttp"
	"github.com/gogf/gf/v2/os/gsession"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/forward"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

// Plugins is what the API asks of the plugin host.
type Plugins interface {
	Serve(ctx context.Context, actor account.Actor, req plugin.Request) (plugin.Response, error)
	Pass(ctx context.Context, actor account.Actor, req plugin.Request, body io.Reader) (plugin.Response, error)
	Streamed(req plugin.Request) bool
	ServeTopic(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), plugin, topic string) error
	EndTopics()
	ManifestsFor(ctx context.Context, actor account.Actor) ([]*plugin.Manifest, error)
	Offers(ctx context.Context, actor account.Actor, id string) (bool, error)
	Status() []plugin.Status
	Restart(ctx context.Context, id string) error
	Operations() []plugin.Operation
	Usage(ctx context.Context, plugin string) (plugin.Usage, error)
	PendingDrops(ctx context.Context) ([]plugin.Drop, error)
	ApproveDrop(ctx context.Context, who account.Actor, plugin, item string) error
	Healthy() error
}

// Options are the rooms behind the addresses. All are needed but Portal and Assets.
type Options struct {
	Name      string // of the GoFrame server; unique in the process
	PublicURL string
	Shutdown  time.Duration

	DB         *store.DB
	Clock      clock.Clock
	Accounts   *account.Service
	Tokens     *account.Tokens
	Spaces     *account.Spaces
	Components *component.Service
	Apps       *miniprogram.Service
	Grants     *grant.Service
	Events     *event.Log
	Jobs       *schedule.Service
	Trail      *trail.Log
	Chain      *trail.Chain
	Notices    *notice.Service
	Transfers  *transfer.Service
	Forwards   *forward.Service
	Catalog    Catalog
	Sent       Sent
	Plugins    Plugins
	// SpaceExtensions are switched and filled in by a space's people; nil: there are none.
	SpaceExtensions Extensions

	Inbox   http.Handler                    // /wechat/, ahead of every router
	Portal  http.Handler                    // everything that is nothing else
	Assets  http.Handler                    // /assets/
	English func(http.Handler) http.Handler // answers pages in English to those who chose it; nil for Chinese only
	Head    template.HTML                   // links the style sheet, for the error pages of the server itself
	Metrics *prometheus.Registry
	Tracer  trace.Tracer // spans of requests; nil: none
	// Extensions are the permissions that extensions of the actor's space bring, for tokens; nil: none.
	Extensions func(ctx context.Context, actor account.Actor) ([]account.Permission, error)
	// MetricsToken opens /metrics to whoever sends it as a bearer token; "" leaves /metrics to this machine alone.
	MetricsToken string
	Log          *slog.Logger
	// Proxies are networks whose X-Forwarded-For is believed; none means that the peer's address counts.
	Proxies []netip.Prefix
	// Board counts the 工作台; nil answers that it is not there.
	Board Board
	// Setup tells whether the first operator is still to come; nil means never.
	Setup interface {
		Needed(ctx context.Context) (bool, error)
	}
}

// Server is the HTTP server. Make it with New, let the back office mount itself on Frame, then Start.
type Server struct {
	o       Options
	frame   *ghttp.Server
	admin   http.Handler
	pages   http.Handler // everything behind the guards
	idem    *idempotency
	metrics *metrics
	limit   *limiter
}

// New makes the server and its routes; nothing listens yet.
func New(o Options) *Server {
	frame := ghttp.GetServer(o.Name)
	frame.SetDumpRouterMap(false)
	frame.SetAccessLogEnabled(false)
	frame.SetErrorLogEnabled(false)
	frame.SetFileServerEnabled(false)
	frame.SetSessionStorage(gsession.NewStorageMemory())
	frame.SetClientMaxBodySize(archive.MaxSize + archiveOverhead) // dispatch bounds every other address closer
	frame.SetOpenApiPath("")                                      // the document is ours, see openapi.go
	frame.SetSwaggerPath("")
	frame.SetGracefulShutdownTimeout(int(o.Shutdown.Seconds()))
	// GoFrame's own lines go nowhere: the log is ours, and the demo's output ends with its ready line.
	frame.SetLogStdout(false)
	frame.Logger().SetStdoutPrint(false)
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	s := &Server{o: o, frame: frame, idem: &idempotency{db: o.DB}, metrics: newMetrics(o.Metrics), limit: newLimiter(apiRate, apiBurst, apiAddresses, time.Now)}
	s.pages = http.HandlerFunc(s.dispatch)
	if o.English != nil {
		s.pages = o.English(s.pages)
	}
	s.routes()
	frame.SetHandler(s.outermost)
	return s
}

// Frame is the GoFrame server, for the back office to mount itself before Start.
func (s *Server) Frame() *ghttp.Server { return s.frame }

// Admin puts the back office's guard around the frame for /admin.
func (s *Server) Admin(guard func(http.Handler) http.Handler) {
	s.admin = guard(http.HandlerFunc(s.frame.ServeHTTP))
}

// Start listens on the address and returns once connections are accepted.
func (s *Server) Start(address string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	if err := s.frame.SetListener(ln); err != nil {
		return errors.Join(fmt.Errorf("web: %w", err), ln.Close())
	}
	if err := s.frame.Start(); err != nil {
		return errors.Join(fmt.Errorf("web: %w", err), ln.Close())
	}
	return nil
}

// Stop lets requests finish within the graceful time and closes the listener. Who listens to topics is let go first: such a
// request would not finish by itself.
func (s *Server) Stop() error {
	s.o.Plugins.EndTopics()
	return s.frame.Shutdown()
}

// bodyLimit is the most a request body may hold: 8 MiB, what plugins accept.
const bodyLimit = 8 << 20

// outermost sees every request first.
func (s *Server) outermost(w http.ResponseWriter, r *http.Request) {
	r = trustedPeer(r, s.o.Proxies)
	if strings.HasPrefix(r.URL.Path, "/wechat/") {
		s.o.Inbox.ServeHTTP(w, r)
		return
	}
	compressed(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.guard(w, r, s.pages) }))
}

// dispatch picks the part of the house by the address.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if s.limited(w, r) || s.unready(w, r) {
		return
	}
	switch path := r.URL.Path; {
	case path == "/healthz":
		s.plain(w, http.StatusOK, "ok")
	case path == "/readyz":
		s.ready(w, r)
	case path == "/metrics":
		s.serveMetrics(w, r)
	case strings.HasPrefix(path, "/assets/") && s.o.Assets != nil:
		s.o.Assets.ServeHTTP(w, r)
	case path == "/admin" || strings.HasPrefix(path, "/admin/"):
		if s.admin == nil {
			http.NotFound(w, r)
			return
		}
		s.admin.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/api/"):
		if !s.pluginAPI(w, r) {
			r.Body = http.MaxBytesReader(w, r.Body, bodyLimitOf(r))
			s.frame.ServeHTTP(w, r)
		}
	case path == "/api.json":
		s.openAPI(w, r)
	case s.o.Portal != nil:
		s.o.Portal.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// ready says whether requests can be served: the database answers and every plugin serves.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := errors.Join(s.o.DB.Ping(ctx), s.o.Plugins.Healthy()); err != nil {
		s.o.Log.WarnContext(ctx, "not ready", "error", err)
		s.plain(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	s.plain(w, http.StatusOK, "ready")
}

func (s *Server) plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
