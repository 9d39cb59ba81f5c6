package version

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func (v *plugin) declareLanes(p *sdk.Plugin) {
	operate := sdk.Permission(permissionOperate)
	p.Menu(sdk.MenuItem{Title: "版本与发布", Path: "table:lanes", Kinds: []string{"merchant"}, Frame: sdk.FrameAdmin, Order: 40, Permission: permissionOperate})
	p.Table(sdk.Table{
		Name: "lanes", Title: "版本与发布", Intro: "每个小程序的体验版、审核版与线上版；点“版本管理”提审、发布与回退", Collection: v.lanes, Sort: "-synced_at",
		Empty: "还没有小程序。用户安装你的模板后，会出现在这里", Permission: permissionOperate, Kinds: []string{"merchant"},
		Actions: []sdk.Action{{Name: "open", Title: "版本管理", Run: v.openLane}},
	})
	p.Page("GET /miniprograms/{appid}", v.lanesPage, operate)
	p.Page("POST /miniprograms/{appid}/sync", v.syncPage, operate)
	p.Page("GET /miniprograms/{appid}/audit", v.submitForm, operate)
	p.Page("POST /miniprograms/{appid}/audit", v.submitPage, operate)
	p.Page("GET /miniprograms/{appid}/commit", v.commitForm, operate)
	p.Page("POST /miniprograms/{appid}/commit", v.commitPage, operate)
	p.Page("GET /miniprograms/{appid}/gray", v.grayForm, operate)
	p.Page("POST /miniprograms/{appid}/gray", v.grayPage, operate)
	p.Page("GET /miniprograms/{appid}/rollback", v.rollbackForm, operate)
	p.Page("POST /miniprograms/{appid}/rollback", v.rollbackPage, operate)
	p.Page("GET /miniprograms/{appid}/confirm/{act}", v.confirmForm, operate)
	p.Page("POST /miniprograms/{appid}/confirm/{act}", v.confirmPage, operate)
	p.Raw("GET /trial-qrcode/{appid}", v.trialQRCodeRaw, operate)
}

// openLane leads from the table to the page.
func (v *plugin) openLane(ctx context.Context, ids []int64) (sdk.Result, error) {
	if len(ids) != 1 {
		return sdk.Result{}, sdk.Fail("version.one_row", "请选择一个小程序")
	}
	lane, err := v.lanes.Get(ctx, ids[0])
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{Redirect: "/miniprograms/" + lane.AppID}, nil
}

// button is an act on the page; Reason says why it cannot be done now.
type button struct {
	Act    string
	Title  string
	Href   string
	Reason string
	Look   string // "", "primary", "danger"
}

// why is one reason and the buttons it holds back.
type why struct {
	Titles string
	Reason string
}

// laneFoot is the buttons of one lane and, once each, the reasons for the disabled ones.
type laneFoot struct {
	Buttons []button
	Whys    []why
}

func newFoot(s situation, prefix string, wanted ...button) laneFoot {
	foot := laneFoot{}
	for _, b := range wanted {
		if b.Reason == "" {
			if r, ok := ruleOf(b.Act); ok {
				b.Reason = r.reason(s)
			}
		}
		if b.Title == "" {
			b.Title = titleOf(b.Act)
		}
		b.Href = prefix + b.Href
		foot.Buttons = append(foot.Buttons, b)
		if b.Reason == "" {
			continue
		}
		if at := slices.IndexFunc(foot.Whys, func(w why) bool { return w.Reason == b.Reason }); at >= 0 {
			foot.Whys[at].Titles += "、" + b.Title
		} else {
			foot.Whys = append(foot.Whys, why{b.Title, b.Reason})
		}
	}
	return foot
}

// lanesData is the page of one mini program.
type lanesData struct {
	framed
	Lane    Lane
	Name    string
	QRCode  string // address of the trial QR code, "" when there is none to show
	Busy    bool   // an operation is on its way
	Doubt   bool   // its outcome is unknown
	Lost    string // why nothing can be done at all
	Trial   laneFoot
	Audit   laneFoot
	Online  laneFoot
	History []Audit
}

func (v *plugin) lanesPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showLanes(ctx, r.PathValue("appid"), nil)
}

// showLanes shows the three lanes. failure is shown above them, when an act on them has failed.
func (v *plugin) showLanes(ctx context.Context, appid string, failure error) (sdk.View, error) {
	lane, app, trouble, err := v.look(ctx, appid)
	if err != nil {
		return sdk.View{}, err
	}
	if failure == nil {
		failure = trouble
	}
	past, err := v.audits.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("appid", appid)}, Limit: 20})
	if err != nil {
		return sdk.View{}, err
	}
	s := situation{lane: lane, app: app, now: sdk.Now(ctx)}
	data := lanesData{
		framed: newFramed(ctx, failure), Lane: lane, Name: nameOf(app), Busy: lane.Marked(s.now), Doubt: lane.Pending != "" && !lane.Marked(s.now),
		Lost: s.unauthorised(), History: past.Items,
	}
	prefix := data.Base + "/miniprograms/" + appid
	if data.Lost == "" && lane.TrialAt != 0 && slices.Contains(app.Scopes, "code.trial") {
		data.QRCode = data.Base + "/trial-qrcode/" + appid
	}
	data.Trial = newFoot(s, prefix,
		button{Act: actSubmit, Href: "/audit", Look: "primary"}, button{Act: actCommit, Href: "/commit", Reason: v.whyNoUpload(ctx)})
	gray := button{Act: actGray, Href: "/gray"}
	if lane.GrayOn() {
		gray.Title = "扩大灰度"
	}
	data.Audit = newFoot(s, prefix,
		button{Act: actRelease, Href: "/confirm/" + actRelease, Look: "primary"}, gray,
		button{Act: actWithdraw, Href: "/confirm/" + actWithdraw}, button{Act: actSpeedUp, Href: "/confirm/" + actSpeedUp})
	online := []button{{Act: actRollback, Href: "/rollback"}}
	if lane.GrayOn() {
		online = append(online, button{Act: actUngray, Href: "/confirm/" + actUngray, Look: "danger"})
	}
	data.Online = newFoot(s, prefix, online...)
	view, err := show("版本管理", "lanes", data, failure, v.crumbs(ctx)...)
	view.Subtitle = data.Name
	if trouble != nil {
		view.Status = http.StatusOK // the page itself is fine
	}
	return view, err
}

// crumbs lead back to the list the person came from.
func (v *plugin) crumbs(ctx context.Context, more ...sdk.Crumb) []sdk.Crumb {
	if sdk.Frame(ctx) == sdk.FramePortal {
		return append([]sdk.Crumb{{Title: "我的小程序", Path: "/my/miniprograms"}}, more...)
	}
	return append([]sdk.Crumb{{Title: "版本与发布", Path: "/admin/info/version_lanes"}}, more...)
}

// whyNoUpload says why the page's form cannot upload: only a merchant has a library to choose from.
func (v *plugin) whyNoUpload(ctx context.Context) string {
	if sdk.Actor(ctx).SpaceKind != "merchant" {
		return "模板在服务商的模板库中，请联系服务商上传，或到 APP Store 重新安装"
	}
	return ""
}

func (v *plugin) syncPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	if _, err := v.synchronise(ctx, appid); err != nil {
		return v.again(ctx, appid, err)
	}
	return v.back(ctx, appid, "已同步")
}

// back goes to the lanes after an act.
func (v *plugin) back(ctx context.Context, appid, flash string) (sdk.View, error) {
	return sdk.View{Redirect: sdk.Path(ctx, "/miniprograms/"+appid), Flash: flash}, nil
}

// again shows the lanes with what went wrong; our own faults and somebody else's mini programs go to the error page.
func (v *plugin) again(ctx context.Context, appid string, err error) (sdk.View, error) {
	if broken(err) || sdkNotFound(err) {
		return sdk.View{}, err
	}
	return v.showLanes(ctx, appid, err)
}

// trialQRCode fetches the picture of the trial version.
func (v *plugin) trialQRCode(ctx context.Context, appid string) (wechat.Image, error) {
	if _, err := sdk.GetMiniProgram(ctx, appid); err != nil {
		return wechat.Image{}, err
	}
	picture, err := miniProgram(ctx, appid).TrialQRCode(ctx, "")
	if err != nil {
		return wechat.Image{}, err
	}
	if !strings.HasPrefix(picture.ContentType, "image/") {
		picture.ContentType = "image/jpeg" // what WeChat documents
	}
	return picture, nil
}

// qrCodeAge is how long a browser may keep the picture, in seconds: it points at the trial version, not at a build.
const qrCodeAge = 300

func (v *plugin) trialQRCodeRaw(ctx context.Context, r *http.Request) (sdk.Content, error) {
	picture, err := v.trialQRCode(ctx, r.PathValue("appid"))
	if err != nil {
		return sdk.Content{}, err
	}
	return sdk.Content{Type: picture.ContentType, Body: picture.Data, MaxAge: qrCodeAge}, nil
}
