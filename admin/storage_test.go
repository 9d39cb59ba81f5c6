package admin

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/GoAdminGroup/go-admin/modules/menu"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

var goadminTables = []string{
	"goadmin_menu", "goadmin_operation_log", "goadmin_site", "goadmin_permissions", "goadmin_roles", "goadmin_users", "goadmin_session",
	"goadmin_role_menu", "goadmin_role_permissions", "goadmin_role_users", "goadmin_user_permissions", "admin_shadow", "admin_session",
}

func counts(t *testing.T, db *store.DB) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, name := range goadminTables {
		n, err := db.Int(context.Background(), "SELECT COUNT(*) FROM "+name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = n
	}
	return out
}

func TestPagesWriteNothingAfterTheFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, Options{DB: db, Plugins: newFakePlugins(3), Services: newRooms().services()})
		before := counts(t, db)
		if before["goadmin_users"] != 0 {
			t.Fatal("an account is seeded")
		}
		h.get("merchant", "/admin").want(t, 200, "工作台")
		after := counts(t, db)
		if after["goadmin_users"] != 1 || after["goadmin_session"] != 1 || after["admin_shadow"] != 1 || after["admin_session"] != 1 {
			t.Errorf("after the first page: %v", after)
		}
		for _, path := range []string{"/admin", tableURL, tableURL + "/new", tableURL + "/edit?id=1", "/admin/trail", "/admin/p/version/drafts", "/admin/nothing"} {
			h.get("merchant", path)
		}
		h.do("merchant", "POST", tableURL+"/new", url.Values{"name": {"x"}}).want(t, 303)
		h.do("merchant", "POST", tableURL+"/delete", url.Values{"one": {"1"}}).want(t, 303)
		if now := counts(t, db); fmt.Sprint(now) != fmt.Sprint(after) {
			t.Errorf("pages wrote rows: %v, then %v", after, now)
		}
	})
}

func TestShadowUserHasNoPasswordAndOnePermission(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := newShadows(db)
		first, err := s.session(ctx, people["merchant"])
		if err != nil {
			t.Fatal(err)
		}
		again, err := newShadows(db).session(ctx, people["merchant"])
		if err != nil || again.sid != first.sid || again.user != first.user {
			t.Errorf("another process made %+v of %+v (%v)", again, first, err)
		}
		other := people["merchant"]
		other.SessionID++
		second, err := s.session(ctx, other)
		if err != nil || second.sid == first.sid || second.user != first.user {
			t.Errorf("a second login got %+v after %+v (%v)", second, first, err)
		}
		operator, err := s.session(ctx, people["operator"])
		if err != nil || operator.user == first.user {
			t.Errorf("two members share a user (%v)", err)
		}
		var user struct{ Password, Username string }
		if found, err := db.One(ctx, &user, "SELECT password, username FROM goadmin_users WHERE id=?", first.user); err != nil || !found || user.Password != "!" || user.Username != "member-100" {
			t.Errorf("user %+v, %v", user, err)
		}
		if len(first.sid) < 40 || strings.ContainsAny(first.sid, "';\"") {
			t.Errorf("session id %q", first.sid)
		}
	})
}

func TestSessionsThatRanOutAreDropped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		old, err := newShadows(db).session(ctx, people["merchant"])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, "UPDATE admin_session SET created_at=?", time.Now().Add(-2*sessionLife).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		fresh, err := newShadows(db).session(ctx, people["operator"])
		if err != nil {
			t.Fatal(err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM goadmin_session WHERE sid=?", old.sid); err != nil || n != 0 {
			t.Errorf("the old session is still there (%d, %v)", n, err)
		}
		next, err := newShadows(db).session(ctx, people["merchant"])
		if err != nil || next.sid == old.sid || next.sid == fresh.sid {
			t.Errorf("the next session is %+v (%v)", next, err)
		}
	})
}

func TestManyFirstRequestsOfOneMemberMakeOneUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		replicas := []*shadows{newShadows(db), newShadows(db)}
		var wg sync.WaitGroup
		errs := make(chan error, 16)
		for i := range 16 {
			wg.Go(func() {
				if _, err := replicas[i%2].session(context.Background(), people["merchant"]); err != nil {
					errs <- err
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Error(err)
		}
		if n := counts(t, db)["goadmin_users"]; n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// The save comes in through the guard, GoFrame and GoAdmin's session check and table; the menu row through GoAdmin's
// own connection. Beside them 32 writers append as fast as they can.
func TestSavingWhileOthersWriteIsNeverLocked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		plugins := newFakePlugins(1)
		plugins.save = func(ctx context.Context, s TableSave) error {
			return db.Insert(ctx, "trail", trailRow(db, "save"))
		}
		h := open(t, Options{DB: db, Plugins: plugins})
		stop := make(chan struct{})
		var writers sync.WaitGroup
		var mu sync.Mutex
		var failed []error
		appended := 0
		for range 32 {
			writers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					err := db.Insert(ctx, "trail", trailRow(db, "append"))
					mu.Lock()
					if appended++; err != nil {
						failed = append(failed, err)
					}
					mu.Unlock()
				}
			})
		}
		for i := range 20 {
			who := []string{"merchant", "operator"}[i%2]
			h.get(who, "/admin").want(t, 200)
			h.do("merchant", "POST", tableURL+"/new", url.Values{"name": {fmt.Sprint("新模板 ", i)}}).want(t, 303)
			if _, err := menu.NewMenu(h.admin.engine.conn, menu.NewMenuData{Title: fmt.Sprint("菜单 ", i), Icon: "fa-bars", Uri: "/x"}); err != nil {
				t.Errorf("menu %d: %v", i, err)
			}
		}
		close(stop)
		writers.Wait()
		if len(failed) > 0 {
			t.Errorf("%d of %d appends failed: %v", len(failed), appended, failed[0])
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM trail WHERE act='save'"); err != nil || n != 20 {
			t.Errorf("%d saves, %v", n, err)
		}
		if n := counts(t, db)["goadmin_menu"]; n != 21 {
			t.Errorf("%d menu rows", n)
		}
		if appended < 100 {
			t.Errorf("only %d appends ran beside the saves", appended)
		}
	})
}

func trailRow(db *store.DB, act string) map[string]any {
	return map[string]any{
		"id": db.NewID(), "at": time.Now().UnixMilli(), "account_id": 1, "space_id": 1, "actor": "t", "plugin": "", "component": "", "appid": "",
		"act": act, "object": "", "outcome": "ok", "errcode": 0, "rid": "", "request_id": "", "detail": "", "duration_ms": 0,
	}
}
