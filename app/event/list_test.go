package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		manual := l.opts.Clock.(*clock.Manual)
		run(t, l)
		for i := range 12 {
			r := record([]string{"wxa", "wxb"}[i%2], fmt.Sprintf("%02d", i))
			r.Component = []string{"c1", "c2", "c3"}[i%3]
			r.Inert = i == 11
			if i == 10 {
				r.Type = "authorized"
			}
			must(t, l.Append(ctx, r))
			manual.Advance(time.Second)
		}
		await(t, "fan-out", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log WHERE fanned_out>0") == 12 })
		const t0 = int64(1_790_000_000_000)
		for name, c := range map[string]struct {
			filter Filter
			want   string
		}{
			"all, newest first":    {Filter{}, "11 10 09 08 07 06 05 04 03 02 01 00"},
			"one component":        {Filter{Component: "c2"}, "10 07 04 01"},
			"one mini program":     {Filter{AppID: "wxb"}, "11 09 07 05 03 01"},
			"one type":             {Filter{Type: "authorized"}, "10"},
			"a family of types":    {Filter{Type: "auth*"}, "10"},
			"components of mine":   {Filter{Components: []string{"c3", "c1", "c1"}}, "11 09 08 06 05 03 02 00"},
			"no component of mine": {Filter{Components: []string{}}, ""},
			"mine and asked for":   {Filter{Components: []string{"c1"}, Component: "c1"}, "09 06 03 00"},
			"not mine, asked for":  {Filter{Components: []string{"c1"}, Component: "c2"}, ""},
			"from":                 {Filter{From: t0 + 9_000}, "11 10 09"},
			"to":                   {Filter{To: t0 + 2_000}, "01 00"},
			"from to":              {Filter{From: t0 + 3_000, To: t0 + 5_000}, "04 03"},
			"to before everything": {Filter{To: t0}, ""},
			"inert":                {Filter{State: StateInert}, "11"},
			"done":                 {Filter{State: StateDone, AppID: "wxa"}, "10 08 06 04 02 00"},
			"dead":                 {Filter{State: StateDead}, ""},
			"waiting":              {Filter{State: StateWaiting}, ""},
		} {
			if got := strings.Join(walk(t, l, c.filter), " "); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
			if n, err := l.Total(ctx, c.filter); err != nil || n != int64(len(strings.Fields(c.want))) {
				t.Errorf("%s: counted %d, %v, want %q", name, n, err, c.want)
			}
			c.filter.Oldest = true
			back := walk(t, l, c.filter)
			slices.Reverse(back)
			if got := strings.Join(back, " "); got != c.want {
				t.Errorf("%s, walked from its end: %s, want %s", name, got, c.want)
			}
		}
		for _, cursor := range []string{"x", "-1", "0"} {
			if _, _, err := l.List(ctx, Filter{Cursor: cursor}); !errors.Is(err, ErrCursor) {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
		if _, err := l.Get(ctx, 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get of an unknown id: %v", err)
		}
	})
}

// walk gives the subjects of all pages of three.
func walk(t *testing.T, l *Log, f Filter) (all []string) {
	t.Helper()
	f.Limit = 3
	for pages := 0; ; pages++ {
		rows, next, err := l.List(context.Background(), f)
		must(t, err)
		for _, r := range rows {
			all = append(all, r.Subject)
		}
		if next == "" {
			return all
		}
		if f.Cursor = next; pages > 10 {
			t.Fatalf("%+v: paging does not end", f)
		}
	}
}

func TestTheLastPageOfEventsHoldsTheOldest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		run(t, l)
		for i := range 7 {
			must(t, l.Append(ctx, record("wxa", fmt.Sprint(i))))
		}
		await(t, "fan-out", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log WHERE fanned_out>0") == 7 })
		first, next, err := l.List(ctx, Filter{Oldest: true, Limit: 3})
		must(t, err)
		if len(first) != 3 || first[0].Subject != "0" || first[2].Subject != "2" || next != fmt.Sprint(first[2].ID) {
			t.Fatalf("from the end: %+v, next %q", first, next)
		}
		// An event that comes meanwhile is at the other end and moves nothing here.
		must(t, l.Append(ctx, record("wxa", "7")))
		second, _, err := l.List(ctx, Filter{Oldest: true, Limit: 3, Cursor: next})
		must(t, err)
		if len(second) != 3 || second[0].Subject != "3" || second[2].Subject != "5" {
			t.Errorf("one page on: %+v", second)
		}
	})
}

func TestPruneTakesOldEventsAndLeavesPendingOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		manual := l.opts.Clock.(*clock.Manual)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "here", Types: []string{"weapp_*"}, Handle: in.handle}))
		must(t, l.Subscribe(ctx, Subscriber{Name: "away", Types: []string{"authorized"}, Handle: in.handle}))
		run(t, l)
		l.Unsubscribe("away")
		must(t, l.Append(ctx, record("wxa", "old")))
		waits := record("wxb", "old but waited for")
		waits.Type = "authorized"
		must(t, l.Append(ctx, waits))
		manual.Advance(time.Hour)
		must(t, l.Append(ctx, record("wxc", "new")))
		await(t, "deliveries", func() bool {
			return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=1") == 2 && count(t, db, "SELECT COUNT(*) FROM event_queue WHERE due_at=?", idle) == 2
		})
		n, err := l.Prune(ctx, 1_790_000_000_000+1)
		must(t, err)
		rows, _, err := l.List(ctx, Filter{})
		must(t, err)
		if n != 1 || len(rows) != 2 || rows[0].Subject != "new" || rows[1].Subject != "old but waited for" {
			t.Errorf("pruned %d, left %+v", n, rows)
		}
		if q := count(t, db, "SELECT COUNT(*) FROM event_queue"); q != 2 {
			t.Errorf("%d queues left, want 2", q)
		}
	})
}
