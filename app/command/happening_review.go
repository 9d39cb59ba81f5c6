package command

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/wechat"
)

// reviews are the pushes about an account itself that a person may have to act on (01 B.3 to B.6, C.2, C.3).
func reviews() []string {
	return []string{
		"notify_third_fasteregister", "notify_third_fastregisterbetaapp", "notify_third_fastverifybetaapp",
		"wxa_nickname_audit", "wxa_category_audit", "wxa_privacy_apply", "notify_3rd_wxa_auth", "notify_3rd_wxa_auth_and_icp", "notify_3rd_wxa_wxverify",
		"notify_icpfiling_verify_result", "notify_apply_icpfiling_result", "qualification_verify_success", "qualification_verify_fail", "naming_verify_success", "naming_verify_fail", "verify_expired", "annual_renew",
		"wxa_illegal_record", "wxa_appeal_record", "trade_manage_remind_access_api", "trade_manage_remind_shipping",
	}
}

// reviewEvent is which notice a review becomes, "" for progress that nobody needs to be told.
func reviewEvent(typ, tone string) string {
	switch {
	case strings.HasPrefix(typ, "notify_third_fast"):
		return map[string]string{event.Good: notice.Registered, event.Bad: notice.RegisterFailed}[tone]
	case typ == "notify_3rd_wxa_wxverify" || typ == "verify_expired" || typ == "annual_renew":
		return notice.CertificationDue
	case typ == "wxa_illegal_record" || typ == "wxa_appeal_record":
		return notice.Violation
	case strings.HasPrefix(typ, "trade_manage_remind_"):
		return notice.TradeReminder
	case typ == "qualification_verify_success" || typ == "naming_verify_success":
		return notice.ReviewPassed
	case typ == "notify_apply_icpfiling_result": // its numbers are not told by WeChat's pages: a person has to look
		return notice.ReviewRejected
	default:
		return map[string]string{event.Good: notice.ReviewPassed, event.Bad: notice.ReviewRejected}[tone]
	}
}

// onReview tells the owner of the mini program and the merchant of the platform app how a review of the account ended.
// A registration that failed has no mini program yet: then it is the merchant's news alone.
func (p *platform) onReview(ctx context.Context, e event.Event) error {
	push, err := e.Push()
	if err != nil {
		return err
	}
	said := event.Summarize(push)
	kind := reviewEvent(e.Type, said.Tone)
	if kind == "" {
		return nil
	}
	merchant, err := p.components.SpaceOf(ctx, e.Component)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	m, err := p.apps.Find(ctx, e.AppID)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if !m.AuthorizedTo(e.Component) {
		// Whoever has bound a platform app can sign a push about anybody's mini program: it is told to themselves alone, and
		// says nothing that they did not know.
		m = miniprogram.MiniProgram{}
	}
	msg := reviewNews(e, push, said, m)
	msg.Event = kind
	return p.db.Tx(ctx, func(ctx context.Context) error {
		for _, space := range []int64{m.OwnerSpaceID, merchant} {
			if space == 0 || space == merchant && merchant == m.OwnerSpaceID && msg.SpaceID == space {
				continue
			}
			msg.SpaceID, msg.Link = space, "/admin/miniprograms"
			if space == m.OwnerSpaceID {
				msg.Link = "/my/miniprograms/" + m.AppID
			}
			if err := p.notices.Send(ctx, msg); err != nil {
				return err
			}
		}
		return nil
	})
}

// reviewNews is what a review says to people.
func reviewNews(e event.Event, push wechat.Push, said event.Summary, m miniprogram.MiniProgram) notice.Message {
	name := cmp.Or(m.NickName, push.Fields["info.name"], e.AppID)
	msg := notice.Message{AppID: e.AppID, Title: "「" + name + "」" + event.TitleOf(e.Type)}
	var lines []string
	if e.AppID != "" {
		lines = append(lines, "AppID "+e.AppID)
	}
	if said.Text != "" {
		lines = append(lines, fmt.Sprintf("结果：%s", said.Text))
	}
	msg.Text = strings.Join(lines, "\n")
	return msg
}
