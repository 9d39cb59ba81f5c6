package simulator

import (
	"strings"
	"unicode/utf8"
)

// profileEndpoints are avatar, intro, administrator, search and what a mini program shows of an official account
// (02 D.3 to D.6, D.8).
func profileEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/account/modifyheadimage", post: true, token: authorizerToken, sets: []int{30}, run: modifyHeadImage},
		{path: "/cgi-bin/account/modifysignature", post: true, token: authorizerToken, sets: []int{30}, run: modifySignature},
		{path: "/cgi-bin/account/componentrebindadmin", post: true, token: authorizerToken, sets: []int{30}, run: rebindAdmin},
		{path: "/wxa/getwxasearchstatus", token: authorizerToken, sets: codeSets, run: getSearchStatus},
		{path: "/wxa/changewxasearchstatus", post: true, token: authorizerToken, sets: codeSets, run: changeSearchStatus},
		{path: "/wxa/getwxamplinkforshow", token: authorizerToken, sets: codeSets, run: showCandidates},
		{path: "/wxa/getshowwxaitem", token: authorizerToken, sets: codeSets, run: getShowItem},
		{path: "/wxa/updateshowwxaitem", post: true, token: authorizerToken, sets: codeSets, run: updateShowItem},
		{path: "/wxa/fetchdatasetting", post: true, token: authorizerToken, sets: codeSets, run: fetchDataSetting},
	}
}

// profile is what a mini program has beside its name: counters of the month and switches.
type profile struct {
	AvatarEdits    counter        `json:"avatar_edits"`
	IntroEdits     counter        `json:"intro_edits"`
	SearchClosed   bool           `json:"search_closed"`
	SearchBanned   bool           `json:"search_banned"`   // 85083
	ShowAppID      string         `json:"show_appid"`      // official account of the 扫码关注组件
	LibraryVersion string         `json:"library_version"` // lowest base library
	FetchData      map[string]any `json:"fetch_data"`
}

func (w *world) profileOf(appID string) *profile {
	if p := w.profiles.get(appID); p != nil {
		return p
	}
	return &profile{}
}

func modifyHeadImage(w *world, c *apiCall) (any, error) {
	var req struct {
		MediaID string  `json:"head_img_media_id"`
		X1      float64 `json:"x1"`
		Y1      float64 `json:"y1"`
		X2      float64 `json:"x2"`
		Y2      float64 `json:"y2"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.MediaID == "" {
		return nil, refuse(41006)
	}
	inside := func(from, to float64) bool { return from >= 0 && to <= 1 && from < to }
	if !inside(req.X1, req.X2) || !inside(req.Y1, req.Y2) {
		return nil, refuse(40097)
	}
	m := w.mediumOf(c.mp.AppID, useTemp, req.MediaID, c.now)
	switch {
	case m == nil && w.media.get(req.MediaID) != nil:
		return nil, refuse(40007)
	case m == nil:
		return nil, refuse(46001)
	case m.Type != "image":
		return nil, refuse(40007)
	}
	p, month := w.profileOf(c.mp.AppID), monthOf(c.now)
	if p.AvatarEdits.in(month) >= w.settings.ProfileEdits {
		return nil, refuse(53202)
	}
	p.AvatarEdits.add(month)
	w.profiles.put(c.mp.AppID, p)
	c.mp.AvatarSet, c.mp.HeadImg = true, c.publicURL+"/sim/avatar/"+m.SHA256[:16]+".png"
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

const (
	minSignature = 4
	maxSignature = 120
)

func modifySignature(w *world, c *apiCall) (any, error) {
	var req struct {
		Signature string `json:"signature"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	n := utf8.RuneCountInString(req.Signature)
	switch {
	case n < minSignature || n > maxSignature || strings.TrimSpace(req.Signature) == "":
		return nil, refuse(53204)
	case hasAny(req.Signature, []string{"违禁", "赌博"}):
		return nil, refuse(53201)
	}
	p, month := w.profileOf(c.mp.AppID), monthOf(c.now)
	if p.IntroEdits.in(month) >= w.settings.ProfileEdits {
		return nil, refuse(53200)
	}
	p.IntroEdits.add(month)
	w.profiles.put(c.mp.AppID, p)
	c.mp.Signature, c.mp.IntroSet = req.Signature, true
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

// rebindAdmin hands a mini program to the administrator the page of 换绑管理员 found (02 D.8).
func rebindAdmin(w *world, c *apiCall) (any, error) {
	var req struct {
		TaskID string `json:"taskid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := w.tasks.get(req.TaskID)
	if t == nil || t.Kind != taskRebind || t.AppID != c.mp.AppID || t.State != stepDone || t.Used {
		return nil, refuse(85060)
	}
	if c.mp.RegisterType == 0 {
		return nil, refuse(41033)
	}
	if w.programsOf(t.Person) >= w.settings.ProgramsPerPerson {
		return nil, refuse(85026)
	}
	t.Used = true
	w.tasks.put(t.ID, t)
	c.mp.Admin = t.Person
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func getSearchStatus(w *world, c *apiCall) (any, error) {
	status := 0
	if w.profileOf(c.mp.AppID).SearchClosed {
		status = 1
	}
	return fields{"status": status}, nil
}

func changeSearchStatus(w *world, c *apiCall) (any, error) {
	var req struct {
		Status *number `json:"status"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p := w.profileOf(c.mp.AppID)
	switch {
	case req.Status == nil || *req.Status < 0 || *req.Status > 1:
		return nil, refuse(85084)
	case p.SearchBanned:
		return nil, refuse(85083)
	}
	p.SearchClosed = *req.Status == 1
	w.profiles.put(c.mp.AppID, p)
	return fields{}, nil
}

// officials are the 公众号 of the same subject, which a mini program may show.
func (w *world) officials(m *miniProgram) []*miniProgram {
	out := []*miniProgram{}
	for _, o := range w.miniPrograms.all() {
		if o.Official && o.PrincipalName == m.PrincipalName {
			out = append(out, o)
		}
	}
	return out
}

func showCandidates(w *world, c *apiCall) (any, error) {
	page, num := c.queryInt("page", 0), c.queryInt("num", 20)
	if page < 0 || num < 1 || num > 100 {
		return nil, refuse(40097)
	}
	all, list := w.officials(c.mp), []any{}
	for i := page * num; i < len(all) && len(list) < num; i++ {
		list = append(list, map[string]any{"nickname": all[i].NickName, "appid": all[i].AppID, "headimg": all[i].headImg(c.publicURL)})
	}
	return fields{"total_num": len(all), "biz_info_list": list}, nil
}

func getShowItem(w *world, c *apiCall) (any, error) {
	out := fields{"can_open": 0, "is_open": 0, "appid": "", "nickname": "", "headimg": ""}
	if len(w.officials(c.mp)) > 0 {
		out["can_open"] = 1
	}
	if o := w.miniPrograms.get(w.profileOf(c.mp.AppID).ShowAppID); o != nil {
		out["is_open"], out["appid"], out["nickname"], out["headimg"] = 1, o.AppID, o.NickName, o.headImg(c.publicURL)
	}
	return out, nil
}

func updateShowItem(w *world, c *apiCall) (any, error) {
	var req struct {
		Flag  *number `json:"wxa_subscribe_biz_flag"`
		AppID string  `json:"appid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Flag == nil || *req.Flag < 0 || *req.Flag > 1 {
		return nil, refuse(40097)
	}
	p := w.profileOf(c.mp.AppID)
	p.ShowAppID = ""
	if *req.Flag == 1 {
		o := w.miniPrograms.get(req.AppID)
		if o == nil || !o.Official || o.PrincipalName != c.mp.PrincipalName {
			return nil, refuse(40013)
		}
		p.ShowAppID = req.AppID
	}
	w.profiles.put(c.mp.AppID, p)
	return fields{}, nil
}

// fetchDataRequest is 数据预拉取与周期性更新 (02 D.5).
type fetchDataRequest struct {
	Action         string  `json:"action"`
	PreOpen        *bool   `json:"is_pre_fetch_open"`
	PreType        *number `json:"pre_fetch_type"`
	PreURL         string  `json:"pre_fetch_url"`
	PreEnv         string  `json:"pre_env"`
	PreFunction    string  `json:"pre_function_name"`
	PeriodOpen     *bool   `json:"is_period_fetch_open"`
	PeriodType     *number `json:"period_fetch_type"`
	PeriodURL      string  `json:"period_fetch_url"`
	PeriodEnv      string  `json:"period_env"`
	PeriodFunction string  `json:"period_function_name"`
}

func fetchDataSetting(w *world, c *apiCall) (any, error) {
	var req fetchDataRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p := w.profileOf(c.mp.AppID)
	if p.FetchData == nil {
		p.FetchData = map[string]any{"is_pre_fetch_open": false, "pre_fetch_type": 0, "is_period_fetch_open": false, "period_fetch_type": 0}
	}
	change := map[string]any{}
	switch req.Action {
	case "get":
		return fields(p.FetchData), nil
	case "set_pre_fetch":
		change = fetchFields("pre", req.PreOpen, req.PreType, req.PreURL, req.PreEnv, req.PreFunction)
	case "set_period_fetch":
		change = fetchFields("period", req.PeriodOpen, req.PeriodType, req.PeriodURL, req.PeriodEnv, req.PeriodFunction)
	default:
		return nil, refuse(9410013)
	}
	if change == nil {
		return nil, refuse(40097)
	}
	for key, value := range change {
		p.FetchData[key] = value
	}
	w.profiles.put(c.mp.AppID, p)
	return fields{}, nil
}

// fetchFields checks one half of the setting; nil means an argument is missing.
func fetchFields(kind string, open *bool, from *number, url, env, function string) map[string]any {
	if open == nil || (*open && from == nil) {
		return nil
	}
	out := map[string]any{"is_" + kind + "_fetch_open": *open}
	if !*open {
		return out
	}
	out[kind+"_fetch_type"] = int(*from)
	switch {
	case *from == 0 && strings.HasPrefix(url, "https://"):
		out[kind+"_fetch_url"] = url
	case *from == 1 && env != "" && function != "":
		out[kind+"_env"], out[kind+"_function_name"] = env, function
	default:
		return nil
	}
	return out
}
