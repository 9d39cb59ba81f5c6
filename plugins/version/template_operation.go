package version

import (
	"context"
	"strconv"

	"minifleet/plugins/sdk"
)

// templateQuery names a template: by our row id, or by WeChat's id in a component.
type templateQuery struct {
	ID         string `json:"id"`
	Component  string `json:"component"`
	TemplateID *int64 `json:"template_id"`
}

// TemplateView is a template as other plugins and REST see it.
type TemplateView struct {
	ID         string    `json:"id"`
	Component  string    `json:"component"`
	TemplateID int64     `json:"template_id"`
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	Notes      string    `json:"notes"`
	Schema     []Setting `json:"ext_schema"`
	Domains    Domains   `json:"domains"`
	Sets       []int     `json:"sets"`
	Space      string    `json:"space"`
	DraftID    int64     `json:"draft_id"`
	Source     string    `json:"source"`
	Developer  string    `json:"developer"`
	State      string    `json:"state"`
	CreatedAt  int64     `json:"created_at"` // Unix milliseconds
}

func templateView(t Template) TemplateView {
	schema := t.Schema
	if schema == nil {
		schema = []Setting{}
	}
	return TemplateView{
		ID: rowID(t.ID), Component: t.Component, TemplateID: t.TemplateID, Name: t.Name, Version: t.UserVersion, Notes: t.Notes, Schema: schema,
		Domains: Domains{notNil(t.Domains.Request), notNil(t.Domains.WebSocket), notNil(t.Domains.Upload), notNil(t.Domains.Download)}, Sets: []int{setCode, setBasic}, Space: rowID(t.SpaceID), DraftID: t.DraftID, Source: t.Source, Developer: t.Developer,
		State: t.State, CreatedAt: t.CreatedAt,
	}
}

// templateOperation tells a plugin about a template of the actor's space.
func (v *plugin) templateOperation(ctx context.Context, in templateQuery) (TemplateView, error) {
	where := []sdk.Where{sdk.Eq("state", templateReady)}
	switch {
	case in.ID != "":
		id, err := strconv.ParseInt(in.ID, 10, 64)
		if err != nil {
			return TemplateView{}, noTemplate("id")
		}
		where = append(where, sdk.Eq(sdk.ColumnID, id))
	case in.Component != "" && in.TemplateID != nil:
		where = append(where, sdk.Eq("component", in.Component), sdk.Eq("template_id", *in.TemplateID))
	default:
		return TemplateView{}, sdk.Fail("version.which_template", "请指明模板").On("id", "必填")
	}
	template, found, err := v.templates.First(ctx, where...)
	if err != nil {
		return TemplateView{}, err
	}
	if !found {
		return TemplateView{}, noTemplate("id")
	}
	return templateView(template), nil
}
