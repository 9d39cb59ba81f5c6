package store_test

import (
	"context"
	"strings"
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

type outer struct {
	inner
	ID      int64
	AppID   string `orm:"appid"`
	Label   string `json:"title"`
	Hidden  string `orm:"-"`
	Maybe   *int64
	On      bool
	Share   float64
	Payload []byte
}

type inner struct{ SpaceID int64 }

func TestRowsMeetFieldsByTagAndName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		const query = "SELECT 7 AS id, 'wx1' AS appid, 'T' AS title, 'x' AS hidden, NULL AS maybe, 1 AS `on`, 0.5 AS share, 'raw' AS payload, 3 AS space_id, 'gone' AS unknown"
		var rows []outer
		if err := db.All(ctx, &rows, query+" UNION ALL SELECT 8, NULL, '', '', 5, 0, 2, NULL, 4, ''"); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 {
			t.Fatalf("%d rows", len(rows))
		}
		if r := rows[0]; r.ID != 7 || r.AppID != "wx1" || r.Label != "T" || r.Hidden != "" || r.Maybe != nil || !r.On || r.Share != 0.5 || string(r.Payload) != "raw" || r.SpaceID != 3 {
			t.Errorf("%+v", r)
		}
		if r := rows[1]; r.ID != 8 || r.AppID != "" || r.Maybe == nil || *r.Maybe != 5 || r.On || r.Payload != nil || r.SpaceID != 4 {
			t.Errorf("%+v", r)
		}
		if string(rows[0].Payload) != "raw" {
			t.Error("a later row wrote over an earlier one's bytes")
		}
		kept := []outer{{ID: 1}}
		if err := db.All(ctx, &kept, "SELECT 1 AS id WHERE 1=0"); err != nil || len(kept) != 1 {
			t.Errorf("no row changed the slice: %v, %v", kept, err)
		}
		var one outer
		if found, err := db.One(ctx, &one, query); err != nil || !found || one.AppID != "wx1" {
			t.Errorf("%v %v %+v", found, err, one)
		}
		if found, err := db.One(ctx, &one, "SELECT 1 AS id WHERE 1=0"); err != nil || found {
			t.Errorf("found nothing: %v %v", found, err)
		}
	})
}

func TestAValueThatDoesNotFitItsFieldIsAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var rows []outer
		if err := db.All(t.Context(), &rows, "SELECT 'seven' AS id"); err == nil || !strings.Contains(err.Error(), "column id") {
			t.Errorf("%v", err)
		}
		var narrow []struct{ N int8 }
		if err := db.All(t.Context(), &narrow, "SELECT 300 AS n"); err == nil {
			t.Error("300 fits an int8")
		}
		var odd []struct{ N map[string]string }
		if err := db.All(t.Context(), &odd, "SELECT 1 AS n"); err == nil {
			t.Error("a number fits a map")
		}
		var texts []string
		if err := db.All(t.Context(), &texts, "SELECT 'x'"); err == nil {
			t.Error("rows were read into strings")
		}
	})
}

func TestAListStandsForItsValues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const query = "SELECT COUNT(*) FROM (SELECT 1 AS n, '?' AS c UNION SELECT 2, 'b' UNION SELECT 3, 'c') x WHERE c<>'?' AND n IN (?) AND n<?"
		for name, c := range map[string]struct {
			list any
			want int64
		}{"two": {[]int64{2, 3}, 2}, "one": {[]int{3}, 1}, "none": {[]int64{}, 0}, "text": {[]string{"2"}, 1}} {
			if db.Dialect() == store.SQLite && name == "text" {
				continue // SQLite compares no text with numbers
			}
			if n, err := db.Int(t.Context(), query, c.list, 10); err != nil || n != c.want {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
	})
}

func TestReadingInsideATransactionSeesItsRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			if err := db.Insert(ctx, "throttle", map[string]any{"name": "mine", "hits": 3, "locked_until": 0, "expires_at": 9}); err != nil {
				return err
			}
			inside, err := db.Int(ctx, "SELECT hits FROM throttle WHERE name=?", "mine")
			if err != nil || inside != 3 {
				t.Errorf("inside: %d, %v", inside, err)
			}
			return context.Canceled
		})
		if err == nil {
			t.Error("committed")
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM throttle WHERE name=?", "mine"); err != nil || n != 0 {
			t.Errorf("after the rollback: %d, %v", n, err)
		}
	})
}
