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
	Login       string // a visitor's way to log in and back here; "" for others
	Open        string // an unfinished installation of the actor's space to go on with
	Shelf       string
	Problem     string
	Barred      bool // the member's role does not install
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
		Shelf: sdk.Path(ctx, "/"),
	}
	visitor := sdk.Actor(ctx).AccountID == 0
	if visitor {
		view.Login = "/login?return=" + url.QueryEscape(sdk.Path(ctx, "/"+listing.Slug))
	}
	framed := sdk.View{Title: listing.Title, Subtitle: listing.Summary, Crumbs: []sdk.Crumb{{Title: "APP Store", Path: view.Shelf}}}
	if problem != nil {
		view.Problem, framed.Status = sdk.Message(problem), http.StatusConflict
	}
	if !visitor {
		may, err := sdk.Can(ctx, permissionInstall)
		if err != nil {
			return framed, err
		}
		if view.Barred = !may; view.Barred {
			return page(framed, "detail", view)
		}
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

// tryPage is the click on 试用. A visitor has to log in first.
func (m *market) tryPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	listing, err := m.bySlug(ctx, r.PathValue("slug"))
	if err != nil {
		return sdk.View{}, err
	}
	if sdk.Actor(ctx).AccountID == 0 {
		// The frame leads to the login and back to the page the form was on.
		return sdk.View{}, sdk.Fail("market.login", "请先登录，再试用「"+listing.Title+"」").OfKind(sdk.KindUnauthenticated)
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
