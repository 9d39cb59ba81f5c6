package simulator

import (
	"net/url"
	"slices"
	"unicode/utf8"
)

// codeSets is 小程序开发与数据分析, which all code management needs. Read only.
var codeSets = []int{18}

// codeEndpoints are the calls from commit to the 体验版, its testers and domains.
func codeEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/commit", post: true, token: authorizerToken, sets: codeSets, run: commitCode},
		{path: "/wxa/get_page", token: authorizerToken, sets: codeSets, run: getPage},
		{path: "/wxa/get_category", token: authorizerToken, sets: codeSets, run: getCategory},
		{path: "/wxa/get_qrcode", token: authorizerToken, sets: []int{18, 86}, run: getTrialQRCode},
		{path: "/wxa/getversioninfo", post: true, token: authorizerToken, sets: codeSets, run: getVersionInfo},
		{path: "/wxa/security/get_code_privacy_info", token: authorizerToken, sets: codeSets, run: getCodePrivacyInfo},
		{path: "/wxa/modify_domain", post: true, token: authorizerToken, sets: codeSets, run: modifyDomain},
		{path: "/wxa/bind_tester", post: true, token: authorizerToken, sets: codeSets, run: bindTester},
		{path: "/wxa/unbind_tester", post: true, token: authorizerToken, sets: codeSets, run: unbindTester},
		{path: "/wxa/memberauth", post: true, token: authorizerToken, sets: codeSets, run: memberAuth},
	}
}

const maxUserVersion = 64

func commitCode(w *world, c *apiCall) (any, error) {
	var req struct {
		TemplateID *number `json:"template_id"`
		ExtJSON    *string `json:"ext_json"`
		Version    string  `json:"user_version"`
		Desc       string  `json:"user_desc"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.TemplateID == nil || req.ExtJSON == nil || req.Version == "" || utf8.RuneCountInString(req.Version) > maxUserVersion {
		return nil, refuse(40097)
	}
	t := c.component.template(int64(*req.TemplateID))
	if t == nil {
		return nil, refuse(85014)
	}
	if err := w.mayOperate(c.mp, c.now); err != nil {
		return nil, err
	}
	if err := t.Draft.checkPackage(); err != nil {
		return nil, err
	}
	pages, declared, err := checkExtJSON(*req.ExtJSON, c.mp.AppID, t.Draft)
	if err != nil {
		return nil, err
	}
	for _, api := range declared {
		if !slices.Contains(c.mp.PrivacyAPIs, api) {
			return nil, refusef(85312, "%s", api)
		}
	}
	if t.Type == 1 {
		if err := checkStandard(*req.ExtJSON); err != nil {
			return nil, err
		}
	}
	if err := w.checkPlugins(c.mp, *req.ExtJSON); err != nil {
		return nil, err
	}
	c.mp.OperationMs = c.now
	c.mp.Trial = &build{Component: c.component.AppID, TemplateID: t.TemplateID, Version: req.Version, Desc: req.Desc,
		ExtJSON: *req.ExtJSON, Pages: pages, PrivacyAPIs: t.Draft.PrivacyAPIs, Declared: declared, CommittedMs: c.now}
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func getPage(_ *world, c *apiCall) (any, error) {
	if c.mp.Trial == nil {
		return nil, refuse(86001)
	}
	return fields{"page_list": notNil(c.mp.Trial.Pages)}, nil
}

func getCategory(_ *world, c *apiCall) (any, error) {
	list := []category{}
	return fields{"category_list": append(list, c.mp.Categories...)}, nil
}

func getTrialQRCode(_ *world, c *apiCall) (any, error) {
	if c.mp.Trial == nil {
		return nil, refuse(86001)
	}
	link := c.publicURL + "/sim/trial/" + c.mp.AppID
	if path := c.query.Get("path"); path != "" {
		link += "?path=" + url.QueryEscape(path)
	}
	return picture("image/jpeg", link)
}

func getVersionInfo(_ *world, c *apiCall) (any, error) {
	out := fields{}
	if b := c.mp.Trial; b != nil {
		out["exp_info"] = map[string]any{"exp_time": b.CommittedMs / 1000, "exp_version": b.Version, "exp_desc": b.Desc}
	}
	if p := c.mp.Online; p != nil {
		out["release_info"] = map[string]any{"release_time": p.ReleasedMs / 1000, "release_version": p.Build.Version, "release_desc": p.Build.Desc}
	}
	return out, nil
}

// privacyScan answers 61039 while the scan after a commit runs, afterwards what it found.
func (w *world) privacyScan(m *miniProgram, now int64) (noPermission, notDeclared []string, err error) {
	if m.Trial == nil {
		return nil, nil, refuse(86001)
	}
	if now < m.Trial.CommittedMs+w.settings.PrivacyScanSeconds*1000 {
		return nil, nil, refuse(61039)
	}
	noPermission, notDeclared = []string{}, []string{}
	for _, api := range m.Trial.PrivacyAPIs {
		if !slices.Contains(m.PrivacyAPIs, api) {
			noPermission = append(noPermission, "wx."+api)
		} else if !slices.Contains(m.Trial.Declared, api) {
			notDeclared = append(notDeclared, "wx."+api)
		}
	}
	return noPermission, notDeclared, nil
}

func getCodePrivacyInfo(w *world, c *apiCall) (any, error) {
	noPermission, notDeclared, err := w.privacyScan(c.mp, c.now)
	if err != nil {
		return nil, err
	}
	return fields{"without_auth_list": noPermission, "without_conf_list": notDeclared}, nil
}
