package event

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/wechat"
)

// Tones of a summary.
const (
	Neutral = ""
	Good    = "good"
	Bad     = "bad" // somebody has to look at it
)

// Summary is what a push says in one line. It holds no credential and no person's data.
type Summary struct {
	Text string
	Tone string
}

// Summarize reads the outcome off a push whose type is known; the zero Summary for others. Numbers arrive as texts, and
// what is missing is left out: the meaning of some values is unverified (01 J.6), so unknown ones are shown as they are.
func Summarize(p wechat.Push) Summary {
	f := p.Fields
	switch p.Type() {
	case "notify_third_fasteregister", "notify_third_fastregisterbetaapp", "notify_third_fastverifybetaapp":
		return registered(f)
	case "weapp_audit_fail", "weapp_audit_delay":
		return Summary{plainText(f["Reason"]), Bad}
	case "wxa_nickname_audit":
		return judged(f["ret"], f["nickname"], f["reason"])
	case "wxa_category_audit":
		return judged(f["ret"], joined(" ", named("类目", joined("/", f["first"], f["second"]))), f["reason"])
	case "wxa_privacy_apply":
		return judged(f["result_info.status"], f["result_info.api_name"], f["result_info.reason"])
	case "notify_icpfiling_verify_result":
		return judged(f["result"], "", "")
	case "notify_apply_icpfiling_result":
		return Summary{Text: named("备案状态", f["beian_status"])}
	case "notify_3rd_wxa_auth":
		return certified(f)
	case "notify_3rd_wxa_wxverify":
		return Summary{joined("，", named("到期", day(f["expired"])), plainText(f["message"])), Bad}
	case "notify_3rd_wxa_auth_and_icp":
		return procedure(f["procedure_status"])
	case "wxa_illegal_record":
		return Summary{joined("：", plainText(f["rule_name"]), plainText(f["illegal_reason"])), Bad}
	case "wxa_appeal_record":
		return appealed(f)
	case "order_path_apply_result_notify", "order_path_audit_result_notify":
		return Summary{Text: joined("，", named("状态", f["list.status"]), plainText(f["list.reason"]))}
	case "qualification_verify_fail", "naming_verify_fail":
		return Summary{plainText(f["FailReason"]), Bad}
	case "verify_expired", "annual_renew":
		return Summary{named("到期", day(f["ExpiredTime"])), Bad}
	case "trade_manage_remind_access_api", "trade_manage_remind_shipping":
		return Summary{plainText(f["msg"]), Bad}
	default:
		return Summary{}
	}
}

// judged reads ret or status: 2 rejected, 3 passed.
func judged(status, what, reason string) Summary {
	switch status {
	case "3":
		return Summary{joined(" ", what, "通过"), Good}
	case "2":
		return Summary{joined("：", joined(" ", what, "未通过"), plainText(reason)), Bad}
	default:
		return Summary{Text: joined(" ", what, named("状态", status))}
	}
}

// registered reads the end of a registration (01 B.3 to B.5, E.1, E.4).
func registered(f map[string]string) Summary {
	name := f["info.name"]
	switch status := f["status"]; status {
	case "0":
		return Summary{joined(" ", name, "成功"), Good}
	case "89251", "89252":
		return Summary{Text: joined(" ", name, "等待确认")}
	default:
		return Summary{joined(" ", name, "失败", "("+status+")", plainText(f["msg"])), Bad}
	}
}

// certified reads the progress of a certification (01 E.6).
func certified(f map[string]string) Summary {
	switch f["apply_status"] {
	case "3":
		return Summary{joined("：", "认证被打回，需要补充资料", plainText(f["message"])), Bad}
	case "4":
		return Summary{"认证通过", Good}
	case "5":
		return Summary{joined("：", "认证最终失败", plainText(f["message"])), Bad}
	case "1":
		return Summary{"认证等待支付", Bad}
	}
	return Summary{Text: joined("，", named("任务状态", f["task_status"]), named("审核状态", f["apply_status"]))}
}

// procedure reads the progress of certification and filing together (02 D.11).
func procedure(status string) Summary {
	switch status {
	case "19":
		return Summary{"认证通过", Good}
	case "26":
		return Summary{"认证和备案全部完成", Good}
	case "15":
		return Summary{"等待支付认证费用", Bad}
	case "18":
		return Summary{"认证被驳回", Bad}
	case "20":
		return Summary{"认证最终失败", Bad}
	case "21":
		return Summary{"备案单创建失败", Bad}
	case "23":
		return Summary{"备案被平台驳回", Bad}
	case "25":
		return Summary{"备案被管局驳回", Bad}
	default:
		return Summary{Text: named("流程状态", status)}
	}
}

func appealed(f map[string]string) Summary {
	switch f["appeal_status"] {
	case "2":
		return Summary{"申诉通过", Good}
	case "3":
		return Summary{joined("：", "申诉未通过", plainText(f["audit_reason"])), Bad}
	default:
		return Summary{Text: named("申诉状态", f["appeal_status"])}
	}
}

func named(what, value string) string {
	if value == "" {
		return ""
	}
	return what + " " + value
}

// joined joins what is not empty.
func joined(by string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, by)
}

// day writes Unix seconds as a date of WeChat's own time zone.
func day(seconds string) string {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n <= 0 {
		return ""
	}
	return time.Unix(n, 0).In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
}

// plainText takes the tags out of WeChat's HTML fragments.
func plainText(s string) string {
	return strings.Join(strings.Fields(tags().ReplaceAllString(s, " ")), " ")
}

var tags = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<[^<>]*>`) })
