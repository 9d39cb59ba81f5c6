package plugin_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// onBoth runs a suite on every database with a serving host of the tests' plugins.
func onBoth(t *testing.T, run func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		run(t, newHouse(t, db, "notes", "peer").run(t).ready(t))
	})
}

func TestRowsOfOthersAreInvisibleAndUnwritable(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.core.right("wxa", ada.SpaceID, "*")
		h.core.right("wxa", bob.SpaceID, "data.read")
		cases := map[string]struct {
			insert         command
			reads, writes  []account.Actor
			blind, refused []account.Actor
		}{
			"space": {
				command{Do: "note.insert", Text: "a"},
				[]account.Actor{ada}, []account.Actor{ada}, []account.Actor{bob, eve}, []account.Actor{bob, eve},
			},
			"parties": {
				command{Do: "deal.insert", Text: "a", Num: bob.SpaceID},
				[]account.Actor{ada, bob}, []account.Actor{ada, bob}, []account.Actor{eve}, []account.Actor{eve},
			},
			"mini program: grant to read does not write": {
				command{Do: "lane.insert", Text: "a", AppID: "wxa"},
				[]account.Actor{ada, bob}, []account.Actor{ada}, []account.Actor{eve}, []account.Actor{bob, eve},
			},
			"public while listed": {
				command{Do: "listing.insert", Text: "a", AppID: "listed"},
				[]account.Actor{ada, bob, eve, {}}, []account.Actor{ada}, nil, []account.Actor{bob, eve},
			},
			"public while a draft": {
				command{Do: "listing.insert", Text: "a", AppID: "draft"},
				[]account.Actor{ada}, []account.Actor{ada}, []account.Actor{bob, {}}, []account.Actor{bob},
			},
		}
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				kind, _, _ := strings.Cut(test.insert.Do, ".")
				id := h.must(t, ada, test.insert).ID
				get := func(actor account.Actor) (outcome, error) {
					return h.post(t, actor, "notes", "/public", command{Do: kind + ".get", ID: id})
				}
				for _, actor := range test.reads {
					if _, err := get(actor); err != nil {
						t.Errorf("%q cannot read: %v", actor.Name, err)
					}
				}
				for _, actor := range test.blind {
					_, err := get(actor)
					wantKind(t, err, fault.NotFound)
					if list, err := h.post(t, actor, "notes", "/public", command{Do: kind + ".list"}); err != nil || slices.Contains(list.List, "a") {
						t.Errorf("%q lists %v, %v", actor.Name, list.List, err)
					}
				}
				for _, actor := range test.refused {
					_, err := h.do(t, actor, command{Do: kind + ".update", ID: id, Text: "x"})
					wantKind(t, err, fault.NotFound)
					_, err = h.do(t, actor, command{Do: kind + ".delete", ID: id})
					wantKind(t, err, fault.NotFound)
				}
				for _, actor := range test.writes {
					if _, err := h.do(t, actor, command{Do: kind + ".update", ID: id, Text: "draft"}); err != nil {
						t.Errorf("%q cannot write: %v", actor.Name, err)
					}
				}
			})
		}
		_, err := h.do(t, bob, command{Do: "lane.insert", AppID: "wxa", Text: "x"})
		if kind := fault.KindOf(err); kind != fault.Forbidden && kind != fault.Conflict {
			t.Errorf("inserting on a mini program that one may only read gave %v", err)
		}
		_, err = h.do(t, eve, command{Do: "lane.insert", AppID: "wxnew", Text: "x"})
		wantKind(t, err, fault.Forbidden)
		_, err = h.post(t, account.Actor{}, "notes", "/public", command{Do: "note.insert", Text: "x"})
		wantKind(t, err, fault.Unauthenticated)
	})
}

func TestARevokedGrantHidesRowsOnTheNextCall(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.core.right("wxa", ada.SpaceID, "*")
		h.core.right("wxa", bob.SpaceID, "data.read")
		id := h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "a"}).ID
		h.must(t, bob, command{Do: "lane.get", ID: id})
		h.core.revoke("wxa", bob.SpaceID)
		_, err := h.do(t, bob, command{Do: "lane.get", ID: id})
		wantKind(t, err, fault.NotFound)
	})
}

func TestNoUpdateMovesARowToAnotherSpace(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.core.right("wxa", ada.SpaceID, "*")
		lane := h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "a"}).ID
		deal := h.must(t, ada, command{Do: "deal.insert", Num: bob.SpaceID, Text: "a"}).ID
		note := h.must(t, ada, command{Do: "note.insert", Text: "a"}).ID
		for what, in := range map[string]command{
			"AppID":  {Do: "lane.steal", ID: lane, Text: "appid"},
			"party":  {Do: "deal.steal", ID: deal, Text: "other", Num: eve.SpaceID},
			"tenant": {Do: "note.steal", ID: note, Text: "space_id", Num: bob.SpaceID},
			"id":     {Do: "note.steal", ID: note, Text: "id", Num: 5},
		} {
			if _, err := h.do(t, ada, in); err == nil {
				t.Errorf("the %s could be changed", what)
			}
		}
	})
}

func TestCommitsOnAnOutdatedVersionAreAborted(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.must(t, ada, command{Do: "note.insert", Text: "one"}).ID
		h.must(t, ada, command{Do: "note.update", ID: id, Num: 1, Text: "two"})
		for _, verb := range []string{"note.update", "note.delete"} {
			_, err := h.do(t, ada, command{Do: verb, ID: id, Num: 1, Text: "late"})
			if failure := wantKind(t, err, fault.Conflict); failure.Code != "plugin.aborted" {
				t.Errorf("%s on an old version gave %s", verb, failure.Code)
			}
		}
		if got := h.must(t, ada, command{Do: "note.get", ID: id}).Text; got != "two" {
			t.Errorf("row reads %q", got)
		}
		h.must(t, ada, command{Do: "note.delete", ID: id, Num: 2})
		_, err := h.do(t, ada, command{Do: "note.get", ID: id})
		wantKind(t, err, fault.NotFound)
	})
}

func TestACommitWithAKeyTakesEffectOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var mu sync.Mutex
		ids, fresh := map[int64]bool{}, 0
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				out, err := h.do(t, ada, command{Do: "note.once", Text: "same"})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("a repeated commit failed: %v", err)
					return
				}
				ids[out.ID] = true
				if !out.Flag {
					fresh++
				}
			})
		}
		group.Wait()
		if len(ids) != 1 || fresh != 1 {
			t.Errorf("8 commits with one key gave ids %v, %d of them fresh", ids, fresh)
		}
		if list := h.must(t, ada, command{Do: "note.list"}); list.ID != 1 {
			t.Errorf("%d rows", list.ID)
		}
		if n, err := h.Prune(t.Context(), h.clock.Now().AddDate(1, 0, 0)); err != nil || n != 1 {
			t.Errorf("pruned %d keys, %v", n, err)
		}
	})
}

func TestListsPageByKeyAndCountExactly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for _, text := range []string{"c", "a", "b", "a", "d"} {
			h.must(t, ada, command{Do: "note.insert", Text: text})
		}
		for sort, want := range map[string]string{
			"": "d a b a c", "id": "c a b a d", "text": "a a b c d", "-text": "d c b a a", "-created_at": "d a b a c",
		} {
			var seen []string
			cursor := ""
			for range 4 {
				page := h.must(t, ada, command{Do: "note.list", AppID: sort, Text: cursor})
				if page.ID != 5 {
					t.Errorf("sort %q: total %d", sort, page.ID)
				}
				seen = append(seen, page.List...)
				if cursor = page.Text; cursor == "" {
					break
				}
			}
			if got := strings.Join(seen, " "); got != want {
				t.Errorf("sort %q read %q, want %q", sort, got, want)
			}
		}
		for _, in := range []command{{Do: "note.list", AppID: "count"}, {Do: "note.list", AppID: "nothing"}, {Do: "note.list", Text: "garbage"}} {
			_, err := h.do(t, ada, in)
			wantKind(t, err, fault.Invalid)
		}
	})
}

func TestColumnsRefuseWhatTheyCannotHold(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.core.right("wxa", ada.SpaceID, "*")
		for what, in := range map[string]command{
			"required": {Do: "note.insert"},
			"size":     {Do: "note.insert", Text: strings.Repeat("字", 21)},
		} {
			_, err := h.do(t, ada, in)
			if failure := wantKind(t, err, fault.Invalid); len(failure.Fields) != 1 || failure.Fields[0].Name != "text" {
				t.Errorf("%s: %+v", what, failure.Fields)
			}
		}
		h.must(t, ada, command{Do: "note.insert", Text: strings.Repeat("😀", 20)})
		h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "a"})
		_, err := h.do(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "b"})
		if failure := wantKind(t, err, fault.Conflict); failure.Code != "plugin.duplicate" {
			t.Errorf("a taken unique key gave %s", failure.Code)
		}
	})
}

func TestTheSchemaIsMadeOnceAndSurvivesARestart(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.must(t, ada, command{Do: "note.insert", Text: "kept"}).ID
		before, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_schema WHERE plugin=?", "notes")
		if err != nil || before == 0 {
			t.Fatalf("%d notes in plugin_schema, %v", before, err)
		}
		// As after a crash between making and noting, and as for a version that brings a new column.
		for _, query := range []string{
			"DELETE FROM plugin_schema WHERE plugin='notes' AND item LIKE 'notes#%'", "DELETE FROM plugin_schema WHERE item='notes.done'",
			"ALTER TABLE plugin_notes_notes DROP COLUMN done",
		} {
			if _, err := h.db.Exec(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Restart(t.Context(), "notes"); err != nil {
			t.Fatal(err)
		}
		if got := h.must(t, ada, command{Do: "note.get", ID: id}).Text; got != "kept" {
			t.Errorf("row reads %q", got)
		}
		after, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_schema WHERE plugin=?", "notes")
		if err != nil || after != before {
			t.Errorf("%d items noted, before %d, %v", after, before, err)
		}
	})
}

func TestTablesOfTheBackOffice(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) { tableSuite(t, h) })
}

func tableSuite(t *testing.T, h *house) {
	ctx := t.Context()
	id, err := h.Save(ctx, ada, "notes", "notes", 0, 0, map[string]string{"text": "50%_x", "state": "open", "count": "9007199254740993", "long": "ignored", "space_id": "22"})
	if err != nil {
		t.Fatal(err)
	}
	row, err := h.Row(ctx, ada, "notes", "notes", id)
	if err != nil || row.Text("count") != "9007199254740993" || row.Text("long") != "" || row.Text("space_id") != "11" {
		t.Errorf("row %v, %v", row, err)
	}
	_, err = h.Save(ctx, ada, "notes", "notes", id, 0, map[string]string{"text": "", "state": "bogus", "count": "x"})
	if failure := wantKind(t, err, fault.Invalid); len(failure.Fields) != 2 {
		t.Errorf("fields %+v", failure.Fields)
	}
	if _, err := h.Save(ctx, ada, "notes", "notes", id, 1, map[string]string{"text": "changed", "state": "open"}); err != nil {
		t.Error(err)
	}
	_, err = h.Save(ctx, ada, "notes", "notes", id, 1, map[string]string{"text": "late", "state": "open"})
	wantKind(t, err, fault.Conflict)
	_, err = h.Save(ctx, bob, "notes", "notes", id, 0, map[string]string{"text": "theft", "state": "open"})
	wantKind(t, err, fault.NotFound)

	other := h.must(t, ada, command{Do: "note.insert", Text: "100% sure"}).ID
	for query, want := range map[string]int{"text=%": 1, "text=an": 1, "state=open": 2, "state=done": 0, "": 2} {
		column, text, _ := strings.Cut(query, "=")
		page, err := h.Rows(ctx, ada, "notes", "notes", tableQuery(column, text))
		if err != nil || len(page.Rows) != want || page.Total != int64(want) {
			t.Errorf("filter %q found %d of %d, %v", query, len(page.Rows), page.Total, err)
		}
	}
	found, err := h.Rows(ctx, ada, "notes", "notes", searchFor("0%"))
	if err != nil || len(found.Rows) != 1 {
		t.Errorf("search found %d, %v", len(found.Rows), err)
	}
	result, err := h.Act(ctx, ada, "notes", "notes", "finish", []int64{id, other})
	if err != nil || result.Message != "完成 2 条" || result.Redirect != "/admin/p/notes/hello/done" {
		t.Errorf("action answered %+v, %v", result, err)
	}
	_, err = h.Act(ctx, bob, "notes", "notes", "finish", []int64{id})
	wantKind(t, err, fault.NotFound)
	wantKind(t, h.Remove(ctx, bob, "notes", "notes", []int64{id}), fault.NotFound)
	if err := h.Remove(ctx, ada, "notes", "notes", []int64{id, other}); err != nil {
		t.Error(err)
	}
	computed, err := h.Rows(ctx, ada, "notes", "numbers", searchFor(""))
	if err != nil || len(computed.Rows) != 1 || computed.Rows[0].Text("id") != "9007199254740993" || computed.Note != "刚刚同步" || computed.Total != -1 {
		t.Errorf("computed table %+v, %v", computed, err)
	}
	_, err = h.Rows(ctx, ada, "notes", "numbers", searchFor("down"))
	wantKind(t, err, fault.Unavailable)
	_, err = h.Save(ctx, ada, "notes", "numbers", 0, 0, nil)
	wantKind(t, err, fault.Forbidden)
	_, err = h.Rows(ctx, account.Actor{}, "notes", "notes", searchFor(""))
	wantKind(t, err, fault.Unauthenticated)
}
