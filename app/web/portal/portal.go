package portal

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/trail"
	"minifleet/resource"
	"minifleet/resource/dictionary"
)

// Plugins is what the portal asks of the plugin host.
type Plugins interface {
	Pass(ctx context.Context, actor account.Actor, request plugin.Request, body io.Reader) (plugin.Response, error)
	ServeTopic(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), plugin, topic string) error
	ServeAsset(w http.ResponseWriter, r *http.Request, actor account.Actor, plugin, sum, path string) error
	Menu(ctx context.Context, actor account.Actor, frame string) []plugin.MenuItem
}

// Options are the rooms behind the pages. All are needed but the last four.
type Options struct {
	Accounts   *account.Service
	Tokens     *account.Tokens
	Spaces     *account.Spaces // members, invitations, leaving; nil leaves their pages out
	Components *component.Service
	Apps       *miniprogram.Service
	Grants     *grant.Service
	Trail      *trail.Log
	Notices    *notice.Service // nil leaves the pages of notices out
	Transfers  Transfers       // exports; nil leaves their page out
	// SpaceExtensions are switched and filled in by a space's people; nil leaves their pages out.
	SpaceExtensions Extensions
	// Tables are the lists that plugins declare, for spaces that see them here; nil leaves their pages out.
	Tables  Tables
	Plugins Plugins
	Assets  *resource.Assets
	// Extensions are the permissions that extensions of the person's space bring, for tokens; nil: none.
	Extensions func(ctx context.Context, actor account.Actor) ([]account.Permission, error)
	// PublicURL is the origin that links and QR codes are made of, without a final slash.
	PublicURL string
	// Mounts are the fixed paths that plugins may claim: {"market": "market"} when nil.
	Mounts map[string]string
	// Board gives a person's checklist; nil shows none.
	Board Board
	// Demo adds the tour and the switch between the demo's people; nil outside the demo.
	Demo Demo
	// PageEnd is put at the end of every page, such as the tour's script.
	PageEnd template.HTML
	// TopBar makes what stands in the top bar before the account menu, such as the notices' bell; nil shows nothing.
	TopBar func(ctx context.Context, actor account.Actor) template.HTML
	// Operators brings in the first operator of an empty installation; nil leaves the setup page out.
	Operators Operators
	// Outbox holds the mails of a demo; nil leaves its page out.
	Outbox *notice.Outbox
	// Environment is shown on every page when not empty, such as 模拟环境.
	Environment string
	// Clock ages what the pages show; nil means the system's.
	Clock clock.Clock
	// Log gets what an operator should know; nil means the default logger.
	Log *slog.Logger
}

// Portal serves the pages. Safe for concurrent use.
type Portal struct {
	o        Options
	mux      *http.ServeMux
	patterns []string
	views    *template.Template
	log      *slog.Logger
}

// New parses the templates and builds the routes.
func New(o Options) (*Portal, error) {
	if o.Accounts == nil || o.Tokens == nil || o.Components == nil || o.Apps == nil || o.Grants == nil || o.Trail == nil || o.Plugins == nil || o.Assets == nil {
		return nil, errors.New("portal: an option is missing")
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Mounts == nil {
		o.Mounts = map[string]string{"market": "market"}
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	p := &Portal{o: o, mux: http.NewServeMux(), log: o.Log}
	var err error
	if p.views, err = template.New("portal").Funcs(p.words()).ParseFS(resource.Templates(), "*.html"); err != nil {
		return nil, fmt.Errorf("portal: templates: %w", err)
	}
	if p.views, err = p.views.Parse(dictionary.Block()); err != nil {
		return nil, fmt.Errorf("portal: templates: %w", err)
	}
	if o.Assets.Missing() {
		p.log.Warn("the pages were not built: they work without style and script; run `make pages` and build again")
	}
	p.routes()
	return p, nil
}

// Handler serves every address of the portal.
func (p *Portal) Handler() http.Handler { return p.mux }

func (p *Portal) routes() {
	serve := func(pattern string, handle handler) {
		p.patterns = append(p.patterns, pattern)
		p.mux.Handle(pattern, p.open(handle))
	}
	anyone := serve
	member := func(pattern string, handle handler) { serve(pattern, needLogin(handle)) }

	anyone("GET /{$}", p.home)
	anyone("GET /login", p.loginPage)
	anyone("POST /login", p.login)
	anyone("GET /login/second-factor", p.factorPage)
	anyone("POST /login/second-factor", p.factor)
	anyone("GET /register", p.registerPage)
	anyone("POST /register", p.register)
	anyone("POST /register/code", p.sendCode(account.ForRegister))
	anyone("GET /reset", p.resetPage)
	anyone("POST /reset", p.reset)
	anyone("POST /reset/code", p.sendCode(account.ForReset))
	anyone("GET /captcha", p.captcha)
	anyone("GET /captcha/sound", p.captchaSound)
	anyone("POST /logout", p.logout)
	anyone("GET /logout", p.logoutPage)
	anyone("GET /agreement", p.text("agreement", "用户协议"))
	anyone("GET /privacy", p.text("privacy", "隐私政策"))
	anyone("GET /swagger", p.swagger)
	anyone("GET /swagger/{$}", p.swagger)
	anyone("GET /setup", p.setupPage)
	anyone("POST /setup", p.setup)
	member("GET /account", p.accountPage)
	member("GET /account/spaces", p.spacesFragment)
	member("POST /space", p.switchSpace)
	anyone("POST /prefs", p.prefer)

	anyone("GET /auth/{ticket}", p.landing)
	anyone("GET /auth/{ticket}/{part}", p.landingPart)
	anyone("POST /auth/{ticket}/open", p.openWeChat)
	member("POST /auth/{ticket}/cancel", p.cancelTicket)
	member("POST /auth/{ticket}/renew", p.renewTicket)
	anyone("GET /auth/return/{signed}", p.authReturn)

	member("GET "+dictionary.MendPrefix+"{act}", p.mend)
	member("GET /my", p.my)
	member("GET /my/miniprograms", p.programs)
	member("POST /my/checklist", p.setChecklist)
	member("GET /my/miniprograms/{appid}", p.program)
	member("POST /my/miniprograms/{appid}/sync", p.syncProgram)
	member("POST /my/miniprograms/{appid}/authorize", p.reauthorize)
	p.securityRoutes(member)
	p.spaceRoutes(anyone, member)
	member("GET /my/tokens", p.tokens)
	member("POST /my/tokens", p.createToken)
	member("POST /my/tokens/{id}/revoke", p.revokeToken)

	if p.o.Transfers != nil {
		p.exportRoutes(member)
	}
	if p.o.Notices != nil {
		member("GET /my/notices", p.notices)
		member("GET /my/notices/bell", p.bell)
		member("GET /my/notices/{id}", p.openNotice)
		member("POST /my/notices/read", p.readNotices)
		member("GET /my/notices/settings", p.noticeSettings)
		member("POST /my/notices/settings", p.saveNoticeSettings)
	}
	if p.o.SpaceExtensions != nil {
		p.extensionRoutes(member)
	}
	if p.o.Tables != nil {
		p.tableRoutes(member)
	}
	if p.o.Outbox != nil {
		anyone("GET /demo/outbox", p.outbox)
	}
	p.demoRoutes(anyone)
	for mount, id := range p.o.Mounts {
		serve := p.pluginPage("/"+mount, id)
		anyone("/"+mount, serve)
		anyone("/"+mount+"/{path...}", serve)
	}
	anyone("GET /p/{plugin}/assets/{sha256}/{path...}", p.pluginAsset)
	anyone("GET /p/{plugin}/topics/{topic}", p.pluginTopic)
	anyone("/p/{plugin}", p.pluginPage("", ""))
	anyone("/p/{plugin}/{path...}", p.pluginPage("", ""))
	anyone("/", p.nothing)
}
