package plugin_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest/hostsuite"
)

// TestTheHostKeepsEveryRule holds the real host to the suite that the host in memory is held to.
func TestTheHostKeepsEveryRule(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		hostsuite.Run(t, func(t *testing.T) hostsuite.World { return newReal(t, db) })
	})
}

// real is the suite's world with processes and a database.
type real struct{ *house }

func newReal(t *testing.T, db *store.DB) real {
	t.Helper()
	h := &house{core: newCore(t, db), db: db}
	for _, app := range hostsuite.Apps() {
		h.core.right(app.AppID, app.Owner, "*")
	}
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: hostsuite.ID, Argv: argv(hostsuite.ID)}}
	options.Quota = plugin.Quota{Rows: hostsuite.RowsPerSpace, Bytes: hostsuite.BytesPerSpace, Of: func(string) bool { return true }}
	var err error
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	return real{h.run(t).ready(t)}
}

// actor is a person of the suite as the host knows them; a delegation looks them up again.
func (w real) actor(info sdk.ActorInfo) account.Actor {
	if info.AccountID == 0 {
		return account.Actor{}
	}
	actor := account.Actor{
		AccountID: info.AccountID, SpaceID: info.SpaceID, MemberID: info.AccountID, Name: info.Name, Space: info.Space,
		Role: account.RoleOwner, SpaceKind: account.Kind(info.SpaceKind),
	}
	w.core.mu.Lock()
	defer w.core.mu.Unlock()
	w.core.actors[actor.AccountID] = actor
	return actor
}

func (w real) Do(t testing.TB, info sdk.ActorInfo, in hostsuite.Command) (out hostsuite.Outcome, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.Serve(t.Context(), w.actor(info), plugin.Request{Plugin: hostsuite.ID, Frame: plugin.FrameAPI, Method: http.MethodPost, Path: "/do", Body: body})
	if err != nil {
		return out, asPluginsSee(err)
	}
	if err := json.Unmarshal(response.Body, &out); err != nil {
		t.Fatalf("answer %s: %v", response.Body, err)
	}
	return out, nil
}

// asPluginsSee gives a fault the kind that it has in the SDK.
func asPluginsSee(err error) error {
	failure := fault.From(err)
	kinds := map[fault.Kind]sdk.Kind{
		fault.Invalid: sdk.KindInvalid, fault.Unauthenticated: sdk.KindUnauthenticated, fault.Forbidden: sdk.KindForbidden, fault.NotFound: sdk.KindNotFound,
		fault.Conflict: sdk.KindConflict, fault.TooMany: sdk.KindTooMany, fault.Unavailable: sdk.KindUnavailable, fault.Internal: sdk.KindInternal,
	}
	seen := &sdk.Error{Kind: kinds[failure.Kind], Code: failure.Code, Message: failure.Message, Cause: failure.Cause}
	if failure.Code == "plugin.aborted" {
		seen.Kind = sdk.KindAborted
	}
	for _, field := range failure.Fields {
		seen.Fields = append(seen.Fields, sdk.Field{Name: field.Name, Message: field.Message})
	}
	return seen
}

func (w real) Event(t testing.TB, e sdk.Event) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	err = w.events.Append(t.Context(), event.Record{
		Type: e.Type, Source: "plugin:peer", AppID: e.AppID, SpaceID: e.SpaceID, Subject: e.Subject, CreateTime: w.clock.Now().Unix(), Payload: data,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w real) Published(t testing.TB) []sdk.Event {
	rows, _, err := w.events.List(t.Context(), event.Filter{Type: hostsuite.ID + ".*", Oldest: true, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	var list []sdk.Event
	for _, row := range rows {
		detail, err := w.events.Get(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, sdk.Event{
			ID: row.ID, Type: row.Type, Source: row.Source, AppID: row.AppID, SpaceID: row.SpaceID, Subject: row.Subject, Data: json.RawMessage(detail.Payload),
		})
	}
	return list
}

func (w real) Job(t testing.TB, name string) string {
	for _, job := range w.Jobs() {
		if job.Name != hostsuite.ID+"."+name {
			continue
		}
		note, err := job.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return note
	}
	t.Fatalf("no job %s", name)
	return ""
}

func (w real) Grant(_ testing.TB, appid string, space int64, scopes ...string) {
	w.core.revoke(appid, space)
	for _, scope := range scopes {
		w.core.right(appid, space, scope)
	}
}

func (w real) Advance(by time.Duration) { w.clock.Advance(by) }
