package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// errHeld is the cause of a call that was not sent by our own decision: there is nothing to note in the trail, and nothing
// can have happened at WeChat.
var errHeld = errors.New("gateway: not sent")

// attempt sends once, if circuit, pauses and budgets let it.
func (g *Gateway) attempt(ctx context.Context, e wechat.Endpoint, token string, req wechat.Request) (wechat.Response, error) {
	if err := g.admit(ctx, e, req); err != nil {
		return wechat.Response{}, err
	}
	started := g.wall()
	res, err := g.wx.Send(ctx, e, token, req)
	err = wechat.Concerning(err, req, clock.Millis(g.clk.Now()))
	g.metrics.answered(err, g.wall().Sub(started).Seconds())
	var lost *wechat.CallError
	switch {
	case !errors.As(err, &lost):
		g.circuits.leave(req.Component, true)
	case ctx.Err() != nil:
		g.circuits.dropped(req.Component)
	case lost.Status != 0 && lost.Status < 500:
		g.circuits.leave(req.Component, true) // somebody answered, though not as WeChat should
	default:
		g.circuits.leave(req.Component, false)
	}
	if lost == nil {
		if learned := g.learned(ctx, e, req, err); learned != nil {
			g.log.ErrorContext(ctx, "a pause was not told to the other replicas", "endpoint", e.Name, "error", learned)
		}
	}
	return res, err
}

// admit waits for its turn within the limits' patience, or refuses with the moment when it is worth trying again. The circuit
// is asked last, since its probe must really be sent.
func (g *Gateway) admit(ctx context.Context, e wechat.Endpoint, req wechat.Request) error {
	wait, code, err := g.pauses.rest(ctx, pauseName(e, req))
	if err != nil {
		return err
	}
	if wait > 0 {
		g.metrics.held.WithLabelValues("pause").Inc()
		f := fault.New(fault.TooMany, "wechat_paused", fmt.Sprintf("微信限制了这个接口的调用，请在 %s后再试", inWords(wait))).Later(wait).Because(errHeld)
		f.WeChat = upstream(wechat.Concerning(&wechat.Error{Code: code, Endpoint: e.Name}, req, clock.Millis(g.clk.Now())))
		return f
	}
	if err := g.turn(ctx, "component_budget", "c:"+req.Component, g.limits.ComponentPerMinute); err != nil {
		return err
	}
	if e.Token == wechat.TokenAuthorizer {
		if err := g.turn(ctx, "app_budget", "a:"+req.AppID, g.limits.AppPerMinute); err != nil {
			g.budgets.giveBack("c:"+req.Component, g.limits.ComponentPerMinute)
			return err
		}
	}
	if wait := g.circuits.enter(req.Component); wait > 0 {
		g.budgets.giveBack("c:"+req.Component, g.limits.ComponentPerMinute)
		if e.Token == wechat.TokenAuthorizer {
			g.budgets.giveBack("a:"+req.AppID, g.limits.AppPerMinute)
		}
		g.metrics.held.WithLabelValues("circuit").Inc()
		lost := &wechat.CallError{Endpoint: e.Name, Cause: errHeld}
		f := fault.New(fault.Unavailable, "wechat_circuit", fmt.Sprintf("连续多次没有收到微信的回答，请在 %s后再试", inWords(wait))).Later(wait).
			Because(wechat.Concerning(lost, req, clock.Millis(g.clk.Now())))
		f.WeChat = upstream(lost)
		return f
	}
	return nil
}

func upstream(err error) *fault.Upstream { return wechat.RefusalOf(err) }

// turn takes one call from a budget.
func (g *Gateway) turn(ctx context.Context, cause, name string, perMinute int) error {
	patience := g.limits.Wait
	for {
		wait, err := g.budgets.take(ctx, name, perMinute)
		if err != nil || wait <= 0 {
			return err
		}
		if wait > patience {
			g.metrics.held.WithLabelValues(cause).Inc()
			whose := "这个第三方平台"
			if cause == "app_budget" {
				whose = "这个小程序"
			}
			return fault.New(fault.TooMany, "wechat_budget", fmt.Sprintf("%s对微信的调用太密集，请在 %s后再试", whose, inWords(wait))).Later(wait).Because(errHeld)
		}
		patience -= wait
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// inWords writes a wait for a person, rounded up.
func inWords(wait time.Duration) string {
	if wait <= time.Minute {
		return fmt.Sprintf("%d 秒", int(math.Ceil(wait.Seconds())))
	}
	return fmt.Sprintf("%d 分钟", int(math.Ceil(wait.Minutes())))
}
