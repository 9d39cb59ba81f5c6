package simulator

import (
	"net/http"
	"net/url"
	"slices"
)

// scanRequest is a person with a phone on an authorisation page.
type scanRequest struct {
	URL         string `json:"url"` // the authorisation link, or the three fields below
	Component   string `json:"component_appid"`
	PreAuthCode string `json:"pre_auth_code"`
	RedirectURI string `json:"redirect_uri"`
	Referer     string `json:"referer"` // "" = a page on the redirect_uri's host; "none" = no Referer at all
	AppID       string `json:"appid"`
	Person      string `json:"person"` // WeChat id; "" = the administrator
	Action      string `json:"action"` // confirm (default) or cancel
	Untick      []int  `json:"untick"`
}

// link is the query of the authorisation page the request means.
func (r scanRequest) link(w *world) (url.Values, error) {
	if r.URL != "" {
		u, err := url.Parse(r.URL)
		if err != nil || u.Query().Get("pre_auth_code") == "" {
			return nil, badRequest("url", "这不是微信授权页链接（缺少 pre_auth_code）。平台自己的落地页请先在浏览器中打开")
		}
		return u.Query(), nil
	}
	code := w.preAuthCodes.get(r.PreAuthCode)
	if r.Component == "" && code != nil {
		r.Component = code.Component
	}
	return url.Values{"component_appid": {r.Component}, "pre_auth_code": {r.PreAuthCode}, "redirect_uri": {r.RedirectURI}, "auth_type": {"2"}}, nil
}

func scanByProgram(w *world, now int64, _ *http.Request, req scanRequest) (any, error) {
	if req.Action != "" && req.Action != "confirm" && req.Action != "cancel" {
		return nil, badRequest("action", "action 只能是 confirm 或 cancel")
	}
	q, err := req.link(w)
	if err != nil {
		return nil, err
	}
	referer := req.Referer
	switch referer {
	case "":
		referer = "http://" + hostOf(q.Get("redirect_uri")) + "/"
	case "none":
		referer = ""
	}
	m := w.miniPrograms.get(req.AppID)
	if m == nil && req.Action != "cancel" {
		return nil, notFound("appid", "模拟平台没有这个小程序，请先创建")
	}
	scan, err := w.openScan(q, referer, false, now)
	if err != nil {
		return nil, err
	}
	if req.Action == "cancel" {
		return map[string]any{"redirect_to": nil, "state": scanCancelled}, w.cancel(scan)
	}
	if req.Person == "" {
		req.Person = m.Admin
	}
	held := w.heldElsewhere(scan, m.AppID)
	ticked, missing := []int{}, []int{}
	for _, id := range scan.Offered { // the page greys out what another platform holds; so does this
		if _, taken := held[id]; taken || slices.Contains(req.Untick, id) {
			missing = append(missing, id)
			continue
		}
		ticked = append(ticked, id)
	}
	if err := w.confirm(scan, req.Person, m.AppID, ticked, now); err != nil {
		return nil, err
	}
	return map[string]any{"redirect_to": scan.RedirectTo, "state": scan.State, "granted": ticked, "not_granted": missing}, nil
}

func listAudits(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []any{}
	for _, m := range w.sortedMiniPrograms() {
		for i := range m.Audits {
			if a := &m.Audits[i]; a.open() || r.URL.Query().Get("all") != "" {
				items = append(items, map[string]any{"appid": m.AppID, "nick_name": m.NickName, "audit": a})
			}
		}
	}
	return map[string]any{"items": items}, nil
}

func showAudit(w *world, _ int64, r *http.Request, _ none) (any, error) {
	m := w.miniPrograms.get(r.PathValue("appid"))
	if m == nil || m.lastAudit() == nil {
		return nil, notFound("appid", "该小程序没有提交过审核")
	}
	return map[string]any{"appid": m.AppID, "audit": m.lastAudit()}, nil
}

// auditRequestOfReviewer is the body of POST /control/audits/{appid}.
type auditRequestOfReviewer struct {
	Result      string   `json:"result"`
	Reason      string   `json:"reason"`
	Screenshots []string `json:"screenshots"`
	Push        *bool    `json:"push"`
}

func decideAudit(w *world, now int64, r *http.Request, req auditRequestOfReviewer) (any, error) {
	m := w.miniPrograms.get(r.PathValue("appid"))
	if m == nil {
		return nil, notFound("appid", "模拟平台没有这个小程序")
	}
	a, err := w.decide(m, auditVerdict{Result: req.Result, Reason: req.Reason, Screenshots: req.Screenshots, Push: req.Push == nil || *req.Push}, now)
	if err != nil {
		return nil, err
	}
	return map[string]any{"appid": m.AppID, "audit": a}, nil
}

// authorizationKey names one authorisation.
type authorizationKey struct {
	Component string `json:"component_appid"`
	AppID     string `json:"appid"`
}

func unauthorize(w *world, now int64, _ *http.Request, req authorizationKey) (any, error) {
	c, auth := w.components.get(req.Component), w.authorizationOf(req.Component, req.AppID)
	if c == nil || auth == nil || !auth.Active {
		return nil, notFound("appid", "该小程序没有授权给这个第三方平台")
	}
	if err := w.revoke(c, auth, now); err != nil {
		return nil, err
	}
	return map[string]any{"component_appid": c.AppID, "appid": auth.AppID, "active": false}, nil
}

func listAuthorizations(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []any{}
	for _, a := range w.authorizations.all() {
		q := r.URL.Query()
		if (q.Get("component_appid") != "" && q.Get("component_appid") != a.Component) || (q.Get("appid") != "" && q.Get("appid") != a.AppID) {
			continue
		}
		items = append(items, map[string]any{"component_appid": a.Component, "appid": a.AppID, "active": a.Active, "permission_sets": a.Sets,
			"exchanged": a.Exchanged, "authorized_ms": a.AuthorizedMs, "ended_ms": a.EndedMs})
	}
	return map[string]any{"items": items}, nil
}
