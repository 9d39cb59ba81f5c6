package component

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// States of a check that came.
const (
	ReleaseDone   = "done"
	ReleaseFailed = "failed"
)

// onceWith sends calls with a token that stands for them alone.
type onceWith struct {
	wx    *wechat.Client
	token string
}

func (o onceWith) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	e, _ := wechat.LookupEndpoint(req.Endpoint) // the typed calls name rows of the table
	return o.wx.Send(ctx, e, o.token, req)
}

// AnswerReleaseCheck does what a push of a test account asks for beyond the answer that the inbox has given: it exchanges
// the code of QUERY_AUTH_CODE and sends the customer-service message, and it keeps what came of the check. The tokens of a
// test account are used this once and never stored. receivedAt is platform time in Unix milliseconds. An error asks for
// another try; what another try cannot mend is kept as failed and gives nil.
func (s *Service) AnswerReleaseCheck(ctx context.Context, component, appid string, p wechat.Push, receivedAt int64) error {
	tester, ok := releaseAccount(appid, p.ToUserName)
	if !ok {
		return fmt.Errorf("component: %s is no test account of WeChat's", appid)
	}
	kind, code := releaseKind(tester, p)
	if kind == "" {
		return nil // stored and shown, nothing to answer
	}
	var failed error
	if kind == ReleaseQuery {
		failed = s.answerQuery(ctx, component, appid, code, p.FromUserName)
	}
	row := map[string]any{
		"component": component, "appid": appid, "kind": kind, "state": ReleaseDone, "detail": "", "received_at": receivedAt, "answered_at": clock.Millis(s.clk.Now()),
	}
	if failed != nil {
		row["state"], row["detail"] = ReleaseFailed, releaseTrouble(failed)
	}
	if err := s.db.Upsert(ctx, "release_check", row, "component", "appid", "kind"); err != nil {
		return errors.Join(failed, fmt.Errorf("component: release check of %s: %w", component, err))
	}
	switch wechat.Code(failed) {
	case wechat.CodeAuthCodeInvalid, wechat.CodeAuthCodeExpired:
		return nil // used up: WeChat sends another one when the check is started again
	}
	return failed
}

// releaseTrouble is what the checklist says about a failure.
func releaseTrouble(err error) string {
	if code := wechat.Code(err); code != 0 {
		return fmt.Sprintf("微信返回错误 %d：%s", code, fault.From(err).Message)
	}
	return "没有连上微信接口，请检查服务器的出口网络"
}

// releaseSends is how often the message is tried: its token stands for this one call, since the code is used up.
const releaseSends = 3

func (s *Service) answerQuery(ctx context.Context, component, appid, code, openid string) error {
	token, err := s.Token(ctx, component)
	if err != nil {
		return err
	}
	started := time.Now()
	g, err := s.wx.QueryAuth(ctx, component, token, code)
	if wechat.TokenRejected(err) {
		if token, err = s.Renew(ctx, component, token); err == nil {
			g, err = s.wx.QueryAuth(ctx, component, token, code)
		}
	}
	s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointQueryAuth, Component: component, AppID: appid, Started: started, Err: err})
	if err != nil {
		return fmt.Errorf("release check of %s: %w", component, err)
	}
	m := wechat.MiniProgram{Transport: onceWith{s.wx, g.AccessToken}, Component: component, AppID: appid}
	for try := 1; ; try++ {
		started = time.Now()
		err = m.SendText(ctx, openid, code+releaseFromAPI)
		s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointServiceSend, Component: component, AppID: appid, Started: started, Err: err})
		if err == nil || try == releaseSends || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("release check of %s: %w", component, err)
	}
	return s.trail.Record(ctx, trail.Entry{Actor: "系统", Office: true, Component: component, AppID: appid, Act: "component.release_check"})
}

// ReleaseCheck is one line of the checklist of a full-network release.
type ReleaseCheck struct {
	Name       string `json:"name"` // ticket, or the kind of check and what kind of account it comes from
	Title      string `json:"title"`
	State      string `json:"state"` // ok, wait, fail
	Message    string `json:"message"`
	AppID      string `json:"appid,omitempty"`       // the test account of the newest check
	ReceivedAt int64  `json:"received_at,omitempty"` // Unix ms, 0 = none yet
	AnsweredAt int64  `json:"answered_at,omitempty"` // Unix ms
}

type releaseRow struct {
	AppID      string `orm:"appid"`
	Kind       string
	State      string
	Detail     string
	ReceivedAt int64
	AnsweredAt int64
}

// ReleaseChecks tells how far WeChat's automated checks of a platform app have come. WeChat starts them when 全网发布 is
// clicked in its console, so a line without a check says that there was none, not that it would fail.
func (s *Service) ReleaseChecks(ctx context.Context, who account.Actor, appid string) ([]ReleaseCheck, error) {
	c, err := s.Get(ctx, who, appid)
	if err != nil {
		return nil, err
	}
	var rows []releaseRow
	if err := s.db.All(ctx, &rows, "SELECT appid, kind, state, detail, received_at, answered_at FROM release_check WHERE component=? ORDER BY received_at DESC, appid", appid); err != nil {
		return nil, fmt.Errorf("component: release checks of %s: %w", appid, err)
	}
	ticket := ReleaseCheck{Name: "ticket", Title: "票据推送", State: "wait", Message: "还没有收到票据", ReceivedAt: c.TicketAt, AnsweredAt: c.TicketAt}
	switch {
	case c.State == StateTicketExpired || c.State == StateTicketLate:
		ticket.State, ticket.Message = "fail", "票据延迟或过期，请先恢复票据推送，再提交全网发布"
	case c.TicketAt > 0:
		ticket.State, ticket.Message = "ok", "收到后回复 success"
	}
	list := []ReleaseCheck{ticket}
	for _, line := range []struct {
		kind, title, wait, done string
		mini                    bool
	}{
		{ReleaseText, "公众号文本消息（权限集：消息管理）", "收到 TESTCOMPONENT_MSG_TYPE_TEXT 时，会在 5 秒内被动回复", "已被动回复 TESTCOMPONENT_MSG_TYPE_TEXT_callback", false},
		{ReleaseQuery, "公众号 QUERY_AUTH_CODE（权限集：消息管理）", "收到 QUERY_AUTH_CODE 时，会换取令牌并发送客服消息", "已换取令牌并发送客服消息", false},
		{ReleaseQuery, "小程序 QUERY_AUTH_CODE（权限集：小程序客服）", "收到 QUERY_AUTH_CODE 时，会换取令牌并发送客服消息", "已换取令牌并发送客服消息", true},
		{ReleaseEvent, "公众号事件（旧版检测）", "收到检测账号的事件时，会被动回复事件名加 from_callback", "已被动回复", false},
	} {
		list = append(list, releaseLine(line.kind, line.title, line.wait, line.done, line.mini, rows))
	}
	return list, nil
}

func releaseLine(kind, title, wait, done string, mini bool, rows []releaseRow) ReleaseCheck {
	line := ReleaseCheck{Name: kind + map[bool]string{true: ".miniprogram", false: ".official"}[mini], Title: title, State: "wait", Message: wait}
	for _, r := range rows {
		tester, ok := releaseAccount(r.AppID, "")
		if !ok || r.Kind != kind || tester.MiniProgram != mini {
			continue
		}
		line.AppID, line.ReceivedAt, line.AnsweredAt = r.AppID, r.ReceivedAt, r.AnsweredAt
		if line.State, line.Message = "ok", done; r.State == ReleaseFailed {
			line.State, line.Message = "fail", strings.TrimSpace(r.Detail)
		}
		break
	}
	return line
}
