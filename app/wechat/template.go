package wechat

import (
	"context"
	"net/url"
	"strconv"
)

// Draft is one upload in the 草稿箱: the newest of each development mini program (02 A.2).
type Draft struct {
	ID          int64  `json:"draft_id"` // 0 is a valid id
	CreatedAt   int64  `json:"create_time"`
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
	Source      string `json:"source_miniprogram"`
	SourceAppID string `json:"source_miniprogram_appid"`
	Developer   string `json:"developer"` // WeChat nickname of the uploader
}

// Drafts lists the draft box.
func (c Component) Drafts(ctx context.Context) ([]Draft, error) {
	var out struct {
		List []Draft `json:"draft_list"`
	}
	err := c.call(ctx, EndpointDrafts, nil, nil, &out)
	return out.List, err
}

// Kinds of template. 标准模板 are being retired by WeChat; they are only read.
const (
	OrdinaryTemplate = 0
	StandardTemplate = 1
)

// AddToTemplate turns a draft into an ordinary template. WeChat does not give the new id: read Templates and match
// DraftID, taking the largest ID. Errors: 85064 no such draft, 85065 library full (200).
func (c Component) AddToTemplate(ctx context.Context, draftID int64) error {
	return c.call(ctx, EndpointAddToTemplate, nil, struct {
		DraftID int64 `json:"draft_id"`
		Type    int   `json:"template_type"`
	}{draftID, OrdinaryTemplate}, nil)
}

// Template is one entry of the 模板库 (02 A.4).
type Template struct {
	ID          int64  `json:"template_id"` // 0 is a valid id
	Type        int    `json:"template_type"`
	DraftID     int64  `json:"draft_id"`
	CreatedAt   int64  `json:"create_time"` // unix seconds
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
	Source      string `json:"source_miniprogram"`
	SourceAppID string `json:"source_miniprogram_appid"`
	Developer   string `json:"developer"`

	// Of 标准模板 only.
	Categories  []AuditItem `json:"category_list"`
	AuditScene  int         `json:"audit_scene"`
	AuditStatus int         `json:"audit_status"` // 0 未提审核, 1 审核中, 2 审核驳回, 3 审核通过, 4 提审中, 5 提审失败
	Reason      string      `json:"reason"`       // of a rejection
}

// Templates lists the ordinary templates.
func (c Component) Templates(ctx context.Context) ([]Template, error) {
	var out struct {
		List []Template `json:"template_list"`
	}
	err := c.call(ctx, EndpointTemplates, url.Values{"template_type": {strconv.Itoa(OrdinaryTemplate)}}, nil, &out)
	return out.List, err
}

// DeleteTemplate removes a template. Mini programs that were committed from it keep their code.
func (c Component) DeleteTemplate(ctx context.Context, templateID int64) error {
	return c.call(ctx, EndpointDeleteTemplate, nil, struct {
		TemplateID int64 `json:"template_id"`
	}{templateID}, nil)
}
