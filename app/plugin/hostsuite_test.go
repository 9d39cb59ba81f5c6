package plugin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
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
type real struct {
	*estate
	on *sync.Map // spaces that have switched the extension on
}

// asker is the suite's extension as an archive, built once for all databases.
var asker = sync.OnceValues(func() ([]byte, error) {
	work, err := os.MkdirTemp("", "mfasker")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(work, archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH))), "./testdata/asker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	var packed bytes.Buffer
	_, err = archive.Pack(&packed, plugin.SpecOf(hostsuite.Asker().Manifest()), os.DirFS(work))
	return packed.Bytes(), err
})

func newReal(t *testing.T, db *store.DB) real {
	t.Helper()
	packed, err := asker()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{core: newCore(t, db), db: db}
	e := &estate{house: h, cache: filepath.Join(t.TempDir(), "plugins")}
	h.core.actors[olga.AccountID] = olga
	t.Cleanup(func() { forget(t, e.cache) })
	for _, app := range hostsuite.Apps() {
		h.core.right(app.AppID, app.Owner, "*")
	}
	e.catalog = e.newCatalog(true)
	options := h.hostOptions()
	options.Spaces = merchants{}
	options.Plugins = []plugin.First{{ID: hostsuite.ID, Argv: argv(hostsuite.ID)}, {ID: hostsuite.MateID, Argv: argv(hostsuite.MateID)}}
	options.Catalog, options.Cache, options.Follow = e.catalog, e.cache, 50*time.Millisecond
	options.UIDBase = 400_000 + os.Getpid()%1_000*100
	options.Quota = plugin.Quota{Rows: hostsuite.RowsPerSpace, Bytes: hostsuite.BytesPerSpace, Of: func(string) bool { return true }}
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	h.run(t).ready(t)
	e.approve(t, e.submit(t, ada, packed))
	e.serving(t, hostsuite.AskerID, "1.0.0")
	if _, err := e.SetReach(t.Context(), olga, hostsuite.AskerID, plugin.ReachForm{Reach: plugin.ReachAll}); err != nil {
		t.Fatal(err)
	}
	return real{e, &sync.Map{}}
}

// merchants names the spaces of the suite.
type merchants struct{}

func (merchants) Named(_ context.Context, ids []int64) (named []plugin.Space, _ error) {
	for _, id := range ids {
		named = append(named, plugin.Space{ID: id, Name: "空间", Kind: string(account.Merchant)})
	}
	return named, nil
}

// actor is a person of the suite as the host knows them; a delegation looks them up again.
func (w real) actor(info sdk.ActorInfo) account.Actor {
	if info.AccountID == 0 {
		return account.Actor{}
	}
	actor := account.Actor{
		AccountID: info.AccountID, SpaceID: info.SpaceID, MemberID: info.AccountID, Name: info.Name, Space: info.Space,
		Role: info.Role, SpaceKind: account.Kind(info.SpaceKind),
	}
	w.core.mu.Lock()
	defer w.core.mu.Unlock()
	w.core.actors[actor.AccountID] = actor
	return actor
}

// post makes a REST call of one of the plugins.
func (w real) post(t testing.TB, ctx context.Context, id string, info sdk.ActorInfo, in hostsuite.Command) (out hostsuite.Outcome, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.Serve(ctx, w.actor(info), plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: http.MethodPost, Path: in.Address(), Body: body})
	if err != nil {
		return out, asPluginsSee(err)
	}
	if err := json.Unmarshal(response.Body, &out); err != nil {
		t.Fatalf("answer %s: %v", response.Body, err)
	}
	return out, nil
}

func (w real) Do(t testing.TB, info sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	return w.post(t, t.Context(), hostsuite.ID, info, in)
}

func (w real) DoWithin(t testing.TB, most time.Duration, info sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	return w.post(t, ctx, hostsuite.ID, info, in)
}

func (w real) Ask(t testing.TB, info sdk.ActorInfo, in hostsuite.Command) (hostsuite.Outcome, error) {
	if _, on := w.on.LoadOrStore(info.SpaceID, true); !on && info.SpaceID != 0 {
		if _, err := w.SwitchOn(t.Context(), w.actor(info), hostsuite.AskerID); err != nil {
			t.Fatal(err)
		}
	}
	return w.post(t, t.Context(), hostsuite.AskerID, info, in)
}

func (w real) Sent() int { return len(w.core.sent()) }

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
	var rows []event.Row
	for _, id := range []string{hostsuite.ID, hostsuite.AskerID} {
		page, _, err := w.events.List(t.Context(), event.Filter{Type: id + ".*", Oldest: true, Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, page...)
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
