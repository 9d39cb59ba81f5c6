package simulator

import (
	"cmp"
	"fmt"
	"slices"
)

// releaseCheck is one run of WeChat's automated checks before a full-network release (全网发布, 01 C.5): its test accounts
// authorise themselves to a platform, write to it, read what it answers and go away again.
type releaseCheck struct {
	ID        int64         `json:"id"`
	Component string        `json:"component_appid"`
	Group     int           `json:"group"` // 1 to 5; 0 is all five, one after the other
	Scope     string        `json:"scope"` // a release… constant
	State     string        `json:"state"` // running, passed, failed or stopped
	Problem   string        `json:"problem,omitempty"`
	AtMs      int64         `json:"at_ms"` // simulated
	Steps     []releaseStep `json:"steps"`
}

// What a check looks at.
const (
	releaseAll    = "all"    // every account, whatever permission sets the platform has
	releaseBySets = "sets"   // as WeChat does: only what the platform's sets 1 and 19 ask for
	releaseLegacy = "legacy" // all, and the check of an event that older pages of WeChat had
)

// releaseStep is one push to the platform or one call awaited from it.
type releaseStep struct {
	Group    int    `json:"group"`
	Account  string `json:"account_appid"` // "" for the platform's own ticket
	Name     string `json:"name"`
	Wants    string `json:"wants"`
	State    string `json:"state"`              // waiting, running, passed, failed or skipped
	Received string `json:"received,omitempty"` // what the platform answered or sent
	Detail   string `json:"detail,omitempty"`   // what is wrong with it, in Chinese
	PushID   int64  `json:"push_id,omitempty"`  // the push it began with
	TookMs   int64  `json:"took_ms"`            // real

	kind string
}

// Kinds of steps.
const (
	checkTicket    = "ticket"
	checkAuthorize = "authorized"
	checkText      = "text"
	checkEvent     = "event"
	checkQuery     = "query"
	checkMessage   = "message"
	checkEnd       = "unauthorized"
)

const (
	stepSkipped      = "skipped"
	maxReleaseChecks = 20

	setOfficialMessages = 1  // 消息管理
	setService          = 19 // 小程序客服

	releaseWrites  = "TESTCOMPONENT_MSG_TYPE_TEXT"
	releaseAnswers = "TESTCOMPONENT_MSG_TYPE_TEXT_callback"
	releaseAsks    = "QUERY_AUTH_CODE:"
	releaseFromAPI = "_from_api"
	releaseEvent   = "LOCATION"
	releaseAdmin   = "wechat-release-check"
)

// releaseAccount is one of WeChat's public test accounts.
type releaseAccount struct {
	group    int
	appID    string
	userName string
	official bool
}

// releaseAccounts are all ten (01 C.5). Read only.
var releaseAccounts = []releaseAccount{
	{1, "wx570bc396a51b8ff8", "gh_3c884a361561", true}, {1, "wxd101a85aa106f53e", "gh_8dad206e9538", false},
	{2, "wx9252c5e0bb1836fc", "gh_c0f28a78b318", true}, {2, "wxc39235c15087f6f3", "gh_905ae9d01059", false},
	{3, "wx8e1097c5bc82cde9", "gh_3f222ed8d140", true}, {3, "wx7720d01d4b2a4500", "gh_393666f1fdf4", false},
	{4, "wx14550af28c71a144", "gh_26128078e9ab", true}, {4, "wx05d483572dcd5d8b", "gh_39abb5d4e1b7", false},
	{5, "wxa35b9c23cfe664eb", "gh_2b3713f184a6", true}, {5, "wx5910277cae6fd970", "gh_7818dcb60240", false},
}

func (a releaseAccount) title() string {
	if a.official {
		return fmt.Sprintf("第 %d 组 · 公众号", a.group)
	}
	return fmt.Sprintf("第 %d 组 · 小程序", a.group)
}

// releaseTester finds the test account of an appid.
func releaseTester(appID string) (releaseAccount, bool) {
	at := slices.IndexFunc(releaseAccounts, func(a releaseAccount) bool { return a.appID == appID })
	if at < 0 {
		return releaseAccount{}, false
	}
	return releaseAccounts[at], true
}

// adopt makes the account's row, or finds it; it stays for later checks.
func (w *world) adopt(a releaseAccount, now int64) *miniProgram {
	m := w.miniPrograms.get(a.appID)
	if m == nil {
		m = w.newMiniProgram(a.appID, now)
		p := w.person(releaseAdmin)
		p.Name = "微信全网发布检测"
		w.people.put(p.WechatID, p)
		m.Admin = p.WechatID
	}
	m.NickName, m.UserName, m.Official, m.PrincipalName = "全网发布检测 "+a.title(), a.userName, a.official, "深圳市腾讯计算机系统有限公司"
	w.miniPrograms.put(m.AppID, m)
	return m
}

// setsFor is what the account grants: the platform's sets, and the one its messages need.
func (a releaseAccount) setsFor(c *component) []int {
	if a.official {
		return []int{setOfficialMessages}
	}
	return sortedSet(append(slices.Clone(c.PermissionSets), setService))
}

// steps are what a check will do, in its order.
func (r *releaseCheck) plan(c *component) []releaseStep {
	out := []releaseStep{{Name: "推送票据", Wants: "success", kind: checkTicket, State: stepWaits}}
	for _, a := range releaseAccounts {
		if r.Group != 0 && a.group != r.Group {
			continue
		}
		needed, reason := setService, "平台没有申请权限集 19（小程序客服管理），微信不检测"
		if a.official {
			needed, reason = setOfficialMessages, "平台没有申请权限集 1（消息管理），微信不检测"
		}
		skipped := r.Scope == releaseBySets && !slices.Contains(c.PermissionSets, needed)
		for _, s := range a.checks(r.Scope == releaseLegacy) {
			if s.State = stepWaits; skipped {
				s.State, s.Detail = stepSkipped, reason
			}
			out = append(out, s)
		}
	}
	return out
}

// checks are the steps of one account.
func (a releaseAccount) checks(legacy bool) []releaseStep {
	step := func(kind, name, wants string) releaseStep {
		return releaseStep{Group: a.group, Account: a.appID, Name: name, Wants: wants, kind: kind}
	}
	out := []releaseStep{step(checkAuthorize, "检测账号授权（authorized 事件）", "success")}
	if a.official {
		out = append(out, step(checkText, "文本消息 "+releaseWrites, "5 秒内被动回复加密文本 "+releaseAnswers))
		if legacy {
			out = append(out, step(checkEvent, "事件 "+releaseEvent+"（旧版检测）", "5 秒内被动回复加密文本 "+releaseEvent+"from_callback"))
		}
	}
	return append(out,
		step(checkQuery, "文本消息 "+releaseAsks+"授权码", "5 秒内应答空串"),
		step(checkMessage, "换取授权码，并发送客服消息", "调用 api_query_auth，再调用 message/custom/send，内容为 授权码"+releaseFromAPI),
		step(checkEnd, "检测账号取消授权（unauthorized 事件）", "success"))
}

// kindOf restores what a stored step does not carry.
func (s *releaseStep) title() string {
	if a, ok := releaseTester(s.Account); ok {
		return a.title()
	}
	return "平台"
}

// Account's words for the console.
func (s *releaseStep) Title() string { return s.title() }

// releaseRequest starts a check.
type releaseRequest struct {
	Component string `json:"component_appid"`
	Group     int    `json:"group"`        // 0 is all five
	Scope     string `json:"scope"`        // all (default), sets or legacy
	Wait      int    `json:"wait_seconds"` // real seconds for the calls of the platform; 0 is 20
}

func (r releaseRequest) check(w *world) error {
	c := w.components.get(r.Component)
	switch {
	case c == nil:
		return notFound("component_appid", "没有这个第三方平台")
	case c.TicketURL == "" || c.MessageURL == "" || c.Token == "" || c.AESKey == "":
		return conflict("component_appid", "请先为这个平台填写授权事件接收 URL、消息与事件接收 URL、Token 和消息加解密 Key")
	case r.Group < 0 || r.Group > 5:
		return badRequest("group", "组号应在 1 到 5 之间，0 表示全部五组")
	case !slices.Contains([]string{"", releaseAll, releaseBySets, releaseLegacy}, r.Scope):
		return badRequest("scope", "检测范围只能是 all、sets、legacy")
	case r.Wait < 0 || r.Wait > 300:
		return badRequest("wait_seconds", "等待秒数应在 0 到 300 之间")
	}
	return nil
}

func (r releaseRequest) wait() int { return cmp.Or(r.Wait, 20) }
