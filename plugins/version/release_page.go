package version

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// grayData is the form of a staged release.
type grayData struct {
	formData
	Percent      string
	Least        int
	Experiencers bool
	Debuggers    bool
}

func (v *plugin) grayForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showGray(ctx, r, nil)
}

func (v *plugin) showGray(ctx context.Context, r *http.Request, failure error) (sdk.View, error) {
	appid := r.PathValue("appid")
	base, err := v.form(ctx, appid, actGray, failure)
	if err != nil {
		return sdk.View{}, err
	}
	data := grayData{formData: base, Percent: "10"}
	if base.Lane.GrayOn() {
		data.Least = min(base.Lane.GrayPercent+1, 100)
		data.Percent = strconv.Itoa(min(base.Lane.GrayPercent*2, 100))
	}
	if r.Method == http.MethodPost {
		data.Percent = r.PostFormValue("gray_percentage")
		data.Experiencers, data.Debuggers = r.PostFormValue("support_experiencer_first") != "", r.PostFormValue("support_debuger_first") != ""
	}
	return v.showForm(ctx, "灰度发布", "gray", data, appid, base.Name, failure)
}

func (v *plugin) grayPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	percent, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("gray_percentage")))
	if err != nil {
		return v.showGray(ctx, r, sdk.Fail("version.bad_gray", "灰度比例有误，请按提示修改").On("gray_percentage", "请填写 0 到 100 的整数"))
	}
	lane, err := v.grayRelease(ctx, appid, wechat.Gray{
		Percentage: percent, ExperiencersFirst: r.PostFormValue("support_experiencer_first") != "", DebuggersFirst: r.PostFormValue("support_debuger_first") != "",
	})
	switch {
	case err == nil && lane.GrayOn():
		return v.back(ctx, appid, fmt.Sprintf("灰度发布中 %d%%", lane.GrayPercent))
	case err == nil:
		return v.back(ctx, appid, "已全量发布")
	case len(sdk.FieldErrors(err)) > 0:
		return v.showGray(ctx, r, err)
	default:
		return v.again(ctx, appid, err)
	}
}

// rollbackData is the list of versions to go back to.
type rollbackData struct {
	formData
	History []wechat.HistoryVersion
	Chosen  string
}

func (v *plugin) rollbackForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showRollback(ctx, r, nil)
}

func (v *plugin) showRollback(ctx context.Context, r *http.Request, failure error) (sdk.View, error) {
	appid := r.PathValue("appid")
	base, err := v.form(ctx, appid, actRollback, failure)
	if err != nil {
		return sdk.View{}, err
	}
	data := rollbackData{formData: base, Chosen: r.PostFormValue("app_version")}
	if base.Reason == "" {
		if data.History, err = miniProgram(ctx, appid).History(ctx); err != nil {
			return v.again(ctx, appid, err)
		}
		if len(data.History) == 0 {
			data.Reason = "没有可以回退的版本（最多保留最近 5 个，已回退过的不能再次回退）"
		}
	}
	return v.showForm(ctx, "版本回退", "rollback", data, appid, base.Name, failure)
}

func (v *plugin) rollbackPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	chosen, err := strconv.ParseInt(r.PostFormValue("app_version"), 10, 64)
	if err != nil || chosen <= 0 {
		return v.showRollback(ctx, r, sdk.Fail("version.bad_rollback", "请选择要回退到的版本").On("app_version", "请选择一个版本"))
	}
	lane, err := v.rollback(ctx, appid, chosen, r.PostFormValue("from"))
	switch {
	case err == nil:
		return v.back(ctx, appid, "已回退到 "+lane.OnlineVersion)
	case len(sdk.FieldErrors(err)) > 0:
		return v.showRollback(ctx, r, err)
	default:
		return v.again(ctx, appid, err)
	}
}

// commitData is the form of an upload: first the choice of a template, then its configuration.
type commitData struct {
	formData
	Choices  []Template
	Template *Template
	Fields   []filledSetting
	ExtJSON  string
	Version  string
	Desc     string
}

type filledSetting struct {
	Setting
	Value string
}

func (v *plugin) commitForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showCommit(ctx, r, nil)
}

func (v *plugin) showCommit(ctx context.Context, r *http.Request, failure error) (sdk.View, error) {
	appid := r.PathValue("appid")
	base, err := v.form(ctx, appid, actCommit, failure)
	if err != nil {
		return sdk.View{}, err
	}
	data := commitData{formData: base}
	if reason := v.whyNoUpload(ctx); reason != "" && base.Reason == "" {
		data.Reason = reason
	}
	if data.Reason != "" {
		return v.showForm(ctx, "上传新版本", "commit", data, appid, base.Name, failure)
	}
	page, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", base.Lane.Component), sdk.Eq("state", templateReady)}, Limit: libraryLimit})
	if err != nil {
		return sdk.View{}, err
	}
	data.Choices = page.Items
	if len(data.Choices) == 0 {
		data.Reason = "模板库里还没有模板，请先在草稿箱把草稿设为模板"
	}
	data.choose(r)
	return v.showForm(ctx, "上传新版本", "commit", data, appid, base.Name, failure)
}

// choose fills the form for the chosen template.
func (d *commitData) choose(r *http.Request) {
	chosen := r.FormValue("template")
	for i, template := range d.Choices {
		if rowID(template.ID) != chosen {
			continue
		}
		d.Template, d.Version, d.Desc = &d.Choices[i], template.UserVersion, template.Notes
		for _, setting := range template.Schema {
			d.Fields = append(d.Fields, filledSetting{setting, setting.Default})
		}
	}
	if d.Template == nil || r.Method != http.MethodPost {
		return
	}
	d.Version, d.Desc, d.ExtJSON = r.PostFormValue("user_version"), r.PostFormValue("user_desc"), r.PostFormValue("ext_json")
	for i := range d.Fields {
		d.Fields[i].Value = r.PostFormValue("config." + d.Fields[i].Name)
	}
}

func (v *plugin) commitPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	appid := r.PathValue("appid")
	in := upload{Template: r.PostFormValue("template"), UserVersion: r.PostFormValue("user_version"), UserDesc: r.PostFormValue("user_desc")}
	err := v.answered(ctx, r, in.Template)
	if err == nil {
		in.ExtJSON, err = extOfForm(r)
	}
	if err == nil {
		_, err = v.commitCode(ctx, appid, in)
	}
	switch {
	case err == nil:
		return v.back(ctx, appid, "已上传 "+in.UserVersion+"，微信正在检测代码（约 1 分钟）")
	case len(sdk.FieldErrors(err)) > 0:
		return v.showCommit(ctx, r, err)
	default:
		return v.again(ctx, appid, err)
	}
}

// answered refuses a form that leaves out what the template requires; ext_json typed by hand stands for all of it.
func (v *plugin) answered(ctx context.Context, r *http.Request, template string) error {
	id, err := strconv.ParseInt(template, 10, 64)
	if err != nil || strings.TrimSpace(r.PostFormValue("ext_json")) != "" {
		return nil // what is wrong with the template is said by commitCode
	}
	row, found, err := v.templates.First(ctx, sdk.Eq(sdk.ColumnID, id))
	if err != nil || !found {
		return err
	}
	failure := sdk.Fail("version.bad_config", "模板配置有误，请按提示修改")
	for _, setting := range row.Schema {
		if setting.Required && strings.TrimSpace(r.PostFormValue("config."+setting.Name)) == "" {
			failure = failure.On("config."+setting.Name, "请填写"+setting.Label)
		}
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

// extOfForm is the ext_json that was typed under 高级, or the one made of the configuration's fields.
func extOfForm(r *http.Request) (string, error) {
	if typed := strings.TrimSpace(r.PostFormValue("ext_json")); typed != "" {
		return typed, nil
	}
	values := map[string]string{}
	for name := range r.PostForm {
		if key, ok := strings.CutPrefix(name, "config."); ok && settingName.MatchString(key) {
			values[key] = strings.TrimSpace(r.PostFormValue(name))
		}
	}
	return extOf(values)
}
