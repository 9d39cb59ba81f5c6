package version

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"minifleet/plugins/sdk"
)

// libraryPath is the back office's address of the table 模板库.
const libraryPath = "/admin/info/version_templates"

// detailData is the page of one template.
type detailData struct {
	framed
	Template Template
	ID       string
	Users    int64
	Kept     string // why it cannot be deleted, "" when it can
	Listing  string // address of the listing editor
	Versions []Template
	Settings []Setting
	Domains  []string
}

func (v *plugin) openTemplate(ctx context.Context, ids []int64) (sdk.Result, error) {
	if len(ids) != 1 {
		return sdk.Result{}, sdk.Fail("version.one_row", "请选择一个模板")
	}
	row, err := v.templates.Get(ctx, ids[0])
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{Redirect: "/templates/" + rowID(row.ID)}, nil
}

func (v *plugin) templateOf(ctx context.Context, r *http.Request) (Template, error) {
	return v.templateByID(ctx, r.PathValue("id"))
}

// templateByID finds a template of the actor's space by the text of an address: 404 for anybody else's.
func (v *plugin) templateByID(ctx context.Context, text string) (Template, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Template{}, sdk.NotFound("version.no_template", "没有找到这个模板")
	}
	row, err := v.templates.Get(ctx, id)
	if errors.Is(err, sdk.ErrNotFound) {
		return Template{}, sdk.NotFound("version.no_template", "没有找到这个模板，可能已被删除").Because(err)
	}
	return row, err
}

func (v *plugin) templateDetail(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, err := v.templateOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	return v.showTemplate(ctx, row, "template", nil)
}

// showTemplate shows the detail page, or the question before deleting.
func (v *plugin) showTemplate(ctx context.Context, row Template, name string, failure error) (sdk.View, error) {
	if broken(failure) {
		return sdk.View{}, failure
	}
	users, err := v.users(ctx, rowID(row.ID))
	if err != nil {
		return sdk.View{}, err
	}
	versions, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", row.Component), sdk.Eq("name", row.Name)}, Limit: 50})
	if err != nil {
		return sdk.View{}, err
	}
	data := detailData{
		framed: newFramed(ctx, failure), Template: row, ID: rowID(row.ID), Users: users, Kept: whyKept(users), Versions: versions.Items,
		Listing: "/admin/p/market/listings/new?template=" + rowID(row.ID), Settings: row.Schema, Domains: allDomains(row.Domains.wire()),
	}
	crumbs := []sdk.Crumb{{Title: "模板库", Path: libraryPath}}
	title := row.Name + " " + row.UserVersion
	if name == "template_delete" {
		crumbs = append(crumbs, sdk.Crumb{Title: title, Path: sdk.Path(ctx, "/templates/"+data.ID)})
		title = "删除模板"
	}
	return show(title, name, data, failure, crumbs...)
}

func (v *plugin) deleteForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, err := v.templateOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	return v.showTemplate(ctx, row, "template_delete", nil)
}

func (v *plugin) deletePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, err := v.templateOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	if err := v.deleteTemplate(ctx, row); err != nil {
		return v.showTemplate(ctx, row, "template_delete", err)
	}
	return sdk.View{Redirect: libraryPath, Flash: "已删除模板 " + row.Name + " " + row.UserVersion}, nil
}

// settleTemplatePage looks once more for the id of a template whose adding was never confirmed.
func (v *plugin) settleTemplatePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, err := v.templateOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	if row.State != templateAdding {
		return sdk.View{Redirect: sdk.Path(ctx, "/templates/"+rowID(row.ID))}, nil
	}
	found, err := v.settleTemplate(ctx, row)
	if err != nil {
		return v.showTemplate(ctx, row, "template", err)
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/templates/"+rowID(found.ID)), Flash: "模板已可用"}, nil
}
