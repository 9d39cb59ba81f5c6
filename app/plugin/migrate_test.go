package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// bench is a data service without processes, for what builds of a plugin declare one after the other.
type bench struct {
	*Host
	db    *store.DB
	actor account.Actor
}

func newBench(t *testing.T, db *store.DB, quota Quota) *bench {
	t.Helper()
	clk := clock.Fixed(time.UnixMilli(1_763_000_000_000))
	h := &Host{options: Options{DB: db, Clock: clk, Trail: trail.New(db, clk), Events: noEvents{}, Spaces: someSpaces{}, Quota: quota}}
	if h.options.Quota.Of == nil {
		h.options.Quota.Of = func(string) bool { return false }
	}
	h.layData()
	return &bench{h, db, account.Actor{AccountID: 1, SpaceID: 11, SpaceKind: account.Merchant}}
}

type someSpaces struct{ Spaces }

func (someSpaces) Named(context.Context, []int64) ([]Space, error) {
	return []Space{{ID: 22, Name: "乙店"}}, nil
}

// build is a version of the plugin "ware" with these columns in its collection "goods".
func build(columns ...*pluginpb.Column) *Manifest {
	return &Manifest{Id: "ware", Title: "货物", Version: "1.0.0", Protocol: protocol, Collections: []*pluginpb.Collection{
		{Name: "goods", Columns: columns, Visibility: &pluginpb.Visibility{Kind: "space"}},
	}}
}

func text(name string, size int32) *pluginpb.Column {
	return &pluginpb.Column{Name: name, Type: "text", Size: size}
}

// start takes a build to where it would serve.
func (b *bench) start(t *testing.T, m *Manifest) (*described, error) {
	t.Helper()
	info, err := describe("ware", false, nil, m)
	if err == nil {
		err = b.schemas.apply(t.Context(), "ware", info.collections)
	}
	return info, err
}

func (b *bench) write(t *testing.T, info *described, ops ...*pluginpb.Op) error {
	t.Helper()
	for _, op := range ops {
		if op.Collection == "" {
			op.Collection = "goods"
		}
	}
	_, err := b.committer.commit(t.Context(), "ware", authority{kind: byPerson, actor: b.actor}, info.collections, &pluginpb.CommitRequest{Ops: ops})
	return err
}

func (b *bench) finds(t *testing.T, info *described, search string) int {
	t.Helper()
	page, err := b.committer.find(t.Context(), authority{kind: byPerson, actor: b.actor}, info.collections["goods"], &pluginpb.FindRequest{Search: search})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.rows)
}

func insert(row string) *pluginpb.Op { return &pluginpb.Op{Kind: "insert", Row: []byte(row)} }

func TestABuildThatDoesNotFitItsRowsIsRefusedWithTheReason(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{})
		old := build(text("name", 20), text("note", 40), &pluginpb.Column{Name: "price", Type: "int"}, &pluginpb.Column{Name: "body", Type: "longtext"})
		old.Collections[0].Indexes = []*pluginpb.Index{{Columns: []string{"note"}}}
		oldInfo, err := b.start(t, old)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.write(t, oldInfo, insert(`{"name":"old"}`)); err != nil {
			t.Fatal(err)
		}
		for reason, columns := range map[string][]*pluginpb.Column{
			"name 不能从 text(20) 改为 text(10)：已保存的内容可能更长": {text("name", 10)},
			"price 不能从 int 改为 text(255)：已保存的数据不是这个类型":  {text("price", 0)},
			"price 不能从 int 改为 time":                    {{Name: "price", Type: "time"}},
			"body 不能从 longtext 改为 text(255)":           {text("body", 0)},
			"note 不能从 text(40) 改为 longtext：索引 note":    {{Name: "note", Type: "longtext"}},
			"name 不能从 text(20) 改为 bool":                {{Name: "name", Type: "bool"}},
		} {
			if _, err := b.start(t, build(columns...)); err == nil || !strings.Contains(err.Error(), "数据集 goods 的列 "+reason) {
				t.Errorf("refused with %v, want %s", err, reason)
			}
		}
		next := build(text("name", 600), text("note", 40), &pluginpb.Column{Name: "stock", Type: "int", Sort: true})
		newInfo, err := b.start(t, next)
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("长", 600)
		if err := b.write(t, newInfo, insert(fmt.Sprintf(`{"name":%q,"stock":3}`, long))); err != nil {
			t.Errorf("600 characters after widening: %v", err)
		}
		// The older build beside it still serves, also when it starts again.
		for range 2 {
			if err := b.write(t, oldInfo, insert(`{"name":"beside","price":2,"body":"b"}`)); err != nil {
				t.Errorf("the older build: %v", err)
			}
			if oldInfo, err = b.start(t, old); err != nil {
				t.Errorf("the older build again: %v", err)
			}
		}
		if n := b.finds(t, newInfo, ""); n != 4 {
			t.Errorf("the newer build sees %d rows", n)
		}
		longest := build(&pluginpb.Column{Name: "name", Type: "longtext"}, text("note", 40))
		info, err := b.start(t, longest)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.write(t, info, insert(fmt.Sprintf(`{"name":%q}`, strings.Repeat(long, 10)))); err != nil {
			t.Errorf("6,000 characters: %v", err)
		}
		steps, err := b.schemas.missing(t.Context(), "ware", info.collections)
		if err != nil || len(steps) != 0 {
			t.Errorf("a build that is there already has %d steps, %v", len(steps), err)
		}
	})
}

func TestColumnsOfBuildsThatNotedNoShapesAreAdopted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{})
		if _, err := b.start(t, build(text("name", 20), &pluginpb.Column{Name: "price", Type: "int"})); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "DELETE FROM plugin_column"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.start(t, build(text("name", 20), text("price", 20))); err == nil {
			t.Error("a number became text")
		}
		info, err := b.start(t, build(text("name", 300), &pluginpb.Column{Name: "price", Type: "time"}))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.write(t, info, insert(fmt.Sprintf(`{"name":%q}`, strings.Repeat("长", 300)))); err != nil {
			t.Errorf("300 characters: %v", err)
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_column WHERE plugin='ware'"); err != nil || n != 3 {
			t.Errorf("%d shapes noted, %v", n, err)
		}
	})
}

func TestAnIndexBecomesUniqueAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{})
		with := func(unique bool) *Manifest {
			m := build(text("code", 20))
			m.Collections[0].Indexes = []*pluginpb.Index{{Columns: []string{"code"}, Unique: unique}}
			return m
		}
		for i, unique := range []bool{false, true, true, false, true} {
			info, err := b.start(t, with(unique))
			if err != nil {
				t.Fatalf("start %d: %v", i, err)
			}
			code := fmt.Sprintf(`{"code":"c%d"}`, i)
			if err := b.write(t, info, insert(code)); err != nil {
				t.Fatal(err)
			}
			err = b.write(t, info, insert(code))
			if unique != (err != nil) {
				t.Errorf("start %d, unique %t: a second row gives %v", i, unique, err)
			}
			if err == nil { // rows that a unique index could not hold
				if _, err := db.Exec(t.Context(), "DELETE FROM plugin_ware_goods"); err != nil {
					t.Fatal(err)
				}
			}
		}
		same := build(text("code", 20))
		same.Collections[0].Indexes = []*pluginpb.Index{{Columns: []string{"code"}}}
		info, err := b.start(t, same)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.write(t, info, insert(`{"code":"x"}`), insert(`{"code":"x"}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.start(t, with(true)); err == nil {
			t.Error("equal rows stand under a unique index")
		}
	})
}

func TestDroppedDataWaitsForAnOperator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{Of: func(string) bool { return true }})
		ctx := t.Context()
		old := build(&pluginpb.Column{Name: "name", Type: "text", Search: true}, text("note", 40), &pluginpb.Column{Name: "price", Type: "int", Sort: true})
		old.Collections = append(old.Collections, &pluginpb.Collection{Name: "boxes", Columns: []*pluginpb.Column{{Name: "label", Type: "text", Search: true}}, Visibility: &pluginpb.Visibility{Kind: "space"}})
		old.Collections[0].Indexes = []*pluginpb.Index{{Columns: []string{"note", "price"}}}
		info, err := b.start(t, old)
		if err != nil {
			t.Fatal(err)
		}
		box := insert(`{"label":"box"}`)
		box.Collection = "boxes"
		if err := b.write(t, info, insert(`{"name":"a","note":"n","price":1}`), insert(`{"name":"b","price":2}`), box); err != nil {
			t.Fatal(err)
		}
		next := build(&pluginpb.Column{Name: "name", Type: "text", Search: true})
		next.Drops = []string{"goods.note", "goods.price", "boxes", "goods.never"}
		if info, err = b.start(t, next); err != nil {
			t.Fatal(err)
		}
		b.roster.add(&unit{id: "ware", info: info})
		if _, err := b.enlist(ctx, "ware", info); err != nil {
			t.Fatal(err)
		}
		pending, err := b.PendingDrops(ctx)
		want := []Drop{
			{Plugin: "ware", Title: "货物", Collection: "boxes", Rows: 1}, {Plugin: "ware", Title: "货物", Collection: "goods", Column: "note", Rows: 1},
			{Plugin: "ware", Title: "货物", Collection: "goods", Column: "price", Rows: 2},
		}
		if err != nil || !slices.Equal(pending, want) {
			t.Fatalf("pending %+v, %v", pending, err)
		}
		olga := account.Actor{AccountID: 9, SpaceID: 99, Role: account.RoleOwner, SpaceKind: account.Platform}
		if err := b.ApproveDrop(ctx, b.actor, "ware", "boxes"); err == nil {
			t.Error("a merchant's yes counted")
		}
		if err := b.ApproveDrop(ctx, olga, "ware", "goods.name"); err == nil {
			t.Error("a column that nobody drops was dropped")
		}
		for _, drop := range pending {
			if err := b.ApproveDrop(ctx, olga, "ware", drop.Item()); err != nil {
				t.Fatalf("%s: %v", drop.Item(), err)
			}
		}
		if pending, err = b.PendingDrops(ctx); err != nil || len(pending) != 0 {
			t.Errorf("still pending: %+v, %v", pending, err)
		}
		for query, want := range map[string]int64{
			"SELECT COUNT(*) FROM plugin_drop WHERE done_at=0": 0, "SELECT COUNT(*) FROM trail WHERE act='plugin.drop' AND account_id=9": 3,
			"SELECT rows_used FROM plugin_usage WHERE plugin='ware' AND space_id=11": 2, "SELECT COUNT(*) FROM plugin_column WHERE collection='boxes' OR name='note'": 0,
			"SELECT COUNT(*) FROM plugin_schema WHERE item LIKE 'boxes%' OR item LIKE '%note%'": 0,
		} {
			if got, err := db.Int(ctx, query); err != nil || got != want {
				t.Errorf("%s gives %d, %v, want %d", query, got, err, want)
			}
		}
		for _, query := range []string{"SELECT COUNT(*) FROM plugin_ware_boxes", "SELECT COUNT(*) FROM pluginsearch_ware_boxes", "SELECT COUNT(`note`) FROM plugin_ware_goods g WHERE g.`note`=''"} {
			if _, err := db.Int(ctx, query); err == nil {
				t.Errorf("%s still answers", query)
			}
		}
		if n := b.finds(t, info, ""); n != 2 {
			t.Errorf("%d rows are left", n)
		}
		if _, err := b.start(t, old); err != nil { // back to the older build: what is gone is empty
			t.Errorf("the older build: %v", err)
		}
		both := build(text("note", 40))
		both.Drops = []string{"goods.note"}
		if _, err := b.start(t, both); err == nil || !strings.Contains(err.Error(), "which it declares") {
			t.Errorf("a build that drops what it declares: %v", err)
		}
	})
}

func TestRowsThatWereThereAreSearchedBeforeAndAfterTheyArePosted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{})
		info, err := b.start(t, build(text("name", 60), text("note", 60)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 450 {
			if i%150 != 0 {
				continue
			}
			var ops []*pluginpb.Op
			for n := range 150 {
				ops = append(ops, insert(fmt.Sprintf(`{"name":"小程序%d","note":"备注%d"}`, i+n, i+n)))
			}
			if err := b.write(t, info, ops...); err != nil {
				t.Fatal(err)
			}
		}
		flagged := build(&pluginpb.Column{Name: "name", Type: "text", Size: 60, Search: true}, text("note", 60))
		if info, err = b.start(t, flagged); err != nil {
			t.Fatal(err)
		}
		looks := func(when string, want map[string]int) {
			t.Helper()
			for text, n := range want {
				if got := b.finds(t, info, text); got != n {
					t.Errorf("%s %q finds %d, want %d", when, text, got, n)
				}
			}
		}
		names := map[string]int{"程序333": 1, "小程序 44": 14, "备注3": 0, "没有": 0}
		looks("before", names)
		if err := b.write(t, info, insert(`{"name":"新的程序333"}`)); err != nil { // a row of this build among them
			t.Fatal(err)
		}
		c := info.collections["goods"]
		if ready, err := b.committer.posted(t.Context(), c); err != nil || ready {
			t.Errorf("posted already: %t, %v", ready, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b.fillPostings(ctx, "ware", info.collections)
		if ready, err := b.committer.posted(t.Context(), c); err != nil || !ready {
			t.Fatalf("not posted: %t, %v", ready, err)
		}
		names["程序333"] = 2
		looks("after", names)
		if rows, err := db.Int(t.Context(), "SELECT COUNT(DISTINCT `_row`) FROM pluginsearch_ware_goods"); err != nil || rows != 451 {
			t.Errorf("%d rows are posted, %v", rows, err)
		}

		other := build(text("name", 60), &pluginpb.Column{Name: "note", Type: "text", Size: 60, Search: true})
		if info, err = b.start(t, other); err != nil {
			t.Fatal(err)
		}
		looks("before other columns", map[string]int{"备注333": 1, "程序333": 0})
		b.fillPostings(ctx, "ware", info.collections)
		looks("after other columns", map[string]int{"备注333": 1, "程序333": 0})
	})
}

func TestUsageTellsWhatSpacesKeep(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, Quota{Rows: 10, Bytes: 1000, Of: func(string) bool { return true }})
		info, err := b.start(t, build(text("name", 60), &pluginpb.Column{Name: "price", Type: "int"}))
		if err != nil {
			t.Fatal(err)
		}
		b.roster.add(&unit{id: "ware", info: info})
		if err := b.write(t, info, insert(`{"name":"小"}`), insert(`{"name":"abc"}`)); err != nil {
			t.Fatal(err)
		}
		b.actor.SpaceID = 22
		if err := b.write(t, info, insert(`{"name":"`+strings.Repeat("x", 60)+`"}`), insert(`{"name":"`+strings.Repeat("y", 60)+`"}`)); err != nil {
			t.Fatal(err)
		}
		usage, err := b.Usage(t.Context(), "ware")
		if err != nil || usage.RowsMost != 10 || usage.BytesMost != 1000 || len(usage.Collections) != 1 || usage.Collections[0] != (CollectionUsage{"goods", 4}) {
			t.Errorf("usage %+v, %v", usage, err)
		}
		if want := []SpaceUsage{{22, 2, 2 * (64 + 8 + 60), "乙店"}, {11, 2, 2*(64+8) + 6, "—"}}; !slices.Equal(usage.Spaces, want) {
			t.Errorf("spaces %+v, want %+v", usage.Spaces, want)
		}
		if _, err := b.Usage(t.Context(), "nobody"); err == nil {
			t.Error("usage of a plugin that is not there")
		}
	})
}
