package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// loginEndpoints are the login of customers (01 F.2).
func loginEndpoints() []endpoint {
	return []endpoint{
		{path: "/sns/component/jscode2session", token: componentToken, run: codeToSession},
	}
}

// loginCode is what wx.login gives a mini program: usable once, for five minutes.
type loginCode struct {
	Code      string `json:"code"`
	AppID     string `json:"appid"`
	Person    string `json:"person"`
	ExpiresMs int64  `json:"expires_ms"`
	Used      bool   `json:"used"`
}

const loginCodeLifeMs = 5 * 60 * 1000

// newLoginCode is a person opening a mini program.
func (w *world) newLoginCode(appID, wechatID string, now int64) *loginCode {
	code := &loginCode{Code: "0" + w.ids.text(base62, 31), AppID: appID, Person: wechatID, ExpiresMs: now + loginCodeLifeMs}
	w.loginCodes.put(code.Code, code)
	return code
}

// openIDOf is the openid of a person at one account, always the same.
func (w *world) openIDOf(appID, wechatID string) string {
	sum := sha256.Sum256([]byte(w.ids.Seed + "/openid/" + appID + "/" + wechatID))
	id := "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
	if w.openIDs.get(id) == nil {
		w.openIDs.put(id, &openID{OpenID: id, AppID: appID, Person: wechatID})
	}
	return id
}

// unionIDOf is the same for every account of one 开放平台帐号; "" without one.
func (w *world) unionIDOf(appID, wechatID string) string {
	o := w.openAccountOf(appID)
	if o == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(w.ids.Seed + "/unionid/" + o.AppID + "/" + wechatID))
	return "o6" + hex.EncodeToString(sum[:])[:26]
}

func codeToSession(w *world, c *apiCall) (any, error) {
	q := c.query
	if err := c.ownAppID(q.Get("component_appid")); err != nil {
		return nil, err
	}
	if q.Get("grant_type") != "authorization_code" {
		return nil, refuse(40097)
	}
	appID := q.Get("appid")
	if auth := w.authorizationOf(c.component.AppID, appID); auth == nil || !auth.Active {
		return nil, refuse(61003)
	}
	code := w.loginCodes.get(q.Get("js_code"))
	switch {
	case code == nil || code.AppID != appID || c.now >= code.ExpiresMs:
		return nil, refuse(40029)
	case code.Used:
		return nil, refuse(40163)
	}
	code.Used = true
	w.loginCodes.put(code.Code, code)
	key := base64.StdEncoding.EncodeToString([]byte(w.ids.text(base62, 16)))
	out := bareFields{"openid": w.openIDOf(appID, code.Person), "session_key": key}
	if union := w.unionIDOf(appID, code.Person); union != "" {
		out["unionid"] = union
	}
	return out, nil
}
