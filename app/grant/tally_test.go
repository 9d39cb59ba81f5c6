package grant_test

import (
	"fmt"
	"strings"
	"testing"

	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// TestTenThousandAreCountedAndMoreAreSaidToBeMore fills a space up to the bound of exact numbers and one beyond.
func TestTenThousandAreCountedAndMoreAreSaidToBeMore(t *testing.T) {
	const most = 10_000
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, s := stage(t, db)
		owner, ctx := authtest.User(1), t.Context()
		fill(t, db, owner.SpaceID, 1, most-1) // one stands there already
		tally, err := s.Tally(ctx, owner)
		if err != nil || tally.Total != most || tally.States[miniprogram.Active] != most-99 || tally.States[miniprogram.Revoked] != 99 {
			t.Fatalf("at the bound: %+v %v", tally, err)
		}
		fill(t, db, owner.SpaceID, most, 1)
		tally, err = s.Tally(ctx, owner)
		if err != nil || tally.Total >= 0 || tally.States[miniprogram.Revoked] != 100 || tally.States[miniprogram.NeedsReauth] != 0 {
			t.Errorf("beyond it: %+v %v", tally, err)
		}
		if n := tally.States[miniprogram.Active]; n != most-99 {
			t.Errorf("%d active ones, want %d: a state below the bound is counted exactly", n, most-99)
		}
		other, err := s.Tally(ctx, authtest.User(2))
		if err != nil || other.Total != 1 || other.States[miniprogram.Active] != 1 {
			t.Errorf("another space: %+v %v", other, err)
		}
	})
}

// fill puts n mini programs into a space, numbered from first; each hundredth has withdrawn its authorisation.
func fill(t *testing.T, db *store.DB, space int64, first, n int) {
	t.Helper()
	const at = 500
	for from := first; from < first+n; from += at {
		var minis, auths []string
		for i := from; i < min(from+at, first+n); i++ {
			appid, state := fmt.Sprintf("wx%016d", i), miniprogram.Active
			if i%100 == 0 {
				state = miniprogram.Revoked
			}
			minis = append(minis, fmt.Sprintf("('%s',%d,%d,'店','','','','',0,-1,1,'[]',1,1)", appid, db.NewID(), space))
			auths = append(auths, fmt.Sprintf("(%d,'wx00000000component','%s','%s','18','','',1,1,0,1,'',1)", db.NewID(), appid, state))
		}
		for _, query := range []string{
			"INSERT INTO mini_program (appid, id, owner_space_id, nick_name, user_name, head_img, principal, signature, service_type, verify_type, account_status, categories, synced_at, created_at) VALUES " + strings.Join(minis, ","),
			"INSERT INTO `authorization` (id, component, appid, state, sets, refresh_token, access_token, expires_at, auth_time, revoked_time, version, last_error, created_at) VALUES " + strings.Join(auths, ","),
		} {
			if _, err := db.Exec(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
}
