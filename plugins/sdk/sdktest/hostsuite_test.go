package sdktest_test

import (
	"testing"
	"time"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
	"minifleet/plugins/sdk/sdktest/hostsuite"
)

// inMemory is the suite's world in memory.
type inMemory struct {
	*sdktest.Harness
	delivered map[int64]bool // of what the plugin hears from itself
}

func (w inMemory) Do(t testing.TB, actor sdk.ActorInfo, in hostsuite.Command) (out hostsuite.Outcome, err error) {
	err = w.As(actor).API("POST", "/do", in, &out)
	w.relay(t)
	return out, err
}

func (w inMemory) Event(t testing.TB, event sdk.Event) {
	if err := w.Harness.Event(event); err != nil {
		t.Fatal(err)
	}
	w.relay(t)
}

// relay delivers what the plugin hears from itself, until there is nothing more: a test of a plugin delivers what it wants.
func (w inMemory) relay(t testing.TB) {
	for more := true; more; {
		more = false
		for _, event := range w.Harness.Published() {
			if event.Type != hostsuite.ID+".again" || w.delivered[event.ID] {
				continue
			}
			w.delivered[event.ID], more = true, true
			if err := w.Harness.Event(event); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w inMemory) Published(testing.TB) []sdk.Event { return w.Harness.Published() }

func (w inMemory) Job(t testing.TB, name string) string {
	note, err := w.Harness.Job(name)
	if err != nil {
		t.Fatal(err)
	}
	return note
}

func (w inMemory) Grant(_ testing.TB, appid string, space int64, scopes ...string) {
	w.Harness.Grant(appid, space, scopes...)
}

func (w inMemory) Advance(by time.Duration) { w.Harness.Advance(by) }

func TestTheHostInMemoryKeepsEveryRule(t *testing.T) {
	hostsuite.Run(t, func(t *testing.T) hostsuite.World {
		options := sdktest.Options{RowsPerSpace: hostsuite.RowsPerSpace, BytesPerSpace: hostsuite.BytesPerSpace}
		spaces := map[int64]bool{}
		for _, app := range hostsuite.Apps() {
			options.MiniPrograms = append(options.MiniPrograms, sdk.MiniProgramInfo{AppID: app.AppID, NickName: "名" + app.AppID, OwnerSpace: app.Owner})
			if !spaces[app.Owner] {
				spaces[app.Owner] = true
				options.Spaces = append(options.Spaces, sdk.SpaceInfo{ID: app.Owner, Name: "空间"})
			}
		}
		return inMemory{sdktest.New(t, hostsuite.Plugin(), options), map[int64]bool{}}
	})
}
