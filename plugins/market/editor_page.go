package market

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"minifleet/plugins/sdk"
)

type editorView struct {
	Input      ListingInput
	Errors     map[string]string
	Problem    string
	Template   Template
	Sets       []PermissionSet
	Schema     Schema
	Categories []string
	Revision   int64
	Key        string // a new listing's, makes a double click one listing
	Action     string
	Back       string
	Submit     string
	Siblings   []tab // listings of the same platform that could take this template instead
}

func editPath(listing Listing) string {
	return "/listings/" + strconv.FormatInt(listing.ID, 10) + "/edit"
}

// newListingPage begins a listing from a template of the library (?template=ID).
func (m *market) newListingPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	id := r.URL.Query().Get("template")
	if id == "" {
		return page(sdk.View{Title: "商品上架"}, "editor-empty", tablePath("version", "templates"))
	}
	template, err := readTemplate(ctx, id)
	if refused(err) {
		return sdk.View{}, sdk.NotFound("market.no_template", "没有找到这个模板，请到模板库重新选择").Because(err)
	}
	if err != nil {
		return sdk.View{}, err
	}
	return m.newEditor(ctx, ListingInput{Template: template.ID, Title: cut(template.Name, longestTitle)}, oneTimeKey(), nil)
}

// createListingPage puts it on the shelf, or shows the form again with what is wrong.
func (m *market) createListingPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	in, key := formInput(r), r.PostForm.Get("key")
	if !keyShape.MatchString(key) {
		key = oneTimeKey()
	}
	if _, err := m.list(ctx, in, key); err != nil {
		if refused(err) {
			return m.newEditor(ctx, in, key, err)
		}
		return sdk.View{}, err
	}
	return sdk.View{Redirect: shelfPath(ctx), Flash: "已上架，现在可以在 APP Store 找到"}, nil
}

func (m *market) newEditor(ctx context.Context, in ListingInput, key string, problem error) (sdk.View, error) {
	view := editorView{Input: in, Key: key, Action: sdk.Path(ctx, "/listings/new"), Submit: "上架"}
	template, err := readTemplate(ctx, in.Template)
	if err != nil && !refused(err) {
		return sdk.View{}, err
	}
	view.Template = template
	if template.Component != "" {
		siblings, err := m.listings.Find(ctx, sdk.Query{Where: []sdk.Where{
			sdk.Eq(sdk.ColumnSpace, sdk.Actor(ctx).SpaceID), sdk.Eq("component", template.Component),
		}, Limit: 10})
		if err != nil {
			return sdk.View{}, err
		}
		for _, listing := range siblings.Items {
			view.Siblings = append(view.Siblings, tab{Title: listing.Title, Path: sdk.Path(ctx, editPath(listing)) + "?template=" + template.ID})
		}
	}
	return editor(ctx, "上架模板", view, problem)
}

// editListingPage edits a listing; ?template=ID moves it to another version of the library.
func (m *market) editListingPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	listing, err := m.listingOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	in := ListingInput{Template: listing.Template, Title: listing.Title, Summary: listing.Summary, Category: listing.Category, Description: listing.Description}
	if other := r.URL.Query().Get("template"); other != "" {
		in.Template = other
	}
	return m.editEditor(ctx, listing, in, listing.Revision, nil)
}

func (m *market) saveListingPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	listing, err := m.listingOf(ctx, r)
	if err != nil {
		return sdk.View{}, err
	}
	in := formInput(r)
	revision, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
	if err != nil || revision <= 0 {
		return sdk.View{}, sdk.Fail("market.bad_form", "页面已过期，请刷新后再改").Because(err)
	}
	if _, err := m.edit(ctx, listing.ID, revision, in); err != nil {
		if refused(err) {
			return m.editEditor(ctx, listing, in, revision, err)
		}
		return sdk.View{}, err
	}
	return sdk.View{Redirect: shelfPath(ctx), Flash: "已保存"}, nil
}

func (m *market) editEditor(ctx context.Context, listing Listing, in ListingInput, revision int64, problem error) (sdk.View, error) {
	view := editorView{Input: in, Revision: revision, Action: sdk.Path(ctx, editPath(listing)), Submit: "保存"}
	template, err := readTemplate(ctx, in.Template)
	if err != nil && !refused(err) {
		return sdk.View{}, err
	}
	view.Template = template
	if problem == nil {
		problem = err // the template has gone from the library
	}
	return editor(ctx, "编辑商品", view, problem)
}

func editor(ctx context.Context, title string, view editorView, problem error) (sdk.View, error) {
	view.Categories, view.Back, view.Errors = categories(), shelfPath(ctx), sdk.FieldErrors(problem)
	view.Sets = permissionSets(neededSets(view.Template.Sets))
	schema, err := parseSchema(view.Template.Schema)
	if err != nil {
		return sdk.View{}, err
	}
	view.Schema = schema
	framed := sdk.View{Title: title, Crumbs: []sdk.Crumb{{Title: "商品上架", Path: view.Back}}}
	if problem != nil {
		view.Problem, framed.Status = sdk.Message(problem), statusOf(problem)
	}
	return page(framed, "editor", view)
}

func (m *market) listingOf(ctx context.Context, r *http.Request) (Listing, error) {
	id, err := parseID(r.PathValue("id"))
	if err != nil {
		return Listing{}, errNoListing.Because(err)
	}
	return m.ownListing(ctx, id)
}

func formInput(r *http.Request) ListingInput {
	form := r.PostForm
	return ListingInput{
		Template: form.Get("template"), Title: form.Get("title"), Summary: form.Get("summary"), Category: form.Get("category"),
		Description: form.Get("description"),
	}.tidy()
}

func shelfPath(ctx context.Context) string {
	if sdk.Frame(ctx) == sdk.FrameAdmin {
		return tablePath(mount, "listings")
	}
	return sdk.Path(ctx, "/")
}

// statusOf is the HTTP status of a form that comes back.
func statusOf(err error) int {
	var failure *sdk.Error
	if errors.As(err, &failure) && failure.Kind == sdk.KindConflict {
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}
