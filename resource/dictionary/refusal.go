package dictionary

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MendPrefix is where the acts of ours are reached: MendPrefix + name, with appid and component in the query.
const MendPrefix = "/mend/"

// Refusal is an answer of WeChat as a person or a program outside sees it. ErrCode 0 means that there was no answer.
// It never holds a token, a query or a body.
type Refusal struct {
	ErrCode   int    `json:"errcode" dc:"微信错误码；0 表示没有收到回答"`
	ErrMsg    string `json:"errmsg" dc:"微信的原文，不含 rid"`
	RID       string `json:"rid,omitempty" dc:"微信的 rid，联系微信客服时要用"`
	Endpoint  string `json:"endpoint,omitempty" dc:"接口名，如 code.submit_audit"`
	AppID     string `json:"appid,omitempty" dc:"小程序的 AppID"`
	Component string `json:"component,omitempty" dc:"第三方平台的 AppID"`
	At        int64  `json:"at,omitempty" dc:"时间，毫秒"` // Unix milliseconds, 0 when nobody noted it

	// What the dictionary says. Known is false for a code it does not have: ErrMsg and RID speak for themselves then.
	Known  bool   `json:"known" dc:"词典是否收录了这个错误码"`
	Class  Class  `json:"class,omitempty" dc:"retry 可重试，refresh 更新令牌，wait 等待，user 操作人或小程序管理员处理，merchant 服务商处理，bug 平台的问题，done 无需处理"`
	Reason string `json:"reason" dc:"原因"`
	Todo   string `json:"todo,omitempty" dc:"怎么处理"`
	Who    string `json:"who" dc:"谁来处理"`
	Mend   *Mend  `json:"mend,omitempty" dc:"一键处理"`
}

// Mend is the one click that mends it.
type Mend struct {
	Act   string `json:"act" dc:"操作名"`
	Title string `json:"title" dc:"按钮文字"`
	Href  string `json:"href" dc:"打开的地址；以 /mend/ 开头时会转到能处理的页面"`
}

// Explain fills in what the dictionary says about ErrCode.
func (r Refusal) Explain() Refusal {
	e, ok := Lookup(r.ErrCode)
	switch {
	case ok:
		r.Known, r.Class, r.Reason, r.Todo, r.Who = true, e.Class, e.Reason.ZH, e.Todo.ZH, e.Who.Label()
		r.Mend = r.mend(e.Act)
	case r.ErrCode == 0:
		r.Known, r.Class, r.Reason, r.Todo, r.Who = true, Retry, "没有收到微信的回答", "请稍后刷新查看结果；若持续出现，请平台管理员检查服务器的出口网络", System.Label()
	default:
		r.Known, r.Class, r.Who = false, Bug, Operator.Label()
		r.Reason, r.Todo = "微信返回了尚未收录的错误 "+strconv.Itoa(r.ErrCode), "请复制诊断信息发给平台管理员"
	}
	return r
}

// mend is nil when the act needs what this refusal does not know.
func (r Refusal) mend(name string) *Mend {
	a, ok := LookupAct(name)
	if !ok {
		return nil
	}
	m := &Mend{Act: a.Name, Title: a.Title.ZH, Href: a.Href}
	if a.Href != "" {
		return m
	}
	if a.Needs == "appid" && r.AppID == "" || a.Needs == "component" && r.Component == "" {
		return nil
	}
	q := url.Values{}
	if r.AppID != "" {
		q.Set("appid", r.AppID)
	}
	if r.Component != "" {
		q.Set("component", r.Component)
	}
	m.Href = MendPrefix + a.Name
	if len(q) > 0 {
		m.Href += "?" + q.Encode()
	}
	return m
}

// beijing is the zone of every time on the screens; it has had no summer time since 1991.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

// Diagnosis is the text that 复制诊断信息 puts on the clipboard: what WeChat's support and an administrator ask for.
func (r Refusal) Diagnosis() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	line("errcode", strconv.Itoa(r.ErrCode))
	line("errmsg", oneLine(r.ErrMsg))
	line("rid", r.RID)
	line("endpoint", r.Endpoint)
	line("appid", r.AppID)
	line("component", r.Component)
	if r.At > 0 {
		line("time", time.UnixMilli(r.At).In(beijing).Format("2006-01-02 15:04:05 -0700"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// oneLine keeps foreign text from faking further lines, and its length within reason.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 500 {
		return string(r[:500]) + "…"
	}
	return s
}
