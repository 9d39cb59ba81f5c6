package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// What WeChat holds against a platform or a mini program, and what a platform may not do before its full-network release.
// All of it is state that a person sets on the console or a program by /control; the errcodes follow from it.

// restrictions are those of a platform.
type restrictions struct {
	Punished     string   `json:"punished,omitempty"`      // a punish… constant
	Unreleased   bool     `json:"unreleased,omitempty"`    // not 全网发布 yet
	TestAccounts []string `json:"test_accounts,omitempty"` // 授权测试列表: the accounts that can authorise before the release
}

// How a platform's submits are restricted.
const (
	punishNone      = ""
	punishAll       = "all"       // 86008
	punishNew       = "new"       // 86009: mini programs that were never online
	punishIteration = "iteration" // 86010: those that are
)

// punishments are the words for them. Read only.
var punishments = [][2]string{{punishNone, "没有处罚"}, {punishAll, "全部提审受限（86008）"}, {punishNew, "新小程序提审受限（86009）"}, {punishIteration, "迭代提审受限（86010）"}}

// programTraits are what is special about one mini program.
type programTraits struct {
	SubmitBanned bool `json:"submit_banned,omitempty"` // 禁止提审, 86007
	Game         bool `json:"game,omitempty"`          // 小游戏: no submit this way (87006), no datacube (61502)
	LiveEnabled  bool `json:"live_enabled,omitempty"`  // 已开通直播; as a development mini program its code cannot be submitted (9400001)
	CloudOff     bool `json:"cloud_off,omitempty"`     // 未开通云开发, which links to static pages need (85088)

	OperationMs int64 `json:"operation_ms,omitempty"` // the last commit or submit that was taken
}

// mayOperate answers 9402202 while the last commit or submit of the mini program is still being worked on.
func (w *world) mayOperate(m *miniProgram, now int64) error {
	if seconds := w.settings.OperationSeconds; seconds > 0 && m.OperationMs > 0 && now < m.OperationMs+seconds*1000 {
		return refuse(9402202)
	}
	return nil
}

// maySubmit answers what WeChat holds against platform and mini program.
func (w *world) maySubmit(c *component, m *miniProgram) error {
	switch {
	case m.Game:
		return refuse(87006)
	case m.SubmitBanned:
		return refuse(86007)
	case c.Punished == punishAll:
		return refuse(86008)
	case c.Punished == punishNew && m.Online == nil:
		return refuse(86009)
	case c.Punished == punishIteration && m.Online != nil:
		return refuse(86010)
	}
	if m.Trial == nil {
		return nil
	}
	from := w.components.get(m.Trial.Component)
	if from == nil {
		return nil
	}
	t := from.template(m.Trial.TemplateID)
	if t == nil {
		return nil
	}
	if dev := w.miniPrograms.get(t.Draft.SourceAppID); dev != nil && dev.LiveEnabled {
		return refuse(9400001)
	}
	if t.Draft.Navigates && !listsJumps(m.Trial.ExtJSON) {
		return refuse(85087)
	}
	return nil
}

// listsJumps tells whether an ext_json names the mini programs the code may jump to.
func listsJumps(ext string) bool {
	var named struct {
		List *[]string `json:"navigateToMiniProgramAppIdList"`
	}
	return json.Unmarshal([]byte(ext), &named) == nil && named.List != nil
}

const (
	maxPackageKB     = 20 * 1024 // the whole package of a mini program whose code a platform uploads
	maxMainPackageKB = 2 * 1024  // the main package or one sub-package
)

// checkPackage answers 85044 for code that is too large.
func (d draft) checkPackage() error {
	if d.PackageKB > maxPackageKB || d.MainKB > maxMainPackageKB {
		return refuse(85044)
	}
	return nil
}

// standardKeys are what the ext_json of a 标准模板 may hold. Read only.
var standardKeys = []string{"extAppid", "ext", "window"}

// checkStandard answers 9402203 for any other key.
func checkStandard(ext string) error {
	var keys map[string]json.RawMessage
	if json.Unmarshal([]byte(ext), &keys) != nil {
		return refuse(85013)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(standardKeys, key) {
			return refusef(9402203, "%s", key)
		}
	}
	return nil
}

// checkPlugins answers 80067, 80082 and 80066 for the plugins an ext_json uses.
func (w *world) checkPlugins(m *miniProgram, ext string) error {
	if !strings.Contains(ext, `"plugins"`) {
		return nil // most uploads use none and need not be parsed once more
	}
	var named struct {
		Plugins map[string]struct {
			Version  string `json:"version"`
			Provider string `json:"provider"`
		} `json:"plugins"`
	}
	if json.Unmarshal([]byte(ext), &named) != nil {
		return refuse(85013)
	}
	for _, name := range slices.Sorted(maps.Keys(named.Plugins)) {
		p := named.Plugins[name]
		owner, use := w.miniPrograms.get(p.Provider), w.plugins.get(pluginKey(m.AppID, p.Provider))
		switch {
		case owner == nil || owner.Official:
			return refusef(80067, "%s", name)
		case use == nil || use.Status != pluginAgreed:
			return refusef(80082, "%s", name)
		case p.Version == "" || (use.Version != "" && p.Version != "latest" && p.Version != use.Version):
			return refusef(80066, "%s", name)
		}
	}
	return nil
}

// mayAuthorize refuses accounts that are not on the list of a platform before its release.
func (c *component) mayAuthorize(appID string) error {
	if c.Unreleased && !slices.Contains(c.TestAccounts, appID) {
		return &pageError{"第三方平台未全网发布", "「" + c.Name + "」还没有全网发布，只能授权授权测试列表中的帐号。请联系平台把 " + appID + " 加入列表，或等平台全网发布后再授权。"}
	}
	return nil
}

// restrictionRequest is the body of POST /control/restrictions: of one platform, of one mini program, or of both.
type restrictionRequest struct {
	Component    string    `json:"component_appid"`
	Punished     *string   `json:"punished"`
	Unreleased   *bool     `json:"unreleased"`
	TestAccounts *[]string `json:"test_accounts"`
	AppID        string    `json:"appid"`
	SubmitBanned *bool     `json:"submit_banned"`
	Game         *bool     `json:"game"`
	LiveEnabled  *bool     `json:"live_enabled"`
	CloudOff     *bool     `json:"cloud_off"`
}

func (r restrictionRequest) check(w *world) error {
	switch {
	case r.Component == "" && r.AppID == "":
		return badRequest("appid", "请填写 component_appid（第三方平台）或 appid（小程序）")
	case r.Component != "" && w.components.get(r.Component) == nil:
		return notFound("component_appid", "没有这个第三方平台")
	case r.AppID != "" && w.miniPrograms.get(r.AppID) == nil:
		return notFound("appid", "模拟平台没有这个小程序")
	case r.Punished != nil && !isChoice(punishments, *r.Punished):
		return badRequest("punished", "处罚只能是空、all、new、iteration")
	}
	if r.TestAccounts != nil {
		for _, appID := range *r.TestAccounts {
			if !appIDPattern.MatchString(appID) {
				return badRequest("test_accounts", "「"+appID+"」不是 AppID")
			}
		}
	}
	return nil
}

func setRestrictions(w *world, _ int64, _ *http.Request, req restrictionRequest) (any, error) {
	if err := req.check(w); err != nil {
		return nil, err
	}
	out := map[string]any{}
	if c := w.components.get(req.Component); c != nil {
		set(&c.Punished, req.Punished)
		set(&c.Unreleased, req.Unreleased)
		set(&c.TestAccounts, req.TestAccounts)
		w.components.put(c.AppID, c)
		out["component"] = c.restrictions
	}
	if m := w.miniPrograms.get(req.AppID); m != nil {
		set(&m.SubmitBanned, req.SubmitBanned)
		set(&m.Game, req.Game)
		set(&m.LiveEnabled, req.LiveEnabled)
		set(&m.CloudOff, req.CloudOff)
		w.miniPrograms.put(m.AppID, m)
		out["miniprogram"] = m.programTraits
	}
	return out, nil
}

// customerAction is somebody who uses a mini program: the console's form for messages, payments, errors and complaints.
func customerAction(f *form) runAction {
	appID, text, who := f.plain("appid"), f.plain("text"), f.plain("person")
	switch f.plain("act") {
	case "pay":
		return perform(payOrderByProgram, payRequest{AppID: appID, Description: text, Amount: 100, Person: who}, "已付款 ¥1.00，一分钟后平台可以查到这个待发货订单")
	case "error":
		return perform(addReport, reportRequest{AppID: appID, Error: text, Person: who, Route: "pages/index/index"}, "错误已上报，平台可在错误列表中查到")
	case "feedback":
		return perform(addReport, reportRequest{AppID: appID, Content: text, Person: who}, "反馈已提交，平台可在用户反馈中查到")
	}
	return func(w *world, now int64, r *http.Request) (string, error) {
		told := 0
		for _, c := range w.components.all() {
			auth := w.authorizationOf(c.AppID, appID)
			if auth == nil || !auth.Active || c.MessageURL == "" {
				continue
			}
			_, err := makePush(w, now, r, pushRequest{Kind: "text", Component: c.AppID, AppID: appID, XML: map[string]string{"Content": text, "FromUserName": w.openIDOf(appID, who)}})
			if err != nil {
				return "", err
			}
			told++
		}
		if told == 0 {
			return "", conflict("text", "这个小程序没有授权给填写了消息 URL 的平台，消息没有人收")
		}
		return "消息已推送给平台，48 小时内可以用客服消息回复", nil
	}
}

// restrictionAction is the console's form for one platform or one mini program.
func restrictionAction(f *form) runAction {
	req := restrictionRequest{Component: f.plain("component_appid"), AppID: f.plain("appid")}
	if req.Component != "" {
		list := f.words("test_accounts")
		req.Punished, req.Unreleased, req.TestAccounts = f.text("punished"), f.bool("unreleased"), &list
	}
	if req.AppID != "" {
		req.SubmitBanned, req.Game, req.LiveEnabled, req.CloudOff = f.bool("submit_banned"), f.bool("game"), f.bool("live_enabled"), f.bool("cloud_off")
	}
	return perform(setRestrictions, req, "限制已保存，之后的调用按它判断")
}
