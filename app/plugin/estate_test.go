package plugin_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// olga is an operator.
var olga = account.Actor{AccountID: 9, SpaceID: 99, MemberID: 9, Name: "olga", Space: "平台", Role: account.RoleOwner, SpaceKind: account.Platform}

// shape is what a test's extension calls itself and asks for; see testdata/extension.
type shape struct {
	ID, Version               string
	WeChat, Core, Calls       []string
	Hosts, Events, Collection []string
	Crash                     bool
}

// bare is the extension's program without a shape, built once for all tests.
var bare = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "mfext")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, "extension"), "./testdata/extension")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	return os.ReadFile(filepath.Join(dir, "extension"))
})

// spec is the plugin.yaml that fits the shape.
func (s shape) spec() archive.Spec {
	spec := archive.Spec{ID: s.ID, Title: "扩展", Version: s.Version, Protocol: archive.Protocol, Capabilities: archive.Capabilities{
		WeChat: s.WeChat, Core: s.Core, Calls: s.Calls, Hosts: s.Hosts, Events: s.Events,
	}}
	for _, name := range s.Collection {
		spec.Capabilities.Data = append(spec.Capabilities.Data, archive.Data{Name: name, Visibility: "space"})
	}
	return spec
}

// pack makes an archive of a program with this shape. It is not compressed: that would take most of the tests' time.
func (s shape) pack(t testing.TB, spec archive.Spec) []byte {
	t.Helper()
	program, err := bare()
	if err != nil {
		t.Fatal(err)
	}
	trailer, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	binary := slices.Concat(program, trailer, fmt.Appendf(nil, "%08dEXTENDED", len(trailer)))
	head, err := spec.YAML()
	if err != nil {
		t.Fatal(err)
	}
	name := archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH))
	sums := fmt.Sprintf("%x  plugin.yaml\n%x  %s\n", sha256.Sum256(head), sha256.Sum256(binary), name)
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(zipped)
	for _, f := range []struct {
		name string
		body []byte
	}{{archive.SpecName, head}, {archive.SumsName, []byte(sums)}, {name, binary}} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.body)), Mode: 0o555}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// estate is a house with a catalog of extensions.
type estate struct {
	*house
	catalog *plugin.Catalog
	cache   string
	told    []plugin.ArchiveNews
}

func newEstate(t testing.TB, db *store.DB, house ...string) *estate {
	t.Helper()
	e := &estate{house: &(*newHouse(t, db, house...))}
	e.core.actors[olga.AccountID] = olga
	e.cache = filepath.Join(t.TempDir(), "plugins")
	t.Cleanup(func() { forget(t, e.cache) })
	e.catalog = e.newCatalog(true)
	options := e.hostOptions()
	for _, id := range house {
		options.Plugins = append(options.Plugins, plugin.First{ID: id, Argv: argv(id)})
	}
	options.Catalog, options.Cache, options.Follow = e.catalog, e.cache, 50*time.Millisecond
	// Packages are tested side by side, by the same user: each has extensions of users of its own.
	options.UIDBase = 200_000 + os.Getpid()%1_000*100
	var err error
	if e.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *estate) newCatalog(enabled bool) *plugin.Catalog {
	clk := clock.System()
	return plugin.NewCatalog(plugin.CatalogOptions{DB: e.db, Clock: clk, Trail: trail.New(e.db, clk), Enabled: enabled,
		Tell: func(_ context.Context, news plugin.ArchiveNews) error { e.told = append(e.told, news); return nil }})
}

// forget takes unpacked archives away: their folders are read-only.
func forget(t testing.TB, cache string) {
	found, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Error(err)
	}
	for _, folder := range found {
		if err := archive.Remove(folder); err != nil {
			t.Error(err)
		}
	}
}

// submit hands an archive in for the actor.
func (e *estate) submit(t testing.TB, who account.Actor, raw []byte) plugin.Archive {
	t.Helper()
	a, err := e.catalog.Submit(t.Context(), who, "x.mfp", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// approve lets an archive serve and follows at once.
func (e *estate) approve(t testing.TB, a plugin.Archive) {
	t.Helper()
	if err := e.catalog.Approve(t.Context(), olga, a.ID, a.SHA256); err != nil {
		t.Fatal(err)
	}
	if err := e.FollowCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// install hands in, approves and waits until it serves.
func (e *estate) install(t testing.TB, s shape) plugin.Archive {
	t.Helper()
	a := e.submit(t, ada, s.pack(t, s.spec()))
	e.approve(t, a)
	e.serving(t, s.ID, s.Version)
	e.open(t, s.ID)
	return a
}

// open makes an extension available to everybody and switches it on for ada's space.
func (e *estate) open(t testing.TB, id string) {
	t.Helper()
	reach, err := e.ReachOf(t.Context(), olga, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.SetReach(t.Context(), olga, id, plugin.ReachForm{Reach: plugin.ReachAll, Version: reach.Version}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.SwitchOn(t.Context(), ada, id); err != nil {
		t.Fatal(err)
	}
}

func (e *estate) status(id string) (plugin.Status, bool) {
	all := e.Status()
	at := slices.IndexFunc(all, func(s plugin.Status) bool { return s.ID == id })
	if at < 0 {
		return plugin.Status{}, false
	}
	return all[at], true
}

func (e *estate) serving(t testing.TB, id, version string) plugin.Status {
	t.Helper()
	var last plugin.Status
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s, ok := e.status(id); ok {
			if last = s; s.State == plugin.Serving && s.Version == version {
				return s
			}
		}
	}
	t.Fatalf("%s %s does not serve: %+v", id, version, last)
	return last
}

// wish is one call of the extension's workbench.
type wish struct {
	Do   string `json:"do"`
	What string `json:"what"`
}

// told is its answer.
type answered struct {
	Text string   `json:"text"`
	List []string `json:"list"`
	Num  int64    `json:"num,string"`
}

func (e *estate) do(t testing.TB, who account.Actor, id string, w wish) (answered, error) {
	t.Helper()
	body, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	response, err := e.Serve(t.Context(), who, plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: http.MethodPost, Path: "/do",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
	var out answered
	if err == nil {
		err = json.Unmarshal(response.Body, &out)
	}
	return out, err
}

func (e *estate) must(t testing.TB, id string, w wish) answered {
	t.Helper()
	out, err := e.do(t, ada, id, w)
	if err != nil {
		t.Fatalf("%+v: %v", w, err)
	}
	return out
}
