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
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
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
	spec := archive.Spec{ID: s.ID, Title: "扩展", Version: s.Version, Protocol: 1, Capabilities: archive.Capabilities{
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

func TestAnArchiveRunsOnlyAfterApprovalUpgradesWithoutAGapAndStopsOnWithdrawal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := newEstate(t, db)
		e.run(t)
		first := shape{ID: "coupon", Version: "1.0.0"}
		a := e.submit(t, ada, first.pack(t, first.spec()))
		if err := e.FollowCatalog(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, there := e.status("coupon"); there || a.State != plugin.ArchivePending {
			t.Fatalf("an archive that waits runs: %+v", a)
		}
		if left, err := filepath.Glob(filepath.Join(e.cache, "*")); err != nil || len(left) != 0 {
			t.Fatalf("an archive that waits is unpacked: %v %v", left, err)
		}
		e.approve(t, a)
		one := e.serving(t, "coupon", "1.0.0")
		if !one.Third || one.SHA256 != a.SHA256 {
			t.Fatalf("serving %+v", one)
		}

		e.open(t, "coupon")

		second := shape{ID: "coupon", Version: "1.1.0"}
		b := e.submit(t, ada, second.pack(t, second.spec()))
		stop, failed := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					failed <- nil
					return
				default:
				}
				if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); err != nil {
					failed <- err
					return
				}
			}
		}()
		e.approve(t, b)
		two := e.serving(t, "coupon", "1.1.0")
		close(stop)
		if err := <-failed; err != nil {
			t.Errorf("a call failed during the upgrade: %v", err)
		}
		if two.PID == one.PID || two.Restarts != 0 {
			t.Errorf("after the upgrade %+v, before it %+v", two, one)
		}

		if err := e.catalog.Back(t.Context(), olga, "coupon"); err != nil {
			t.Fatal(err)
		}
		e.serving(t, "coupon", "1.0.0") // the poll finds it, as on another replica
		if err := e.catalog.Withdraw(t.Context(), olga, "coupon", "不再提供"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the extension is gone", 60*time.Second, func() bool { _, there := e.status("coupon"); return !there })
		eventually(t, "its process is gone", 60*time.Second, func() bool { return !running(one.PID) && !running(two.PID) })
		if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a withdrawn extension answers %v", err)
		}
		gone, err := e.catalog.Archive(t.Context(), olga, a.ID)
		if err != nil || gone.State != plugin.ArchiveWithdrawn || gone.Reason != "不再提供" {
			t.Errorf("withdrawn: %+v %v", gone, err)
		}
	})
}

func TestABinaryThatAsksForMoreThanWasApprovedIsRefusedAndTheOldOneKeepsServing(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	good := shape{ID: "coupon", Version: "1.0.0", WeChat: []string{"code.audit_status"}}
	before := e.install(t, good)
	for name, c := range map[string]struct {
		is, says shape
		want     string
	}{
		"another endpoint":    {shape{WeChat: []string{"code.audit_status", "code.release"}}, good, "capabilities.wechat “code.release”"},
		"a core view":         {shape{Core: []string{"miniprograms"}}, shape{}, "capabilities.core “miniprograms”"},
		"another's call":      {shape{Calls: []string{"peer.who"}}, shape{}, "capabilities.calls"},
		"a host":              {shape{Hosts: []string{"evil.example.com"}}, shape{}, "capabilities.hosts"},
		"an event":            {shape{Events: []string{"wechat.authorized"}}, shape{}, "事件 “wechat.authorized”"},
		"a collection":        {shape{Collection: []string{"people"}}, shape{}, "数据表 “people”"},
		"another id":          {shape{ID: "other"}, shape{}, "程序自称 other"},
		"another's version":   {shape{Version: "9.0.0"}, shape{}, "程序自称 coupon 9.0.0"},
		"does not even start": {shape{Crash: true}, shape{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is, says := c.is, c.says
			is.ID, is.Version = orElse(is.ID, "coupon"), orElse(is.Version, "2.0.0")
			says.ID, says.Version = "coupon", "2.0.0"
			a := e.submit(t, ada, is.pack(t, says.spec()))
			e.approve(t, a)
			s := e.serving(t, "coupon", "1.0.0")
			if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); err != nil {
				t.Fatalf("the old one does not serve: %v", err)
			}
			if last := s.History[len(s.History)-1]; !strings.Contains(last.Note, "旧进程继续服务") || !strings.Contains(last.Note, c.want) {
				t.Errorf("the history says %q, want %q", last.Note, c.want)
			}
			after, err := e.catalog.Archive(t.Context(), olga, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if still, err := e.catalog.Archive(t.Context(), olga, before.ID); err != nil || !still.Serving {
				t.Errorf("the catalog has the old one as %+v (%v)", still, err)
			}
			if c.want == "" { // a build that does not come up asked for nothing more: it stays approved for an operator's next try
				if after.State != plugin.ArchiveApproved || after.Serving || !strings.Contains(after.Reason, "没有启动成功") {
					t.Errorf("after the failed start: %+v", after)
				}
				return
			}
			if after.State != plugin.ArchiveRejected || !strings.Contains(after.Reason, c.want) || after.Serving {
				t.Errorf("the catalog says %+v", after)
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestAFirstBinaryThatAsksForMoreNeverServes(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	is := shape{ID: "greedy", Version: "1.0.0", WeChat: []string{"code.release"}}
	a := e.submit(t, ada, is.pack(t, shape{ID: "greedy", Version: "1.0.0"}.spec()))
	e.approve(t, a)
	eventually(t, "the archive is rejected", 60*time.Second, func() bool {
		after, err := e.catalog.Archive(t.Context(), olga, a.ID)
		return err == nil && after.State == plugin.ArchiveRejected && strings.Contains(after.Reason, "release")
	})
	eventually(t, "the unit is taken out", 60*time.Second, func() bool { _, there := e.status("greedy"); return !there })
}

func TestAnExtensionReachesNothingThatWasNotApproved(t *testing.T) {
	e := newEstate(t, storetest.Open(t), "notes", "peer")
	e.run(t).ready(t)
	e.core.right("wxa", ada.SpaceID, "*")
	e.install(t, shape{ID: "small", Version: "1.0.0"})
	e.install(t, shape{ID: "large", Version: "1.0.0", WeChat: []string{"code.latest_audit"}, Core: []string{"miniprograms", "authorize"}, Calls: []string{"peer.who"}})
	for _, c := range []struct {
		do, what, title string
		large           bool // whether the other one may
	}{
		{"miniprograms", "", "小程序资料", true},
		{"spaces", "", "空间名称", false},
		{"authorize", "", "发起小程序授权", true},
		{"call", "peer.who", "peer.who", true},
		{"call", "notes.do", "notes.do", false},
		{"audit", "wxa", "查询最新审核单", true},
		{"release", "wxa", "发布", false},
	} {
		_, err := e.do(t, ada, "small", wish{c.do, c.what})
		f := fault.From(err)
		if err == nil || f.Kind != fault.Forbidden || f.Code != "plugin.capability" || !strings.Contains(f.Message, c.title) {
			t.Errorf("%s %s was answered %v, want a refusal that names %q", c.do, c.what, err, c.title)
		}
		if _, err := e.do(t, ada, "large", wish{c.do, c.what}); c.large != (err == nil) {
			t.Errorf("the approved one: %s %s: %v", c.do, c.what, err)
		}
	}
	if _, err := e.do(t, ada, "small", wish{Do: "can"}); err != nil {
		t.Errorf("what needs no approval: %v", err)
	}
	if sent := e.core.sent(); len(sent) != 1 {
		t.Errorf("the gateway was reached more than by the one approved call: %v", sent)
	}
	s, _ := e.status("small")
	if s.Refused["wechat"] != 2 || s.Refused["core"] != 3 || s.Refused["calls"] != 2 {
		t.Errorf("counted %v", s.Refused)
	}
}
