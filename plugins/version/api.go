package version

import (
	"context"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func (v *plugin) declareAPI(p *sdk.Plugin) {
	merchant, template, operate := sdk.Kinds("merchant"), sdk.Permission(permissionTemplate), sdk.Permission(permissionOperate)
	p.API("GET /components/{appid}/drafts", sdk.JSON(v.apiDrafts), merchant, template, sdk.Summary("同步并列出草稿箱"))
	p.API("GET /components/{appid}/templates", sdk.JSON(v.apiTemplates), merchant, template, sdk.Summary("模板库"))
	p.API("POST /components/{appid}/templates", sdk.JSON(v.apiAddTemplate).Created(), merchant, template, sdk.Summary("把草稿设为模板"))
	p.API("GET /templates/{id}", sdk.JSON(v.apiTemplate), merchant, template, sdk.Summary("一个模板"))
	p.API("POST /templates/{id}/settle", sdk.JSON(v.apiSettleTemplate), merchant, template, sdk.Summary("重新核对一个添加中的模板"))
	p.API("DELETE /templates/{id}", sdk.JSON(v.apiDeleteTemplate), merchant, template, sdk.Summary("删除模板，微信的模板库里也删除"))

	p.API("GET /lanes", sdk.JSON(v.apiFindLanes), merchant, operate, sdk.Summary("各小程序的版本，同“版本与发布”列表"))
	p.API("GET /audits", sdk.JSON(v.apiFindAudits), merchant, operate, sdk.Summary("各小程序的提审和结果，同“审核记录”列表"))
	p.API("GET /miniprograms/{appid}", sdk.JSON(v.apiLanes), operate, sdk.Summary("三栏版本：体验、审核、线上"))
	p.API("POST /miniprograms/{appid}/sync", sdk.JSON(v.apiSync), operate, sdk.Summary("立即向微信同步版本"))
	p.API("POST /miniprograms/{appid}/commit", sdk.JSON(v.apiCommit), operate, sdk.Summary("上传代码并生成体验版"))
	p.API("GET /miniprograms/{appid}/audit/choices", sdk.JSON(v.apiAuditChoices), operate, sdk.Summary("提审可以选的页面和类目，以及剩余额度"))
	p.API("POST /miniprograms/{appid}/audit", sdk.JSON(v.apiSubmit), operate, sdk.Summary("提交审核"))
	p.API("POST /miniprograms/{appid}/audit/withdraw", apiAct(v.withdraw), operate, sdk.Summary("撤回审核"))
	p.API("POST /miniprograms/{appid}/audit/speedup", apiAct(v.speedUp), operate, sdk.Summary("加急审核"))
	p.API("POST /miniprograms/{appid}/release", apiAct(v.release), operate, sdk.Summary("全量发布"))
	p.API("POST /miniprograms/{appid}/gray", sdk.JSON(v.apiGray), operate, sdk.Summary("开始或扩大灰度发布"))
	p.API("POST /miniprograms/{appid}/gray/revert", apiAct(v.ungray), operate, sdk.Summary("终止灰度发布"))
	p.API("GET /miniprograms/{appid}/history", sdk.JSON(v.apiHistory), operate, sdk.Summary("可以回退到的版本"))
	p.API("POST /miniprograms/{appid}/rollback", sdk.JSON(v.apiRollback), operate, sdk.Summary("版本回退"))
	p.API("GET /miniprograms/{appid}/trial-qrcode", sdk.JSON(v.apiTrialQRCode), operate, sdk.Summary("体验版二维码，内容为 base64"))
}

type appPath struct {
	AppID string `json:"-" path:"appid"`
}

// TrialView is the 体验版. Times are Unix milliseconds.
type TrialView struct {
	Version  string   `json:"version"`
	Desc     string   `json:"desc"`
	At       int64    `json:"at"`
	Template string   `json:"template"` // row id, "" when it did not come from our library
	By       string   `json:"by"`
	Scan     string   `json:"scan"` // "" "scanning" "clear" "found"
	Found    []string `json:"scan_found"`
}

// AuditView is the 审核版.
type AuditView struct {
	AuditID     int64    `json:"audit_id,string"`
	State       string   `json:"state"` // running delayed passed rejected undone released
	Version     string   `json:"version"`
	Desc        string   `json:"desc"`
	Reason      []string `json:"reason"`
	Screenshots []string `json:"screenshots"`
	SubmittedAt int64    `json:"submitted_at"`
	DecidedAt   int64    `json:"decided_at"`
	By          string   `json:"by"`
	Expedited   bool     `json:"expedited"`
}

// OnlineView is the 线上版.
type OnlineView struct {
	Version  string `json:"version"`
	Desc     string `json:"desc"`
	At       int64  `json:"at"`
	Template string `json:"template"`
	By       string `json:"by"`
}

// GrayView is a staged release.
type GrayView struct {
	State   string `json:"state"` // running paused
	Percent int    `json:"gray_percentage"`
	At      int64  `json:"at"`
}

// PendingView is an operation on its way.
type PendingView struct {
	Act   string `json:"act"`
	At    int64  `json:"at"`
	By    string `json:"by"`
	Doubt bool   `json:"doubt"`
}

// ActView tells whether an act is possible now, and why not.
type ActView struct {
	Act    string `json:"act"`
	Title  string `json:"title"`
	Reason string `json:"reason"` // "" when it is possible
}

// LaneView is the versions of one mini program.
type LaneView struct {
	AppID     string       `json:"appid"`
	Name      string       `json:"name"`
	Component string       `json:"component"`
	Trial     *TrialView   `json:"trial"`
	Audit     *AuditView   `json:"audit"`
	Online    *OnlineView  `json:"online"`
	Gray      *GrayView    `json:"gray"`
	Pending   *PendingView `json:"pending"`
	SyncedAt  int64        `json:"synced_at"`
	LostAt    int64        `json:"unauthorized_at"`
}

// LanesView is the answer about one mini program: its versions and what can be done with them.
type LanesView struct {
	LaneView
	Acts []ActView `json:"acts"`
}

func lanesView(l Lane, s situation) LanesView {
	view := LanesView{LaneView: laneView(l, s.now), Acts: []ActView{}}
	for _, r := range rules() {
		view.Acts = append(view.Acts, ActView{Act: r.act, Title: r.title, Reason: r.reason(s)})
	}
	return view
}

func laneView(l Lane, now time.Time) LaneView {
	view := LaneView{AppID: l.AppID, Name: l.Name, Component: l.Component, SyncedAt: l.SyncedAt, LostAt: l.LostAt}
	if l.TrialAt != 0 || l.TrialVersion != "" {
		view.Trial = &TrialView{Version: l.TrialVersion, Desc: l.TrialDesc, At: l.TrialAt, Template: l.TrialTemplate, By: l.TrialBy, Scan: l.Scan, Found: notNil(l.ScanFound)}
	}
	if l.AuditState != auditNone {
		view.Audit = &AuditView{AuditID: l.AuditID, State: l.AuditState, Version: l.AuditVersion, Desc: l.AuditDesc, Reason: notNil(l.ReasonLines()),
			Screenshots: notNil(l.AuditShots), SubmittedAt: l.AuditAt, DecidedAt: l.AuditDecidedAt, By: l.AuditBy, Expedited: l.Expedited}
	}
	if l.OnlineAt != 0 || l.OnlineVersion != "" {
		view.Online = &OnlineView{Version: l.OnlineVersion, Desc: l.OnlineDesc, At: l.OnlineAt, Template: l.OnlineTemplate, By: l.OnlineBy}
	}
	if l.GrayOn() {
		view.Gray = &GrayView{State: l.Gray, Percent: l.GrayPercent, At: l.GrayAt}
	}
	if l.Pending != "" {
		view.Pending = &PendingView{Act: l.Pending, At: l.PendingAt, By: l.PendingBy, Doubt: !l.Marked(now)}
	}
	return view
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// look reads the row for showing. A mini program that was never read is read once; the privacy scan is looked up while
// it runs. trouble is why a read failed: the row is shown all the same.
func (v *plugin) look(ctx context.Context, appid string) (lane Lane, app sdk.MiniProgramInfo, trouble, err error) {
	if app, err = sdk.GetMiniProgram(ctx, appid); err != nil {
		return Lane{}, app, nil, err
	}
	if lane, err = v.laneOf(ctx, app); err != nil {
		return lane, app, nil, err
	}
	_, held := holder(app, setCode)
	switch {
	case !held:
	case lane.SyncedAt == 0 && lane.Pending == "":
		if fresh, _, readErr := v.refresh(ctx, app, view{}); readErr == nil {
			lane = fresh
		} else {
			trouble = readErr
		}
	case lane.Scan == scanRunning && lane.TrialAt != 0:
		lane = v.scan(ctx, app, lane)
	}
	return lane, app, trouble, nil
}

func (v *plugin) apiLanes(ctx context.Context, in appPath) (LanesView, error) {
	lane, app, trouble, err := v.look(ctx, in.AppID)
	if err != nil {
		return LanesView{}, err
	}
	if trouble != nil {
		sdk.Log(ctx).Warn("first read of the lanes", "appid", in.AppID, "error", trouble.Error())
	}
	return lanesView(lane, situation{lane: lane, app: app, now: sdk.Now(ctx)}), nil
}

// apiAct is a REST call without a body of its own.
func apiAct(act func(ctx context.Context, appid string) (Lane, error)) sdk.Handler {
	return sdk.JSON(func(ctx context.Context, in appPath) (LanesView, error) {
		lane, err := act(ctx, in.AppID)
		return answer(ctx, lane, err)
	})
}

// answer is the lanes after an act.
func answer(ctx context.Context, lane Lane, err error) (LanesView, error) {
	if err != nil {
		return LanesView{}, err
	}
	app, err := sdk.GetMiniProgram(ctx, lane.AppID)
	if err != nil {
		return LanesView{}, err
	}
	return lanesView(lane, situation{lane: lane, app: app, now: sdk.Now(ctx)}), nil
}

// synchronise is 立即同步: it also settles an operation whose outcome is unknown.
func (v *plugin) synchronise(ctx context.Context, appid string) (Lane, error) {
	app, err := sdk.GetMiniProgram(ctx, appid)
	if err != nil {
		return Lane{}, err
	}
	lane, err := v.laneOf(ctx, app)
	if err != nil {
		return Lane{}, err
	}
	if reason := (situation{app: app}).unauthorised(); reason != "" {
		return lane, sdk.Conflict("version.unauthorized", reason)
	}
	if lane.Pending != "" && !lane.Marked(sdk.Now(ctx)) {
		lane, _, err = v.reconcile(ctx, app, lane)
		return lane, err
	}
	lane, _, err = v.refresh(ctx, app, view{})
	return lane, err
}

func (v *plugin) apiSync(ctx context.Context, in appPath) (LanesView, error) {
	lane, err := v.synchronise(ctx, in.AppID)
	return answer(ctx, lane, err)
}

type commitRequest struct {
	AppID       string `json:"-" path:"appid"`
	Template    string `json:"template"`
	TemplateID  *int64 `json:"template_id"`
	ExtJSON     string `json:"ext_json"`
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
}

func (v *plugin) apiCommit(ctx context.Context, in commitRequest) (LanesView, error) {
	lane, err := v.commitCode(ctx, in.AppID, upload{
		Template: in.Template, TemplateID: in.TemplateID, ExtJSON: in.ExtJSON, UserVersion: in.UserVersion, UserDesc: in.UserDesc,
	})
	return answer(ctx, lane, err)
}

type submitRequest struct {
	AppID            string                 `json:"-" path:"appid"`
	Items            []wechat.AuditItem     `json:"item_list"`
	VersionDesc      string                 `json:"version_desc"`
	Feedback         string                 `json:"feedback_info"`
	UGC              *wechat.UGCDeclaration `json:"ugc_declare"`
	PrivacyAPINotUse bool                   `json:"privacy_api_not_use"`
	OrderPath        string                 `json:"order_path"`
}

func (v *plugin) apiSubmit(ctx context.Context, in submitRequest) (LanesView, error) {
	lane, err := v.submit(ctx, in.AppID, wechat.Submit{
		Items: in.Items, VersionDesc: in.VersionDesc, Feedback: in.Feedback, UGC: in.UGC, PrivacyAPINotUse: in.PrivacyAPINotUse, OrderPath: in.OrderPath,
	})
	return answer(ctx, lane, err)
}

type grayRequest struct {
	AppID             string `json:"-" path:"appid"`
	Percentage        int    `json:"gray_percentage"`
	ExperiencersFirst bool   `json:"support_experiencer_first"`
	DebuggersFirst    bool   `json:"support_debuger_first"` // the spelling is WeChat's
}

func (v *plugin) apiGray(ctx context.Context, in grayRequest) (LanesView, error) {
	lane, err := v.grayRelease(ctx, in.AppID, wechat.Gray{Percentage: in.Percentage, ExperiencersFirst: in.ExperiencersFirst, DebuggersFirst: in.DebuggersFirst})
	return answer(ctx, lane, err)
}

type rollbackRequest struct {
	AppID      string `json:"-" path:"appid"`
	AppVersion int64  `json:"app_version"` // of the history; 0 goes back one version
	From       string `json:"from"`        // online version the caller saw; "" skips the comparison
}

func (v *plugin) apiRollback(ctx context.Context, in rollbackRequest) (LanesView, error) {
	lane, err := v.rollback(ctx, in.AppID, in.AppVersion, in.From)
	return answer(ctx, lane, err)
}
