package trail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

type chained struct {
	*trail.Log
	*trail.Chain
	t   *testing.T
	db  *store.DB
	clk *clock.Manual
}

func chain(t *testing.T, db *store.DB) chained {
	t.Helper()
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
	l := trail.New(db, clk)
	return chained{Log: l, Chain: trail.NewChain(l, vault, slog.Default()), t: t, db: db, clk: clk}
}

// record appends n entries and seals them.
func (c chained) record(n int) {
	c.t.Helper()
	err := c.db.Tx(c.t.Context(), func(ctx context.Context) error {
		for i := range n {
			e := trail.Entry{SpaceID: 1, AccountID: 2, Actor: "王五", Act: "wxa.commit", AppID: "wx1", Object: fmt.Sprint(i), Changes: []trail.Change{{Field: "版本", Before: "1.0", After: "1.1"}}}
			if err := c.Record(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.seal(n)
}

func (c chained) seal(want int) {
	c.t.Helper()
	if n, err := c.Seal(c.t.Context()); err != nil || n != want {
		c.t.Fatalf("sealed %d, want %d, %v", n, want, err)
	}
}

func (c chained) verify(o trail.VerifyOptions) trail.Report {
	c.t.Helper()
	r, err := c.Verify(c.t.Context(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c chained) exec(query string, args ...any) {
	c.t.Helper()
	if n, err := c.db.Exec(c.t.Context(), query, args...); err != nil || n == 0 {
		c.t.Fatalf("%s: %d rows, %v", query, n, err)
	}
}

func TestAChainThatNobodyTouchedVerifies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := chain(t, db)
		if r := c.verify(trail.VerifyOptions{}); !r.OK || r.Entries != 0 {
			t.Fatalf("empty: %+v", r)
		}
		c.record(2300)
		if err := c.Record(t.Context(), trail.Entry{Act: "account.login"}); err != nil {
			t.Fatal(err)
		}
		r := c.verify(trail.VerifyOptions{})
		if !r.OK || r.Entries != 2300 || r.First != 1 || r.Last != 2300 || r.Unsealed != 1 || r.UnsealedSince == 0 || r.Anchors < 3 || len(r.HeadHash) != 64 {
			t.Fatalf("%+v", r)
		}
		head := r.Head()
		c.seal(1)
		if r := c.verify(trail.VerifyOptions{Witness: head}); !r.OK || !r.WitnessChecked || r.Entries != 2301 || r.Unsealed != 0 {
			t.Fatalf("with the head of before: %+v", r)
		}
	})
}

func TestWhatWasDoneToTheChainIsFound(t *testing.T) {
	cases := []struct {
		name string
		do   func(c chained)
		kind string
		seq  int64
	}{
		{"an edited act", func(c chained) { c.exec("UPDATE trail SET actor='赵六' WHERE seq=700") }, trail.Edited, 700},
		{"an edited change", func(c chained) { c.exec("UPDATE trail SET changes='' WHERE seq=1") }, trail.Edited, 1},
		{"an edited time", func(c chained) { c.exec("UPDATE trail SET at=at+1 WHERE seq=1200") }, trail.Edited, 1200},
		{"an edited outcome of the newest", func(c chained) { c.exec("UPDATE trail SET outcome='failed' WHERE seq=1500") }, trail.Edited, 1500},
		{"one removed", func(c chained) { c.exec("DELETE FROM trail WHERE seq=900") }, trail.Missing, 900},
		{"the first removed", func(c chained) { c.exec("DELETE FROM trail WHERE seq=1") }, trail.Missing, 1},
		{"the newest removed", func(c chained) { c.exec("DELETE FROM trail WHERE seq>1490") }, trail.Missing, 1491},
		{"all removed", func(c chained) { c.exec("DELETE FROM trail") }, trail.Missing, 1},
		{"two that changed places", func(c chained) {
			c.exec("UPDATE trail SET seq=-1 WHERE seq=500")
			c.exec("UPDATE trail SET seq=500 WHERE seq=501")
			c.exec("UPDATE trail SET seq=501 WHERE seq=-1")
		}, trail.Edited, 500},
		{"one removed and the rest moved up", func(c chained) {
			c.exec("DELETE FROM trail WHERE seq=1400")
			for i := 1401; i <= 1500; i++ {
				c.exec("UPDATE trail SET seq=? WHERE seq=?", i-1, i)
			}
		}, trail.Edited, 1400},
		{"one put in behind the head", func(c chained) {
			c.exec("UPDATE trail SET seq=1501 WHERE seq=1500")
			c.exec("UPDATE trail SET seq=1500, hash='x' WHERE seq=1501")
			c.exec("INSERT INTO trail (id,at,account_id,space_id,actor,plugin,component,appid,act,object,outcome,errcode,rid,request_id,detail,duration_ms,seq,hash) VALUES (5,1,1,1,'','','','','x','','ok',0,'','','',0,1501,'y')")
			c.exec("UPDATE trail SET hash=(SELECT hash FROM trail_anchor WHERE n=0) WHERE seq=1500")
		}, trail.Surplus, 1501},
		{"an anchor removed", func(c chained) { c.exec("DELETE FROM trail_anchor WHERE seq=1000") }, trail.AnchorMissing, 0},
		{"an anchor changed", func(c chained) { c.exec("UPDATE trail_anchor SET hash='0' WHERE seq=1000") }, trail.AnchorForged, 1000},
		{"the head removed", func(c chained) { c.exec("DELETE FROM trail_anchor WHERE n=0") }, trail.HeadLost, 0},
		{"the head moved back with the newest removed", func(c chained) {
			c.exec("DELETE FROM trail WHERE seq>1200")
			c.exec("UPDATE trail_anchor SET seq=1200, hash=(SELECT hash FROM trail WHERE seq=1200) WHERE n=0")
		}, trail.AnchorForged, 1200},
		{"a pruning that never was", func(c chained) {
			c.exec("INSERT INTO trail_anchor (n,kind,seq,hash,at,signature) SELECT 99,'pruned',700,hash,1,'x' FROM trail WHERE seq=700")
			c.exec("DELETE FROM trail WHERE seq<=700")
		}, trail.AnchorMissing, 700},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := chain(t, db)
		c.record(1500)
		tables := []string{"trail", "trail_anchor"}
		for _, table := range tables {
			c.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table)
		}
		for _, x := range cases {
			t.Run(x.name, func(t *testing.T) {
				x.do(chained{Log: c.Log, Chain: c.Chain, t: t, db: db, clk: c.clk})
				r := c.verify(trail.VerifyOptions{})
				if r.OK || r.Bad == nil || r.Bad.Kind != x.kind || x.seq != 0 && r.Bad.Seq != x.seq || r.Bad.Words == "" {
					t.Errorf("%+v: %+v", r, r.Bad)
				}
				for _, table := range tables {
					if _, err := db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
						t.Fatal(err)
					}
					c.exec("INSERT INTO " + table + " SELECT * FROM kept_" + table)
				}
			})
		}
		if r := c.verify(trail.VerifyOptions{}); !r.OK {
			t.Fatalf("put back it is whole again: %+v", r.Bad)
		}
	})
}

func TestAWitnessFindsADatabaseThatWasPutBack(t *testing.T) {
	c := chain(t, storetest.Open(t))
	c.record(10)
	for _, table := range []string{"trail", "trail_anchor"} {
		c.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table)
	}
	c.record(5)
	head := c.verify(trail.VerifyOptions{}).Head()
	for _, table := range []string{"trail", "trail_anchor"} {
		c.exec("DELETE FROM " + table)
		c.exec("INSERT INTO " + table + " SELECT * FROM kept_" + table)
	}
	if r := c.verify(trail.VerifyOptions{}); !r.OK {
		t.Fatalf("without a witness the earlier state looks whole: %+v", r.Bad)
	}
	if r := c.verify(trail.VerifyOptions{Witness: head}); r.OK || r.Bad.Kind != trail.WitnessFailed {
		t.Fatalf("with one it does not: %+v", r)
	}
	for _, bad := range []string{"x", "12", "0:" + strings.Repeat("0", 64), "12:abc"} {
		if _, err := c.Verify(t.Context(), trail.VerifyOptions{Witness: bad}); err == nil {
			t.Errorf("witness %q was taken", bad)
		}
	}
}

func TestWhatIsOldEnoughGoesAndTheRestStillVerifies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := chain(t, db)
		c.record(1200)
		c.clk.Advance(time.Hour)
		c.record(300)
		if n, err := c.Prune(t.Context(), c.clk.Now().Add(-time.Minute)); err != nil || n != 1200 {
			t.Fatalf("pruned %d, %v", n, err)
		}
		r := c.verify(trail.VerifyOptions{})
		if !r.OK || r.Pruned != 1200 || r.First != 1201 || r.Entries != 300 {
			t.Fatalf("%+v %+v", r, r.Bad)
		}
		c.clk.Advance(time.Hour)
		if n, err := c.Prune(t.Context(), c.clk.Now()); err != nil || n != 300 {
			t.Fatalf("pruned %d, %v", n, err)
		}
		if r := c.verify(trail.VerifyOptions{}); !r.OK || r.Entries != 0 || r.Pruned != 1500 {
			t.Fatalf("%+v %+v", r, r.Bad)
		}
		c.record(3)
		if r := c.verify(trail.VerifyOptions{}); !r.OK || r.First != 1501 || r.Last != 1503 {
			t.Fatalf("%+v %+v", r, r.Bad)
		}
		c.exec("DELETE FROM trail WHERE seq=1501")
		if r := c.verify(trail.VerifyOptions{}); r.OK || r.Bad.Seq != 1501 {
			t.Fatalf("%+v", r)
		}
	})
}

func TestWritersAndSealersAtOnceLoseNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := chain(t, db)
		no := errors.New("no")
		ctx, stop := context.WithCancel(t.Context())
		var sealers, writers sync.WaitGroup
		for range 2 {
			sealers.Go(func() {
				for ctx.Err() == nil {
					if _, err := c.Seal(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for w := range 4 {
			writers.Go(func() {
				for i := range 50 {
					err := db.Tx(t.Context(), func(ctx context.Context) error {
						if err := c.Record(ctx, trail.Entry{Act: "a.b", Object: fmt.Sprint(w, i)}); err != nil {
							return err
						}
						if i%5 == 0 {
							return no // rolled back with its entry
						}
						return nil
					})
					if err != nil && !errors.Is(err, no) {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		stop()
		sealers.Wait()
		if _, err := c.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := c.verify(trail.VerifyOptions{}); !r.OK || r.Entries != 160 || r.Unsealed != 0 {
			t.Fatalf("%+v %+v", r, r.Bad)
		}
	})
}

func TestALostHeadIsSaidInTheChainItself(t *testing.T) {
	c := chain(t, storetest.Open(t))
	c.record(5)
	c.exec("DELETE FROM trail_anchor WHERE n=0")
	if err := c.Record(t.Context(), trail.Entry{Act: "a.b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, _, err := c.List(t.Context(), trail.Filter{Act: "trail.head_lost"})
	if err != nil || len(found) != 1 || found[0].Outcome != trail.Failed {
		t.Fatalf("%+v %v", found, err)
	}
}

func TestDiffShowsWhatChangedAndNoSecret(t *testing.T) {
	type thing struct {
		Name   string   `json:"name"`
		Token  string   `json:"token"`
		Key    string   `json:"key" trail:"secret"`
		Events []string `json:"events"`
		Same   int      `json:"same"`
		Inner  string   `json:"-"`
	}
	got := trail.Diff(thing{"a", "t1", "k1", []string{"x"}, 1, "i"}, thing{"b", "t2", "k2", []string{"x", "y"}, 1, "j"})
	db := storetest.Open(t)
	l := trail.New(db, clock.System())
	ctx := trail.WithBehalf(trail.WithVia(t.Context(), trail.Via{Kind: trail.ViaToken, ID: 7, Name: "部署"}), trail.Behalf{SpaceID: 9, Name: "李小店"})
	if err := l.Record(ctx, trail.Entry{Act: "webhook.update", SpaceID: 1, Changes: got}); err != nil {
		t.Fatal(err)
	}
	list, _, err := l.List(ctx, trail.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	e := list[0]
	want := []trail.Change{{Field: "name", Before: "a", After: "b"}, trail.Secret("token"), trail.Secret("key"), {Field: "events", Before: "x", After: "x y"}}
	if fmt.Sprint(e.Changes) != fmt.Sprint(want) {
		t.Errorf("%+v", e.Changes)
	}
	if e.Via != "token" || e.ViaID != 7 || e.ViaName != "部署" || e.BehalfSpaceID != 9 || e.Behalf != "李小店" {
		t.Errorf("%+v", e)
	}
}

func TestFiltersNarrow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := chain(t, db)
		for _, e := range []trail.Entry{
			{SpaceID: 1, AccountID: 1, Actor: "王五", Act: "wechat.submit_audit", AppID: "wx1", Object: "1.4.0 首页", RID: "r1", At: 1000},
			{SpaceID: 1, AccountID: 2, Actor: "赵六", Act: "wechat.release", AppID: "wx2", Outcome: trail.Failed, At: 2000, BehalfSpaceID: 2},
			{SpaceID: 2, AccountID: 3, Actor: "100%", Act: "account.login", AppID: "wx1", RequestID: "q", At: 3000},
		} {
			if err := c.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for name, x := range map[string]struct {
			f    trail.Filter
			want int
		}{
			"all": {trail.Filter{}, 3}, "a family": {trail.Filter{Act: "wechat."}, 2}, "an act": {trail.Filter{Act: "wechat.release"}, 1}, "no family without dot": {trail.Filter{Act: "wechat"}, 0},
			"part of a name": {trail.Filter{Actor: "王"}, 1}, "a percent is a percent": {trail.Filter{Actor: "%"}, 1}, "part of the object": {trail.Filter{Object: "1.4"}, 1},
			"rid": {trail.Filter{RID: "r1"}, 1}, "request": {trail.Filter{RequestID: "q"}, 1}, "failed": {trail.Filter{Outcome: trail.Failed}, 1}, "account": {trail.Filter{AccountID: 2}, 1},
			"from": {trail.Filter{From: 2000}, 2}, "to": {trail.Filter{To: 2000}, 1}, "space": {trail.Filter{SpaceID: 1}, 2}, "a space and what was done for it": {trail.Filter{SpaceID: 2, Behalf: true}, 2}, "and only failed": {trail.Filter{SpaceID: 2, Behalf: true, Outcome: trail.Failed}, 1},
			"some mini programs": {trail.Filter{Only: []string{"wx2"}}, 1}, "no mini program": {trail.Filter{Only: []string{}}, 0},
		} {
			n, err := c.Count(t.Context(), x.f)
			list, _, e := c.List(t.Context(), x.f)
			scanned := 0
			s := c.Scan(t.Context(), x.f, func(trail.Entry) error { scanned++; return nil })
			if err != nil || e != nil || s != nil || int(n) != x.want || len(list) != x.want || scanned != x.want {
				t.Errorf("%s: counted %d, listed %d, scanned %d, want %d (%v %v %v)", name, n, len(list), scanned, x.want, err, e, s)
			}
		}
		all, _, err := c.List(t.Context(), trail.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if e, err := c.Get(t.Context(), trail.Filter{SpaceID: 2}, all[0].ID); err != nil || e.Actor != "100%" {
			t.Errorf("%+v %v", e, err)
		}
		if _, err := c.Get(t.Context(), trail.Filter{SpaceID: 2}, all[1].ID); err == nil {
			t.Error("an entry of another space was given")
		}
	})
}
