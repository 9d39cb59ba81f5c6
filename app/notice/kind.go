package notice

import (
	"slices"

	"minifleet/app/account"
)

// The ways out. 站内 is no channel that can fail: it is the notice itself.
const (
	ChannelSite    = "site"
	ChannelMail    = "mail"
	ChannelWebhook = "webhook"
)

// Events of the catalogue.
const (
	TicketLate        = "component.ticket_late"
	TokenFailing      = "component.token_failing"
	ComponentOK       = "component.recovered"
	Authorized        = "miniprogram.authorized"
	Unauthorized      = "miniprogram.unauthorized"
	AuditPassed       = "audit.passed"
	AuditRejected     = "audit.rejected"
	AuditDelayed      = "audit.delayed"
	Registered        = "registration.passed"
	RegisterFailed    = "registration.failed"
	ReviewPassed      = "account.review_passed"
	ReviewRejected    = "account.review_rejected"
	CertificationDue  = "account.certification_due"
	Violation         = "account.violation"
	AccountStatus     = "account.status_changed"
	TradeReminder     = "trade.reminder"
	ForwardPaused     = "forward.paused"
	InstallFinished   = "install.finished"
	InstallFailed     = "install.failed"
	BatchFinished     = "batch.finished"
	QuotaLow          = "quota.low"
	CallsPaused       = "component.calls_paused"
	ApplicationSent   = "application.submitted"
	ApplicationPassed = "application.approved"
	ApplicationDenied = "application.rejected"
	Invitation        = "space.invitation"
	MemberChanged     = "space.member_changed"
	NewDevice         = "account.new_device"
	SecurityChanged   = "account.security_changed"
	TransferReady     = "transfer.finished"
	WebhookDisabled   = "webhook.disabled"
	PluginSubmitted   = "plugin.submitted"
	PluginDecided     = "plugin.decided"
	PluginRefused     = "plugin.refused"
	TestNotice        = "notice.test"
	ExtensionStopped  = "extension.stopped"
)

// Kind is one event of the catalogue: who may hear of it, and how they do unless they chose otherwise.
type Kind struct {
	Event string `json:"event"`
	Group string `json:"group"` // heading of the settings, Chinese
	Title string `json:"title"` // Chinese
	// Permission is what a member needs to hear of it when no accounts are named; "" means every member.
	Permission string `json:"-"`
	// Spaces are the kinds of space it happens in; empty means all.
	Spaces []account.Kind `json:"-"`
	// Named is news that is also told to accounts by name, whatever their role holds: each may choose how to hear of it.
	Named bool `json:"-"`
	// Mail is the default of e-mail; 站内 is always on by default.
	Mail bool `json:"-"`
	// Forced ways cannot be switched off: a login from a new device must be heard of.
	Forced bool `json:"forced"`
	// Personal news are nobody's but the named accounts': no webhook is told.
	Personal bool `json:"-"`
}

var (
	both      = []account.Kind{account.Merchant, account.Personal}
	merchants = []account.Kind{account.Merchant}
	platform  = []account.Kind{account.Platform}
)

// kinds is the catalogue, in the order of the settings.
func kinds() []Kind {
	return []Kind{
		{Event: TicketLate, Group: "第三方平台", Title: "票据推送延迟", Permission: "component.read", Spaces: merchants, Mail: true},
		{Event: TokenFailing, Group: "第三方平台", Title: "令牌刷新失败", Permission: "component.read", Spaces: merchants, Mail: true},
		{Event: ComponentOK, Group: "第三方平台", Title: "第三方平台恢复正常", Permission: "component.read", Spaces: merchants},
		{Event: QuotaLow, Group: "第三方平台", Title: "额度不足", Permission: "component.read", Spaces: merchants, Mail: true},
		{Event: CallsPaused, Group: "第三方平台", Title: "微信限制了接口调用", Permission: "component.read", Spaces: merchants, Mail: true},
		{Event: Authorized, Group: "小程序", Title: "小程序授权成功", Permission: "miniprogram.read", Spaces: both},
		{Event: Unauthorized, Group: "小程序", Title: "小程序取消授权", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: Registered, Group: "小程序", Title: "小程序注册成功", Permission: "miniprogram.read", Spaces: both},
		{Event: RegisterFailed, Group: "小程序", Title: "小程序注册失败", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: ReviewPassed, Group: "小程序", Title: "名称、类目、认证或备案通过", Permission: "miniprogram.read", Spaces: both},
		{Event: ReviewRejected, Group: "小程序", Title: "名称、类目、认证或备案未通过", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: CertificationDue, Group: "小程序", Title: "微信认证到期提醒", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: Violation, Group: "小程序", Title: "小程序违规和申诉", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: AccountStatus, Group: "小程序", Title: "小程序被冻结、封禁或恢复", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: TradeReminder, Group: "小程序", Title: "发货和交易提醒", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: AuditPassed, Group: "版本与发布", Title: "审核通过", Permission: "version.operate", Spaces: both},
		{Event: AuditRejected, Group: "版本与发布", Title: "审核驳回", Permission: "version.operate", Spaces: both, Mail: true},
		{Event: AuditDelayed, Group: "版本与发布", Title: "审核延后", Permission: "version.operate", Spaces: both},
		{Event: InstallFinished, Group: "版本与发布", Title: "安装完成", Permission: "miniprogram.read", Spaces: both},
		{Event: InstallFailed, Group: "版本与发布", Title: "安装失败", Permission: "miniprogram.read", Spaces: both, Mail: true},
		{Event: BatchFinished, Group: "版本与发布", Title: "批量任务结束", Permission: "version.operate", Mail: true, Named: true},
		{Event: ApplicationSent, Group: "成员与空间", Title: "商户入驻待审核", Permission: "space.application", Spaces: platform, Mail: true},
		{Event: ApplicationPassed, Group: "成员与空间", Title: "入驻审核通过", Mail: true},
		{Event: ApplicationDenied, Group: "成员与空间", Title: "入驻审核驳回", Mail: true},
		{Event: Invitation, Group: "成员与空间", Title: "邀请加入空间", Personal: true, Forced: true}, // its letter goes out by itself
		{Event: MemberChanged, Group: "成员与空间", Title: "成员和角色变动", Permission: "space.member"},
		{Event: NewDevice, Group: "账号安全", Title: "新设备登录", Mail: true, Forced: true, Personal: true},
		{Event: SecurityChanged, Group: "账号安全", Title: "密码或两步验证变更", Mail: true, Forced: true, Personal: true},
		{Event: TransferReady, Group: "系统", Title: "导出或导入完成", Personal: true},
		{Event: WebhookDisabled, Group: "系统", Title: "Webhook 已自动停用", Permission: "space.webhook", Mail: true},
		{Event: ForwardPaused, Group: "系统", Title: "消息转发已自动暂停", Permission: "component.forward", Spaces: merchants, Mail: true},
		{Event: ExtensionStopped, Group: "系统", Title: "扩展已停用", Permission: "space.extension", Mail: true},
		{Event: PluginSubmitted, Group: "系统", Title: "插件等待审批", Permission: "plugin.approve", Spaces: platform, Mail: true},
		{Event: PluginRefused, Group: "系统", Title: "获批的插件没有上架", Permission: "plugin.read", Spaces: platform, Mail: true},
		{Event: PluginDecided, Group: "系统", Title: "插件审批结果", Permission: "space.plugin", Spaces: merchants, Mail: true},
		{Event: TestNotice, Group: "系统", Title: "测试消息"},
	}
}

func kindOf(event string) (Kind, bool) {
	for _, k := range kinds() {
		if k.Event == event {
			return k, true
		}
	}
	return Kind{}, false
}

// TitleOf is the event's name on screens; an unknown one stands for itself.
func TitleOf(event string) string {
	if k, ok := kindOf(event); ok {
		return k.Title
	}
	return event
}

// Kinds lists what a member of such a space can hear of.
func Kinds(space account.Kind) []Kind {
	return slices.DeleteFunc(kinds(), func(k Kind) bool { return len(k.Spaces) > 0 && !slices.Contains(k.Spaces, space) })
}

// HookKinds lists what a webhook of such a space can be told.
func HookKinds(space account.Kind) []Kind {
	return slices.DeleteFunc(Kinds(space), func(k Kind) bool { return k.Personal })
}
