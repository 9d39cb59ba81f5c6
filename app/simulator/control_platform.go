package simulator

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// componentRequest creates or changes a 第三方平台; an absent key keeps what is there.
type componentRequest struct {
	AppID          *string   `json:"appid"`
	Name           *string   `json:"name"`
	Secret         *string   `json:"secret"`
	Token          *string   `json:"token"`
	AESKey         *string   `json:"aes_key"`
	TicketURL      *string   `json:"ticket_url"`
	MessageURL     *string   `json:"message_url"`
	AuthDomain     *string   `json:"auth_domain"`
	IPList         *[]string `json:"ip_list"`
	Domains        *[]string `json:"domains"`
	JumpDomains    *[]string `json:"jump_domains"`
	PermissionSets *[]int    `json:"permission_sets"`
	AuditQuota     *int      `json:"audit_quota"`
	SpeedupQuota   *int      `json:"speedup_quota"`
	AuditUsed      *int      `json:"audit_used"` // of this month
	TicketStopped  *bool     `json:"ticket_stopped"`
}

var (
	appIDPattern  = regexp.MustCompile(`^wx[0-9a-zA-Z]{16}$`)
	domainPattern = regexp.MustCompile(`^[0-9a-zA-Z.-]+(:[0-9]{1,5})?$`)
)

// check validates what is given; the field in the error is the key.
func (r componentRequest) check() error {
	if r.Name != nil && (strings.TrimSpace(*r.Name) == "" || len(*r.Name) > 120) {
		return badRequest("name", "名称不能为空，且不超过 40 个汉字")
	}
	if r.Secret != nil && (len(*r.Secret) < 4 || len(*r.Secret) > 128) {
		return badRequest("secret", "AppSecret 长度应在 4 到 128 个字符之间")
	}
	if r.Token != nil && (len(*r.Token) < 3 || len(*r.Token) > 64 || strings.ContainsAny(*r.Token, " \t\r\n")) {
		return badRequest("token", "消息校验 Token 长度应在 3 到 64 个字符之间，不能含空格")
	}
	if r.AESKey != nil {
		if _, err := newEnvelope("", *r.AESKey, ""); err != nil {
			return badRequest("aes_key", "消息加解密 Key 应为 43 个字母或数字")
		}
	}
	for field, value := range map[string]*string{"ticket_url": r.TicketURL, "message_url": r.MessageURL} {
		if value != nil && *value != "" && checkWebURL(*value) != nil {
			return badRequest(field, "URL 应以 http:// 或 https:// 开头")
		}
	}
	if r.MessageURL != nil && *r.MessageURL != "" && !strings.Contains(*r.MessageURL, "$APPID$") {
		return badRequest("message_url", "消息与事件接收 URL 必须包含 $APPID$")
	}
	if r.AuthDomain != nil && *r.AuthDomain != "" && !domainPattern.MatchString(*r.AuthDomain) {
		return badRequest("auth_domain", "授权发起页域名只填域名，可带端口，例如 127.0.0.1:8000，不要带 http://")
	}
	return r.checkLists()
}

func (r componentRequest) checkLists() error {
	if r.IPList != nil {
		for _, ip := range *r.IPList {
			if net.ParseIP(ip) == nil {
				return badRequest("ip_list", "「"+ip+"」不是 IP 地址")
			}
		}
	}
	if r.JumpDomains != nil {
		for _, d := range *r.JumpDomains {
			if !validHost(strings.ToLower(d)) {
				return badRequest("jump_domains", "「"+d+"」不是域名，请只填域名，不带 https:// 和路径")
			}
		}
	}
	if r.Domains != nil {
		if len(*r.Domains) > domainLimit {
			return badRequest("domains", "服务器域名不能超过 1000 个")
		}
		for _, d := range *r.Domains {
			if !validHost(strings.ToLower(d)) {
				return badRequest("domains", "「"+d+"」不是域名，请只填域名，不带 https:// 和路径")
			}
		}
	}
	if r.PermissionSets != nil {
		for _, id := range *r.PermissionSets {
			if permissionSets[id] == "" {
				return badRequest("permission_sets", "没有这个小程序权限集编号")
			}
		}
	}
	for field, n := range map[string]*int{"audit_quota": r.AuditQuota, "speedup_quota": r.SpeedupQuota, "audit_used": r.AuditUsed} {
		if n != nil && (*n < 0 || *n > 1_000_000) {
			return badRequest(field, "额度应在 0 到 1000000 之间")
		}
	}
	return nil
}

func upsertComponent(w *world, now int64, _ *http.Request, req componentRequest) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	appID := ""
	if req.AppID != nil {
		appID = *req.AppID
	}
	if appID != "" && !appIDPattern.MatchString(appID) {
		return nil, badRequest("appid", "AppID 应为 wx 加 16 位字母或数字")
	}
	if w.miniPrograms.get(appID) != nil {
		return nil, conflict("appid", "这个 AppID 已被一个小程序使用")
	}
	c := w.components.get(appID)
	if c == nil {
		if appID == "" {
			appID = "wx" + w.ids.text(hexDigits, 16)
		}
		c = &component{AppID: appID, Name: "第三方平台 " + appID[len(appID)-4:], Secret: w.ids.text(hexDigits, 32),
			PermissionSets: defaultPermissionSets(), AuditQuota: 100, SpeedupQuota: 5, NextDraftID: 1, NextTemplateID: 1}
	}
	req.apply(c, now)
	w.components.put(c.AppID, c)
	if c.pushable() && now >= c.NextTicketMs {
		w.pushTicket(c, now, pushShape{})
	}
	return c.view(now), nil
}

func set[T any](target *T, value *T) {
	if value != nil {
		*target = *value
	}
}

func (r componentRequest) apply(c *component, now int64) {
	if r.TicketURL != nil && *r.TicketURL != c.TicketURL {
		c.NextTicketMs = 0 // a new address hears from us at once
	}
	set(&c.Name, r.Name)
	set(&c.Secret, r.Secret)
	set(&c.Token, r.Token)
	set(&c.AESKey, r.AESKey)
	set(&c.TicketURL, r.TicketURL)
	set(&c.MessageURL, r.MessageURL)
	set(&c.AuthDomain, r.AuthDomain)
	set(&c.AuditQuota, r.AuditQuota)
	set(&c.SpeedupQuota, r.SpeedupQuota)
	set(&c.TicketStopped, r.TicketStopped)
	set(&c.IPList, r.IPList)
	if r.AuditUsed != nil {
		c.AuditUsed = counter{Period: monthOf(now), Used: *r.AuditUsed}
	}
	if r.PermissionSets != nil {
		c.PermissionSets = sortedSet(*r.PermissionSets)
	}
	if r.JumpDomains != nil {
		lower := []string{}
		for _, d := range *r.JumpDomains {
			lower = append(lower, strings.ToLower(d))
		}
		c.JumpDomains = applyDomains(nil, "set", lower)
		c.TestingJumps = slices.Clone(c.JumpDomains)
	}
	if r.Domains != nil {
		lower := []string{}
		for _, d := range *r.Domains {
			lower = append(lower, strings.ToLower(d))
		}
		c.Domains = applyDomains(nil, "set", lower)
		c.TestingDomains = slices.Clone(c.Domains)
	}
}

// pushable tells whether everything a ticket push needs is configured.
func (c *component) pushable() bool {
	return c.TicketURL != "" && c.Token != "" && c.AESKey != "" && !c.TicketStopped
}

// view is a component without its secrets.
func (c *component) view(now int64) map[string]any {
	last := int64(0)
	if n := len(c.Tickets); n > 0 {
		last = c.Tickets[n-1].CreatedMs
	}
	return map[string]any{"appid": c.AppID, "name": c.Name, "has_secret": c.Secret != "", "has_token": c.Token != "", "has_aes_key": c.AESKey != "",
		"ticket_url": c.TicketURL, "message_url": c.MessageURL, "auth_domain": c.AuthDomain, "ip_list": notNil(c.IPList), "domains": notNil(c.Domains), "jump_domains": notNil(c.JumpDomains),
		"permission_sets": c.PermissionSets, "audit_quota": c.AuditQuota, "audit_used": c.AuditUsed.in(monthOf(now)),
		"speedup_quota": c.SpeedupQuota, "speedup_used": c.SpeedupUsed.in(monthOf(now)), "ticket_stopped": c.TicketStopped,
		"tickets": len(c.Tickets), "last_ticket_ms": last, "next_ticket_ms": c.NextTicketMs,
		"drafts": len(c.Drafts), "templates": len(c.Templates)}
}

func listComponents(w *world, now int64, _ *http.Request, _ none) (any, error) {
	items := []any{}
	for _, c := range w.components.all() {
		items = append(items, c.view(now))
	}
	return map[string]any{"items": items}, nil
}

// personRequest creates or changes a WeChat user.
type personRequest struct {
	WechatID   string  `json:"wechat_id"`
	Name       *string `json:"name"`
	Searchable *bool   `json:"searchable"`
}

func upsertPerson(w *world, _ int64, _ *http.Request, req personRequest) (any, error) {
	if req.WechatID == "" || len(req.WechatID) > 64 || strings.ContainsAny(req.WechatID, " \t\r\n/") {
		return nil, badRequest("wechat_id", "请填写微信号，不超过 64 个字符，不含空格")
	}
	if req.Name != nil && (*req.Name == "" || len(*req.Name) > 90) {
		return nil, badRequest("name", "姓名不能为空，且不超过 30 个汉字")
	}
	p := w.person(req.WechatID)
	set(&p.Name, req.Name)
	set(&p.Searchable, req.Searchable)
	w.people.put(p.WechatID, p)
	return p, nil
}

// person finds a WeChat user by WeChat id, then by name, and makes one when there is none.
func (w *world) person(who string) *person {
	if p := w.people.get(who); p != nil {
		return p
	}
	for _, p := range w.people.all() {
		if p.Name == who {
			return p
		}
	}
	p := &person{WechatID: who, Name: who, Searchable: true, UserStr: "U" + w.ids.text(base62, 27)}
	w.people.put(who, p)
	return p
}

func listPeople(w *world, _ int64, _ *http.Request, _ none) (any, error) {
	return map[string]any{"items": w.people.all()}, nil
}

// draftRequest is an upload as the WeChat developer tool makes it.
type draftRequest struct {
	Component   string   `json:"component_appid"`
	SourceAppID string   `json:"source_appid"` // development mini program; made when unknown or absent
	SourceName  string   `json:"source_name"`
	Developer   string   `json:"developer"`
	Version     string   `json:"user_version"`
	Desc        string   `json:"user_desc"`
	Pages       []string `json:"pages"`
	PrivacyAPIs []string `json:"privacy_apis"`           // location APIs the code calls
	Declared    []string `json:"required_private_infos"` // what its app.json declares
	Navigates   bool     `json:"navigates"`              // the code calls navigateToMiniProgram
	MainKB      int      `json:"main_kb"`                // size of the main package
	PackageKB   int      `json:"package_kb"`             // size of everything
}

var pagePattern = regexp.MustCompile(`^[0-9A-Za-z_-]+(/[0-9A-Za-z_.-]+)*$`)

func uploadDraft(w *world, now int64, _ *http.Request, req draftRequest) (any, error) {
	c := w.components.get(req.Component)
	if c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台，请先添加")
	}
	if req.Version == "" || len(req.Version) > maxUserVersion {
		return nil, badRequest("user_version", "请填写版本号，不超过 64 个字符")
	}
	if req.MainKB < 0 || req.PackageKB < 0 || req.MainKB > 1<<20 || req.PackageKB > 1<<20 {
		return nil, badRequest("package_kb", "代码包大小应在 0 到 1048576 KB 之间")
	}
	if len(req.Desc) > 2000 {
		return nil, badRequest("user_desc", "版本描述过长")
	}
	for _, api := range append(slices.Clone(req.PrivacyAPIs), req.Declared...) {
		if !slices.Contains(locationAPIs, api) {
			return nil, badRequest("privacy_apis", "「"+api+"」不是地理位置隐私接口，可用："+strings.Join(locationAPIs, " "))
		}
	}
	if len(req.Pages) == 0 {
		req.Pages = []string{"pages/index/index", "pages/detail/detail", "pages/me/me"}
	}
	for _, page := range req.Pages {
		if !pagePattern.MatchString(page) {
			return nil, badRequest("pages", "「"+page+"」不是页面路径，例如 pages/index/index")
		}
	}
	dev, err := w.developmentProgram(c, req.SourceAppID, req.SourceName, now)
	if err != nil {
		return nil, err
	}
	if req.Developer == "" {
		req.Developer = "开发者"
	}
	d := c.addDraft(draft{SourceAppID: dev.AppID, SourceName: dev.NickName, Developer: req.Developer, Version: req.Version, Desc: req.Desc,
		Pages: req.Pages, PrivacyAPIs: req.PrivacyAPIs, Declared: req.Declared, CreatedMs: now,
		Navigates: req.Navigates, MainKB: req.MainKB, PackageKB: req.PackageKB})
	w.components.put(c.AppID, c)
	return d, nil
}

// developmentProgram is the 开发小程序 an upload comes from; without an appid the one used last.
func (w *world) developmentProgram(c *component, appID, name string, now int64) (*miniProgram, error) {
	if appID == "" && name == "" && len(c.Drafts) > 0 {
		appID = c.Drafts[len(c.Drafts)-1].SourceAppID
	}
	if appID != "" && !appIDPattern.MatchString(appID) {
		return nil, badRequest("source_appid", "AppID 应为 wx 加 16 位字母或数字")
	}
	if w.components.get(appID) != nil {
		return nil, badRequest("source_appid", "这是第三方平台的 AppID，请填写开发小程序的 AppID")
	}
	if m := w.miniPrograms.get(appID); m != nil {
		return m, nil
	}
	for _, m := range w.miniPrograms.all() {
		if appID == "" && m.Developed && m.NickName == name {
			return m, nil
		}
	}
	if name == "" {
		name = "开发小程序"
	}
	m := w.newMiniProgram(appID, now)
	m.NickName, m.Developed, m.Admin = name, true, w.person("开发者").WechatID
	m.LiveEnabled = w.settings.DevelopmentLive == "on" && slices.Contains(c.PermissionSets, 52)
	w.miniPrograms.put(m.AppID, m)
	return m, nil
}

func listDrafts(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []any{}
	for _, c := range w.components.all() {
		if want := r.URL.Query().Get("component_appid"); want != "" && want != c.AppID {
			continue
		}
		for _, d := range c.Drafts {
			items = append(items, map[string]any{"component_appid": c.AppID, "draft": d})
		}
	}
	return map[string]any{"items": items}, nil
}

// hostOf is the host of an address, or "" when it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
