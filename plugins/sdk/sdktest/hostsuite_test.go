package sdktest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
	"minifleet/plugins/sdk/sdktest/hostsuite"
)

// inMemory is the suite's world in memory: one for the plugins of the house, one for the extension.
type inMemory struct {
	house, extension *sdktest.Harness
	wechat           *auditor
	delivered        map[int64]bool // of what the plugin hears from itself
}

// auditor answers every call to WeChat.
type auditor struct{ calls atomic.Int64 }

func (a *auditor) Do(context.Context, wechat.Request) (wechat.Response, error) {
	a.calls.Add(1)
	return wechat.Response{Body: []byte(`{"errcode":0,"errmsg":"ok","auditid":7,"status":0}`), RID: "rid-1"}, nil
}

func post(h *sdktest.Harness, actor sdk.ActorInfo, in hostsuite.Command) (out hostsuite.Outcome, err error) {
	return out, h.As(actor).API("POST", in.Address(), in, &out)
}

func (w inMemory) Do(t testing.TB, actor sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	out, err := post(w.house, actor, in)
	w.relay(t)
	return out, err
}

func (w inMemory) DoWithin(_ testing.TB, most time.Duration, actor sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	return post(w.house.Within(most), actor, in)
}

func (w inMemory) Ask(_ testing.TB, actor sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	return post(w.extension, actor, in)
}

func (w inMemory) Sent() int { return int(w.wechat.calls.Load()) }

func (w inMemory) Event(t testing.TB, event sdk.Event) {
	h := w.house
	if event.Type == "peer.asker" {
		h = w.extension
	}
	if err := h.Event(event); err != nil {
		t.Fatal(err)
	}
	w.relay(t)
}

// relay delivers what the plugin hears from itself, until there is nothing more: a test of a plugin delivers what it wants.
func (w inMemory) relay(t testing.TB) {
	for more := true; more; {
		more = false
		for _, event := range w.house.Published() {
			if event.Type != hostsuite.ID+".again" || w.delivered[event.ID] {
				continue
			}
			w.delivered[event.ID], more = true, true
			if err := w.house.Event(event); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w inMemory) Published(testing.TB) []sdk.Event {
	return append(w.house.Published(), w.extension.Published()...)
}

func (w inMemory) Job(t testing.TB, name string) string {
	note, err := w.house.Job(name)
	if err != nil {
		t.Fatal(err)
	}
	return note
}

func (w inMemory) Grant(_ testing.TB, appid string, space int64, scopes ...string) {
	w.house.Grant(appid, space, scopes...)
	w.extension.Grant(appid, space, scopes...)
}

func (w inMemory) Advance(by time.Duration) {
	w.house.Advance(by)
	w.extension.Advance(by)
}

func TestTheHostInMemoryKeepsEveryRule(t *testing.T) {
	hostsuite.Run(t, func(t *testing.T) hostsuite.World {
		w := inMemory{wechat: &auditor{}, delivered: map[int64]bool{}}
		options := sdktest.Options{WeChat: w.wechat, RowsPerSpace: hostsuite.RowsPerSpace, BytesPerSpace: hostsuite.BytesPerSpace}
		spaces := map[int64]bool{}
		for _, app := range hostsuite.Apps() {
			options.MiniPrograms = append(options.MiniPrograms, sdk.MiniProgramInfo{AppID: app.AppID, NickName: "名" + app.AppID, OwnerSpace: app.Owner})
			if !spaces[app.Owner] {
				spaces[app.Owner] = true
				options.Spaces = append(options.Spaces, sdk.SpaceInfo{ID: app.Owner, Name: "空间"})
			}
		}
		options.Beside = []*sdk.Plugin{hostsuite.Mate()}
		w.extension = sdktest.New(t, hostsuite.Asker(), options)
		options.House, options.Beside = true, []*sdk.Plugin{hostsuite.Mate()}
		w.house = sdktest.New(t, hostsuite.Plugin(), options)
		return w
	})
}
