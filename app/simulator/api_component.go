package simulator

import (
	"crypto/subtle"
	"sort"
)

// componentEndpoints are /cgi-bin/component/*, called with the platform's own token.
func componentEndpoints() []endpoint {
	const base = "/cgi-bin/component/"
	return []endpoint{
		{path: base + "api_component_token", post: true, run: getComponentToken},
		{path: base + "api_start_push_ticket", post: true, run: startPushTicket},
		{path: base + "api_create_preauthcode", post: true, token: componentToken, run: createPreAuthCode},
		{path: base + "api_query_auth", post: true, token: componentToken, run: queryAuth},
		{path: base + "api_authorizer_token", post: true, token: componentToken, run: refreshAuthorizerToken},
		{path: base + "api_get_authorizer_info", post: true, token: componentToken, run: getAuthorizerInfo},
		{path: base + "api_get_authorizer_list", post: true, token: componentToken, run: getAuthorizerList},
		{path: base + "modify_wxa_server_domain", post: true, token: componentToken, run: modifyServerDomainPool},
	}
}

// platformOf finds the platform that identifies itself by appid and secret.
func (w *world) platformOf(call *apiCall, appID, secret string) (*component, error) {
	if appID == "" {
		return nil, refuse(41018)
	}
	c := w.components.get(appID)
	if c == nil && w.miniPrograms.get(appID) != nil {
		return nil, refuse(61011)
	}
	if c == nil {
		return nil, refuse(40013)
	}
	if secret == "" {
		return nil, refuse(41004)
	}
	if !c.admits(call.ip) {
		return nil, refusef(61004, "%s", call.ip)
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1 {
		return nil, refuse(40125)
	}
	return c, nil
}

func getComponentToken(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID  string `json:"component_appid"`
		Secret string `json:"component_appsecret"`
		Ticket string `json:"component_verify_ticket"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	platform, err := w.platformOf(c, req.AppID, req.Secret)
	if err != nil {
		return nil, err
	}
	if err := platform.checkTicket(req.Ticket, c.now); err != nil {
		return nil, err
	}
	t := w.issueComponentToken(platform, c.now)
	return bareFields{"component_access_token": t.Value, "expires_in": w.settings.TokenSeconds}, nil
}

func startPushTicket(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID  string `json:"component_appid"`
		Secret string `json:"component_secret"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	platform, err := w.platformOf(c, req.AppID, req.Secret)
	if err != nil {
		return nil, err
	}
	platform.TicketStopped = false
	w.pushTicket(platform, c.now, pushShape{})
	return fields{}, nil
}

// ownAppID checks the component_appid every platform call repeats in its body.
func (c *apiCall) ownAppID(appID string) error {
	if appID == "" {
		return refuse(41018)
	}
	if appID != c.component.AppID {
		return refuse(40013)
	}
	return nil
}

func createPreAuthCode(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID string `json:"component_appid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := c.ownAppID(req.AppID); err != nil {
		return nil, err
	}
	code := &preAuthCode{Value: "preauthcode@@@" + w.ids.text(base62, 64), Component: req.AppID,
		ExpiresMs: c.now + w.settings.PreAuthCodeSeconds*1000}
	w.preAuthCodes.put(code.Value, code)
	return bareFields{"pre_auth_code": code.Value, "expires_in": w.settings.PreAuthCodeSeconds}, nil
}

func queryAuth(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID string `json:"component_appid"`
		Code  string `json:"authorization_code"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := c.ownAppID(req.AppID); err != nil {
		return nil, err
	}
	code := w.authCodes.get(req.Code)
	if code == nil || code.Component != req.AppID {
		return nil, refuse(61009)
	}
	if c.now >= code.ExpiresMs {
		return nil, refuse(61010)
	}
	auth := w.authorizationOf(code.Component, code.AppID)
	if auth == nil || !auth.Active {
		return nil, refuse(61009)
	}
	var token *accessToken
	if code.Used {
		if token = w.tokens.get(code.Token); w.settings.QueryAuthRepeat != "same" || token == nil {
			return nil, refuse(61009)
		}
	} else {
		token = w.issueAuthorizerToken(auth, c.now)
		auth.Exchanged = true
		w.authorizations.put(authorizationID(auth.Component, auth.AppID), auth)
		code.Used, code.Token = true, token.Value
		w.authCodes.put(code.Value, code)
	}
	return bareFields{"authorization_info": map[string]any{
		"authorizer_appid": auth.AppID, "authorizer_access_token": token.Value,
		"expires_in": (token.ExpiresMs - c.now) / 1000, "authorizer_refresh_token": auth.RefreshToken, "func_info": funcInfo(auth.Sets),
	}}, nil
}

func funcInfo(sets []int) []any {
	out := make([]any, 0, len(sets))
	for _, id := range sets {
		out = append(out, map[string]any{"funcscope_category": map[string]any{"id": id}})
	}
	return out
}

// authorizerRequest is the body of the calls about one authorizer.
type authorizerRequest struct {
	AppID        string `json:"component_appid"`
	Authorizer   string `json:"authorizer_appid"`
	RefreshToken string `json:"authorizer_refresh_token"`
}

func (w *world) authorizerOf(c *apiCall) (authorizerRequest, *authorization, error) {
	var req authorizerRequest
	if err := c.decode(&req); err != nil {
		return req, nil, err
	}
	if err := c.ownAppID(req.AppID); err != nil {
		return req, nil, err
	}
	auth := w.authorizationOf(req.AppID, req.Authorizer)
	if auth == nil && w.miniPrograms.get(req.Authorizer) == nil {
		return req, nil, refuse(40013)
	}
	if auth == nil || !auth.Active {
		return req, nil, refuse(61003)
	}
	return req, auth, nil
}

func refreshAuthorizerToken(w *world, c *apiCall) (any, error) {
	req, auth, err := w.authorizerOf(c)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(req.RefreshToken), []byte(auth.RefreshToken)) != 1 {
		return nil, refuse(61023)
	}
	t := w.issueAuthorizerToken(auth, c.now)
	return bareFields{"authorizer_access_token": t.Value, "expires_in": w.settings.TokenSeconds,
		"authorizer_refresh_token": auth.RefreshToken}, nil
}

func getAuthorizerInfo(w *world, c *apiCall) (any, error) {
	req, auth, err := w.authorizerOf(c)
	if err != nil {
		return nil, err
	}
	m := w.miniPrograms.get(req.Authorizer)
	if m == nil {
		return nil, refuse(40013)
	}
	return bareFields{"authorizer_info": m.authorizerInfo(c.publicURL), "authorization_info": map[string]any{
		"authorizer_appid": m.AppID, "authorizer_refresh_token": auth.RefreshToken, "func_info": funcInfo(auth.Sets)}}, nil
}

// authorizerInfo is the profile as api_get_authorizer_info shows it (document D.6).
func (m *miniProgram) authorizerInfo(publicURL string) map[string]any {
	categories := []any{}
	for _, c := range m.Categories {
		categories = append(categories, map[string]any{"first": c.FirstClass, "second": c.SecondClass})
	}
	network := map[string]any{}
	for name, key := range map[string]string{"RequestDomain": "requestdomain", "WsRequestDomain": "wsrequestdomain",
		"UploadDomain": "uploaddomain", "DownloadDomain": "downloaddomain", "UDPDomain": "udpdomain", "TCPDomain": "tcpdomain"} {
		network[name] = notNil(m.Domains[key])
	}
	return map[string]any{
		"nick_name": m.NickName, "head_img": m.headImg(publicURL), "user_name": m.UserName, "alias": "",
		"qrcode_url": publicURL + "/sim/qrcode/" + m.AppID + ".png", "principal_name": m.PrincipalName, "signature": m.Signature,
		"service_type_info": map[string]any{"id": m.ServiceType}, "verify_type_info": map[string]any{"id": m.VerifyType},
		"business_info": map[string]any{"open_pay": 0, "open_shake": 0, "open_scan": 0, "open_card": 0, "open_store": 0},
		"idc":           1,
		"MiniProgramInfo": map[string]any{"network": network, "categories": categories,
			"visit_status": 0},
		"register_type": m.RegisterType, "account_status": m.AccountStatus,
		"basic_config": map[string]any{"is_phone_configured": true, "is_email_configured": true},
	}
}

func (m *miniProgram) headImg(publicURL string) string {
	switch {
	case !m.AvatarSet:
		return ""
	case m.HeadImg != "":
		return m.HeadImg
	}
	return publicURL + "/sim/avatar/" + m.AppID + ".png"
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func getAuthorizerList(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID  string `json:"component_appid"`
		Offset int    `json:"offset"`
		Count  int    `json:"count"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := c.ownAppID(req.AppID); err != nil {
		return nil, err
	}
	if req.Count > 500 {
		return nil, refuse(40170)
	}
	if req.Count <= 0 || req.Offset < 0 {
		return nil, refuse(40097)
	}
	all := []*authorization{}
	for _, a := range w.authorizations.all() {
		if a.Component == req.AppID && a.Active {
			all = append(all, a)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].AuthorizedMs < all[j].AuthorizedMs })
	list := []any{}
	for i := req.Offset; i < len(all) && len(list) < req.Count; i++ {
		item := map[string]any{"authorizer_appid": all[i].AppID, "refresh_token": "", "auth_time": all[i].AuthorizedMs / 1000}
		if all[i].Exchanged {
			item["refresh_token"] = all[i].RefreshToken
		}
		list = append(list, item)
	}
	return bareFields{"total_count": len(all), "list": list}, nil
}

const domainEditsPerMonth = 50

func modifyServerDomainPool(w *world, c *apiCall) (any, error) {
	var req struct {
		Action   string `json:"action"`
		Domain   string `json:"wxa_server_domain"`
		Together bool   `json:"is_modify_published_together"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p := c.component
	if req.Action == "get" {
		return p.poolAnswer(nil), nil
	}
	if req.Action != "add" && req.Action != "delete" && req.Action != "set" {
		return nil, refuse(85022)
	}
	month := monthOf(c.now)
	if p.DomainEdits.in(month) >= domainEditsPerMonth {
		return nil, refuse(45104)
	}
	good, bad := splitHosts(req.Domain)
	testing := applyDomains(p.TestingDomains, req.Action, good)
	if len(testing) > domainLimit {
		return nil, refuse(85016)
	}
	p.TestingDomains = testing
	if req.Together {
		p.Domains = applyDomains(p.Domains, req.Action, good)
	}
	p.DomainEdits.add(month)
	w.components.put(p.AppID, p)
	return p.poolAnswer(bad), nil
}

func (c *component) poolAnswer(invalid []string) fields {
	return poolLists("wxa_server_domain", c.Domains, c.TestingDomains, invalid)
}
