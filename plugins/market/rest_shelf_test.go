package market

import (
	"errors"
	"fmt"
	"testing"

	"minifleet/plugins/sdk"
)

func TestAListingIsEditedByREST(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	if made.Revision != 1 || made.Template != "501" {
		t.Fatalf("what was made: %+v", made)
	}
	at, mine := fmt.Sprintf("/listings/%d", made.ID), f.As(merchant)
	f.template.ID, f.template.Version, f.template.Notes = "502", "1.1.0", "支持外卖"
	in := editListingInput{Revision: made.Revision, ListingInput: input()}
	in.Template, in.Title = "502", "扫码点餐外卖"
	var after listingView
	f.must(mine.API("PUT", at, in, &after))
	if after.Title != "扫码点餐外卖" || after.Version != "1.1.0" || after.Revision != 2 || len(after.History) != 2 {
		t.Errorf("after the edit: %+v", after)
	}
	var failure *sdk.Error
	if err := mine.API("PUT", at, in, nil); !errors.As(err, &failure) || failure.Kind != sdk.KindConflict {
		t.Errorf("an outdated revision is answered %v", err)
	}
	in.Revision, in.Title = 0, "餐"
	if err := mine.API("PUT", at, in, nil); sdk.FieldErrors(err)["title"] == "" {
		t.Errorf("a title of one is answered %v", err)
	}
	for name, actor := range map[string]sdk.ActorInfo{"another merchant": rival, "a user": user} {
		for _, call := range [][2]string{{"PUT", at}, {"POST", at + "/list"}, {"POST", at + "/delist"}} {
			body := any(nil)
			if call[0] == "PUT" {
				body = in
			}
			if err := f.As(actor).API(call[0], call[1], body, nil); err == nil || actor.SpaceID == rival.SpaceID && !errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("%s: %s %s answers %v", name, call[0], call[1], err)
			}
		}
	}
	var seen listingView
	f.must(f.As(visitor).API("GET", "/listings/"+made.Slug, nil, &seen))
	if seen.Revision != 0 || seen.Template != "" {
		t.Errorf("a visitor sees what only the merchant needs: %+v", seen)
	}
}

func TestAMerchantsOwnShelfHoldsDelistedListingsToo(t *testing.T) {
	f := newFixture(t)
	made, mine := f.list(), f.As(merchant)
	at := fmt.Sprintf("/listings/%d", made.ID)
	shelf := func(h interface {
		API(method, path string, in, out any) error
	}, query string) []listingView {
		t.Helper()
		var found sdk.Rows[listingView]
		f.must(h.API("GET", "/shelf"+query, nil, &found))
		return found.Items
	}
	f.must(mine.API("POST", at+"/delist", nil, nil))
	if rows := shelf(mine, "?state=delisted"); len(rows) != 1 || rows[0].ID != made.ID || rows[0].State != Delisted || rows[0].Revision == 0 {
		t.Errorf("the shelf %+v", rows)
	}
	if rows := shelf(mine, "?state=listed"); len(rows) != 0 {
		t.Errorf("listed: %+v", rows)
	}
	if rows := shelf(f.As(rival), ""); len(rows) != 0 {
		t.Errorf("another merchant's shelf: %+v", rows)
	}
	var again listingView
	f.must(mine.API("POST", at+"/list", nil, &again))
	if again.State != Listed {
		t.Errorf("listed again: %+v", again)
	}
	f.must(f.As(visitor).API("GET", "/listings/"+made.Slug, nil, &again))
	for field, query := range map[string]string{"state": "?state=x", "limit": "?limit=1000"} {
		if err := mine.API("GET", "/shelf"+query, nil, nil); sdk.FieldErrors(err)[field] == "" {
			t.Errorf("%s is answered by %v", field, err)
		}
	}
}
