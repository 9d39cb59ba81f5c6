package version

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func sdkNotFound(err error) bool {
	return errors.Is(err, sdk.ErrNotFound) && len(sdk.FieldErrors(err)) == 0
}

// formData is what every form about one mini program shows.
type formData struct {
	framed
	AppID  string
	Name   string
	Lane   Lane
	Reason string // why the act is impossible now, "" when it is possible
}

// form prepares a form: the row, and whether the act is possible.
func (v *plugin) form(ctx context.Context, appid, act string, failure error) (formData, error) {
	if broken(failure) || sdkNotFound(failure) {
		return formData{}, failure
	}
	lane, app, trouble, err := v.look(ctx, appid)
	if err != nil {
		return formData{}, err
	}
	if failure == nil {
		failure = trouble
	}
	data := formData{framed: newFramed(ctx, failure), AppID: appid, Name: nameOf(app), Lane: lane}
	if r, ok := ruleOf(act); ok {
		data.Reason = r.reason(situation{lane: lane, app: app, now: sdk.Now(ctx)})
	}
	return data, nil
}

func (v *plugin) showForm(ctx context.Context, title, name string, data any, appid, app string, failure error) (sdk.View, error) {
	view, err := show(title, name, data, failure, v.crumbs(ctx, sdk.Crumb{Title: "版本管理", Path: sdk.Path(ctx, "/miniprograms/"+appid)})...)
	view.Subtitle = app
	return view, err
}

// submitItem is one line of the submit form, as it was typed.
type submitItem struct {
	N        int
	Address  string
	Category string // index into the categories
	Title    string
	Tag      string
}

// submitData is the submit form.
type submitData struct {
	formData
	Items      []submitItem
	Desc       string
	Feedback   string
	NotUsed    bool
	Pages      []string
	Categories []string // in words, by index
	Quota      *wechat.Quota
	QuotaWhy   string // why the quota could not be read
}

func (v *plugin) submitForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showSubmit(ctx, r, nil)
}

// showSubmit shows the form, filled with what was typed or with the last submit.
func (v *plugin) showSubmit(ctx context.Context, r *http.Request, failure error) (sdk.View, error) {
	appid := r.PathValue("appid")
	base, err := v.form(ctx, appid, actSubmit, failure)
	if err != nil {
		return sdk.View{}, err
	}
	data := submitData{formData: base}
	if base.Reason == "" {
		app := miniProgram(ctx, appid)
		categories, err := app.Categories(ctx)
		if err == nil {
			data.Pages, err = app.Pages(ctx)
		}
		if err != nil {
			return v.again(ctx, appid, err)
		}
		for _, category := range categories {
			data.Categories = append(data.Categories, categoryName(category))
		}
		if quota, err := app.Quota(ctx); err == nil {
			data.Quota = &quota
		} else {
			data.QuotaWhy = sdk.Message(err)
		}
		if r.Method == http.MethodPost {
			data.typed(r)
		} else {
			data.remembered(base.Lane, categories)
		}
	}
	return v.showForm(ctx, "提交审核", "submit", data, appid, base.Name, failure)
}

func categoryName(c wechat.Category) string {
	names := []string{c.FirstClass, c.SecondClass}
	if c.ThirdClass != "" {
		names = append(names, c.ThirdClass)
	}
	return strings.Join(names, " / ")
}

// typed fills the form with the last input.
func (d *submitData) typed(r *http.Request) {
	for n := 1; n <= mostItems; n++ {
		d.Items = append(d.Items, submitItem{N: n, Address: r.PostFormValue(itemField("address", n)), Category: r.PostFormValue(itemField("category", n)),
			Title: r.PostFormValue(itemField("title", n)), Tag: r.PostFormValue(itemField("tag", n))})
	}
	d.Desc, d.Feedback, d.NotUsed = r.PostFormValue("version_desc"), r.PostFormValue("feedback_info"), r.PostFormValue("privacy_api_not_use") != ""
}

// remembered fills the form with the last submit, as far as it still fits.
func (d *submitData) remembered(lane Lane, categories []wechat.Category) {
	var last wechat.Submit
	if len(lane.LastSubmit) > 0 {
		if err := json.Unmarshal(lane.LastSubmit, &last); err != nil {
			last = wechat.Submit{} // of an older shape: begin with an empty form
		}
	}
	for n := 1; n <= mostItems; n++ {
		item := submitItem{N: n}
		if n <= len(last.Items) {
			before := last.Items[n-1]
			item.Address, item.Title, item.Tag = before.Address, before.Title, before.Tag
			for i, c := range categories {
				if c.FirstID == before.FirstID && c.SecondID == before.SecondID && c.ThirdID == before.ThirdID {
					item.Category = strconv.Itoa(i)
				}
			}
		} else if n == 1 && len(categories) > 0 {
			item.Category = "0"
			if len(d.Pages) > 0 {
				item.Address = d.Pages[0]
			}
		}
		d.Items = append(d.Items, item)
	}
	d.Desc, d.NotUsed = lane.TrialDesc, last.PrivacyAPINotUse
	if runes := []rune(d.Desc); len(runes) > longestDesc {
		d.Desc = string(runes[:longestDesc])
	}
}

func (v *plugin) submitPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	if _, err := sdk.GetMiniProgram(ctx, appid); err != nil {
		return sdk.View{}, err
	}
	categories, err := miniProgram(ctx, appid).Categories(ctx)
	if err != nil {
		return v.again(ctx, appid, err)
	}
	request, err := submitOf(r, categories)
	if err == nil {
		_, err = v.submit(ctx, appid, request)
	}
	if err == nil {
		return v.back(ctx, appid, "已提交审核，结果会自动更新")
	}
	if len(sdk.FieldErrors(err)) > 0 {
		return v.showSubmit(ctx, r, err)
	}
	return v.again(ctx, appid, err)
}

// submitOf reads the form. Lines without a category and without any text are left out.
func submitOf(r *http.Request, categories []wechat.Category) (wechat.Submit, error) {
	request := wechat.Submit{
		VersionDesc: strings.TrimSpace(r.PostFormValue("version_desc")), Feedback: strings.TrimSpace(r.PostFormValue("feedback_info")),
		PrivacyAPINotUse: r.PostFormValue("privacy_api_not_use") != "",
	}
	failure := sdk.Fail("version.bad_submit", "提审资料有误，请按提示修改")
	for n := 1; n <= mostItems; n++ {
		value := func(name string) string { return strings.TrimSpace(r.PostFormValue(itemField(name, n))) }
		if value("category") == "" {
			if value("title")+value("tag") != "" || n == 1 {
				failure = failure.On(itemField("category", n), "请选择类目")
			}
			continue
		}
		at, err := strconv.Atoi(value("category"))
		if err != nil || at < 0 || at >= len(categories) {
			failure = failure.On(itemField("category", n), "请选择小程序已有的类目")
			continue
		}
		item := categories[at].Item(value("address"), value("title"))
		item.Tag = value("tag")
		request.Items = append(request.Items, item)
	}
	if len(failure.Fields) > 0 {
		return request, failure
	}
	return request, nil
}

// confirmData is the page that asks before an act.
type confirmData struct {
	formData
	Act      string
	Title    string
	Question string
	Effects  []string
	Danger   bool
	Quota    string
}

// confirmation is the question before an act that has no form of its own.
func confirmation(act string, lane Lane) (confirmData, bool) {
	data := confirmData{Act: act, Title: titleOf(act)}
	switch act {
	case actRelease:
		data.Question = "确定全量发布 " + lane.AuditVersion + "？"
		data.Effects = []string{"所有用户都会看到这个版本"}
		if lane.OnlineVersion != "" { // the first release has nothing to go back to
			data.Effects = append(data.Effects, "现在的线上版本 "+lane.OnlineVersion+" 会进入可回退列表")
		}
	case actWithdraw:
		data.Question = "确定撤回 " + lane.AuditVersion + " 的审核？"
		data.Effects = []string{"每个小程序每天最多撤回 5 次、每月最多 10 次", "已用掉的提审额度不一定返还，撤回后需要重新提交"}
		data.Danger = true
	case actSpeedUp:
		data.Question = "确定为 " + lane.AuditVersion + " 加急审核？"
		data.Effects = []string{"消耗第三方平台本月的一次加急额度", "预计 2 到 12 小时内完成"}
	case actUngray:
		data.Question = fmt.Sprintf("确定终止灰度发布（当前 %d%%）？", lane.GrayPercent)
		data.Effects = []string{"已看到新版本的用户会回到线上版本 " + orNone(lane.OnlineVersion), "审核通过的版本仍可再次发布"}
		data.Danger = true
	default:
		return data, false
	}
	return data, true
}

func orNone(version string) string {
	if version == "" {
		return "（无）"
	}
	return version
}

func (v *plugin) confirmForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid, act := r.PathValue("appid"), r.PathValue("act")
	base, err := v.form(ctx, appid, act, nil)
	if err != nil {
		return sdk.View{}, err
	}
	data, ok := confirmation(act, base.Lane)
	if !ok {
		return sdk.View{}, sdk.NotFound("version.act", "没有这个操作")
	}
	data.formData = base
	if act == actSpeedUp && base.Reason == "" {
		quota, err := miniProgram(ctx, appid).Quota(ctx)
		if err != nil {
			data.Quota = "加急额度暂时读不到：" + sdk.Message(err)
		} else {
			data.Quota = fmt.Sprintf("本月剩余 %d 次加急（共 %d 次）", quota.SpeedUpRest, quota.SpeedUpLimit)
		}
	}
	return v.showForm(ctx, data.Title, "confirm", data, appid, base.Name, nil)
}

func (v *plugin) confirmPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	var err error
	flash := ""
	switch r.PathValue("act") {
	case actRelease:
		flash = "已全量发布"
		_, err = v.release(ctx, appid)
	case actWithdraw:
		flash = "已撤回审核"
		_, err = v.withdraw(ctx, appid)
	case actSpeedUp:
		flash = "已申请加急"
		_, err = v.speedUp(ctx, appid)
	case actUngray:
		flash = "已终止灰度发布"
		_, err = v.ungray(ctx, appid)
	default:
		return sdk.View{}, sdk.NotFound("version.act", "没有这个操作")
	}
	if err != nil {
		return v.again(ctx, appid, err)
	}
	return v.back(ctx, appid, flash)
}
