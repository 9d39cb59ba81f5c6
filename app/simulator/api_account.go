package simulator

import "regexp"

// accountEndpoints are the profile of a mini program and the look-up of a rid.
func accountEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/account/getaccountbasicinfo", token: authorizerToken, sets: []int{30}, official: true, run: getAccountBasicInfo},
		{path: "/cgi-bin/openapi/rid/get", post: true, token: anyToken, run: getRID},
	}
}

func getAccountBasicInfo(w *world, c *apiCall) (any, error) {
	m, p, month := c.mp, w.profileOf(c.mp.AppID), monthOf(c.now)
	kind := 3
	if m.Official {
		kind = 2
	}
	customer := 0
	if m.VerifyType == 0 && m.PrincipalType == 1 {
		customer = 1
	}
	intro := ""
	if m.IntroSet {
		intro = m.Signature
	}
	return fields{
		"appid": m.AppID, "account_type": kind, "principal_type": m.PrincipalType, "principal_name": m.PrincipalName,
		"credential": m.Credential, "customer_type": customer, "realname_status": 1, "nickname": m.NickName, "registered_country": 1017,
		"wx_verify_info":  m.verifyInfo(),
		"signature_info":  map[string]any{"signature": intro, "modify_used_count": p.IntroEdits.in(month), "modify_quota": w.settings.ProfileEdits},
		"head_image_info": map[string]any{"head_image_url": m.headImg(c.publicURL), "modify_used_count": p.AvatarEdits.in(month), "modify_quota": w.settings.ProfileEdits},
		"nickname_info":   map[string]any{"nickname": m.NickName, "modify_used_count": w.nicknamesOf(m.AppID).Used.in(yearOf(c.now)), "modify_quota": namesPerYear},
	}, nil
}

// verifyInfo is wx_verify_info: the 年审 of a certification that ends opens 60 days before.
func (m *miniProgram) verifyInfo() map[string]any {
	certified := m.VerifyType == 0
	out := map[string]any{"qualification_verify": certified, "naming_verify": certified}
	if certified && m.CertifiedMs > 0 {
		out["annual_review"] = true
		out["annual_review_begin_time"], out["annual_review_end_time"] = (m.CertifiedMs-certifiedNotice[0])/1000, m.CertifiedMs/1000
	}
	return out
}

var ridPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`)

func getRID(w *world, c *apiCall) (any, error) {
	var req struct {
		RID string `json:"rid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if !ridPattern.MatchString(req.RID) {
		return nil, refuse(76002)
	}
	if found := w.callOf(req.RID); found != nil && found.Component == c.component.AppID {
		return fields{"request": map[string]any{
			"invoke_time": found.TimeMs / 1000, "cost_in_ms": found.DurationMs, "request_url": found.Path + "?" + found.Query,
			"request_body": found.Body, "response_body": found.Answer, "client_ip": "127.0.0.1"}}, nil
	}
	return nil, refuse(76001)
}
