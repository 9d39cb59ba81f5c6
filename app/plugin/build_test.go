package plugin_test

import (
	"slices"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestDroppedDataWaitsForTheOlderBuildsOfAllReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		replica := func(beside *house, build string) *house {
			h := &house{core: beside.core, db: db, clock: beside.clock, events: beside.events}
			options := h.hostOptions()
			options.Plugins = []plugin.First{{ID: "ware", Argv: argv(build)}}
			options.Follow = 100 * time.Millisecond
			var err error
			if h.Host, err = plugin.New(options); err != nil {
				t.Fatal(err)
			}
			if err := h.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := h.Stop(); err != nil {
					t.Error(err)
				}
			})
			return h.ready(t)
		}
		add := func(h *house, name string) {
			t.Helper()
			_, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "ware", Frame: plugin.FrameAPI, Method: "POST", Path: "/add", Body: []byte(`{"name":"` + name + `"}`)})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		count := func(query string, args ...any) int64 {
			t.Helper()
			n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM "+query, args...)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		older := replica(&house{core: newCore(t, db)}, "ware")
		add(older, "one")
		if _, err := db.Exec(t.Context(), "UPDATE plugin_ware_goods SET note='kept'"); err != nil {
			t.Fatal(err)
		}
		newer := replica(older, "warenext")
		add(newer, "two")
		// A replica that died without a word, long ago.
		if err := db.Insert(t.Context(), "plugin_build", map[string]any{
			"id": 1, "replica": "dead", "plugin": "ware", "title": "货物", "uses": "goods goods.note", "drops": "", "seen_at": time.Now().Add(-10 * time.Minute).UnixMilli(),
		}); err != nil {
			t.Fatal(err)
		}
		waits := plugin.Drop{Plugin: "ware", Title: "货物", Collection: "goods", Column: "note", Rows: 1, Users: 1}
		listed := func(want ...plugin.Drop) {
			t.Helper()
			for name, h := range map[string]*house{"older": older, "newer": newer} {
				if got, err := h.PendingDrops(t.Context()); err != nil || !slices.Equal(got, want) {
					t.Errorf("the replica with the %s build lists %+v, %v, want %+v", name, got, err, want)
				}
			}
		}
		listed(waits)
		if err := older.ApproveDrop(t.Context(), olga, "ware", "goods.note"); err != nil { // said where the older build serves
			t.Fatal(err)
		}
		waits.Approved = true
		listed(waits)
		wantKind(t, newer.ApproveDrop(t.Context(), olga, "ware", "goods.note"), fault.Conflict)
		if err := newer.Restart(t.Context(), "ware"); err != nil {
			t.Fatal(err)
		}
		if err := older.Restart(t.Context(), "ware"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the processes before the restarts are gone", 30*time.Second, func() bool { return count("plugin_build WHERE replica<>'dead'") == 2 })
		time.Sleep(500 * time.Millisecond) // looked at a few times by both
		if n := count("plugin_ware_goods WHERE note='kept'"); n != 1 {
			t.Errorf("what the older build uses has gone: %d rows hold it", n)
		}
		add(older, "three")
		listed(waits)

		// Back to the older build everywhere: the yes was about a build that is gone.
		if err := newer.Upgrade(t.Context(), "ware", argv("ware")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the yes lapses", 30*time.Second, func() bool { return count("plugin_drop") == 0 })
		listed()
		add(newer, "between")
		if err := newer.Upgrade(t.Context(), "ware", argv("warenext")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the newer build alone serves there again", 30*time.Second, func() bool { return count("plugin_build WHERE replica<>'dead'") == 2 })
		waits.Approved = false
		listed(waits)
		if err := newer.ApproveDrop(t.Context(), olga, "ware", "goods.note"); err != nil {
			t.Fatal(err)
		}

		if err := older.Upgrade(t.Context(), "ware", argv("warenext")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "what nobody uses any more is removed", 30*time.Second, func() bool { return count("plugin_drop WHERE done_at>0") == 1 })
		if _, err := db.Int(t.Context(), "SELECT COUNT(g.`note`) FROM plugin_ware_goods g WHERE g.`note`=''"); err == nil {
			t.Error("the column still answers")
		}
		listed()
		add(older, "four")
		add(newer, "five")
		if n := count("plugin_ware_goods"); n != 6 {
			t.Errorf("%d rows are left, want 6", n)
		}
		if n := count("plugin_drop WHERE done_at=0 OR began_at<=0"); n != 0 {
			t.Errorf("%d removals are open", n)
		}
		if err := newer.Stop(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a replica that stops takes its processes off", 30*time.Second, func() bool { return count("plugin_build WHERE replica<>'dead'") == 1 })
	})
}
