package command

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// onStanding tells the merchant that a quota of the month is used up, once a month and again when it was raised in
// between; and that WeChat limits an endpoint for long, once a day for each endpoint of a platform app, however many mini
// programs and calls run into it.
func (p *platform) onStanding(ctx context.Context, s gateway.Standing) error {
	now := p.clk.Now().In(time.FixedZone("CST", 8*3600))
	subject, state := "quota:"+s.About+":"+s.Component, "used:"+now.Format("2006-01")
	if s.About == gateway.StandingPause {
		subject, state = "pause:"+s.Component+"|"+s.Endpoint, now.Format(time.DateOnly)
		subject = subject[:min(len(subject), 120)]
	}
	if !s.Bad {
		state = ""
	}
	return p.notices.Once(ctx, subject, state, func(ctx context.Context) error {
		if !s.Bad {
			return nil
		}
		c, err := p.components.SpaceOf(ctx, s.Component)
		if fault.KindOf(err) == fault.NotFound {
			return nil // nobody is left to tell
		}
		if err != nil {
			return err
		}
		msg := standingNews(s)
		msg.SpaceID = c
		return p.notices.Send(ctx, msg)
	})
}

// standingNews is what such a state says to the merchant.
func standingNews(s gateway.Standing) notice.Message {
	switch s.About {
	case gateway.StandingAudit, gateway.StandingSpeedUp:
		what := map[string]string{gateway.StandingAudit: "提审额度", gateway.StandingSpeedUp: "加急次数"}[s.About]
		return notice.Message{
			Event: notice.QuotaLow, Title: "本月" + what + "已用完", Link: "/admin/p/version/drafts?component=" + url.QueryEscape(s.Component),
			Text: fmt.Sprintf("第三方平台 %s。下个月 1 日恢复，也可以在“小程序服务商助手”申请临时额度。", s.Component),
		}
	default:
		text := fmt.Sprintf("第三方平台 %s，微信返回错误 %d，平台先暂停调用，到 %s 再试。", s.Component, s.Code, s.Until.In(time.FixedZone("CST", 8*3600)).Format(time.DateTime))
		if s.AppID != "" {
			text += fmt.Sprintf("\nAppID %s", s.AppID)
		}
		if e, known := wechat.Explain(s.Code); known {
			text += "\n原因：" + e.Reason + "\n处理：" + e.Action
		}
		return notice.Message{
			Event: notice.CallsPaused, AppID: s.AppID, Title: "微信限制了接口「" + trail.Title("wechat."+s.Endpoint) + "」的调用", Link: "/admin/components/" + s.Component, Text: text,
		}
	}
}

// statusNews is what a change of an account says, and what to do; "" for a state that nobody knows.
func statusNews(n miniprogram.StatusNews) (what, reason string) {
	switch n.After {
	case miniprogram.StatusNormal:
		return "账号已恢复正常", ""
	case miniprogram.StatusCancelled:
		return "账号已注销", ""
	case miniprogram.StatusBanned:
		return "账号已被封禁", "微信封禁了这个小程序，用户不能再使用。请小程序管理员登录微信公众平台查看通知并申诉"
	case miniprogram.StatusWarned:
		return "账号被告警", "微信对这个小程序发出了告警。请小程序管理员登录微信公众平台查看通知，并在期限内整改"
	case miniprogram.StatusFrozen:
		return "账号已被冻结", "微信冻结了这个小程序。请小程序管理员登录微信公众平台查看通知并处理"
	default:
		return "", ""
	}
}
