package admin

import (
	"database/sql"
	"errors"
	"net/http"
	"sync"

	"github.com/GoAdminGroup/go-admin/adapter/gf2"
	"github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/modules/auth"
	"github.com/GoAdminGroup/go-admin/modules/config"
	"github.com/GoAdminGroup/go-admin/modules/db"
	goerrors "github.com/GoAdminGroup/go-admin/modules/errors"
	"github.com/GoAdminGroup/go-admin/modules/language"
	"github.com/GoAdminGroup/go-admin/modules/service"
	"github.com/GoAdminGroup/go-admin/modules/ui"
	"github.com/GoAdminGroup/go-admin/plugins"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/table"
	gotemplate "github.com/GoAdminGroup/go-admin/template"
	"github.com/GoAdminGroup/go-admin/template/types"
	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/admin/theme"
	"minifleet/app/store"
)

// This is the one file that touches GoAdmin's globals: its configuration, its theme list, its display chain. GoAdmin
// keeps one of each per process and panics when it is configured twice, so the first New of a process sets them and
// each later one only points the configuration to its own dialect.
var process struct {
	sync.Mutex
	config *config.Config
}

// engine is GoAdmin with a pool of ours, without its own engine type: that one opens a pool itself, reads its
// settings back from goadmin_site, and routes its login, its installer and its menu editor.
type engine struct {
	conn     db.Connection
	services service.List
	pool     *sql.DB
}

func openEngine(o Options) (*engine, error) {
	pool, err := o.DB.GoAdminPool()
	if err != nil {
		return nil, err
	}
	conn := connection(o.DB.Dialect(), pool)
	cfg := initGoAdmin(conn.Name(), o)
	services := service.List{}
	services.Add(conn.Name(), conn)
	services.Add("config", config.SrvWithConfig(cfg))
	services.Add(auth.InitCSRFTokenSrv(conn))
	services.Add(ui.ServiceKey, ui.NewService(new(types.Buttons)))
	table.SetServices(services)
	return &engine{conn: conn, services: services, pool: pool}, nil
}

// connection is GoAdmin's connection over our pool instead of one that it opens.
func connection(d store.Dialect, pool *sql.DB) db.Connection {
	if d == store.MySQL {
		c := db.GetMysqlDB()
		c.DbList["default"] = pool
		return c
	}
	c := db.GetSqliteDB()
	c.DbList["default"] = pool
	return c
}

func initGoAdmin(driver string, o Options) *config.Config {
	process.Lock()
	defer process.Unlock()
	databases := config.DatabaseList{"default": {Driver: driver}}
	if process.config != nil {
		process.config.Databases = databases
		return process.config
	}
	process.config = config.Initialize(&config.Config{
		Databases: databases,
		UrlPrefix: "admin",
		IndexUrl:  "/",
		LoginUrl:  "/login",
		Language:  language.CN,
		Theme:     theme.Name,
		Title:     "MiniFleet",
		Env:       config.EnvProd,
		// Its logs would go to standard output and show requests; ours go through slog.
		InfoLogOff: true, ErrorLogOff: true, AccessLogOff: true, AccessAssetsLogOff: true,
		// Its operation log keeps form input in plain text; trail is ours.
		OperationLogOff: true,
		// Two browsers of one person are two sessions.
		NoLimitLoginIP:           true,
		HideConfigCenterEntrance: true, HideAppInfoEntrance: true, HideToolEntrance: true, HidePluginEntrance: true,
		ProhibitConfigModification: true,
		SessionLifeTime:            int(sessionLife.Seconds()),
	})
	gotemplate.Add(theme.Name, theme.New())
	types.AddGlobalDisplayProcessFn(escapeCell)
	goerrors.Init()
	return process.config
}

// mount binds one catch-all below /admin: GoAdmin's session and permission check, then handle. Its own routes
// (login, installer, menu editor, generators by name) are not added to the server at all.
func (e *engine) mount(server *ghttp.Server, handle, refuse context.Handler) error {
	check := auth.DefaultInvoker(e.conn).SetAuthFailCallback(auth.MiddlewareCallback(refuse)).
		SetPermissionDenyCallback(auth.MiddlewareCallback(refuse)).Middleware()
	return new(gf2.GF2).Use(server, []plugins.Plugin{&dispatcher{
		Base:     &plugins.Base{PlugName: "minifleet", Services: e.services, Conn: e.conn},
		handlers: context.Handlers{check, handle},
	}})
}

// dispatcher is the one GoAdmin plugin: a catch-all that resolves pages and plugin tables at each request, since
// GoFrame's route tree must not change while it serves.
type dispatcher struct {
	*plugins.Base
	handlers context.Handlers
}

// GetHandler gives the catch-all for the methods that pages use.
func (d *dispatcher) GetHandler() context.HandlerMap {
	m := context.HandlerMap{}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		m[context.Path{URL: Prefix + "/*any", Method: method}] = d.handlers
	}
	return m
}

// Close ends the pool.
func (e *engine) Close() error { return errors.Join(e.conn.Close()...) }
