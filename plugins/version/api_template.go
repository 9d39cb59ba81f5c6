package version

import (
	"context"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// apiDrafts reads the draft box from WeChat and keeps it: a program that asks wants what is there now.
func (v *plugin) apiDrafts(ctx context.Context, in appPath) (sdk.Rows[wechat.Draft], error) {
	if _, err := componentOf(ctx, in.AppID); err != nil {
		return sdk.Rows[wechat.Draft]{}, err
	}
	library, err := v.syncLibrary(ctx, in.AppID)
	if err != nil {
		return sdk.Rows[wechat.Draft]{}, err
	}
	total := int64(len(library.Drafts))
	drafts := library.Drafts
	if drafts == nil {
		drafts = []wechat.Draft{}
	}
	return sdk.Rows[wechat.Draft]{Items: drafts, Total: &total}, nil
}

type templatesRequest struct {
	AppID  string `json:"-" path:"appid"`
	Limit  int    `json:"-" query:"limit"`
	Cursor string `json:"-" query:"cursor"`
}

func (v *plugin) apiTemplates(ctx context.Context, in templatesRequest) (sdk.Rows[TemplateView], error) {
	out := sdk.Rows[TemplateView]{Items: []TemplateView{}}
	if _, err := componentOf(ctx, in.AppID); err != nil {
		return out, err
	}
	page, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", in.AppID)}, Limit: in.Limit, Cursor: in.Cursor, Count: true})
	if err != nil {
		return out, err
	}
	for _, template := range page.Items {
		out.Items = append(out.Items, templateView(template))
	}
	out.Next, out.Total = page.Next, page.Total
	return out, nil
}

type templateRequest struct {
	AppID   string    `json:"-" path:"appid"`
	DraftID *int64    `json:"draft_id" check:"required"` // 0 is a valid id
	Name    string    `json:"name" check:"max=60"`
	Version string    `json:"version" check:"max=64"`
	Notes   string    `json:"notes" check:"required,max=1000"`
	Schema  []Setting `json:"schema"`
	Domains Domains   `json:"domains"`
}

func (v *plugin) apiAddTemplate(ctx context.Context, in templateRequest) (TemplateView, error) {
	if _, err := componentOf(ctx, in.AppID); err != nil {
		return TemplateView{}, err
	}
	settings, err := checkSettings(in.Schema)
	if err != nil {
		return TemplateView{}, sdk.Fail("version.bad_template", "配置字段有误").On("schema", err.Error())
	}
	// Through the same lines as the form, so that both know one set of rules.
	if _, err := parseDomains(domainLines(in.Domains)); err != nil {
		return TemplateView{}, sdk.Fail("version.bad_template", "服务器域名有误").On("domains", err.Error())
	}
	wanted := newTemplate{DraftID: *in.DraftID, Name: in.Name, Version: in.Version, Notes: in.Notes, Settings: settings, Domains: in.Domains}
	if wanted.Name == "" || wanted.Version == "" {
		drafts, err := platform(ctx, in.AppID).Drafts(ctx)
		if err != nil {
			return TemplateView{}, err
		}
		draft, err := draftOf(drafts, wanted.DraftID, 0)
		if err != nil {
			return TemplateView{}, err
		}
		wanted.CreatedAt = draft.CreatedAt
		if wanted.Name == "" {
			wanted.Name = clip(draft.Source, 60)
		}
		if wanted.Version == "" {
			wanted.Version = draft.UserVersion
		}
	}
	row, repeated, err := v.addTemplate(ctx, in.AppID, wanted)
	if err != nil {
		return TemplateView{}, err
	}
	if repeated && (row.Name != wanted.Name || row.UserVersion != wanted.Version) {
		return TemplateView{}, sdk.Conflict("version.template_exists", "这份草稿已设为模板“"+row.Name+" "+row.UserVersion+"”，上传新的草稿后才能再次添加")
	}
	return templateView(row), nil
}

type templatePath struct {
	ID string `json:"-" path:"id"`
}

func (v *plugin) apiTemplate(ctx context.Context, in templatePath) (TemplateView, error) {
	row, err := v.templateByID(ctx, in.ID)
	if err != nil {
		return TemplateView{}, err
	}
	return templateView(row), nil
}

// TemplateGone is the answer to a template that was deleted.
type TemplateGone struct {
	ID    string `json:"id"`
	State string `json:"state"` // deleted
}

func (v *plugin) apiDeleteTemplate(ctx context.Context, in templatePath) (TemplateGone, error) {
	row, err := v.templateByID(ctx, in.ID)
	if err == nil {
		err = v.deleteTemplate(ctx, row)
	}
	if err != nil {
		return TemplateGone{}, err
	}
	return TemplateGone{ID: rowID(row.ID), State: "deleted"}, nil
}

func (v *plugin) apiSettleTemplate(ctx context.Context, in templatePath) (TemplateView, error) {
	row, err := v.templateByID(ctx, in.ID)
	if err == nil {
		row, err = v.settleTemplate(ctx, row)
	}
	if err != nil {
		return TemplateView{}, err
	}
	return templateView(row), nil
}

// TrialQRCode is the picture that opens the trial version.
type TrialQRCode struct {
	ContentType string `json:"content_type"`
	Image       []byte `json:"image"` // base64
}

func (v *plugin) apiTrialQRCode(ctx context.Context, in appPath) (TrialQRCode, error) {
	picture, err := v.trialQRCode(ctx, in.AppID)
	if err != nil {
		return TrialQRCode{}, err
	}
	return TrialQRCode{ContentType: picture.ContentType, Image: picture.Data}, nil
}
