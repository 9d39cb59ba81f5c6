package version

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func (v *plugin) declareTemplates(p *sdk.Plugin) {
	merchant, right := sdk.Kinds("merchant"), sdk.Permission(permissionTemplate)
	menu := sdk.MenuItem{Kinds: []string{"merchant"}, Frame: sdk.FrameAdmin, Group: "模板中心", Permission: permissionTemplate}
	drafts, library := menu, menu
	drafts.Title, drafts.Path, drafts.Order = "草稿箱", "/drafts", 10
	library.Title, library.Path, library.Order = "模板库", "table:templates", 20
	p.Menu(drafts)
	p.Menu(library)
	p.Table(sdk.Table{
		Name: "templates", Title: "模板库", Intro: "由草稿设成的模板；点“详情”查看版本、上架或删除", Collection: v.templates,
		Empty: "还没有模板，请先在草稿箱把草稿设为模板", Permission: permissionTemplate, Kinds: []string{"merchant"},
		Actions: []sdk.Action{{Name: "open", Title: "详情", Run: v.openTemplate}},
	})
	p.Page("GET /drafts", v.draftsPage, merchant, right)
	p.Page("POST /drafts/sync", v.syncDraftsPage, merchant, right)
	p.Page("GET /drafts/template", v.templateForm, merchant, right)
	p.Page("POST /drafts/template", v.templatePage, merchant, right)
	p.Page("GET /templates/{id}", v.templateDetail, merchant, right)
	p.Page("GET /templates/{id}/delete", v.deleteForm, merchant, right)
	p.Page("POST /templates/{id}/delete", v.deletePage, merchant, right)
	p.Page("POST /templates/{id}/settle", v.settleTemplatePage, merchant, right)
}

// draftsData is the page 草稿箱.
type draftsData struct {
	framed
	Components []sdk.ComponentInfo
	Chosen     string
	Library    Library
	Limit      int
	Rows       []draftRow
}

type draftRow struct {
	wechat.Draft
	At       int64
	Template *Template // what was made of this upload already
	Link     string    // the form that makes a template of it
}

func (v *plugin) draftsPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showDrafts(ctx, r.FormValue("component"), nil)
}

func (v *plugin) showDrafts(ctx context.Context, chosen string, failure error) (sdk.View, error) {
	if broken(failure) {
		return sdk.View{}, failure
	}
	components, err := sdk.Components(ctx)
	if err != nil {
		return sdk.View{}, err
	}
	data := draftsData{framed: newFramed(ctx, failure), Components: components, Chosen: chosen, Limit: libraryLimit}
	if chosen == "" && len(components) > 0 {
		data.Chosen = components[0].AppID
	}
	if len(components) == 0 {
		return show("草稿箱", "drafts", data, failure)
	}
	if !slices.ContainsFunc(components, func(c sdk.ComponentInfo) bool { return c.AppID == data.Chosen }) {
		return sdk.View{}, sdk.NotFound("version.no_component", "没有找到这个第三方平台，请先绑定")
	}
	if data.Library, _, err = v.libraries.First(ctx, sdk.Eq("component", data.Chosen)); err != nil {
		return sdk.View{}, err
	}
	made, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", data.Chosen)}, Limit: 200})
	if err != nil {
		return sdk.View{}, err
	}
	for _, draft := range data.Library.Drafts {
		row := draftRow{Draft: draft, At: draft.CreatedAt * 1000}
		for i, template := range made.Items {
			if template.DraftID == draft.ID && template.DraftAt == row.At {
				row.Template = &made.Items[i]
			}
		}
		row.Link = data.Base + "/drafts/template?" + draftQuery(data.Chosen, draft).Encode()
		data.Rows = append(data.Rows, row)
	}
	return show("草稿箱", "drafts", data, failure)
}

func draftQuery(component string, draft wechat.Draft) url.Values {
	return url.Values{
		"component": {component}, "draft_id": {strconv.FormatInt(draft.ID, 10)}, "created_at": {strconv.FormatInt(draft.CreatedAt, 10)},
	}
}

func (v *plugin) syncDraftsPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	component := r.PostFormValue("component")
	if _, err := componentOf(ctx, component); err != nil {
		return sdk.View{}, err
	}
	if _, err := v.syncLibrary(ctx, component); err != nil {
		return v.showDrafts(ctx, component, err)
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/drafts") + "?component=" + url.QueryEscape(component), Flash: "草稿箱已同步"}, nil
}

// templateData is the form 设为模板.
type templateData struct {
	framed
	Component string
	Draft     wechat.Draft
	DraftAt   int64
	Names     []string // products that exist
	Last      string   // newest version of the chosen product
	Name      string
	Version   string
	Notes     string
	Settings  string
	Domains   string
	SameOK    bool
}

// draftChoice is which draft a request means.
func draftChoice(r *http.Request) (component string, id, createdAt int64, err error) {
	id, idErr := strconv.ParseInt(r.FormValue("draft_id"), 10, 64)
	createdAt, atErr := strconv.ParseInt(r.FormValue("created_at"), 10, 64)
	if idErr != nil || atErr != nil {
		return "", 0, 0, sdk.NotFound("version.no_draft", "没有指明草稿，请回到草稿箱重新选择")
	}
	return r.FormValue("component"), id, createdAt, nil
}

func (v *plugin) templateForm(ctx context.Context, r *http.Request) (sdk.View, error) {
	return v.showTemplateForm(ctx, r, nil)
}

func (v *plugin) showTemplateForm(ctx context.Context, r *http.Request, failure error) (sdk.View, error) {
	if broken(failure) {
		return sdk.View{}, failure
	}
	component, id, createdAt, err := draftChoice(r)
	if err != nil {
		return sdk.View{}, err
	}
	if _, err := componentOf(ctx, component); err != nil {
		return sdk.View{}, err
	}
	library, _, err := v.libraries.First(ctx, sdk.Eq("component", component))
	if err != nil {
		return sdk.View{}, err
	}
	draft, err := draftOf(library.Drafts, id, createdAt)
	if err != nil {
		return v.showDrafts(ctx, component, err)
	}
	known, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", component)}, Limit: 200})
	if err != nil {
		return sdk.View{}, err
	}
	data := templateData{framed: newFramed(ctx, failure), Component: component, Draft: draft, DraftAt: draft.CreatedAt * 1000, Notes: draft.UserDesc}
	data.suggest(known.Items)
	if r.Method == http.MethodPost {
		data.Name, data.Version, data.Notes = r.PostFormValue("name"), r.PostFormValue("version"), r.PostFormValue("notes")
		data.Settings, data.Domains, data.SameOK = r.PostFormValue("settings"), r.PostFormValue("domains"), r.PostFormValue("same_ok") != ""
	}
	view, err := show("设为模板", "template_form", data, failure, sdk.Crumb{Title: "草稿箱", Path: sdk.Path(ctx, "/drafts") + "?component=" + url.QueryEscape(component)})
	return view, err
}

// suggest begins with the newest template of the same development mini program: its product, its configuration and the
// next version.
func (d *templateData) suggest(known []Template) {
	for _, template := range known { // newest first
		if !slices.Contains(d.Names, template.Name) {
			d.Names = append(d.Names, template.Name)
		}
	}
	for _, template := range known {
		if template.Source == clip(d.Draft.Source, 128) {
			d.Name, d.Last, d.Settings, d.Domains = template.Name, template.UserVersion, settingLines(template.Schema), domainLines(template.Domains)
			break
		}
	}
	if d.Name == "" {
		d.Name = clip(d.Draft.Source, 60)
	}
	d.Version = nextVersion(d.Last, d.Draft.UserVersion)
}

func (v *plugin) templatePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	component, id, createdAt, err := draftChoice(r)
	if err != nil {
		return sdk.View{}, err
	}
	wanted := newTemplate{
		DraftID: id, CreatedAt: createdAt, Name: r.PostFormValue("name"), Version: r.PostFormValue("version"), Notes: r.PostFormValue("notes"),
	}
	if err := v.readTemplateForm(ctx, r, component, &wanted); err != nil {
		return v.showTemplateForm(ctx, r, err)
	}
	row, repeated, err := v.addTemplate(ctx, component, wanted)
	if err != nil {
		return v.showTemplateForm(ctx, r, err)
	}
	flash := "已设为模板"
	if repeated {
		flash = "这份草稿已经设为模板"
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/templates/"+rowID(row.ID)), Flash: flash}, nil
}

// readTemplateForm reads the lines of the form and warns of a version that the product has already.
func (v *plugin) readTemplateForm(ctx context.Context, r *http.Request, component string, wanted *newTemplate) error {
	failure := sdk.Fail("version.bad_template", "模板资料有误，请按提示修改")
	var err error
	if wanted.Settings, err = parseSettings(r.PostFormValue("settings")); err != nil {
		failure = failure.On("settings", err.Error())
	}
	if wanted.Domains, err = parseDomains(r.PostFormValue("domains")); err != nil {
		failure = failure.On("domains", err.Error())
	}
	if checkErr := wanted.check(); checkErr != nil {
		for field, complaint := range sdk.FieldErrors(checkErr) {
			failure = failure.On(field, complaint)
		}
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	if r.PostFormValue("same_ok") != "" {
		return nil
	}
	same, err := v.templates.Find(ctx, sdk.Query{Where: []sdk.Where{
		sdk.Eq("component", component), sdk.Eq("name", wanted.Name), sdk.Eq("user_version", wanted.Version), sdk.Eq("state", templateReady),
	}, Limit: 5})
	if err != nil {
		return err
	}
	for _, template := range same.Items {
		if template.DraftID != wanted.DraftID || template.DraftAt != wanted.CreatedAt*1000 {
			return failure.On("version", strings.TrimSpace(wanted.Name+" 已有版本 "+wanted.Version+"，请换一个；确实要相同时勾选“仍然使用”"))
		}
	}
	return nil
}
