package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/miniprogram"
	"minifleet/app/schedule"
)

// announcer lets rooms below the event log's users announce what happened in their own transaction.
type announcer struct{ events *event.Log }

func (a announcer) Announce(ctx context.Context, typ, component, appid string, spaceID int64, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("announce %s: %w", typ, err)
	}
	err = a.events.AppendTx(ctx, []event.Record{{Type: typ, Source: event.SourceCore, Component: component, AppID: appid, SpaceID: spaceID, Payload: raw}})
	a.events.Wake()
	return err
}

// owners answers the inbox's question whom a push is for.
type owners struct{ apps *miniprogram.Service }

func (o owners) Owner(ctx context.Context, component, appid string) (string, bool, error) {
	return o.apps.UserName(ctx, component, appid)
}

func (o owners) Foreign(ctx context.Context, component, appid string) (bool, error) {
	return o.apps.Foreign(ctx, component, appid)
}

// subscribe connects the core rooms with the pushes they live on.
func (p *platform) subscribe(ctx context.Context) error {
	return errors.Join(
		p.events.Subscribe(ctx, event.Subscriber{Name: "component.tickets", Types: []string{"component_verify_ticket"}, Handle: p.onTicket}),
		p.events.Subscribe(ctx, event.Subscriber{Name: "miniprogram.authorizations", Types: []string{"authorized", "updateauthorized", "unauthorized"}, Handle: p.onAuthorization}),
		p.events.Subscribe(ctx, event.Subscriber{Name: "miniprogram.profiles", Types: []string{"miniprogram.authorized"}, Handle: p.onAuthorized}),
		p.events.Subscribe(ctx, event.Subscriber{Name: "component.release_checks", Types: []string{component.ReleasePrefix + "*"}, Handle: p.onReleaseCheck}),
		p.events.Subscribe(ctx, event.Subscriber{Name: "notice.happenings", Types: happenings(), Handle: p.onHappening}),
	)
}

func (p *platform) onTicket(ctx context.Context, e event.Event) error {
	push, err := e.Push()
	if err != nil {
		return err
	}
	return p.components.SaveTicket(ctx, e.Component, push.Fields["ComponentVerifyTicket"], e.CreateTime)
}

// onReleaseCheck answers the automated checks of WeChat's own test accounts.
func (p *platform) onReleaseCheck(ctx context.Context, e event.Event) error {
	if e.Source != event.SourceWeChat {
		return nil
	}
	push, err := e.Push()
	if err != nil {
		return err
	}
	return p.components.AnswerReleaseCheck(ctx, e.Component, e.AppID, push, e.ReceivedAt)
}

func (p *platform) onAuthorization(ctx context.Context, e event.Event) error {
	push, err := e.Push()
	if err != nil {
		return err
	}
	if e.Type == "unauthorized" {
		return p.apps.OnUnauthorized(ctx, e.Component, push.Fields["AuthorizerAppid"], e.CreateTime)
	}
	return p.apps.OnAuthorized(ctx, e.Component, push.Fields["AuthorizationCode"], push.Fields["PreAuthCode"], e.CreateTime)
}

func (p *platform) onAuthorized(ctx context.Context, e event.Event) error {
	if e.Source != event.SourceCore {
		return nil
	}
	return p.apps.EnsureProfile(ctx, e.Component, e.AppID)
}

// cron lists the core's jobs and those of the plugins that have described themselves.
func (p *platform) cron() []schedule.Job {
	list := []schedule.Job{
		{Name: "component.tokens", Title: "刷新第三方平台令牌", Spec: "*/5 * * * *", Run: p.components.RefreshTokens},
		{Name: "authorizer.tokens", Title: "刷新小程序令牌", Spec: "*/5 * * * *", Run: p.apps.RefreshTokens},
		{Name: "tickets.expire", Title: "过期授权链接", Spec: "* * * * *", Run: p.apps.ExpireTickets},
		{Name: "notice.watch", Title: "检查第三方平台并通知", Spec: "* * * * *", Run: p.watchComponents},
		{Name: "events.rates", Title: "统计事件数量", Spec: "*/5 * * * *", Run: p.countRates},
		{Name: "prune", Title: "清理过期数据", Spec: "30 3 * * *", Run: p.prune},
	}
	for _, j := range p.plugins.Jobs() {
		list = append(list, schedule.Job{Name: j.Name, Title: j.Title, Spec: j.Spec, Run: j.Run})
	}
	return list
}

// countRates counts the events of the quarters of an hour that have closed, for the 工作台.
func (p *platform) countRates(ctx context.Context) (string, error) {
	n, err := p.events.CountRates(ctx)
	if err != nil {
		return "", err
	}
	_, err = p.events.PruneRates(ctx, p.clk.Now().Add(-30*24*time.Hour))
	return fmt.Sprintf("统计了 %d 个时段", n), err
}

// prune removes what the settings say need not be kept.
func (p *platform) prune(ctx context.Context) (string, error) {
	now := p.clk.Now()
	day := 24 * time.Hour
	var failed []error
	count := func(n int64, err error) int64 {
		failed = append(failed, err)
		return n
	}
	events := count(p.events.Prune(ctx, now.Add(-time.Duration(p.cfg.Events.KeepDays)*day).UnixMilli()))
	entries := count(p.chain.Prune(ctx, now.Add(-time.Duration(p.cfg.Trail.KeepDays)*day)))
	rest := count(p.accounts.Prune(ctx)) + count(p.tokens.Prune(ctx)) + count(p.notices.Prune(ctx, now.Add(-180*day))) + count(p.forwards.Prune(ctx, now.Add(-7*day))) + count(p.jobs.Prune(ctx)) + count(pruned(p.transfers.Prune(ctx))) + count(p.web.Prune(ctx)) + count(p.plugins.Prune(ctx, now.Add(-7*day))) +
		count(p.gateway.Prune(ctx, now.Add(-30*day))) + count(p.apps.PrunePace(ctx, time.Now().Add(-time.Hour)))
	return fmt.Sprintf("事件 %d 条，操作日志 %d 条，其他 %d 条", events, entries, rest), errors.Join(failed...)
}
