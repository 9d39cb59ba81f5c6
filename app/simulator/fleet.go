package simulator

import (
	"fmt"
	"net/http"
	"strings"
)

// fleetRequest makes many mini programs at once, for trying a platform out at its real size.
type fleetRequest struct {
	Count     int    `json:"count"`
	Prefix    string `json:"prefix"`          // of the names, 连锁门店 when absent
	Admin     string `json:"admin"`           // WeChat id or name; made when unknown
	Component string `json:"component_appid"` // not empty: they are authorised to this platform, without a push
}

const maxFleet = 20_000

func (r fleetRequest) check() error {
	switch {
	case r.Count < 1 || r.Count > maxFleet:
		return badRequest("count", fmt.Sprintf("数量应在 1 到 %d 之间", maxFleet))
	case len(r.Prefix) > 60:
		return badRequest("prefix", "名称前缀不能超过 20 个汉字")
	case r.Admin == "" || len(r.Admin) > 64 || strings.ContainsAny(r.Admin, " \t\r\n/"):
		return badRequest("admin", "请填写管理员的微信号或姓名，不含空格")
	}
	return nil
}

// makeFleet answers how many were made. Authorisations made here push nothing: a platform finds them with
// api_get_authorizer_list, as it finds those whose push it missed.
func makeFleet(w *world, now int64, _ *http.Request, req fleetRequest) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	c := w.components.get(req.Component)
	if req.Component != "" && c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台")
	}
	if req.Prefix == "" {
		req.Prefix = "连锁门店"
	}
	admin := w.person(req.Admin).WechatID
	have := len(w.miniPrograms.docs)
	for n := range req.Count {
		m := w.newMiniProgram("", now)
		m.NickName, m.Admin = fmt.Sprintf("%s %05d", req.Prefix, have+n+1), admin
		w.miniPrograms.put(m.AppID, m)
		if c != nil {
			w.authorizations.put(authorizationID(c.AppID, m.AppID), &authorization{Component: c.AppID, AppID: m.AppID, Active: true, Sets: c.PermissionSets,
				RefreshToken: "refreshtoken@@@" + w.ids.text(base62, 43), Exchanged: true, AuthorizedMs: now})
		}
	}
	return map[string]any{"made": req.Count, "miniprograms": len(w.miniPrograms.docs)}, nil
}

// showToken gives the access token of a platform, or of one of its authorizers, for calls by hand. One that is still valid
// stays the newest; otherwise a new one is made as the token interfaces would.
func showToken(w *world, now int64, _ *http.Request, req authorizationKey) (any, error) {
	c := w.components.get(req.Component)
	if c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台")
	}
	current := c.CurrentToken
	auth := w.authorizationOf(req.Component, req.AppID)
	if req.AppID != "" {
		if auth == nil || !auth.Active {
			return nil, notFound("appid", "该小程序没有授权给这个第三方平台")
		}
		current = auth.CurrentToken
	}
	t, err := w.tokenUsable(current, now)
	switch {
	case err == nil:
	case req.AppID == "":
		t = w.issueComponentToken(c, now)
	default:
		t = w.issueAuthorizerToken(auth, now)
	}
	return map[string]any{"access_token": t.Value, "expires_in": (t.ExpiresMs - now) / 1000}, nil
}

// authorizeRequest makes an authorisation without anybody's phone.
type authorizeRequest struct {
	Component string `json:"component_appid"`
	AppID     string `json:"appid"`
	Sets      *[]int `json:"permission_sets"` // absent: all that the platform offers
	Push      *bool  `json:"push"`            // absent: authorized is pushed, as after a scan
}

func authorizeByProgram(w *world, now int64, _ *http.Request, req authorizeRequest) (any, error) {
	c, m := w.components.get(req.Component), w.miniPrograms.get(req.AppID)
	if c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台")
	}
	if m == nil {
		return nil, notFound("appid", "模拟平台没有这个小程序，请先创建")
	}
	sets := c.PermissionSets
	if req.Sets != nil {
		sets = sortedSet(*req.Sets)
	}
	for _, id := range sets {
		if permissionSets[id] == "" {
			return nil, badRequest("permission_sets", "没有这个小程序权限集编号")
		}
		if other := w.holder(m.AppID, id); exclusiveSets[id] && other != "" && other != c.AppID {
			return nil, conflict("permission_sets", fmt.Sprintf("权限集 %d 已授权给另一个第三方平台", id))
		}
	}
	if len(sets) == 0 {
		return nil, badRequest("permission_sets", "至少要有一个权限集")
	}
	if req.Push == nil || *req.Push {
		if _, err := w.grant(c, m.AppID, sets, "", now); err != nil {
			return nil, err
		}
	} else {
		w.authorizations.put(authorizationID(c.AppID, m.AppID), &authorization{Component: c.AppID, AppID: m.AppID, Active: true, Sets: sets,
			RefreshToken: "refreshtoken@@@" + w.ids.text(base62, 43), Exchanged: true, AuthorizedMs: now})
	}
	return map[string]any{"component_appid": c.AppID, "appid": m.AppID, "active": true, "permission_sets": sets}, nil
}
