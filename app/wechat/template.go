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

// RIDInfo is what WeChat kept of one earlier call, for about 7 days.
type RIDInfo struct {
	InvokeTime   int64  `json:"invoke_time"` // unix seconds
	CostInMS     int64  `json:"cost_in_ms"`
	RequestURL   string `json:"request_url"`
	RequestBody  string `json:"request_body"`
	ResponseBody string `json:"response_body"`
	ClientIP     string `json:"client_ip"`
}

// RIDInfo looks up a rid. Its texts hold tokens and personal data: mask before showing.
func (c Component) RIDInfo(ctx context.Context, rid string) (RIDInfo, error) {
	var out struct {
		Request RIDInfo `json:"request"`
	}
	err := c.call(ctx, EndpointRIDInfo, nil, struct {
		RID string `json:"rid"`
	}{rid}, &out)
	return out.Request, err
}
