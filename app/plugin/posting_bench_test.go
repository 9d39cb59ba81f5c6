package plugin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk/pluginpb"
)

// benchRows is how many rows the collection of these figures has, half of them of another space.
const benchRows = 100_000

type noEvents struct{ Events }

func (noEvents) AppendTx(context.Context, []event.Record) error { return nil }
func (noEvents) Wake()                                          {}

// shop makes a collection of mini programs with names and AppIDs in it.
func shop(b testing.TB, db *store.DB, rows int) (committer, *collection) {
	b.Helper()
	ctx := b.Context()
	c, err := newCollection("bench", &pluginpb.Collection{
		Name: "shops", Visibility: &pluginpb.Visibility{Kind: "space"},
		Columns: []*pluginpb.Column{
			{Name: "appid", Type: "text", Size: 64, Search: true}, {Name: "name", Type: "text", Size: 128, Search: true}, {Name: "sold", Type: "int", Sort: true},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := (schemas{db: db}).apply(ctx, "bench", map[string]*collection{"shops": c}); err != nil {
		b.Fatal(err)
	}
	w := committer{data: data{db: db}, clock: clock.Fixed(time.UnixMilli(1)), events: noEvents{}}
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"奶茶", "火锅", "书店", "花艺", "健身", "洗车", "母婴", "药房", "烘焙", "超市"}
	places := []string{"朝阳", "海淀", "浦东", "天河", "南山", "江宁", "武侯", "雨花", "西湖", "高新"}
	a := authority{kind: byPerson, actor: account.Actor{AccountID: 1, SpaceID: 1}}
	for at := 0; at < rows; at += 500 {
		request := &pluginpb.CommitRequest{}
		for n := range 500 {
			a.actor.SpaceID = int64(at/500%2 + 1)
			row := fmt.Sprintf(`{"appid":"wx%016x","name":"小程序%s%s第%d店","sold":%d}`, random.Uint64(), places[random.IntN(10)], kinds[random.IntN(10)], at+n, random.IntN(1000))
			request.Ops = append(request.Ops, &pluginpb.Op{Kind: "insert", Collection: "shops", Row: []byte(row)})
		}
		if _, err := w.commit(ctx, "bench", a, map[string]*collection{"shops": c}, request); err != nil {
			b.Fatal(err)
		}
	}
	return w, c
}

// BenchmarkSearch prints what a page of a search costs at 100,000 rows, by the postings and by LIKE over the columns.
func BenchmarkSearch(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, db *store.DB) {
		w, c := shop(b, db, benchRows)
		var appid struct{ Appid string }
		if _, err := db.One(b.Context(), &appid, "SELECT appid FROM plugin_bench_shops WHERE space_id=1 ORDER BY id LIMIT 1"); err != nil {
			b.Fatal(err)
		}
		a := authority{kind: byPerson, actor: account.Actor{AccountID: 1, SpaceID: 1}}
		for name, text := range map[string]string{
			"rare name": "第777店", "an AppID": appid.Appid, "part of an AppID": appid.Appid[6:11], "two words": "西湖 烘焙", "one character": "茶", "in every row": "小程序", "nothing": "没有这个",
		} {
			for _, way := range []string{"postings", "LIKE"} {
				b.Run(name+"/"+way, func(b *testing.B) {
					c.postings.ready.Store(true)
					if way == "LIKE" {
						if _, err := db.Exec(b.Context(), "DELETE FROM plugin_schema WHERE item=?", c.postings.readyItem(c)); err != nil {
							b.Fatal(err)
						}
						c.postings.ready.Store(false)
					}
					for b.Loop() {
						if _, err := w.find(b.Context(), a, c, &pluginpb.FindRequest{Search: text, Limit: 20}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	})
}
