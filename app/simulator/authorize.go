package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// scanSession is one opened authorisation page.
type scanSession struct {
	ID          string `json:"id"`
	Component   string `json:"component"`
	PreAuthCode string `json:"pre_auth_code"`
	RedirectURI string `json:"redirect_uri"`
	BizAppID    string `json:"biz_appid"`
	Offered     []int  `json:"offered"` // permission sets on the page
	PC          bool   `json:"pc"`      // the PC page waits for the phone
	State       string `json:"state"`   // waiting, scanned, confirmed, cancelled
	RedirectTo  string `json:"redirect_to"`
	CreatedMs   int64  `json:"created_ms"`
}

// States of a scan.
const (
	scanWaiting   = "waiting"
	scanScanned   = "scanned"
	scanConfirmed = "confirmed"
	scanCancelled = "cancelled"
)

// pageError is what an authorisation page says instead of letting the person go on.
type pageError struct{ title, detail string }

func (e *pageError) Error() string { return e.title + " " + e.detail }

// sameDomain compares the host of an address with a configured 授权发起页域名, which may carry a port.
func sameDomain(address, domain string) bool {
	u, err := url.Parse(address)
	if err != nil || domain == "" {
		return false
	}
	if strings.Contains(domain, ":") {
		return strings.EqualFold(u.Host, domain)
	}
	return strings.EqualFold(u.Hostname(), domain)
}

// openScan checks an authorisation link as WeChat does when it is opened.
func (w *world) openScan(q url.Values, referer string, pc bool, now int64) (*scanSession, error) {
	c := w.components.get(q.Get("component_appid"))
	if c == nil {
		return nil, &pageError{"component_appid 无效", "没有找到这个第三方平台，请检查链接中的 component_appid。"}
	}
	from := "空"
	if u, err := url.Parse(referer); err == nil && u.Host != "" {
		from = u.Host
	}
	if !sameDomain(referer, c.AuthDomain) {
		return nil, &pageError{"请确认授权入口页所在域名",
			fmt.Sprintf("授权入口页所在域名：%s，与第三方平台配置的授权发起页域名「%s」不一致。请从该域名的网页上点击进入，不要直接粘贴链接。", from, c.AuthDomain)}
	}
	redirect := q.Get("redirect_uri")
	if checkWebURL(redirect) != nil || !sameDomain(redirect, c.AuthDomain) {
		return nil, &pageError{"请确认授权回调域名",
			fmt.Sprintf("授权后回调 URL 所在域名必须与第三方平台配置的授权发起页域名「%s」一致。", c.AuthDomain)}
	}
	if err := w.usablePreAuthCode(q.Get("pre_auth_code"), c.AppID, now); err != nil {
		return nil, err
	}
	offered, err := offeredSets(c, q.Get("category_id_list"))
	if err != nil {
		return nil, err
	}
	switch q.Get("auth_type") {
	case "2", "3", "6", "":
	default:
		if q.Get("biz_appid") == "" {
			return nil, &pageError{"auth_type 不支持", "模拟平台只有小程序帐号，请使用 auth_type 2、3 或 6。"}
		}
	}
	scan := &scanSession{ID: w.ids.text(base62, 24), Component: c.AppID, PreAuthCode: q.Get("pre_auth_code"), RedirectURI: redirect,
		BizAppID: q.Get("biz_appid"), Offered: offered, PC: pc, State: scanWaiting, CreatedMs: now}
	w.scans.put(scan.ID, scan)
	return scan, nil
}

func (w *world) usablePreAuthCode(value, component string, now int64) error {
	code := w.preAuthCodes.get(value)
	if code == nil || code.Component != component || code.Used || now >= code.ExpiresMs {
		return &pageError{"PreAuthCode无效", "预授权码不存在、已使用或已过期（30 分钟）。请回到第三方平台的网页重新发起授权。"}
	}
	return nil
}

// offeredSets are the component's sets, or those of category_id_list that it has.
func offeredSets(c *component, list string) ([]int, error) {
	if list == "" {
		return c.PermissionSets, nil
	}
	out := []int{}
	for _, part := range strings.Split(list, "|") {
		id, err := strconv.Atoi(part)
		if err != nil || !slices.Contains(c.PermissionSets, id) {
			return nil, &pageError{"category_id_list 无效", fmt.Sprintf("权限集 %q 不在第三方平台已有的权限集中。", part)}
		}
		out = append(out, id)
	}
	return sortedSet(out), nil
}

// heldElsewhere are the offered exclusive sets another platform holds for this mini program, with that platform's name.
func (w *world) heldElsewhere(scan *scanSession, appID string) map[int]string {
	out := map[int]string{}
	for _, set := range scan.Offered {
		if !exclusiveSets[set] {
			continue
		}
		if other := w.holder(appID, set); other != "" && other != scan.Component {
			out[set] = other
			if c := w.components.get(other); c != nil {
				out[set] = c.Name
			}
		}
	}
	return out
}

// choosable are the mini programs a person may authorise on this page.
func (w *world) choosable(scan *scanSession, wechatID string) []*miniProgram {
	out := []*miniProgram{}
	for _, m := range w.miniPrograms.all() {
		if m.Admin == wechatID && w.authorizable(scan, m) {
			out = append(out, m)
		}
	}
	return out
}

// authorizable tells whether a mini program may be authorised on this page, whoever its administrator is.
func (w *world) authorizable(scan *scanSession, m *miniProgram) bool {
	return (m.AccountStatus == 1 || m.AccountStatus == 18) && (scan.BizAppID == "" || scan.BizAppID == m.AppID)
}

// confirm carries out 授权: it changes the authorisation, pushes the event and gives the address the browser goes to.
func (w *world) confirm(scan *scanSession, wechatID, appID string, ticked []int, now int64) error {
	if scan.State == scanConfirmed || scan.State == scanCancelled {
		return &pageError{"该授权页已处理", "请回到第三方平台的网页重新发起授权。"}
	}
	if err := w.usablePreAuthCode(scan.PreAuthCode, scan.Component, now); err != nil {
		return err
	}
	if m := w.miniPrograms.get(appID); m == nil || m.Admin != wechatID || !w.authorizable(scan, m) {
		return &pageError{"不能授权这个小程序", "你不是该小程序的管理员，或该链接只允许指定帐号授权。"}
	}
	if err := w.components.get(scan.Component).mayAuthorize(appID); err != nil {
		return err
	}
	sets := sortedSet(ticked)
	if len(sets) == 0 {
		return &pageError{"请至少选择一个权限集", "没有勾选任何权限，无法完成授权。"}
	}
	held := w.heldElsewhere(scan, appID)
	for _, set := range sets {
		if !slices.Contains(scan.Offered, set) {
			return &pageError{"权限集无效", fmt.Sprintf("第三方平台没有申请权限集 %d。", set)}
		}
		if name, ok := held[set]; ok {
			return &pageError{"权限集互斥", fmt.Sprintf("「%s」已授权给其他第三方平台「%s」，同一时间只能授权给一个平台。请先解除原授权。", permissionSets[set], name)}
		}
	}
	w.preAuthCodes.get(scan.PreAuthCode).Used = true
	w.preAuthCodes.put(scan.PreAuthCode, w.preAuthCodes.get(scan.PreAuthCode))
	code, err := w.grant(w.components.get(scan.Component), appID, sets, scan.PreAuthCode, now)
	if err != nil {
		return err
	}
	scan.State = scanConfirmed
	scan.RedirectTo = withAuthCode(scan.RedirectURI, code.Value, w.settings.AuthCodeSeconds)
	w.scans.put(scan.ID, scan)
	return nil
}

// withAuthCode appends what WeChat appends and keeps the address as it was given otherwise.
func withAuthCode(redirect, code string, seconds int64) string {
	fragment := ""
	if at := strings.Index(redirect, "#"); at >= 0 {
		redirect, fragment = redirect[:at], redirect[at:]
	}
	separator := "?"
	if strings.Contains(redirect, "?") {
		separator = "&"
	}
	return redirect + separator + "auth_code=" + url.QueryEscape(code) + "&expires_in=" + strconv.FormatInt(seconds, 10) + fragment
}

// grant makes or changes an authorisation and pushes authorized, or updateauthorized when the selection of an existing
// authorisation really changed. The same selection pushes nothing, as at WeChat.
func (w *world) grant(c *component, appID string, sets []int, pre string, now int64) (*authCode, error) {
	code, event := w.bindSets(c, appID, sets, now)
	if event == "" {
		return code, nil
	}
	values := map[string]string{"InfoType": event, "AuthorizerAppid": appID, "AuthorizationCode": code.Value,
		"AuthorizationCodeExpiredTime": fmt.Sprint(code.ExpiresMs / 1000), "PreAuthCode": pre}
	_, err := w.pushInfo(c, values, now, pushShape{})
	return code, err
}

// bindSets stores an authorisation with these sets, makes the code that is exchanged for its tokens and tells which
// event says so; "" when nothing changed.
func (w *world) bindSets(c *component, appID string, sets []int, now int64) (*authCode, string) {
	id := authorizationID(c.AppID, appID)
	auth := w.authorizations.get(id)
	event := "authorized"
	switch {
	case auth == nil || !auth.Active:
		w.revokeTokens(c.AppID, appID, now)
		auth = &authorization{Component: c.AppID, AppID: appID, Active: true, Sets: sets,
			RefreshToken: "refreshtoken@@@" + w.ids.text(base62, 43), AuthorizedMs: now}
	case slices.Equal(auth.Sets, sets):
		event = ""
	default:
		event, auth.Sets = "updateauthorized", sets
	}
	w.authorizations.put(id, auth)
	code := &authCode{Value: "queryauthcode@@@" + w.ids.text(base62, 64), Component: c.AppID, AppID: appID,
		ExpiresMs: now + w.settings.AuthCodeSeconds*1000}
	w.authCodes.put(code.Value, code)
	return code, event
}

// revokeTokens kills every access token of an authorisation at once, replaced ones in their grace included.
func (w *world) revokeTokens(component, appID string, now int64) {
	for id, t := range w.tokens.docs {
		if t.Component != component || t.AppID != appID || t.Revoked {
			continue
		}
		t.Revoked = true
		if t.RetiredMs == 0 {
			t.RetiredMs = now
		}
		w.tokens.put(id, t)
	}
}

// revoke ends an authorisation, as the administrator does at mp.weixin.qq.com, and pushes unauthorized.
func (w *world) revoke(c *component, auth *authorization, now int64) error {
	auth.Active, auth.EndedMs = false, now
	w.authorizations.put(authorizationID(auth.Component, auth.AppID), auth)
	_, err := w.pushInfo(c, map[string]string{"InfoType": "unauthorized", "AuthorizerAppid": auth.AppID}, now, pushShape{})
	return err
}

// cancel is 取消: nobody is told, and the browser is not sent anywhere.
func (w *world) cancel(scan *scanSession) error {
	if scan.State == scanConfirmed {
		return &pageError{"该授权页已处理", "授权已经完成，不能再取消。"}
	}
	scan.State = scanCancelled
	w.scans.put(scan.ID, scan)
	return nil
}
