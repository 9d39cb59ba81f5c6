package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/config"
	"minifleet/app/event"
	"minifleet/app/forward"
	"minifleet/app/gateway"
	"minifleet/app/grant"
	"minifleet/app/inbox"
	"minifleet/app/lang"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/transfer"
	"minifleet/app/web"
	"minifleet/app/web/portal"
	"minifleet/app/wechat"
	"minifleet/resource"
)

// platform is the whole house, built once.
type platform struct {
	cfg       config.Config
	log       *slog.Logger
	offset    *clock.Offset
	clk       clock.Clock
	http      *http.Client
	simulator *http.Client // asks the simulator for its clock, twice a second: no span of anybody's

	db         *store.DB
	vault      *secret.Vault
	trail      *trail.Log
	chain      *trail.Chain
	notices    *notice.Service
	forwards   *forward.Service
	outside    plugin.Outside
	accounts   *account.Service
	spaces     *account.Spaces
	tokens     *account.Tokens
	operators  *account.Operators
	demo       *demoMode // nil outside the demo
	components *component.Service
	apps       *miniprogram.Service
	grants     *grant.Service
	gateway    *gateway.Gateway
	events     *event.Log
	inbox      *inbox.Handler
	plugins    *plugin.Host
	catalog    *plugin.Catalog
	jobs       *schedule.Service
	transfers  *transfer.Service
	web        *web.Server
	portal     *portal.Portal
	admin      *admin.Admin
	metrics    *prometheus.Registry
	tracing    tracing
}

// openStore opens the database of the settings and brings it to this build's schema.
func openStore(ctx context.Context, cfg config.Config) (*store.DB, error) {
	if err := os.MkdirAll(cfg.Data.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	db, err := store.Open(ctx, store.Options{
		Dialect: store.Dialect(cfg.Database.Type), Path: filepath.Join(cfg.Data.Dir, "minifleet.db"), DSN: cfg.Database.DSN, Readers: cfg.Database.Connections,
	})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// build makes every part; nothing runs or listens yet.
func build(ctx context.Context, cfg config.Config, log *slog.Logger, executable string, demo *demoMode) (_ *platform, err error) {
	p := &platform{demo: demo, cfg: cfg, log: log, clk: clock.System(), metrics: prometheus.NewRegistry()}
	if p.tracing, err = newTracing(cfg.Tracing.Endpoint, cfg.Tracing.Percent); err != nil {
		return nil, err
	}
	p.http = &http.Client{Transport: p.tracing.outgoing(transport())}
	p.simulator = &http.Client{Transport: transport()}
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if cfg.Simulated() {
		p.offset = &clock.Offset{}
		p.clk = p.offset
	}
	if p.db, err = openStore(ctx, cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.db.Close())
		}
	}()
	if p.vault, err = secret.OpenFile(filepath.Join(cfg.Data.Dir, "key.json")); err != nil {
		return nil, err
	}
	if err = p.rooms(); err != nil {
		return nil, err
	}
	if err = p.tellers(); err != nil {
		return nil, err
	}
	if err = p.settle(); err != nil {
		return nil, err
	}
	if p.inbox, err = inbox.New(inbox.Options{Keys: p.components, Owners: owners{p.apps}, Events: p.events, Clock: p.clk, Registry: p.metrics, Logger: log, PreviousUsed: p.components.PreviousUsed}); err != nil {
		return nil, err
	}
	p.components.WatchKeys(p.inbox.Invalidate)
	if p.plugins, err = p.host(executable); err != nil {
		return nil, err
	}
	p.jobs = schedule.New(p.db, p.clk, log, p.cron)
	if p.transfers, err = p.carriers(); err != nil {
		return nil, err
	}
	return p, p.pages()
}

// transport keeps connections to WeChat open: thousands of calls go to one host.
func transport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}
}

func (p *platform) rooms() error {
	with, err := p.people()
	if err != nil {
		return err
	}
	wx := &wechat.Client{BaseURL: p.cfg.WeChat.BaseURL, HTTP: p.http}
	p.trail = trail.New(p.db, p.clk)
	p.chain = trail.NewChain(p.trail, p.vault, p.log)
	p.events = event.New(event.Options{DB: p.db, Sealer: p.vault, Clock: p.clk, Logger: p.log})
	p.accounts = account.New(p.db, p.clk, p.trail, append(with, account.WithDeviceWatch(p.onNewDevice))...)
	p.tokens = account.NewTokens(p.db, p.trail, p.accounts)
	p.operators = account.NewOperators(p.db, p.trail, p.accounts)
	p.components = component.New(p.db, p.vault, p.clk, p.trail, wx, p.cfg.Server.PublicURL)
	p.apps = miniprogram.New(p.db, p.vault, p.clk, p.trail, wx, p.components, announcer{p.events},
		miniprogram.Options{PublicURL: p.cfg.Server.PublicURL, PCHost: p.cfg.WeChat.PCAuthURL, H5Host: p.cfg.WeChat.H5AuthURL})
	p.grants = grant.New(p.db, p.clk, p.trail, p.apps)
	p.gateway = gateway.New(gateway.Options{
		DB: p.db, Clock: p.clk, WeChat: wx, Components: p.components, Apps: p.apps, Grants: p.grants, Trail: p.trail, Registry: p.metrics, Log: p.log, Changed: p.onStanding,
		Limits: gateway.Limits{
			ComponentPerMinute: p.cfg.Gateway.ComponentPerMinute, AppPerMinute: p.cfg.Gateway.AppPerMinute, Wait: time.Duration(p.cfg.Gateway.WaitSeconds) * time.Second,
		},
	})
	return nil
}

func (p *platform) host(executable string) (*plugin.Host, error) {
	if err := p.shutData(); err != nil {
		return nil, err
	}
	p.catalog = plugin.NewCatalog(plugin.CatalogOptions{DB: p.db, Clock: p.clk, Trail: p.trail, Enabled: p.cfg.Plugins.ThirdParty, Tell: p.onArchive})
	return p.hostOf(catalog(executable), p.metrics)
}

func (p *platform) hostOf(list []plugin.First, series prometheus.Registerer) (*plugin.Host, error) {
	return plugin.New(plugin.Options{
		Plugins: list, Mounts: map[string]string{"market": "market"},
		DB: p.db, Clock: p.clk, Log: p.log, Events: p.events, Gateway: pluginGateway{p.gateway}, Actors: p.accounts,
		MiniPrograms: pluginMiniPrograms{p.grants}, Grants: pluginGrants{p.grants, p.accounts, p.apps}, Components: pluginComponents{p.components},
		Spaces: pluginSpaces{p.accounts, p.spaces}, Authorizations: pluginAuthorizations{p.apps},
		Trail: p.trail, Sealer: p.vault, Outside: p.outside, News: extensionNews{p.notices, p.accounts},
		Registry: series, Tracer: p.tracing.tracer,
		Catalog: p.catalog, Cache: extensionCache(p.cfg.Data.Dir), UIDBase: p.cfg.Plugins.UIDBase,
		Quota: plugin.Quota{Rows: int64(p.cfg.Plugins.RowsPerSpace), Bytes: int64(p.cfg.Plugins.BytesPerSpace)},
	})
}

// pages makes the portal, the back office and the server around them.
func (p *platform) pages() error {
	label := ""
	if p.cfg.Simulated() {
		label = "模拟环境"
	}
	assets, err := resource.Load()
	if err != nil {
		return err
	}
	board := p.board()
	if p.demo != nil {
		p.demo.board, p.demo.jobs = board, p.jobs
	}
	door, err := portal.New(portal.Options{
		Notices: p.notices, Transfers: p.transfers, SpaceExtensions: p.plugins, Tables: p.plugins, Outbox: p.outbox(), TopBar: p.bell,
		Accounts: p.accounts, Tokens: p.tokens, Spaces: p.spaces, Components: p.components, Apps: p.apps, Grants: p.grants, Trail: p.trail, Plugins: p.plugins, Extensions: p.plugins.Permissions,
		Assets: assets, PublicURL: p.cfg.Server.PublicURL, Environment: label, Clock: p.clk,
		Operators: p.operators, Board: board, Demo: p.tour(), PageEnd: p.demo.tags(assets),
	})
	if err != nil {
		return err
	}
	words, err := lang.New(resource.English())
	if err != nil {
		return err
	}
	proxies, err := p.cfg.Proxies()
	if err != nil {
		return err
	}
	p.portal = door
	scrape, err := p.cfg.ScrapeToken()
	if err != nil {
		return err
	}
	p.web = web.New(web.Options{
		Name: "minifleet-" + p.cfg.Server.Listen, PublicURL: p.cfg.Server.PublicURL, Shutdown: time.Duration(p.cfg.Server.ShutdownSeconds) * time.Second,
		DB: p.db, Clock: p.clk, Accounts: p.accounts, Tokens: p.tokens, Spaces: p.spaces, Components: p.components, Apps: p.apps, Grants: p.grants, Events: p.events, Jobs: p.jobs, Trail: p.trail, Chain: p.chain, Notices: p.notices, Transfers: p.transfers, Forwards: p.forwards, Sent: p.gateway,
		Catalog: extensions{p.catalog, p.plugins},
		Plugins: p.plugins, SpaceExtensions: p.plugins, Inbox: p.inbox, Portal: door.Handler(), Assets: assets.Handler(), Head: assets.Head(), English: words.Handler, Extensions: p.plugins.Permissions, Metrics: p.metrics, Tracer: p.tracing.tracer, MetricsToken: scrape, Log: p.log,
		Setup: p.operators, Board: board, Proxies: proxies,
	})
	p.admin, err = admin.New(admin.Options{
		TopBar: p.bell,
		Server: p.web.Frame(), DB: p.db, Accounts: p.accounts, Plugins: adminPlugins{p.plugins}, PublicURL: p.cfg.Server.PublicURL, Environment: label,
		Head: assets.Head(), Foot: assets.Foot() + p.demo.tags(assets), Log: p.log, Clock: p.clk,
		Asset: assets.URL,
		Services: admin.Services{
			Board: board, Behind: p.behind(),
			Components: p.components, MiniPrograms: adminMiniPrograms{p.grants, p.apps}, Events: p.events, Jobs: adminJobs{p.jobs}, Processes: adminProcesses{p.plugins}, SpaceExtensions: p.plugins, PluginData: p.plugins, PluginOperations: p.plugins.Operations, Catalog: extensions{p.catalog, p.plugins}, Submitters: submitters{p.accounts},
			Trail: p.trail, Chain: p.chain, Notices: p.notices, Forwards: p.forwards, Spaces: p.spaces, Transfers: p.transfers, Failures: adminFailures(p.inbox), BatchEnded: p.onBatchEnd, Extensions: p.plugins.Permissions,
		},
	})
	if err != nil {
		return err
	}
	if err := p.admin.Mount(); err != nil {
		return err
	}
	p.web.Admin(p.admin.Guard)
	return nil
}

// run starts everything, calls ready once requests are served, and ends everything when ctx ends.
func (p *platform) run(ctx context.Context, ready func()) (err error) {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	var mu sync.Mutex
	loop := func(name string, f func(context.Context) error) {
		running.Go(func() {
			if e := f(background); e != nil && background.Err() == nil {
				p.log.Error("a part of the platform has stopped", "part", name, "error", e)
				mu.Lock()
				err = errors.Join(err, fmt.Errorf("%s: %w", name, e))
				mu.Unlock()
			}
		})
	}
	defer func() {
		stop()
		running.Wait()
		err = errors.Join(err, p.admin.Close(), p.tracing.close(), p.db.Close())
	}()
	if p.offset != nil {
		if err := p.syncClock(ctx); err != nil {
			return err
		}
		loop("clock", p.followClock)
	}
	if err := p.subscribe(ctx); err != nil {
		return err
	}
	loop("events", p.events.Run)
	loop("trail", p.chain.Run)
	loop("notices", p.notices.Run)
	loop("forwards", p.forwards.Run)
	if err := p.plugins.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.plugins.Stop()) }()
	if err := p.web.Start(p.cfg.Server.Listen); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.web.Stop()) }()
	begin, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := p.plugins.Ready(begin); err != nil {
		return err
	}
	loop("jobs", p.jobs.Run)
	loop("transfers", p.transfers.Run)
	ready()
	<-ctx.Done()
	p.log.Info("stopping")
	return nil
}
