package version

import (
	"slices"
	"time"

	"minifleet/plugins/sdk"
)

// What a person may do with a mini program's versions. The values are stored as markers and used in addresses.
const (
	actCommit   = "commit"
	actSubmit   = "submit"
	actWithdraw = "withdraw"
	actSpeedUp  = "speedup"
	actRelease  = "release"
	actGray     = "gray"
	actUngray   = "ungray"
	actRollback = "rollback"
)

// setCode is 开发管理与数据分析, which every call of this plugin needs; setBasic is 基本信息管理.
const (
	setCode  = 18
	setBasic = 30
)

// live tells whether an authorisation holds, in the SDK's word or in the core's own.
func live(binding sdk.MiniProgramBinding) bool {
	return binding.State == "authorized" || binding.State == "active"
}

// holder is the 第三方平台 whose live authorisation holds a permission set.
func holder(app sdk.MiniProgramInfo, set int) (component string, held bool) {
	for _, binding := range app.Components {
		if live(binding) && slices.Contains(binding.Sets, set) {
			return binding.Component, true
		}
	}
	return "", false
}

// situation is what decides whether an act is possible now.
type situation struct {
	lane Lane
	app  sdk.MiniProgramInfo
	now  time.Time
}

// rule is one row of the state machine (02 B.0): an act, the right it needs, and the state it needs.
type rule struct {
	act   string
	title string
	scope string
	right string // the scope in words
	// refuse gives the reason why the act is impossible in this state, "" when it is possible.
	refuse func(situation) string
}

// rules is the table that screens, REST and tests share.
func rules() []rule {
	return []rule{
		{actCommit, "上传新版本", "code.commit", "上传代码", func(situation) string { return "" }},
		{actSubmit, "提交审核", "code.audit", "提交审核", refuseSubmit},
		{actWithdraw, "撤回审核", "code.audit", "提交审核", refuseWithdraw},
		{actSpeedUp, "加急审核", "code.audit", "提交审核", refuseSpeedUp},
		{actRelease, "全量发布", "code.release", "发布", refuseRelease},
		{actGray, "灰度发布", "code.release", "发布", refuseGray},
		{actUngray, "终止灰度", "code.release", "发布", refuseUngray},
		{actRollback, "版本回退", "code.rollback", "版本回退", refuseRollback},
	}
}

func ruleOf(act string) (rule, bool) {
	table := rules()
	if at := slices.IndexFunc(table, func(r rule) bool { return r.act == act }); at >= 0 {
		return table[at], true
	}
	return rule{}, false
}

func titleOf(act string) string {
	if found, ok := ruleOf(act); ok {
		return found.title
	}
	return act
}

// reason says why the rule's act is impossible now, "" when it is possible. A doubtful or outdated marker is no
// reason: its outcome is read from WeChat before anything else is sent.
func (r rule) reason(s situation) string {
	if reason := s.unauthorised(); reason != "" {
		return reason
	}
	if !slices.Contains(s.app.Scopes, r.scope) {
		return "没有“" + r.right + "”的授权，请联系小程序所有者授权"
	}
	if s.lane.Marked(s.now) {
		return "正在" + titleOf(s.lane.Pending) + "，请稍候刷新"
	}
	return r.refuse(s)
}

// unauthorised says why nothing at all can be done at WeChat, "" when it can.
func (s situation) unauthorised() string {
	if _, held := holder(s.app, setCode); held {
		return ""
	}
	for _, binding := range s.app.Components {
		if live(binding) {
			return "没有「开发管理与数据分析」权限，请重新授权并勾选"
		}
	}
	return "小程序已取消授权，请重新授权后再操作"
}

func refuseSubmit(s situation) string {
	switch {
	case s.lane.TrialVersion == "" && s.lane.TrialAt == 0:
		return "还没有体验版，请先上传代码"
	case s.lane.InFlight():
		return "已有版本在审核中，请等待结果或先撤回"
	case s.lane.Scan == scanRunning:
		return "代码检测中（约 1 分钟），完成后即可提交审核"
	}
	return ""
}

func refuseWithdraw(s situation) string {
	if !s.lane.InFlight() {
		return "没有正在审核的版本"
	}
	return ""
}

func refuseSpeedUp(s situation) string {
	switch {
	case s.lane.AuditState == auditDelayed:
		return "审核已延后，不能加急"
	case s.lane.AuditState != auditRunning:
		return "没有正在审核的版本"
	case s.lane.Expedited:
		return "已经加急，请等待审核结果"
	}
	return ""
}

func refuseRelease(s situation) string {
	switch {
	case s.lane.AuditState == auditReleased:
		return "审核通过的版本已经发布"
	case s.lane.AuditState != auditPassed:
		return "还没有审核通过的版本"
	}
	return ""
}

func refuseGray(s situation) string {
	switch {
	case refuseRelease(s) != "":
		return refuseRelease(s)
	case s.lane.OnlineAt == 0 && s.lane.OnlineVersion == "":
		return "还没有线上版本，首次发布请使用全量发布"
	}
	return ""
}

func refuseUngray(s situation) string {
	if !s.lane.GrayOn() {
		return "没有进行中的灰度发布"
	}
	return ""
}

func refuseRollback(s situation) string {
	switch {
	case s.lane.OnlineAt == 0 && s.lane.OnlineVersion == "":
		return "还没有线上版本"
	case s.lane.GrayOn():
		return "灰度发布中不可回退，请先终止灰度"
	}
	return ""
}
