package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

func TestALongPauseIsToldAndAShortOneIsNot(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	var told []gateway.Standing
	wall := time.Now()
	o := h.options(gateway.Limits{})
	o.Wall = func() time.Time { return wall }
	o.Changed = func(_ context.Context, s gateway.Standing) error { told = append(told, s); return nil }
	h.door = gateway.New(o)
	call := func(code, times int) {
		t.Helper()
		h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "errcode": code, "times": times})
		for range times {
			if _, err := h.as(authtest.User(1)).VersionInfo(ctx); wechat.Code(err) != code {
				t.Fatalf("%d: %v", code, err)
			}
			wall = wall.Add(2 * time.Hour)
		}
	}
	call(wechat.CodeMinuteLimit, 4) // rests a minute at most
	call(wechat.CodeDailyLimit, 2)  // a minute, four minutes
	if len(told) != 0 {
		t.Fatalf("told too early: %+v", told)
	}
	before := wall
	call(wechat.CodeDailyLimit, 1)
	want := gateway.Standing{About: gateway.StandingPause, Component: authtest.PlatformID, AppID: authtest.ShopID, Endpoint: wechat.EndpointVersionInfo, Code: wechat.CodeDailyLimit, Bad: true, Until: before.Add(16 * time.Minute)}
	if len(told) != 1 || told[0] != want {
		t.Fatalf("%+v, want %+v", told, want)
	}
}

func TestAQuotaThatIsUsedUpIsTold(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	var told []gateway.Standing
	o := h.options(gateway.Limits{})
	failed := errors.New("nobody listens")
	o.Changed = func(_ context.Context, s gateway.Standing) error { told = append(told, s); return failed }
	h.door = gateway.New(o)
	owner := h.as(authtest.User(1))
	h.Control("/control/faults", map[string]any{"path": "/wxa/submit_audit", "errcode": wechat.CodeAuditQuotaUsed, "times": 1})
	if _, err := owner.SubmitAudit(ctx, wechat.Submit{}); wechat.Code(err) != wechat.CodeAuditQuotaUsed {
		t.Fatalf("a message that was not told must not change the answer: %v", err)
	}
	if len(told) != 1 || told[0] != (gateway.Standing{About: gateway.StandingAudit, Component: authtest.PlatformID, Bad: true}) {
		t.Fatalf("%+v", told)
	}
	// A reading tells of both quotas how they stand.
	told = nil
	h.Control("/control/components", map[string]any{"appid": authtest.PlatformID, "audit_quota": 20, "audit_used": 20})
	if _, err := owner.Quota(ctx); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[0].About != gateway.StandingAudit || !told[0].Bad || told[1].About != gateway.StandingSpeedUp || told[1].Bad {
		t.Fatalf("%+v", told)
	}
}

// A refusal by the circuit costs nothing of the budget: else a WeChat that is away for a minute would leave none for the
// next.
func TestWhatTheCircuitRefusesIsNotCounted(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	o := h.options(gateway.Limits{ComponentPerMinute: 40, AppPerMinute: 40})
	wall := time.Now()
	o.Wall = func() time.Time { return wall }
	h.door = gateway.New(o)
	h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "drop": true, "times": 5})
	for n := range 60 {
		_, err := h.as(authtest.User(1)).VersionInfo(ctx)
		if n >= 5 && fault.From(err).Code != "wechat_circuit" {
			t.Fatalf("call %d, while WeChat is away: %v", n, err)
		}
	}
	wall = wall.Add(11 * time.Second)
	if _, err := h.as(authtest.User(1)).VersionInfo(ctx); err != nil {
		t.Fatalf("WeChat is back: %v", err)
	}
}
