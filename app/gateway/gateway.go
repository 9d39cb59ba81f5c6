// Package gateway is the one door to WeChat: it decides whether who acts may make this call on this mini program now,
// picks the authorisation whose token fits, keeps within budgets, marks what must not be repeated, sends, and writes the
// trail. Pages, jobs and plugins come through it; only token calls of component and miniprogram do not.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// Caller is who acts, as the session or the call token says, never an argument of the call.
type Caller struct {
	Actor  account.Actor
	Plugin string
	// System marks the platform's own work (events, jobs): it may read, and change nothing.
	System bool
}

// Options are the gateway's parts. Registry, Log and Wall may be nil; the zero Limits bound nothing.
type Options struct {
	DB         *store.DB
	Clock      clock.Clock // platform time, for what is shown and kept
	WeChat     *wechat.Client
	Components *component.Service
	Apps       *miniprogram.Service
	Grants     *grant.Service
	Trail      *trail.Log
	Limits     Limits
	Registry   prometheus.Registerer
	Log        *slog.Logger
	Wall       func() time.Time // wall time, for budgets, pauses and circuits
	// Changed hears how a quota or a pause stands that a person has to know of; nil tells nobody. It is called on the way of
	// a call, and only for those few that show something.
	Changed func(ctx context.Context, s Standing) error
}

// Gateway is the door. Safe for concurrent use.
type Gateway struct {
	db         *store.DB
	clk        clock.Clock
	wx         *wechat.Client
	components *component.Service
	apps       *miniprogram.Service
	grants     *grant.Service
	trail      *trail.Log
	limits     Limits
	log        *slog.Logger
	wall       func() time.Time
	budgets    *budgets
	pauses     *pauses
	circuits   *circuits
	metrics    *metrics
	changed    func(context.Context, Standing) error
}

// New makes the gateway.
func New(o Options) *Gateway {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	g := &Gateway{
		db: o.DB, clk: o.Clock, wx: o.WeChat, components: o.Components, apps: o.Apps, grants: o.Grants, trail: o.Trail, limits: o.Limits, log: o.Log, wall: o.Wall,
		budgets: newBudgets(o.DB, o.Wall), pauses: newPauses(o.DB, o.Wall), circuits: newCircuits(o.Wall),
		changed: o.Changed,
	}
	g.metrics = newMetrics(o.Registry, g.circuits.count)
	return g
}

// Do makes one call. Errors are fault.Error for what the house refuses (with RetryAfter where waiting helps),
// *wechat.Error and *wechat.CallError for what WeChat answered or did not.
func (g *Gateway) Do(ctx context.Context, by Caller, req wechat.Request) (wechat.Response, error) {
	e, ok := wechat.LookupEndpoint(req.Endpoint)
	if !ok {
		return wechat.Response{}, fault.Newf(fault.Invalid, "unknown_endpoint", "没有这个微信接口：%s", req.Endpoint)
	}
	if req.Key == "" {
		req.Key = wechat.KeyOf(ctx)
	}
	tokens, err := g.authorize(ctx, by, e, &req)
	if err != nil {
		return wechat.Response{}, err
	}
	mark, err := g.mark(ctx, by, e, req)
	if err != nil {
		return wechat.Response{}, err
	}
	started := time.Now()
	res, err := g.send(ctx, e, tokens, req)
	g.settleMark(ctx, mark, err)
	if !held(err) {
		call := trail.Call{
			AccountID: by.Actor.AccountID, SpaceID: by.Actor.SpaceID, Actor: by.Actor.Name, Plugin: by.Plugin, Endpoint: e.Name, Component: req.Component, AppID: req.AppID,
			RID: res.RID, Started: started, Err: err, Changes: asked(e, req),
		}
		g.trail.WeChat(g.forOwner(ctx, by, tokens.ways, req.AppID), call)
	}
	if counted := g.countQuota(ctx, e, req.Component, res, err); counted != nil {
		g.log.ErrorContext(ctx, "the month's quota was not counted", "endpoint", e.Name, "error", counted)
	}
	return res, err
}

// held tells whether a call was not sent by our own decision.
func held(err error) bool { return errors.Is(err, errHeld) }

// forOwner notes for the trail whose mini program it is, when the call was another space's or the platform's own, so that
// the owner reads it. A mini program that is unknown by now has no owner to tell.
func (g *Gateway) forOwner(ctx context.Context, by Caller, m miniprogram.Ways, appid string) context.Context {
	if m.AppID == "" && appid != "" { // a call of the platform app that names a mini program
		var err error
		if m, err = g.apps.Ways(context.WithoutCancel(ctx), appid); err != nil {
			return ctx
		}
	}
	if m.OwnerSpaceID == by.Actor.SpaceID || m.OwnerSpaceID == 0 {
		return ctx
	}
	return trail.WithBehalf(ctx, trail.Behalf{SpaceID: m.OwnerSpaceID, Name: m.Name + " 的所有者"})
}

// tokenSource gives the token of a call, and another one for a rejected one. ways are those of its mini program, when the
// call goes out with that one's token.
type tokenSource struct {
	ways    miniprogram.Ways
	current func(context.Context) (string, error)
	renew   func(ctx context.Context, rejected string) (string, error)
}

// authorize refuses, or fills in the component and says where the token comes from.
func (g *Gateway) authorize(ctx context.Context, by Caller, e wechat.Endpoint, req *wechat.Request) (tokenSource, error) {
	if by.System && !e.ReadOnly {
		return tokenSource{}, fault.New(fault.Forbidden, "system_reads_only", "后台任务只能读取，不能代替人操作："+e.Name)
	}
	switch e.Token {
	case wechat.TokenComponent:
		return g.componentTokens(ctx, by, req)
	case wechat.TokenAuthorizer:
		return g.authorizerTokens(ctx, by, e, req)
	default:
		return tokenSource{}, fault.Newf(fault.Forbidden, "token_endpoint", "令牌接口不能直接调用：%s", e.Name)
	}
}

func (g *Gateway) componentTokens(ctx context.Context, by Caller, req *wechat.Request) (tokenSource, error) {
	space, err := g.components.SpaceOf(ctx, req.Component)
	if err != nil {
		return tokenSource{}, err
	}
	if !by.System && (space != by.Actor.SpaceID || by.Actor.Nobody()) {
		return tokenSource{}, fault.New(fault.NotFound, "component_not_found", "没有找到这个第三方平台")
	}
	appid := req.Component
	return tokenSource{
		current: func(ctx context.Context) (string, error) { return g.components.Token(ctx, appid) },
		renew: func(ctx context.Context, rejected string) (string, error) {
			return g.components.Renew(ctx, appid, rejected)
		},
	}, nil
}

func (g *Gateway) authorizerTokens(ctx context.Context, by Caller, e wechat.Endpoint, req *wechat.Request) (tokenSource, error) {
	if !by.System && !by.Actor.Reaches(req.AppID) {
		return tokenSource{}, miniprogram.ErrNotFound()
	}
	ways, err := g.apps.Ways(ctx, req.AppID)
	if err != nil {
		return tokenSource{}, err
	}
	if !by.System {
		if err := g.grants.CheckOwned(ctx, ways.OwnerSpaceID, by.Actor.SpaceID, req.AppID, cmp.Or(e.Scope, grant.DataRead)); err != nil {
			return tokenSource{}, err
		}
	}
	var sets []int
	for _, set := range []int{e.Set, e.AltSet} {
		if set != 0 {
			sets = append(sets, set)
		}
	}
	way, err := ways.Holder(req.Component, sets...)
	if err != nil {
		return tokenSource{}, err
	}
	req.Component = way.Component
	holder, appid := way.Component, req.AppID
	return tokenSource{
		ways:    ways,
		current: func(ctx context.Context) (string, error) { return g.apps.TokenOf(ctx, way) },
		renew: func(ctx context.Context, rejected string) (string, error) {
			return g.apps.Renew(ctx, holder, appid, rejected)
		},
	}, nil
}

// send repeats once with another token when WeChat says that it did not take this one, which is before it did anything;
// and once a call that the endpoint table calls safe to repeat, when the network or WeChat stumbled.
func (g *Gateway) send(ctx context.Context, e wechat.Endpoint, tokens tokenSource, req wechat.Request) (wechat.Response, error) {
	token, err := tokens.current(ctx)
	if err != nil {
		return wechat.Response{}, err
	}
	res, err := g.attempt(ctx, e, token, req)
	if wechat.TokenRejected(err) {
		if token, err = tokens.renew(ctx, token); err != nil {
			return wechat.Response{}, err
		}
		return g.attempt(ctx, e, token, req)
	}
	var unreached *wechat.CallError
	if e.SafeToRepeat && !held(err) && (errors.As(err, &unreached) || wechat.Code(err) == wechat.CodeBusy) && ctx.Err() == nil {
		return g.attempt(ctx, e, token, req)
	}
	return res, err
}

// As binds a caller, which makes the door a Transport for the typed API.
func (g *Gateway) As(by Caller) wechat.Transport { return bound{g, by} }

type bound struct {
	gateway *Gateway
	by      Caller
}

func (b bound) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	return b.gateway.Do(ctx, b.by, req)
}
