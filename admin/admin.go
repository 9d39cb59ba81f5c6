package admin

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/store"
)

// Prefix is the address below which everything of this package lives.
const Prefix = "/admin"

// Accounts says who is behind a session token. Space 0 means the session's own space.
type Accounts interface {
	Authenticate(ctx context.Context, token string, space int64) (account.Actor, error)
}

// Options are what the back office is made of. Server, DB and Accounts are required; a nil service leaves its
// pages and menu entries out.
type Options struct {
	// Server is the GoFrame server that Mount adds the back office to.
	Server *ghttp.Server
	// DB holds GoAdmin's tables; GoAdmin gets a pool of its own from it.
	DB *store.DB
	// Accounts resolves the session cookie.
	Accounts Accounts
	// Plugins is the plugin host: menus, tables, pages.
	Plugins Plugins
	// Services feed the core pages.
	Services Services
	// Pages are further core pages of other rooms.
	Pages []Page
	// PublicURL is the origin that links, callbacks and the Origin check are made of, without a final slash.
	PublicURL string
	// Environment is shown on every page when not empty, such as 模拟环境.
	Environment string
	// TopBar makes what stands in the top bar before the account menu, such as the notices' bell; nil shows nothing. It is
	// called once per framed page.
	TopBar func(ctx context.Context, actor account.Actor) template.HTML
	// Asset gives the address of a bundle that only some pages load, such as charts.js; nil means none were built.
	Asset func(name string) string
	// Head and Foot carry the shared stylesheet and script into every page.
	Head, Foot template.HTML
	// Log gets what an operator should know; nil means the default logger.
	Log *slog.Logger
	// Clock stamps and ages what the pages show; nil means the system's.
	Clock clock.Clock
}

// Admin is the back office. Safe for concurrent use once Mount has returned.
type Admin struct {
	o       Options
	engine  *engine
	shadows *shadows
	mux     *http.ServeMux
	pages   map[string]route
	views   *template.Template
	log     *slog.Logger
	clock   clock.Clock
	flash   flash
	lists   listViews
}

// New builds the back office and opens GoAdmin's pool; Close ends it.
func New(o Options) (*Admin, error) {
	if o.Server == nil || o.DB == nil || o.Accounts == nil {
		return nil, errors.New("admin: Server, DB and Accounts are required")
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	a := &Admin{o: o, log: o.Log, clock: o.Clock, pages: map[string]route{}, mux: http.NewServeMux()}
	var err error
	if a.views, err = parseViews(a); err != nil {
		return nil, fmt.Errorf("admin: templates: %w", err)
	}
	if a.engine, err = openEngine(o); err != nil {
		return nil, fmt.Errorf("admin: open GoAdmin: %w", err)
	}
	a.shadows, a.lists = newShadows(o.DB), listViews{o.DB}
	if err := a.register(); err != nil {
		return nil, errors.Join(err, a.engine.Close())
	}
	return a, nil
}

// Mount adds the back office's routes to the server; call it once, before the server starts.
func (a *Admin) Mount() error {
	if err := a.engine.mount(a.o.Server, a.dispatch, a.refuse); err != nil {
		return fmt.Errorf("admin: mount: %w", err)
	}
	return nil
}

// Close ends GoAdmin's pool.
func (a *Admin) Close() error { return a.engine.Close() }
