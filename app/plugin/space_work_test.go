package plugin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// seenIn are the notes that the extension has made for a space, read past all rules.
func (h *house) seenIn(t testing.TB, space int64) []string {
	t.Helper()
	var rows []struct{ What string }
	if err := h.db.All(t.Context(), &rows, "SELECT what FROM plugin_ext_seen WHERE space_id=? ORDER BY id", space); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, row := range rows {
		all = append(all, row.What)
	}
	return all
}

func (h *house) job(t testing.TB, name string) plugin.Job {
	t.Helper()
	jobs := h.Jobs()
	i := slices.IndexFunc(jobs, func(j plugin.Job) bool { return j.Name == name })
	if i < 0 {
		t.Fatalf("no job %s among %v", name, jobs)
	}
	return jobs[i]
}

func TestAJobRunsOnceForEachSpaceThatHasItOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newExtHouse(t, db).run(t).ready(t)
		h.core.right("wxa", ada.SpaceID, "*")
		h.core.right("wxb", bob.SpaceID, "*")
		h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
		if note, err := h.job(t, "ext.sweep").Run(t.Context()); err != nil || note != "0 个空间，成功 0，失败 0" {
			t.Errorf("nobody has it on: %q, %v", note, err)
		}
		h.switchOn(t, ada, map[string]any{})
		h.switchOn(t, bob, map[string]any{})
		h.switchOn(t, eve, map[string]any{"mode": "fail"})
		h.switchOn(t, opal, map[string]any{"mode": "crash"})
		note, err := h.job(t, "ext.sweep").Run(t.Context())
		if note != "4 个空间，成功 2，失败 2" || err == nil || !strings.Contains(fault.From(err).Message, "空间 33：这个空间要它失败") {
			t.Errorf("the history says %q, %v", note, err)
		}
		for who, want := range map[*account.Actor]string{
			&ada: "sweep https://hooks.example.com/ada space 11 system true: 0 rows, 0 lanes, 1 apps, wxa true, wxb false, write false",
			&bob: "sweep https://hooks.example.com/bob space 22 system true: 0 rows, 0 lanes, 1 apps, wxa false, wxb true, write false",
		} {
			if got := h.seenIn(t, who.SpaceID); !slices.Equal(got, []string{want}) {
				t.Errorf("the job of %s's space could reach\n%v, want\n%s", who.Name, got, want)
			}
		}
		if got := append(h.seenIn(t, eve.SpaceID), h.seenIn(t, opal.SpaceID)...); len(got) != 0 {
			t.Errorf("spaces whose job failed have %v", got)
		}
		if _, err := h.SwitchOff(t.Context(), bob, "ext"); err != nil {
			t.Fatal(err)
		}
		h.open(t, plugin.ReachForm{Reach: plugin.ReachKinds, Kinds: []account.Kind{account.Merchant}}) // takes it from eve and opal
		if note, err := h.job(t, "ext.sweep").Run(t.Context()); err != nil || note != "1 个空间，成功 1，失败 0" {
			t.Errorf("with one space left: %q, %v", note, err)
		}
		if got := h.seenIn(t, bob.SpaceID); len(got) != 1 {
			t.Errorf("a space that switched it off was run for: %v", got)
		}
	})
}

func TestAJobOfManySpacesLeavesNoneOut(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	const spaces = 230 // more than a page of them
	for i := range int64(spaces) {
		who := ada
		who.SpaceID = 1000 + i
		h.switchOn(t, who, map[string]any{})
	}
	if note, err := h.job(t, "ext.sweep").Run(t.Context()); err != nil || note != fmt.Sprintf("%d 个空间，成功 %[1]d，失败 0", spaces) {
		t.Errorf("the history says %q, %v", note, err)
	}
	n, err := h.db.Int(t.Context(), "SELECT COUNT(DISTINCT space_id) FROM plugin_ext_seen")
	if err != nil || n != spaces {
		t.Errorf("%d spaces were run for, %v", n, err)
	}
}

// audited files WeChat's push that an audit has passed.
func (h *house) audited(t testing.TB, appid string) {
	t.Helper()
	err := h.events.Append(t.Context(), event.Record{
		Type: "weapp_audit_success", Source: event.SourceWeChat, Component: "wxelse", AppID: appid, URLKind: "message", CreateTime: 1763000000, Payload: []byte(auditPush),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// heard waits until the extension's subscriber has come to an end with n events.
func (h *house) heard(t testing.TB, n int64) {
	t.Helper()
	eventually(t, "what was begun comes to its end", 30*time.Second, func() bool {
		done, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM event_delivery WHERE subscriber='plugin:ext' AND state=1")
		if err != nil {
			t.Fatal(err)
		}
		return done == n
	})
}

func TestAnEventIsHeardByTheSpacesItConcernsThatHaveItOn(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.core.right("wxa", eve.SpaceID, "data.read")
	h.core.right("wxa", opal.SpaceID, "other")
	h.core.right("wxb", bob.SpaceID, "*")
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	for _, who := range []account.Actor{ada, eve, opal} {
		h.switchOn(t, who, map[string]any{})
	}
	h.audited(t, "wxb") // bob's, who has it off
	h.audited(t, "wxa")
	h.audited(t, "")
	h.heard(t, 3)
	if _, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil {
		t.Fatal(err)
	}
	h.audited(t, "wxa")
	h.heard(t, 4)
	for who, want := range map[*account.Actor][]string{
		&ada: {"audit https://hooks.example.com/ada"}, &eve: {"audit https://hooks.example.com/eve", "audit https://hooks.example.com/eve"}, &bob: nil, &opal: nil,
	} {
		if got := h.seenIn(t, who.SpaceID); !slices.Equal(got, want) {
			t.Errorf("%s's space heard %v, want %v", who.Name, got, want)
		}
	}
}

func TestASpaceThatFailsDoesNotMakeOthersHearTwice(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.core.right("wxa", eve.SpaceID, "data.read")
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{"mode": "fail"})
	h.switchOn(t, eve, map[string]any{"count": 2})
	h.audited(t, "wxa")
	eventually(t, "what was begun comes to its end", 30*time.Second, func() bool {
		tries, err := h.db.Int(t.Context(), "SELECT MAX(attempts) FROM event_delivery WHERE subscriber='plugin:ext'")
		if err != nil {
			t.Fatal(err)
		}
		return tries >= 2
	})
	n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_heard WHERE space_id=?", eve.SpaceID)
	if err != nil || n != 1 {
		t.Errorf("that eve's space has heard is noted %d times, %v", n, err)
	}
	h.switchOn(t, ada, map[string]any{"mode": "good"})
	h.heard(t, 1)
	if a, e := len(h.seenIn(t, ada.SpaceID)), len(h.seenIn(t, eve.SpaceID)); a != 1 || e != 1 {
		t.Errorf("ada's space heard %d times and eve's %d times what each should keep once", a, e)
	}
	if n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_heard"); err != nil || n != 0 {
		t.Errorf("%d notes are left, %v", n, err)
	}
}
