package trail

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"minifleet/app/clock"
	"minifleet/app/wechat"
	"minifleet/resource/dictionary"
)

// Call describes one call to WeChat for the trail: who made it, with what, for which mini program.
type Call struct {
	AccountID, SpaceID int64
	Actor, Plugin      string
	Endpoint           string
	Component, AppID   string
	RID                string
	Started            time.Time // wall time
	Err                error
	Changes            []Change // what the request asked for, without secrets
}

// WeChat records a call. The call has happened whatever becomes of its record, so a failure to write is
// logged here and not returned.
func (l *Log) WeChat(ctx context.Context, c Call) {
	e := Entry{
		AccountID: c.AccountID, SpaceID: c.SpaceID, Actor: c.Actor, Plugin: c.Plugin, Component: c.Component, AppID: c.AppID,
		Act: "wechat." + c.Endpoint, RID: c.RID, DurationMS: time.Since(c.Started).Milliseconds(),
		Changes: c.Changes,
	}
	if e.Actor == "" {
		e.Actor, e.Office = "系统", true
	}
	if c.Err != nil {
		// Token calls do not pass the gateway: here every refusal learns what it was about and when, for whoever shows it.
		c.Err = wechat.Concerning(c.Err, wechat.Request{AppID: c.AppID, Component: c.Component}, clock.Millis(l.clk.Now()))
		e.Outcome, e.Detail = Failed, c.Err.Error()
		var w *wechat.Error
		if errors.As(c.Err, &w) {
			e.ErrCode, e.RID, e.Detail = w.Code, w.RID, w.Message
			l.countUnknown(ctx, w)
		}
		if c.Endpoint == wechat.EndpointLatestAudit && e.ErrCode == wechat.CodeNoAudit {
			// WeChat says "none yet" as an error; to whoever reads the trail nothing has failed.
			e.Outcome, e.Detail = OK, "还没有提交过审核"
		}
	}
	if err := l.Record(context.WithoutCancel(ctx), e); err != nil {
		slog.ErrorContext(ctx, "a WeChat call has no trail record", "endpoint", c.Endpoint, "appid", c.AppID, "rid", e.RID, "error", err)
	}
}

// Refusal is what the dictionary says about WeChat's answer to the act; nil when WeChat refused nothing.
func (e Entry) Refusal() *dictionary.Refusal {
	if e.ErrCode == 0 {
		return nil
	}
	r := dictionary.Refusal{
		ErrCode: e.ErrCode, ErrMsg: e.Detail, RID: e.RID, Endpoint: strings.TrimPrefix(e.Act, "wechat."), AppID: e.AppID, Component: e.Component, At: e.At,
	}.Explain()
	return &r
}
