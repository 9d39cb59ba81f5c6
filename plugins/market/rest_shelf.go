package market

import (
	"context"
	"slices"

	"minifleet/plugins/sdk"
)

// What a merchant does with listings that stand on the shelf already.

// own is what the listing's merchant sees: what an edit starts from as well.
func (l Listing) own() listingView {
	view := l.full()
	view.Template, view.Revision = l.Template, l.Revision
	return view
}

type findShelfInput struct {
	State  string `json:"-" query:"state"`
	Cursor string `json:"-" query:"cursor"`
	Limit  int    `json:"-" query:"limit"`
}

// findShelf lists the merchant's own listings, delisted ones too.
func (m *market) findShelf(ctx context.Context, in findShelfInput) (sdk.Rows[listingView], error) {
	answer := sdk.Rows[listingView]{Items: []listingView{}}
	where := []sdk.Where{sdk.Eq(sdk.ColumnSpace, sdk.Actor(ctx).SpaceID)}
	if in.State != "" {
		if !slices.ContainsFunc(listingStates, func(o sdk.Option) bool { return o.Value == in.State }) {
			return answer, sdk.Fail("market.bad_query", "查询条件有误，请按提示修改").On("state", "没有这个状态")
		}
		where = append(where, sdk.Eq("state", in.State))
	}
	if in.Limit < 0 || in.Limit > 100 {
		return answer, sdk.Fail("market.bad_query", "查询条件有误，请按提示修改").On("limit", "每页应为 1–100 条")
	}
	page, err := m.listings.Find(ctx, sdk.Query{Where: where, Sort: "-id", Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, listing := range page.Items {
		view := listing.brief()
		view.Template, view.Revision = listing.Template, listing.Revision
		answer.Items = append(answer.Items, view)
	}
	return answer, nil
}

type findCustomersInput struct {
	State  string `json:"-" query:"state"`
	AppID  string `json:"-" query:"appid" check:"max=32"`
	Cursor string `json:"-" query:"cursor"`
	Limit  int    `json:"-" query:"limit"`
}

// customerView is an installation as the merchant of its template sees it: whose it is, and nothing that only the owner may
// use.
type customerView struct {
	installationView
	Space    string `json:"space"`
	NickName string `json:"nick_name"`
}

// findCustomers lists who installed the merchant's own templates: 安装记录 of the back office.
func (m *market) findCustomers(ctx context.Context, in findCustomersInput) (sdk.Rows[customerView], error) {
	answer := sdk.Rows[customerView]{Items: []customerView{}}
	where := []sdk.Where{sdk.Eq("merchant_space", sdk.Actor(ctx).SpaceID)}
	if in.State != "" {
		if _, known := transitions[State(in.State)]; !known {
			return answer, sdk.Fail("market.bad_query", "查询条件有误，请按提示修改").On("state", "没有这个状态")
		}
		where = append(where, sdk.Eq("state", in.State))
	}
	if in.AppID != "" {
		where = append(where, sdk.Eq("appid", in.AppID))
	}
	if in.Limit < 0 || in.Limit > 100 {
		return answer, sdk.Fail("market.bad_query", "查询条件有误，请按提示修改").On("limit", "每页应为 1–100 条")
	}
	page, err := m.installations.Find(ctx, sdk.Query{Where: where, Sort: "-id", Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, i := range page.Items {
		answer.Items = append(answer.Items, customerView{installationView: viewInstallation(ctx, i), Space: i.Owner, NickName: i.NickName})
	}
	return answer, nil
}

type editListingInput struct {
	ID       int64 `json:"-" path:"id"`
	Revision int64 `json:"revision"` // that the caller read; 0 skips the comparison
	ListingInput
}

// editListing is the form 编辑商品: every text, and another version of the library where template names one.
func (m *market) editListing(ctx context.Context, in editListingInput) (listingView, error) {
	// First whose it is: what is wrong with the texts is told to its merchant only.
	if _, err := m.ownListing(ctx, in.ID); err != nil {
		return listingView{}, err
	}
	listing, err := m.edit(ctx, in.ID, in.Revision, in.ListingInput)
	if err != nil {
		return listingView{}, err
	}
	return listing.own(), nil
}

// shelve is a call that puts a listing on the shelf, or takes it off.
func (m *market) shelve(state ListingState) sdk.Handler {
	return sdk.JSON(func(ctx context.Context, in idInput) (listingView, error) {
		listing, err := m.setState(ctx, in.ID, state)
		if err != nil {
			return listingView{}, err
		}
		return listing.own(), nil
	})
}
