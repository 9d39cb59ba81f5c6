package version

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// Bounds of a commit (02 B.1).
const (
	longestVersion  = 64
	longestUserDesc = 1000
)

// upload is a template's code for one mini program.
type upload struct {
	Template    string // our row id, or ""
	TemplateID  *int64 // WeChat's, when Template is ""
	ExtJSON     string
	UserVersion string
	UserDesc    string
}

// origin is where the code of an upload comes from.
type origin struct {
	template   string // our row id
	templateID int64
	name       string
	version    string
	notes      string
	space      int64 // of the merchant
}

// commitCode uploads a template's code as the trial version (上传新版本).
func (v *plugin) commitCode(ctx context.Context, appid string, in upload) (Lane, error) {
	ext, err := extFor(appid, in.ExtJSON)
	if err != nil {
		return Lane{}, err
	}
	app, err := sdk.GetMiniProgram(ctx, appid)
	if err != nil {
		return Lane{}, err
	}
	from, err := v.source(ctx, app, in)
	if err != nil {
		return Lane{}, err
	}
	if in.UserVersion = strings.TrimSpace(in.UserVersion); in.UserVersion == "" {
		in.UserVersion = from.version
	}
	if in.UserDesc = strings.TrimSpace(in.UserDesc); in.UserDesc == "" {
		in.UserDesc = from.notes
	}
	if err := checkUpload(in); err != nil {
		return Lane{}, err
	}
	return v.perform(ctx, appid, operation{
		act: actCommit,
		note: markNote{
			Version: in.UserVersion, Desc: in.UserDesc, Template: from.template, TemplateName: from.name, Space: from.space,
		},
		send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
			return app.Commit(ctx, wechat.Commit{TemplateID: from.templateID, ExtJSON: ext, UserVersion: in.UserVersion, UserDesc: in.UserDesc})
		},
	})
}

func checkUpload(in upload) error {
	failure := sdk.Fail("version.bad_commit", "上传的内容有误，请按提示修改")
	if in.UserVersion == "" {
		failure = failure.On("user_version", "请填写版本号，例如 1.2.0")
	}
	if utf8.RuneCountInString(in.UserVersion) > longestVersion {
		failure = failure.On("user_version", "版本号最多 64 个字")
	}
	if in.UserDesc == "" {
		failure = failure.On("user_desc", "请填写版本描述")
	}
	if utf8.RuneCountInString(in.UserDesc) > longestUserDesc {
		failure = failure.On("user_desc", "版本描述最多 1000 个字")
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

// source finds the template of an upload: one of the actor's own library, or one that was installed on this mini
// program before. Template ids are small numbers; without this look anybody could take what a merchant never offered.
func (v *plugin) source(ctx context.Context, app sdk.MiniProgramInfo, in upload) (origin, error) {
	component, held := holder(app, setCode)
	if !held {
		return origin{}, sdk.Conflict("version.unauthorized", situation{app: app}.unauthorised())
	}
	where := []sdk.Where{sdk.Eq("component", component), sdk.Eq("state", templateReady)}
	field := "template"
	switch {
	case in.Template != "":
		id, err := strconv.ParseInt(in.Template, 10, 64)
		if err != nil {
			return origin{}, noTemplate(field)
		}
		where = append(where, sdk.Eq(sdk.ColumnID, id))
	case in.TemplateID != nil:
		field = "template_id"
		where = append(where, sdk.Eq("template_id", *in.TemplateID))
	default:
		return origin{}, sdk.Fail("version.bad_commit", "请选择模板").On(field, "请选择要上传的模板")
	}
	template, found, err := v.templates.First(ctx, where...)
	if err != nil {
		return origin{}, err
	}
	if found {
		return originOf(template), nil
	}
	if in.TemplateID != nil {
		used, found, err := v.installs.First(ctx, sdk.Eq("appid", app.AppID), sdk.Eq("component", component), sdk.Eq("template_id", *in.TemplateID))
		if err != nil {
			return origin{}, err
		}
		if found {
			return origin{template: used.Template, templateID: used.TemplateID, name: used.TemplateName, version: used.UserVersion, notes: used.UserDesc, space: used.Merchant}, nil
		}
	}
	return origin{}, noTemplate(field)
}

func originOf(t Template) origin {
	return origin{template: rowID(t.ID), templateID: t.TemplateID, name: t.Name, version: t.UserVersion, notes: t.Notes, space: t.SpaceID}
}

func noTemplate(field string) *sdk.Error {
	return sdk.NotFound("version.no_template", "没有找到这个模板").On(field, "模板不存在、已删除，或不属于持有开发权限的第三方平台")
}

func rowID(id int64) string { return strconv.FormatInt(id, 10) }
