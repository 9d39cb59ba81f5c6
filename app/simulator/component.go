package simulator

import (
	"slices"
	"sort"
)

// component is a 第三方平台 registered at the simulated Open Platform.
type component struct {
	AppID          string     `json:"appid"`
	Name           string     `json:"name"`
	Secret         string     `json:"secret"`
	Token          string     `json:"token"`
	AESKey         string     `json:"aes_key"`
	TicketURL      string     `json:"ticket_url"`  // 授权事件接收 URL
	MessageURL     string     `json:"message_url"` // 消息与事件接收 URL with $APPID$
	AuthDomain     string     `json:"auth_domain"` // 授权发起页域名, host or host:port
	IPList         []string   `json:"ip_list"`     // 白名单IP地址列表; empty admits everybody
	Domains        []string   `json:"domains"`     // published server domain pool, bare hosts
	TestingDomains []string   `json:"testing_domains"`
	JumpDomains    []string   `json:"jump_domains"` // published business domain pool
	TestingJumps   []string   `json:"testing_jumps"`
	JumpEdits      counter    `json:"jump_edits"`
	PermissionSets []int      `json:"permission_sets"` // sets offered on the authorisation page
	AuditQuota     int        `json:"audit_quota"`     // submits per month
	SpeedupQuota   int        `json:"speedup_quota"`   // 加急 per month
	AuditUsed      counter    `json:"audit_used"`
	SpeedupUsed    counter    `json:"speedup_used"`
	DomainEdits    counter    `json:"domain_edits"`
	Tickets        []ticket   `json:"tickets"` // newest last
	NextTicketMs   int64      `json:"next_ticket_ms"`
	TicketStopped  bool       `json:"ticket_stopped"`
	CurrentToken   string     `json:"current_token"` // newest component_access_token
	Drafts         []draft    `json:"drafts"`
	Templates      []template `json:"templates"`
	NextDraftID    int64      `json:"next_draft_id"`
	NextTemplateID int64      `json:"next_template_id"`
	DropPushes     int        `json:"drop_pushes"` // how many of the next pushes are dropped
	Reorder        int        `json:"reorder"`     // how many of the next pushes are collected and sent in reverse order
	Held           []string   `json:"held"`        // pushes collected for that
	NextPushes     *pushPlan  `json:"next_pushes,omitempty"`

	restrictions
}

// ticket is one component_verify_ticket; it can mint component tokens for twelve hours.
type ticket struct {
	Value     string `json:"value"`
	CreatedMs int64  `json:"created_ms"`
}

const (
	ticketEveryMs = 10 * 60 * 1000
	ticketLifeMs  = 12 * 3600 * 1000
	domainLimit   = 1000
	// maxTickets bounds the stored tickets: twelve hours of one per ten minutes, and room for tickets asked for by hand
	maxTickets = 100
)

// draft is one upload of a development mini program in the 草稿箱.
type draft struct {
	DraftID     int64    `json:"draft_id"`
	SourceAppID string   `json:"source_appid"`
	SourceName  string   `json:"source_name"`
	Developer   string   `json:"developer"`
	Version     string   `json:"user_version"`
	Desc        string   `json:"user_desc"`
	Pages       []string `json:"pages"`
	PrivacyAPIs []string `json:"privacy_apis"`           // location APIs the code uses
	Declared    []string `json:"required_private_infos"` // what its app.json declares
	Navigates   bool     `json:"navigates,omitempty"`    // the code calls navigateToMiniProgram
	MainKB      int      `json:"main_kb,omitempty"`      // its main package; 0 is small
	PackageKB   int      `json:"package_kb,omitempty"`   // all of it
	CreatedMs   int64    `json:"created_ms"`
}

// template is one entry of the 模板库.
type template struct {
	TemplateID int64 `json:"template_id"`
	Type       int   `json:"template_type"`
	AddedMs    int64 `json:"added_ms"`
	Draft      draft `json:"draft"`
}

// person is a WeChat user of the simulator.
type person struct {
	WechatID   string `json:"wechat_id"`
	Name       string `json:"name"`
	Searchable bool   `json:"searchable"` // 可通过微信号搜索到我
	UserStr    string `json:"userstr"`    // what the tester list shows instead of the WeChat id
}

// admits tells whether calls from this address are accepted (61004 otherwise).
func (c *component) admits(ip string) bool {
	return len(c.IPList) == 0 || slices.Contains(c.IPList, ip)
}

func (c *component) template(id int64) *template {
	for i := range c.Templates {
		if c.Templates[i].TemplateID == id {
			return &c.Templates[i]
		}
	}
	return nil
}

// addDraft stores an upload; only the newest upload of each development mini program stays.
func (c *component) addDraft(d draft) draft {
	kept := c.Drafts[:0]
	for _, old := range c.Drafts {
		if old.SourceAppID != d.SourceAppID {
			kept = append(kept, old)
		}
	}
	d.DraftID = c.NextDraftID
	c.NextDraftID++
	c.Drafts = append(kept, d)
	return d
}

// newTicket makes a fresh ticket and plans the next push.
func (w *world) newTicket(c *component, now int64) ticket {
	t := ticket{Value: "ticket@@@" + w.ids.text(base62, 64), CreatedMs: now}
	c.Tickets = append(c.Tickets, t)
	if len(c.Tickets) > maxTickets {
		c.Tickets = c.Tickets[len(c.Tickets)-maxTickets:]
	}
	c.NextTicketMs = now + ticketEveryMs
	w.components.put(c.AppID, c)
	return t
}

// checkTicket answers 61006 for a ticket that was never pushed and 61005 for one older than twelve hours.
func (c *component) checkTicket(value string, now int64) error {
	for _, t := range c.Tickets {
		if t.Value == value {
			if now >= t.CreatedMs+ticketLifeMs {
				return refuse(61005)
			}
			return nil
		}
	}
	return refuse(61006)
}

// permissionSets are the mini program 权限集 the simulator offers, with the names of WeChat's table. Read only.
var permissionSets = map[int]string{
	1: "消息管理（公众号）", 17: "获取小程序码", 18: "小程序开发与数据分析", 19: "小程序客服管理", 25: "开放平台账号管理", 30: "小程序基本信息管理",
	31: "小程序认证名称检测", 36: "微信卡路里", 37: "附近的小程序", 40: "小程序插件管理", 41: "好物圈", 45: "物流服务",
	48: "财政电子票据", 49: "云开发管理", 51: "即时配送", 52: "小程序直播管理", 57: "页面推送", 65: "广告管理", 67: "服务市场",
	70: "标准版交易组件商品", 71: "标准版交易组件订单物流与售后", 73: "交易组件接入", 76: "违规与交易投诉管理", 81: "试用小程序快速认证",
	84: "标准版交易组件优惠券", 85: "自定义版交易组件", 86: "小商店装修", 88: "小程序链接管理", 93: "联盟管理", 99: "云开发短信",
	105: "城市服务", 116: "交易组件数据", 118: "硬件服务", 119: "支付管理服务", 120: "购物订单", 135: "流量主代运营", 139: "运费险",
	142: "小程序发货管理服务", 144: "学生认证", 151: "小程序交易保障", 156: "小程序备案服务", 157: "虚拟支付", 161: "微信客服",
	171: "小程序消息调试", 182: "小程序订单管理服务",
	24: "开放平台账号管理（公众号）", 27: "快速注册小程序（公众号）", 33: "小程序关联管理（公众号）", 61: "快速注册小程序的基本信息",
}

// exclusiveSets may be held by one platform at a time (互斥). Read only.
var exclusiveSets = map[int]bool{18: true, 25: true, 40: true, 41: true, 45: true, 49: true, 51: true, 73: true, 76: true, 81: true}

// defaultPermissionSets is what a new component has released.
func defaultPermissionSets() []int {
	return []int{17, 18, 19, 25, 30, 31, 40, 45, 49, 52, 65, 76, 81, 88, 119, 142, 151, 156}
}

func sortedSet(ids []int) []int {
	seen := map[int]bool{}
	out := []int{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	sort.Ints(out)
	return out
}
