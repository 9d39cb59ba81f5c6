package market

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"minifleet/plugins/sdk"
)

type detailView struct {
	Listing
	Permissions []PermissionSet
	Try         string // where the form goes
	Key         string // makes a double click one installation
	Visitor     bool
	Open        string // an unfinished installation of the actor's space to go on with
	Shelf       string
	Problem     string
}

// detailPage shows one template, and says before the click what installing gives away.
func (m *market) detailPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	listing, err := m.bySlug(ctx, r.PathValue("slug"))
	if err != nil {
		return sdk.View{}, err
	}
	return m.detail(ctx, listing, nil)
}

func (m *market) detail(ctx context.Context, listing Listing, problem error) (sdk.View, error) {
	view := detailView{
		Listing: listing, Permissions: permissionSets(listing.Sets), Try: sdk.Path(ctx, "/"+listing.Slug+"/try"), Key: oneTimeKey(),
		Visitor: sdk.Actor(ctx).AccountID == 0, Shelf: sdk.Path(ctx, "/"),
	}
	framed := sdk.View{Title: listing.Title, Subtitle: listing.Summary, Crumbs: []sdk.Crumb{{Title: "APP Store", Path: view.Shelf}}}
	if problem != nil {
		view.Problem, framed.Status = sdk.Message(problem), http.StatusConflict
	}
	if !view.Visitor {
		open, found, err := m.installations.First(ctx, sdk.Eq("owner_space", sdk.Actor(ctx).SpaceID), sdk.Eq("listing", listing.ID),
			sdk.In("state", Choosing, Ready, Installing, Failed))
		if err != nil {
			return framed, err
		}
		if found {
			view.Open = sdk.Path(ctx, "/installations/"+open.key())
		}
	}
	return page(framed, "detail", view)
}

var keyShape = regexp.MustCompile(`^[A-Z0-9]{10,40}$`)

// tryPage is the click on 试用. A visitor logs in first and comes back to the template.
func (m *market) tryPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	listing, err := m.bySlug(ctx, r.PathValue("slug"))
	if err != nil {
		return sdk.View{}, err
	}
	if sdk.Actor(ctx).AccountID == 0 {
		return sdk.View{Redirect: "/login?return=" + url.QueryEscape(sdk.Path(ctx, "/"+listing.Slug))}, nil
	}
	key := r.PostForm.Get("key")
	if !keyShape.MatchString(key) {
		key = oneTimeKey()
	}
	installation, err := m.begin(ctx, listing, key)
	if err != nil {
		if refused(err) {
			return m.detail(ctx, listing, err)
		}
		return sdk.View{}, err
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+installation.key())}, nil
}
