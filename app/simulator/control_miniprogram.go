package simulator

import (
	"net/http"
	"slices"
	"sort"
	"strings"
)

// miniProgramRequest creates or changes a mini program; an absent key keeps what is there.
type miniProgramRequest struct {
	AppID         *string     `json:"appid"`
	NickName      *string     `json:"nick_name"`
	UserName      *string     `json:"user_name"`
	HeadImg       *string     `json:"head_img"`
	Signature     *string     `json:"signature"`
	Admin         *string     `json:"admin"` // WeChat id or name; made when unknown
	PrincipalName *string     `json:"principal_name"`
	PrincipalType *int        `json:"principal_type"`
	Credential    *string     `json:"credential"`
	Categories    *[]category `json:"categories"`
	NameSet       *bool       `json:"name_set"`
	AvatarSet     *bool       `json:"avatar_set"`
	IntroSet      *bool       `json:"intro_set"`
	PrivacyAPIs   *[]string   `json:"privacy_apis"`
	VerifyType    *int        `json:"verify_type"`
	AccountStatus *int        `json:"account_status"`
	TesterLimit   *int        `json:"tester_limit"`
	DailyVisits   *int        `json:"daily_visits"`
	Official      *bool       `json:"official"` // a 公众号 instead of a mini program
}

func (r miniProgramRequest) check() error {
	switch {
	case r.NickName != nil && (strings.TrimSpace(*r.NickName) == "" || len(*r.NickName) > 90):
		return badRequest("nick_name", "名称不能为空，且不超过 30 个汉字")
	case r.UserName != nil && !strings.HasPrefix(*r.UserName, "gh_"):
		return badRequest("user_name", "原始ID 应以 gh_ 开头")
	case r.HeadImg != nil && *r.HeadImg != "" && checkWebURL(*r.HeadImg) != nil:
		return badRequest("head_img", "头像应为 http 或 https 地址")
	case r.Admin != nil && (*r.Admin == "" || len(*r.Admin) > 64 || strings.ContainsAny(*r.Admin, " \t\r\n/")):
		return badRequest("admin", "请填写管理员的微信号或姓名，不含空格")
	case r.AccountStatus != nil && !slices.Contains([]int{1, 14, 16, 18, 19}, *r.AccountStatus):
		return badRequest("account_status", "帐号状态只能是 1 正常、14 已注销、16 已封禁、18 已告警、19 已冻结")
	case r.VerifyType != nil && (*r.VerifyType < -1 || *r.VerifyType > 4):
		return badRequest("verify_type", "认证类型应在 -1 到 4 之间")
	case r.PrincipalType != nil && *r.PrincipalType != 0 && *r.PrincipalType != 1:
		return badRequest("principal_type", "主体类型只能是 0 个人、1 企业")
	case r.TesterLimit != nil && (*r.TesterLimit < 0 || *r.TesterLimit > 1000):
		return badRequest("tester_limit", "体验成员上限应在 0 到 1000 之间")
	}
	if r.Categories != nil {
		for _, c := range *r.Categories {
			if c.FirstClass == "" || c.SecondClass == "" || c.FirstID <= 0 || c.SecondID <= 0 {
				return badRequest("categories", "类目需要 first_class second_class first_id second_id")
			}
		}
	}
	if err := checkDailyVisits(r.DailyVisits); err != nil {
		return err
	}
	if r.PrivacyAPIs != nil {
		for _, api := range *r.PrivacyAPIs {
			if !slices.Contains(locationAPIs, api) {
				return badRequest("privacy_apis", "「"+api+"」不是地理位置隐私接口")
			}
		}
	}
	return nil
}

// newMiniProgram has everything a first submission needs; a test takes away what it wants missing.
func (w *world) newMiniProgram(appID string, now int64) *miniProgram {
	if appID == "" {
		appID = "wx" + w.ids.text(hexDigits, 16)
	}
	return &miniProgram{AppID: appID, UserName: "gh_" + w.ids.text(hexDigits, 12), NickName: "小程序 " + appID[len(appID)-4:],
		Signature: "用微信就能办事", PrincipalName: "示例商贸有限公司", PrincipalType: 1, Credential: "91110000" + strings.ToUpper(w.ids.text(hexDigits, 10)),
		VerifyType: 0, AccountStatus: 1, Categories: []category{{FirstClass: "商家自营", SecondClass: "食品饮料", FirstID: 304, SecondID: 325}},
		NameSet: true, AvatarSet: true, IntroSet: true, TesterLimit: 60, CreatedMs: now}
}

func upsertMiniProgram(w *world, now int64, _ *http.Request, req miniProgramRequest) (any, error) {
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
	if w.components.get(appID) != nil {
		return nil, conflict("appid", "这个 AppID 已被一个第三方平台使用")
	}
	m := w.miniPrograms.get(appID)
	if m == nil {
		if req.NickName == nil {
			return nil, badRequest("nick_name", "请填写小程序名称")
		}
		if req.Admin == nil {
			return nil, badRequest("admin", "请填写管理员的微信号或姓名")
		}
		m = w.newMiniProgram(appID, now)
	}
	set(&m.NickName, req.NickName)
	set(&m.UserName, req.UserName)
	set(&m.HeadImg, req.HeadImg)
	set(&m.Signature, req.Signature)
	set(&m.PrincipalName, req.PrincipalName)
	set(&m.PrincipalType, req.PrincipalType)
	set(&m.Credential, req.Credential)
	set(&m.Categories, req.Categories)
	set(&m.NameSet, req.NameSet)
	set(&m.AvatarSet, req.AvatarSet)
	set(&m.IntroSet, req.IntroSet)
	set(&m.PrivacyAPIs, req.PrivacyAPIs)
	set(&m.VerifyType, req.VerifyType)
	set(&m.AccountStatus, req.AccountStatus)
	set(&m.TesterLimit, req.TesterLimit)
	set(&m.Official, req.Official)
	set(&m.DailyVisits, req.DailyVisits)
	if req.Admin != nil {
		m.Admin = w.person(*req.Admin).WechatID
	}
	w.miniPrograms.put(m.AppID, m)
	return m, nil
}

// listMiniPrograms gives all, or one with ?appid=; each with the platforms it is authorised to.
func listMiniPrograms(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []any{}
	for _, m := range w.sortedMiniPrograms() {
		if want := r.URL.Query().Get("appid"); want != "" && want != m.AppID {
			continue
		}
		items = append(items, m)
	}
	return map[string]any{"items": items}, nil
}

// sortedMiniPrograms are all, oldest first.
func (w *world) sortedMiniPrograms() []*miniProgram {
	all := w.miniPrograms.all()
	sort.SliceStable(all, func(i, j int) bool { return all[i].CreatedMs < all[j].CreatedMs })
	return all
}
