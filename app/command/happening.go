package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
)

// This file turns what the event log and the rooms know into news for people.

// happenings are the types of events that somebody wants to hear of.
func happenings() []string {
	return append(reviews(), miniprogram.StatusChanged, "miniprogram.authorized", "miniprogram.unauthorized", "weapp_audit_success", "weapp_audit_fail", "weapp_audit_delay", "market.installation.finished", "market.installation.failed", "version.quota_low")
}

// onHappening tells the owner of the mini program and the merchant of the platform app. It may come twice for one event
// after a crash: then it is told twice.
func (p *platform) onHappening(ctx context.Context, e event.Event) error {
	if e.Type == "version.quota_low" {
		return p.onQuotaLow(ctx, e)
	}
	if slices.Contains(reviews(), e.Type) {
		return p.onReview(ctx, e)
	}
	if strings.HasPrefix(e.Type, "miniprogram.") && e.Source != event.SourceCore {
		return nil // whatever a plugin is called: these are told by the house alone
	}
	m, err := p.apps.Find(ctx, e.AppID)
	if fault.KindOf(err) == fault.NotFound {
		return nil // unauthorised and forgotten meanwhile: nobody is left to tell
	}
	if err != nil {
		return err
	}
	msg, err := p.news(e, m)
	if err != nil {
		return err
	}
	spaces := []int64{m.OwnerSpaceID}
	merchant, err := p.components.SpaceOf(ctx, e.Component)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	installation := strings.HasPrefix(e.Type, "market.installation.")
	if installation {
		merchant = e.SpaceID // whose template it is, whatever platform app it goes through
	}
	if merchant != m.OwnerSpaceID {
		spaces = append(spaces, merchant)
	}
	return p.db.Tx(ctx, func(ctx context.Context) error {
		for _, space := range spaces {
			if space == 0 {
				continue
			}
			msg.SpaceID = space
			switch mine := space == m.OwnerSpaceID; {
			case mine && e.Type == "market.installation.failed":
				msg.Link = "/p/market/installations/" + url.PathEscape(e.Subject)
			case mine:
				msg.Link = "/my/miniprograms/" + m.AppID
			case installation:
				msg.Link = "/admin/info/market_installations?appid=" + m.AppID
			default:
				msg.Link = "/admin/miniprograms"
			}
			if err := p.notices.Send(ctx, msg); err != nil {
				return err
			}
		}
		return nil
	})
}

// news is what an event says to people.
func (p *platform) news(e event.Event, m miniprogram.MiniProgram) (notice.Message, error) {
	name := cmp.Or(m.NickName, m.AppID)
	msg := notice.Message{AppID: m.AppID, Text: "AppID " + m.AppID}
	reason := ""
	if e.Source == event.SourceWeChat {
		push, err := e.Push()
		if err != nil {
			return msg, fmt.Errorf("notice of %s: %w", e.Type, err)
		}
		reason = cmp.Or(push.Fields["Reason"], push.Fields["reason"])
	}
	switch e.Type {
	case "miniprogram.authorized":
		msg.Event, msg.Title = notice.Authorized, "「"+name+"」已授权"
	case "miniprogram.unauthorized":
		msg.Event, msg.Title = notice.Unauthorized, "「"+name+"」已取消授权"
	case miniprogram.StatusChanged:
		var news miniprogram.StatusNews
		if err := json.Unmarshal(e.Payload, &news); err != nil {
			return msg, fmt.Errorf("notice of %s: %w", e.Type, err)
		}
		var what string
		if what, reason = statusNews(news); what == "" {
			return msg, fmt.Errorf("notice of %s: status %d", e.Type, news.After)
		}
		msg.Event, msg.Title = notice.AccountStatus, "「"+name+"」"+what
	case "weapp_audit_success":
		msg.Event, msg.Title = notice.AuditPassed, "「"+name+"」审核通过，可以发布"
	case "weapp_audit_fail":
		msg.Event, msg.Title = notice.AuditRejected, "「"+name+"」审核被驳回"
	case "weapp_audit_delay":
		msg.Event, msg.Title = notice.AuditDelayed, "「"+name+"」审核延后"
	case "market.installation.finished":
		msg.Event, msg.Title = notice.InstallFinished, "「"+name+"」模板安装完成"
	case "market.installation.failed":
		var failed struct{ Title, Reason, Remedy string }
		if err := json.Unmarshal(e.Payload, &failed); err != nil {
			return msg, fmt.Errorf("notice of %s: %w", e.Type, err)
		}
		msg.Event, msg.Title, reason = notice.InstallFailed, "「"+name+"」安装模板「"+failed.Title+"」失败", failed.Reason
		if failed.Remedy != "" {
			reason += "\n处理：" + failed.Remedy
		}
	default:
		return msg, fmt.Errorf("no news of %s", e.Type)
	}
	if reason != "" {
		msg.Text += "\n原因：" + reason
	}
	return msg, nil
}

// onQuotaLow tells the merchant that a quota of the month is nearly used up.
func (p *platform) onQuotaLow(ctx context.Context, e event.Event) error {
	var low struct {
		Quota       string
		Rest, Limit int64
	}
	if err := json.Unmarshal(e.Payload, &low); err != nil {
		return fmt.Errorf("notice of %s: %w", e.Type, err)
	}
	what := map[string]string{"audit": "提审额度", "speedup": "加急次数"}[low.Quota]
	if what == "" || e.SpaceID == 0 {
		return fmt.Errorf("notice of %s: quota %q of space %d", e.Type, low.Quota, e.SpaceID)
	}
	return p.notices.Send(ctx, notice.Message{
		Event: notice.QuotaLow, SpaceID: e.SpaceID, Title: fmt.Sprintf("本月%s不足：剩余 %d 次", what, low.Rest), Link: "/admin/p/version/drafts?component=" + url.QueryEscape(e.Component),
		Text: fmt.Sprintf("第三方平台 %s，本月共 %d 次，剩余 %d 次。下个月 1 日恢复。", e.Component, low.Limit, low.Rest),
	})
}

// onBatchEnd tells the member who began it how an act on many rows ended: one message for the whole batch. A batch that
// is done is not undone because its message cannot be sent.
func (p *platform) onBatchEnd(ctx context.Context, who account.Actor, b admin.BatchEnd) {
	msg := notice.Message{
		Event: notice.BatchFinished, SpaceID: who.SpaceID, AccountIDs: []int64{who.AccountID}, Link: b.Link,
		Title: fmt.Sprintf("批量「%s」已结束：成功 %d 条", b.Act, b.Done), Text: "列表：" + b.List,
	}
	if b.Left > 0 {
		msg.Title, msg.Text = fmt.Sprintf("批量「%s」中断：成功 %d 条，未执行 %d 条", b.Act, b.Done, b.Left), msg.Text+"\n原因："+b.Reason
	}
	if len(msg.Link) > notice.LinkMost {
		msg.Link, _, _ = strings.Cut(msg.Link, "?")
	}
	if err := p.notices.Send(ctx, msg); err != nil {
		p.log.ErrorContext(ctx, "the end of a batch could not be told", "error", err)
	}
}

// onNewDevice tells a person that somebody, perhaps they, logged in where they had not before.
func (p *platform) onNewDevice(ctx context.Context, who account.Actor, ip, userAgent string) error {
	return p.notices.Send(ctx, notice.Message{
		Event: notice.NewDevice, SpaceID: who.SpaceID, AccountIDs: []int64{who.AccountID}, Title: "新设备登录", Link: "/my/security",
		Text: fmt.Sprintf("时间 %s，IP %s，设备 %s。如果不是你本人，请立即修改密码并退出其他登录。", time.Now().In(time.FixedZone("CST", 8*3600)).Format(time.DateTime), cmp.Or(ip, "未知"), cmp.Or(userAgent, "未知")),
	})
}

// watchComponents looks how the platform apps fare and tells of every change for the worse, and of the recovery.
func (p *platform) watchComponents(ctx context.Context) (string, error) {
	list, err := p.components.List(ctx, account.Actor{AccountID: -1, SpaceKind: account.Platform})
	if err != nil {
		return "", err
	}
	var failed []error
	changed := 0
	for _, c := range list {
		failed = append(failed, p.notices.Turn(ctx, "component:"+c.AppID, troubleOf(c.State), func(ctx context.Context, before string) error {
			changed++
			return p.notices.Send(ctx, componentNews(c, before))
		}))
	}
	return fmt.Sprintf("%d 个第三方平台，%d 个有变化", len(list), changed), errors.Join(failed...)
}

// troubleOf is what is wrong with a platform app in such a state; "" is nothing. One that waits for its first ticket has
// only just been bound.
func troubleOf(state string) string {
	switch state {
	case component.StateTicketLate, component.StateTicketExpired, component.StateTokenFailing:
		return state
	default:
		return ""
	}
}

func componentNews(c component.Component, before string) notice.Message {
	name := cmp.Or(c.Name, c.AppID)
	m := notice.Message{SpaceID: c.SpaceID, Link: "/admin/components/" + c.AppID}
	switch troubleOf(c.State) {
	case component.StateTicketLate:
		m.Event, m.Title, m.Text = notice.TicketLate, "「"+name+"」票据推送延迟", "超过 30 分钟没有收到微信推送的票据，请检查授权事件接收 URL。"
	case component.StateTicketExpired:
		m.Event, m.Title, m.Text = notice.TicketLate, "「"+name+"」票据已过期", "超过 12 小时没有收到微信推送的票据，令牌即将失效，请立即检查授权事件接收 URL 或启动推送。"
	case component.StateTokenFailing:
		m.Event, m.Title, m.Text = notice.TokenFailing, "「"+name+"」令牌刷新失败", c.LastError
	default:
		m.Event, m.Title, m.Text = notice.ComponentOK, "「"+name+"」已恢复正常", map[string]string{component.StateTokenFailing: "令牌刷新恢复。"}[before]
	}
	return m
}
