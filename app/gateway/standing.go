package gateway

import (
	"context"
	"fmt"
	"time"

	"minifleet/app/wechat"
)

// What a Standing is about.
const (
	StandingAudit   = "audit"   // the month's reviews are used up
	StandingSpeedUp = "speedup" // the month's expedited reviews are used up
	StandingPause   = "pause"   // WeChat limits an endpoint, and it rests for long
)

// longPause is from which rest on a person is told: shorter ones pass by before anybody could act.
const longPause = 10 * time.Minute

// Standing is how something stands that a person has to know of. It is told whenever a call shows it, which may be many
// times: whoever hears it keeps what was told already.
type Standing struct {
	About     string
	Component string
	AppID     string    // of StandingPause; "" for an endpoint of the platform app itself
	Endpoint  string    // of StandingPause
	Code      int       // the errcode that a pause is about
	Bad       bool      // false: there is something left of the quota again
	Until     time.Time // of a pause, wall time
}

// stands tells what a call has shown. The call has happened whatever becomes of the message.
func (g *Gateway) stands(ctx context.Context, s Standing) {
	if g.changed == nil {
		return
	}
	if err := g.changed(context.WithoutCancel(ctx), s); err != nil {
		g.log.ErrorContext(ctx, "how something stands was not told", "about", s.About, "component", s.Component, "appid", s.AppID, "error", err)
	}
}

// learned tells of a pause that became long.
func (g *Gateway) learned(ctx context.Context, e wechat.Endpoint, req wechat.Request, answer error) error {
	l, err := g.pauses.learn(context.WithoutCancel(ctx), pauseName(e, req), answer)
	if l.wait < longPause {
		return err
	}
	s := Standing{About: StandingPause, Component: req.Component, Endpoint: e.Name, Code: l.code, Bad: true, Until: l.until}
	if e.Token == wechat.TokenAuthorizer {
		s.AppID = req.AppID
	}
	g.stands(ctx, s)
	return err
}

// quotaStands tells whether anything is left of a month's quota.
func (g *Gateway) quotaStands(ctx context.Context, component, column string) error {
	q, found, err := g.Quota(ctx, component)
	if err != nil || !found {
		return err
	}
	rest, limit, about := q.Rest, q.Limit, StandingAudit
	if column == "speedup_rest" {
		rest, limit, about = q.SpeedUpRest, q.SpeedUpLimit, StandingSpeedUp
	}
	g.stands(ctx, Standing{About: about, Component: component, Bad: rest <= 0 && limit > 0})
	return nil
}

// quotaUsed takes WeChat's word that nothing is left, also for a platform app whose quota was never read.
func (g *Gateway) quotaUsed(ctx context.Context, component, column, about string) error {
	if _, err := g.db.Exec(ctx, "UPDATE wechat_quota SET "+column+"=0 WHERE component=?", component); err != nil {
		return fmt.Errorf("gateway: quota of %s: %w", component, err)
	}
	g.stands(ctx, Standing{About: about, Component: component, Bad: true})
	return nil
}
