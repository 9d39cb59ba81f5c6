package plugin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAnExtensionIsThereOnlyForSpacesThatSwitchedItOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newExtHouse(t, db).run(t).ready(t)
		h.wantEveryWay(t, ada, false)
		if _, err := h.SwitchOn(t.Context(), ada, "ext"); !sameAsUnknown(err) {
			t.Errorf("switched on what no operator has opened: %v", err)
		}
		h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
		h.wantEveryWay(t, ada, false)

		h.switchOn(t, ada, map[string]any{})
		h.wantEveryWay(t, ada, true)
		h.wantEveryWay(t, bob, false)

		if _, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil {
			t.Fatal(err)
		}
		h.wantEveryWay(t, ada, false)
		if _, err := h.SwitchOn(t.Context(), ada, "ext"); err != nil {
			t.Fatalf("on again: %v", err)
		}
		if out, err := h.extDo(t, ada, command{}); err != nil || out.Settings.URL != "https://hooks.example.com/ada" || !slices.Contains(out.Seen, "saved") {
			t.Errorf("after it was off, settings and data are %+v, %v", out, err)
		}
	})
}

func TestOperatorsDecideWhomAnExtensionReaches(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	h.switchOn(t, bob, map[string]any{})
	cases := []struct {
		name     string
		form     plugin.ReachForm
		ada, bob bool
	}{
		{"chosen spaces", plugin.ReachForm{Reach: plugin.ReachSpaces, SpaceIDs: []int64{11}}, true, false},
		{"another kind of space", plugin.ReachForm{Reach: plugin.ReachKinds, Kinds: []account.Kind{account.Personal}}, false, false},
		{"their kind of space", plugin.ReachForm{Reach: plugin.ReachKinds, Kinds: []account.Kind{account.Merchant, account.Personal}}, true, true},
		{"nobody", plugin.ReachForm{Reach: plugin.ReachNone}, false, false},
		{"everybody again, on as it was", plugin.ReachForm{Reach: plugin.ReachAll}, true, true},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			h.open(t, test.form)
			h.wantEveryWay(t, ada, test.ada)
			h.wantEveryWay(t, bob, test.bob)
			list, err := h.Extensions(t.Context(), ada)
			if err != nil || len(list) == 1 != test.ada {
				t.Errorf("the list of ada's space has %d extensions, %v", len(list), err)
			}
		})
	}
	for name, form := range map[string]plugin.ReachForm{
		"reach": {Reach: "everyone"}, "kinds": {Reach: plugin.ReachKinds, Kinds: []account.Kind{"robots"}}, "spaces": {Reach: plugin.ReachSpaces, SpaceIDs: []int64{404}},
	} {
		_, err := h.SetReach(t.Context(), opal, "ext", form)
		if failure := wantKind(t, err, fault.Invalid); len(failure.Fields) != 1 || failure.Fields[0].Name != name {
			t.Errorf("a wrong %s is told as %+v", name, failure.Fields)
		}
	}
	_, err := h.SetReach(t.Context(), opal, "notes", plugin.ReachForm{Reach: plugin.ReachNone})
	wantKind(t, err, fault.Conflict)
	_, err = h.SetReach(t.Context(), opal, "ext", plugin.ReachForm{Reach: plugin.ReachAll, Version: 1})
	wantKind(t, err, fault.Conflict)
}

func TestOnlyWhoMayDecideForTheSpaceSwitches(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	for name, who := range map[string]account.Actor{"a merchant": ada, "a visitor": {}} {
		if _, err := h.SetReach(t.Context(), who, "ext", plugin.ReachForm{Reach: plugin.ReachAll}); err == nil {
			t.Errorf("%s opened an extension", name)
		}
	}
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	reader := colleague(ada)
	token := ada
	token.TokenID, token.Scopes = 5, []string{"miniprogram.read"}
	for name, who := range map[string]account.Actor{"a reader": reader, "a visitor": {}, "an API token": token} {
		for act, try := range map[string]func() error{
			"list":     func() error { _, err := h.Extensions(t.Context(), who); return err },
			"read":     func() error { _, err := h.Extension(t.Context(), who, "ext"); return err },
			"turn on":  func() error { _, err := h.SwitchOn(t.Context(), who, "ext"); return err },
			"turn off": func() error { _, err := h.SwitchOff(t.Context(), who, "ext"); return err },
			"save": func() error {
				_, err := h.SaveSettings(t.Context(), who, "ext", plugin.SettingsForm{Values: map[string]any{"url": "https://evil.example.com"}})
				return err
			},
		} {
			if kind := fault.KindOf(try()); kind != fault.Forbidden && kind != fault.Unauthenticated {
				t.Errorf("%s could %s", name, act)
			}
		}
	}
	if out, err := h.extDo(t, reader, command{}); err != nil || out.Settings.URL != "https://hooks.example.com/ada" {
		t.Errorf("a member of a space that has it on uses it with %+v, %v", out, err)
	}
}

func TestVisitorsMeetWhatEverybodyMayHaveAndSomebodyHas(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	visitor := account.Actor{}
	ask := func() error {
		_, err := h.Serve(t.Context(), visitor, plugin.Request{Plugin: "ext", Frame: plugin.FramePortal, Method: "GET", Path: "/open"})
		return err
	}
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	if err := ask(); !sameAsUnknown(err) {
		t.Errorf("nobody has it on, and a visitor is told %v", err)
	}
	h.switchOn(t, ada, map[string]any{})
	if err := ask(); err != nil {
		t.Errorf("a public page of what a space has on: %v", err)
	}
	_, err := h.Serve(t.Context(), visitor, plugin.Request{Plugin: "ext", Frame: plugin.FramePortal, Method: "GET", Path: "/hello"})
	wantKind(t, err, fault.Unauthenticated)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachKinds, Kinds: []account.Kind{account.Merchant}})
	if err := ask(); !sameAsUnknown(err) {
		t.Errorf("open to merchants only, and a visitor is told %v", err)
	}
}

func TestWhatASpaceShowsToAllIsGoneWhileItHasTheExtensionOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newExtHouse(t, db).run(t).ready(t)
		h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
		h.switchOn(t, ada, map[string]any{})
		h.switchOn(t, bob, map[string]any{})
		if _, err := h.Save(t.Context(), ada, "ext", "shelf", 0, 0, map[string]string{"title": "for all", "state": "listed"}); err != nil {
			t.Fatal(err)
		}
		seen := func() int {
			page, err := h.Rows(t.Context(), bob, "ext", "shelf", plugin.TableQuery{})
			if err != nil || int(page.Total) != len(page.Rows) {
				t.Fatalf("%d rows, total %d, %v", len(page.Rows), page.Total, err)
			}
			return len(page.Rows)
		}
		if seen() != 1 {
			t.Fatal("bob does not see what ada shows")
		}
		if _, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil {
			t.Fatal(err)
		}
		if seen() != 0 {
			t.Error("ada has it off, and bob still sees what she showed")
		}
		h.switchOn(t, ada, map[string]any{})
		if seen() != 1 {
			t.Error("on again, and bob sees nothing")
		}
	})
}

func TestAReplicaFollowsWithinTwoSeconds(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	other := h.replica(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	there := func() bool {
		on, err := other.Offers(t.Context(), ada, "ext")
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	for _, want := range []bool{true, false, true} {
		var err error
		if want {
			_, err = h.SwitchOn(t.Context(), ada, "ext")
		} else {
			_, err = h.SwitchOff(t.Context(), ada, "ext")
		}
		if err != nil {
			t.Fatal(err)
		}
		if here, err := h.Offers(t.Context(), ada, "ext"); err != nil || here != want {
			t.Fatalf("where it was switched it is %t, %v; want %t at once", here, err, want)
		}
		there()                                      // may remember
		time.Sleep(2*time.Second + time.Millisecond) // the stated bound
		if got := there(); got != want {
			t.Errorf("two seconds later the other replica says %t, want %t", got, want)
		}
	}
}

func TestWhatIsSwitchedOffStopsInTheMiddleOfACall(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	done := make(chan error, 1)
	go func() {
		_, err := h.extDo(t, ada, command{Do: "linger"})
		done <- err
	}()
	eventually(t, "what was begun comes to its end", 30*time.Second, func() bool {
		n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_ext_seen")
		return err == nil && n == 1
	})
	if _, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !sameAsUnknown(err) {
		t.Errorf("the call that went on was told %v by the host, want that there is no such plugin", err)
	}
}

func TestSwitchingLeavesItsTrail(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachSpaces, SpaceIDs: []int64{11}})
	h.switchOn(t, ada, map[string]any{"key": "s3cret-value", "count": 7})
	if _, err := h.SwitchOn(t.Context(), ada, "ext"); err != nil { // twice is once
		t.Fatal(err)
	}
	if _, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Act, Object, Actor, Changes string
		SpaceID                     int64
	}
	if err := h.db.All(t.Context(), &rows, "SELECT act, object, actor, changes, space_id FROM trail ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, row := range rows {
		acts = append(acts, row.Act)
		if row.Object != "ext" {
			t.Errorf("%s is about %q", row.Act, row.Object)
		}
		if strings.Contains(row.Changes, "s3cret") {
			t.Errorf("the trail tells a secret: %s", row.Changes)
		}
		if row.Act == "extension.settings" && (row.SpaceID != 11 || !strings.Contains(row.Changes, `"field":"count","before":"","after":"7"`) || !strings.Contains(row.Changes, `"field":"key"`)) {
			t.Errorf("settings are told as %s of space %d", row.Changes, row.SpaceID)
		}
	}
	if want := []string{"plugin.offer", "extension.settings", "extension.on", "extension.off"}; !slices.Equal(acts, want) {
		t.Errorf("acts %v, want %v", acts, want)
	}
}

// replica is a second host over the same database, with no processes of its own.
func (h *house) replica(t testing.TB) *plugin.Host {
	t.Helper()
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: "ext", Argv: argv("ext"), Third: true}}
	other, err := plugin.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// TestAnExtensionThatDoesNotComeUpIsStillThere: its space sees that it does not run, can switch it off, and hears why nothing else works.
func TestAnExtensionThatDoesNotComeUpIsStillThere(t *testing.T) {
	before := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	before.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	before.switchOn(t, ada, map[string]any{})
	if x, err := before.Extension(t.Context(), ada, "ext"); err != nil || x.Away() || x.State != plugin.Serving {
		t.Fatalf("while it serves: %+v, %v", x, err)
	}
	if err := before.Stop(); err != nil {
		t.Fatal(err)
	}
	options := before.hostOptions()
	options.Plugins = []plugin.First{{ID: "ext", Argv: argv("liar"), Third: true}}
	h, err := plugin.New(options)
	if err == nil {
		err = h.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	list, err := h.Extensions(t.Context(), ada)
	if err != nil || len(list) != 1 || !list[0].On || !list[0].Away() || list[0].Ready {
		t.Fatalf("listed %+v, %v", list, err)
	}
	_, err = h.SwitchOn(t.Context(), ada, "ext")
	wantKind(t, err, fault.Unavailable)
	_, err = h.SaveSettings(t.Context(), ada, "ext", plugin.SettingsForm{Values: map[string]any{"url": "https://hooks.example.com/new"}})
	wantKind(t, err, fault.Unavailable)
	_, err = h.FormSettings("ext", func(string) string { return "" }, func(string) bool { return false })
	wantKind(t, err, fault.Unavailable)
	_, err = h.Rows(t.Context(), ada, "ext", "seen", plugin.TableQuery{})
	wantKind(t, err, fault.Unavailable)
	if x, err := h.SwitchOff(t.Context(), ada, "ext"); err != nil || x.On {
		t.Fatalf("switched off: %+v, %v", x, err)
	}
	if x, err := h.Extension(t.Context(), bob, "ext"); err != nil || x.On || !x.Away() {
		t.Errorf("another space sees %+v, %v", x, err)
	}
}

// TestAFormCannotMoveARowToAnother: which mini program a row is of stays as it was, and is no obstacle to saving the rest.
func TestAFormCannotMoveARowToAnother(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	h.core.right("wx1", ada.SpaceID, "*")
	h.core.right("wx2", ada.SpaceID, "*")
	save := func(id, version int64, appid, state string) (int64, error) {
		return h.Save(t.Context(), ada, "ext", "lanes", id, version, map[string]string{"appid": appid, "state": state})
	}
	id, err := save(0, 0, "wx1", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := save(id, 1, " wx1", "b"); err != nil {
		t.Errorf("the rest of the form: %v", err)
	}
	told := func(err error, kind fault.Kind, what string) {
		t.Helper()
		if failure := wantKind(t, err, kind); len(failure.Fields) != 1 || failure.Fields[0].Name != "appid" || !strings.Contains(failure.Fields[0].Message, what) {
			t.Errorf("told was %+v", failure)
		}
	}
	_, err = save(id, 2, "wx2", "c")
	told(err, fault.Invalid, "不能更改")
	told(h.CheckForm(t.Context(), ada, "ext", "lanes", id, map[string]string{"appid": "wx2"}), fault.Invalid, "不能更改")
	_, err = h.SaveOnce(t.Context(), ada, "ext", "lanes", id, map[string]string{"appid": "wx2"}, "key")
	told(err, fault.Invalid, "不能更改")
	_, err = save(0, 0, "wx3", "d")
	told(err, fault.Forbidden, "AppID")
	_, err = save(id+1, 1, "wx1", "e")
	wantKind(t, err, fault.NotFound)
	if row, err := h.Row(t.Context(), ada, "ext", "lanes", id); err != nil || row.Text("appid") != "wx1" || row.Text("state") != "b" || row.Version() != 2 {
		t.Errorf("the row is %+v, %v", row, err)
	}
}
