package simulator

import (
	"maps"
	"slices"
)

// rules are the answers to questions WeChat's documents leave open or answer in two ways, and limits a test wants to
// turn. They are keys of /control/settings like the other settings.
type rules struct {
	RegisterSets         []int  `json:"register_sets"`          // permission sets a platform needs to register (89254, 61029) and gets afterwards
	RegisterPerDay       int    `json:"register_per_day"`       // registrations per WeChat id and day (91030)
	RegisterUnknown      string `json:"register_unknown"`       // a WeChat id nobody has: create that person, or refuse it (86004)
	RegisterCheckSeconds int64  `json:"register_check_seconds"` // what the register of companies takes after the face check
	PersonalEvents       string `json:"personal_events"`        // what personal registration pushes: both, notify or authorized
	ProgramsPerPerson    int    `json:"programs_per_person"`    // mini programs one administrator may have (1003)
	TrialDays            int    `json:"trial_days"`             // life of a 试用小程序 that is not converted
	TrialEvent           string `json:"trial_event"`            // betaapp events go to the ticket or the message address
	TrialSuffix          string `json:"trial_suffix"`           // what WeChat puts behind the name of a 试用小程序

	ReviewSeconds       int64  `json:"review_seconds"`        // until a review passes by itself; 0 waits for the review desk
	NicknameReview      string `json:"nickname_review"`       // which names are reviewed: keyword, always or never
	NicknameOwnOnly     bool   `json:"nickname_own_only"`     // only mini programs made by the registration interfaces may rename (91001)
	NicknameEvent       string `json:"nickname_event"`        // wxa_nickname_audit goes to the message or the ticket address
	NicknameChecks      int    `json:"nickname_checks"`       // checkwxverifynickname per mini program and minute (53011)
	ProfileEdits        int    `json:"profile_edits"`         // avatar and intro changes per month each (53202, 53200)
	CategoryEdits       int    `json:"category_edits"`        // category changes per month (53300)
	CategoryLimit       int    `json:"category_limit"`        // categories of one mini program (53301)
	RetiredCategories   []int  `json:"retired_categories"`    // second level ids WeChat took away (85077, 53303)
	CategoryReview      string `json:"category_review"`       // which categories are reviewed: sensitive, always or never
	DomainEdits         int    `json:"domain_edits"`          // domain changes per mini program and month (86102)
	WebviewLimit        int    `json:"webview_limit"`         // business domains of one mini program: 100 and 300 are both documented (89029)
	JumpDomainLimit     int    `json:"jump_domain_limit"`     // business domains of a platform: 200 and 300 are both documented
	StoreExpireErrcode  int    `json:"store_expire_errcode"`  // 86072, or 87072 as one comment writes it
	NoAuditErrcode      int    `json:"no_audit_errcode"`      // latest audit when there was none: 85058 or 86001
	ReleaseICPErrcode   int    `json:"release_icp_errcode"`   // release without ICP filing is refused with this; 0 lets it pass
	JumpRuleLimit       int    `json:"jump_rule_limit"`       // jump rules of one mini program (85073)
	LinksPerDay         int    `json:"links_per_day"`         // schemes and url links per day (44993)
	CodesTotal          int    `json:"codes_total"`           // getwxacode and createwxaqrcode together, ever (45029)
	CodesPerMinute      int    `json:"codes_per_minute"`      // getwxacodeunlimit (45009)
	OptionToken         string `json:"option_token"`          // token of the authorizer options: component, authorizer or any
	QuotaPathErrcode    int    `json:"quota_path_errcode"`    // quota/get with a wrong path: 76003 or 76021
	DailyLimit          int    `json:"daily_limit"`           // calls per account, interface and day (45009); 0 has no limit
	OpenAccountPrograms int    `json:"open_account_programs"` // accounts one open account binds (89004)
	PluginLimit         int    `json:"plugin_limit"`          // plugins of one mini program (89238)
	OperationSeconds    int64  `json:"operation_seconds"`     // simulated seconds a commit or submit keeps the mini program busy (9402202)
	DevelopmentLive     string `json:"development_live"`      // new development mini programs of a platform with set 52: off, or on (live enabled, 9400001)
	ServiceReplies      int    `json:"service_replies"`       // customer-service messages after one message of a user (45047)
}

func defaultRules() rules {
	return rules{RegisterSets: []int{17, 18, 25, 30, 40}, RegisterPerDay: 5, RegisterUnknown: "create", PersonalEvents: "both",
		ProgramsPerPerson: 5, TrialDays: 14, TrialEvent: "ticket", TrialSuffix: "的体验小程序", NicknameReview: "keyword", NicknameEvent: "message",
		NicknameChecks: 30, ProfileEdits: 5, CategoryEdits: 5, CategoryLimit: 20, CategoryReview: "sensitive", DomainEdits: 50,
		WebviewLimit: 100, JumpDomainLimit: 300, StoreExpireErrcode: 86072, NoAuditErrcode: 85058, JumpRuleLimit: 100,
		LinksPerDay: 500_000, CodesTotal: 100_000, CodesPerMinute: 5000, OptionToken: "any", QuotaPathErrcode: 76003,
		OpenAccountPrograms: 5, PluginLimit: 5, ServiceReplies: 5, DevelopmentLive: "off"}
}

// check holds what the general check of settings cannot know.
func (r rules) check() error {
	for _, id := range r.RegisterSets {
		if permissionSets[id] == "" {
			return badRequest("register_sets", "有不存在的小程序权限集编号")
		}
	}
	if len(r.TrialSuffix) > 60 {
		return badRequest("trial_suffix", "后缀不能超过 20 个汉字")
	}
	return nil
}

// withRuleTexts and withRuleChoices add the words of the rules to those of the other settings.
func withRuleTexts(all map[string]settingText) map[string]settingText {
	maps.Copy(all, ruleTexts)
	return all
}

func withRuleChoices(all map[string][][2]string) map[string][][2]string {
	maps.Copy(all, ruleChoices)
	return all
}

// ruleTexts are the words for the keys of rules. Read only.
var ruleTexts = map[string]settingText{
	"register_per_day":       {"每个微信号每天注册次数", "超出得到 91030"},
	"register_unknown":       {"注册时微信号不存在", ""},
	"register_check_seconds": {"工商信息核对用时（秒）", "法人人脸通过后多久出结果"},
	"personal_events":        {"个人注册完成后推送", "文档与集成经验不一致"},
	"programs_per_person":    {"每个微信号可管理的小程序数", "注册时超出得到 1003"},
	"trial_days":             {"试用小程序有效天数", "到期未转正则注销"},
	"trial_suffix":           {"试用小程序名称后缀", ""},
	"trial_event":            {"复用公众号转正的事件推送到", ""},
	"review_seconds":         {"审核自动通过（秒）", "0 表示等审核台处理"},
	"nickname_review":        {"哪些名称需要审核", ""},
	"nickname_own_only":      {"仅接口注册的小程序可改名", "否则得到 91001"},
	"nickname_event":         {"名称审核结果推送到", ""},
	"nickname_checks":        {"每分钟名称检测次数", "超出得到 53011"},
	"profile_edits":          {"头像、简介每月修改次数", "超出得到 53202、53200"},
	"category_edits":         {"类目每月修改次数", "超出得到 53300"},
	"category_limit":         {"类目数量上限", "超出得到 53301"},
	"category_review":        {"哪些类目需要审核", ""},
	"domain_edits":           {"域名每月修改次数", "超出得到 86102"},
	"webview_limit":          {"业务域名上限", "文档有 100 和 300 两种说法"},
	"jump_domain_limit":      {"平台业务域名上限", "文档有 200 和 300 两种说法"},
	"store_expire_errcode":   {"存储期限无效的错误码", "86072，某处注释写作 87072"},
	"no_audit_errcode":       {"从未提审时查询最新审核", "85058 或 86001"},
	"release_icp_errcode":    {"未备案发布的错误码", "0 表示允许发布"},
	"jump_rule_limit":        {"普通链接规则上限", "超出得到 85073"},
	"links_per_day":          {"每天生成链接数", "超出得到 44993"},
	"codes_total":            {"小程序码累计数量", "超出得到 45029"},
	"codes_per_minute":       {"不限量小程序码每分钟数量", "超出得到 45009"},
	"option_token":           {"授权方选项接口的令牌", "文档有两种说法"},
	"quota_path_errcode":     {"查询额度时路径错误的错误码", "76003 或 76021"},
	"daily_limit":            {"每个接口每天调用次数", "0 表示不限；超出得到 45009"},
	"open_account_programs":  {"开放平台帐号可绑定数", "超出得到 89004"},
	"plugin_limit":           {"插件数量上限", "超出得到 89238"},
	"operation_seconds":      {"上传或提审的处理用时（秒）", "处理中再次上传或提审得到 9402202；接口有耗时或延迟时，应答之前也是如此"},
	"development_live":       {"新开发小程序的直播", "平台有权限集 52 时，开通直播的开发小程序的代码提审得到 9400001"},
	"service_replies":        {"每条用户消息可回复的客服消息数", "超出得到 45047；48 小时后得到 45015"},
}

// ruleChoices are the values of the rules that are words. Read only.
var ruleChoices = map[string][][2]string{
	"register_unknown": {{"create", "创建这个人"}, {"refuse", "拒绝（86004）"}},
	"personal_events":  {{"both", "结果与授权"}, {"notify", "只有结果"}, {"authorized", "只有授权"}},
	"nickname_review":  {{"keyword", "含关键词的"}, {"always", "全部"}, {"never", "都不审核"}},
	"nickname_event":   {{"message", "消息与事件接收 URL"}, {"ticket", "授权事件接收 URL"}},
	"trial_event":      {{"ticket", "授权事件接收 URL"}, {"message", "消息与事件接收 URL"}},
	"category_review":  {{"sensitive", "需要资质的"}, {"always", "全部"}, {"never", "都不审核"}},
	"development_live": {{"off", "不开通"}, {"on", "自动开通"}},
	"option_token":     {{"component", "平台令牌"}, {"authorizer", "授权方令牌"}, {"any", "都可以"}},
}

// registerSets is a copy for a new authorisation.
func (r rules) registerSets() []int { return slices.Clone(r.RegisterSets) }
