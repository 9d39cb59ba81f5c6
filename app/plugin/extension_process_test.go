package plugin_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("an extension has a user of its own only where the host is root")
	}
}

func TestAHostileExtensionReadsAndReachesNothingOfTheHosts(t *testing.T) {
	needRoot(t)
	e := newEstate(t, storetest.Open(t), "notes")
	data := t.TempDir()
	secrets := map[string]string{"the key file": filepath.Join(data, "key.json"), "the database": filepath.Join(data, "minifleet.db"), "a setting's file": filepath.Join(data, "dsn")}
	for _, path := range secrets {
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.run(t).ready(t)
	e.install(t, shape{ID: "hostile", Version: "1.0.0"})
	status := e.serving(t, "hostile", "1.0.0")

	who := e.must(t, "hostile", wish{Do: "who"})
	if who.Text != fmt.Sprintf("%d %d /", status.UID, status.UID) || status.UID < 200_000 {
		t.Errorf("it runs as %q, the host says %d", who.Text, status.UID)
	}
	for _, variable := range who.List {
		name, _, _ := strings.Cut(variable, "=")
		allowed := []string{"PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_CLIENT_CERT", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", "MINIFLEET_PLUGIN", "MINIFLEET_LIFE_FD", "MINIFLEET_HOST_FD", "MINIFLEET_LANE_FD", "MINIFLEET_LANE_HOST", "GOMEMLIMIT", "GOGC", "GOMAXPROCS", "TZ"}
		if !slices.Contains(allowed, name) {
			t.Errorf("its environment holds %s", variable)
		}
	}
	host := "/proc/" + strconv.Itoa(os.Getpid())
	notes, _ := e.status("notes")
	secrets["the host's environment"], secrets["the host's memory"] = host+"/environ", host+"/mem"
	secrets["a neighbour's environment"] = "/proc/" + strconv.Itoa(notes.PID) + "/environ"
	for name, path := range secrets {
		if got := e.must(t, "hostile", wish{"read", path}); !strings.HasPrefix(got.Text, "refused") {
			t.Errorf("%s (%s): %s, %d bytes", name, path, got.Text, got.Num)
		}
	}
	for name, pattern := range map[string]string{"the data folder": data + "/*", "the host's sockets": os.TempDir() + "/minifleet-*/*", "the host's open files": host + "/fd/*", "the cache's list": e.cache + "/*"} {
		got := e.must(t, "hostile", wish{"list", pattern})
		own := slices.DeleteFunc(got.List, func(path string) bool {
			info, err := os.Stat(filepath.Dir(path)) // its own socket folder
			return err != nil || owner(info) == status.UID
		})
		if len(own) > 0 {
			t.Errorf("%s: it sees %v", name, own)
		}
	}
	binary := filepath.Join(e.cache, status.SHA256, "bin", "linux-amd64", "plugin")
	for name, path := range map[string]string{"its own program": binary, "the data folder": filepath.Join(data, "x"), "the cache": filepath.Join(e.cache, "x")} {
		if got := e.must(t, "hostile", wish{"write", path}); !strings.HasPrefix(got.Text, "refused") {
			t.Errorf("%s: %s", name, got.Text)
		}
	}
	for name, pid := range map[string]int{"the host": os.Getpid(), "its neighbour": notes.PID} {
		if got := e.must(t, "hostile", wish{"kill", strconv.Itoa(pid)}); !strings.HasPrefix(got.Text, "refused") {
			t.Errorf("%s: %s", name, got.Text)
		}
	}
	for _, open := range e.must(t, "hostile", wish{Do: "descriptors"}).List {
		if open != binary && open != "/dev/null" && !strings.HasPrefix(open, "/sys/fs/cgroup/") && !strings.HasPrefix(open, "/dev/pts/") && !strings.HasPrefix(open, "/proc/") {
			t.Errorf("it has %s open", open)
		}
	}
}

func TestAChildThatAnExtensionLeftBehindEndsWithIt(t *testing.T) {
	needRoot(t)
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	e.install(t, shape{ID: "forker", Version: "1.0.0"})
	child := int(e.must(t, "forker", wish{Do: "fork"}).Num)
	if !running(child) {
		t.Fatal("the child never ran")
	}
	if err := e.catalog.Withdraw(t.Context(), olga, "forker", "派生进程"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is gone", 60*time.Second, func() bool { return !running(child) })
}

func TestATamperedFileInTheCacheIsNotExecuted(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	a := e.install(t, shape{ID: "coupon", Version: "1.0.0"})
	binary := filepath.Join(e.cache, a.SHA256, archive.Binary(a.Platforms[0]))
	mark := filepath.Join(t.TempDir(), "executed")
	tampered := fmt.Sprintf("#!/bin/sh\ntouch %s\n", mark)
	for _, err := range []error{os.Chmod(filepath.Dir(binary), 0o755), os.Remove(binary), os.WriteFile(binary, []byte(tampered), 0o555)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	err := e.Restart(t.Context(), "coupon")
	if err == nil || !strings.Contains(err.Error(), "not the one that was approved") {
		t.Errorf("a restart with a tampered file: %v", err)
	}
	e.serving(t, "coupon", "1.0.0") // the old process, whose file is the good one
	if _, err := os.Stat(mark); err == nil {
		t.Fatal("the tampered file was executed")
	}

	// Another host, as after a restart of the platform, finds the folder tampered with and unpacks it anew.
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	options := e.hostOptions()
	options.Catalog, options.Cache, options.Follow, options.UIDBase = e.catalog, e.cache, 50*time.Millisecond, 200_000+os.Getpid()%1_000*100
	if e.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.serving(t, "coupon", "1.0.0")
	if _, err := os.Stat(mark); err == nil {
		t.Fatal("the tampered file was executed")
	}
}

func TestAnotherArchiveOfTheSameVersionIsANewApproval(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	one := shape{ID: "coupon", Version: "1.0.0"}
	a := e.install(t, one)
	other := one
	other.Collection = []string{"coupons"}
	b := e.submit(t, ada, other.pack(t, other.spec()))
	if b.State != plugin.ArchivePending || b.SHA256 == a.SHA256 {
		t.Fatalf("handed in: %+v", b)
	}
	if err := e.FollowCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := e.serving(t, "coupon", "1.0.0"); s.SHA256 != a.SHA256 {
		t.Errorf("%s runs without approval", s.SHA256)
	}
	if err := e.catalog.Approve(t.Context(), olga, b.ID, a.SHA256); err == nil {
		t.Error("approving with the sum of another archive succeeded")
	}
	e.approve(t, b)
	eventually(t, "the approved one runs", 60*time.Second, func() bool { s, _ := e.status("coupon"); return s.SHA256 == b.SHA256 })
}

// extendedHost is a host with an extension in a process of its own, for the test that kills it. It prints the extension's pid.
func extendedHost(dir string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: filepath.Join(dir, "host.db")})
	if err != nil {
		return err
	}
	clk := clock.System()
	catalog := plugin.NewCatalog(plugin.CatalogOptions{DB: db, Clock: clk, Trail: trail.New(db, clk), Enabled: true})
	h := &house{db: db, core: &core{db: db}}
	options := h.hostOptions()
	options.Catalog, options.Cache, options.UIDBase = catalog, filepath.Join(dir, "plugins"), 200_000+os.Getppid()%1_000*100
	host, err := plugin.New(options)
	if err != nil {
		return err
	}
	if err := host.Start(ctx); err != nil {
		return err
	}
	for {
		for _, s := range host.Status() {
			if s.State == plugin.Serving {
				fmt.Println("pid", s.PID)
				fmt.Println("ready")
				select {}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestNoExtensionOutlivesAHostKilledByForce(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dialect: store.SQLite, Path: filepath.Join(dir, "host.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forget(t, filepath.Join(dir, "plugins")) })
	clk := clock.System()
	catalog := plugin.NewCatalog(plugin.CatalogOptions{DB: db, Clock: clk, Trail: trail.New(db, clk), Enabled: true})
	s := shape{ID: "coupon", Version: "1.0.0"}
	raw := s.pack(t, s.spec())
	a, err := catalog.Submit(t.Context(), olga, "x.mfp", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Approve(t.Context(), olga, a.ID, a.SHA256); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	host := exec.Command(os.Args[0], "extendedhost", dir)
	host.Stderr = os.Stderr
	output, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	child := 0
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "ready" {
		if child, err = strconv.Atoi(strings.TrimPrefix(lines.Text(), "pid ")); err != nil {
			t.Fatalf("the host said %q", lines.Text())
		}
	}
	if child == 0 || !running(child) {
		t.Fatalf("the extension's process is %d", child)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // killed: an error by nature
	eventually(t, "the extension is gone", 30*time.Second, func() bool { return !running(child) })
}

func TestExtensionsAreOffUnlessTheyAreTurnedOn(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	s := shape{ID: "coupon", Version: "1.0.0"}
	raw := s.pack(t, s.spec())
	waiting := e.submit(t, ada, raw)
	off := e.newCatalog(false)
	for name, c := range map[string]struct {
		who  account.Actor
		want string
	}{"an operator": {olga, "plugins.thirdParty: true"}, "a merchant": {bob, "请联系平台管理员"}} {
		if _, err := off.Submit(t.Context(), c.who, "x.mfp", bytes.NewReader(raw), int64(len(raw))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := off.Approve(t.Context(), olga, waiting.ID, waiting.SHA256); err == nil || !strings.Contains(err.Error(), "plugins.thirdParty") {
		t.Errorf("approved while off: %v", err)
	}
	if err := e.catalog.Approve(t.Context(), olga, waiting.ID, waiting.SHA256); err != nil {
		t.Fatal(err)
	}
	options := e.hostOptions()
	options.Catalog, options.Cache = off, e.cache
	var err error
	if e.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	e.run(t)
	if err := e.FollowCatalog(t.Context()); err != nil || len(e.Status()) != 0 {
		t.Errorf("off, but %v runs (%v)", e.Status(), err)
	}
	if _, err := e.Serve(t.Context(), ada, plugin.Request{Plugin: "coupon", Frame: plugin.FrameAPI, Method: http.MethodPost, Path: "/do"}); err == nil {
		t.Error("an extension answers though extensions are off")
	}
}
