package plugin_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func eventually(t testing.TB, what string, within time.Duration, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within %s", what, within)
}

// running tells whether a process exists and is no zombie.
func running(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	return after != "" && after[0] != 'Z'
}

func TestAKilledPluginIsRestartedAndCallersLearnAtOnce(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	before := h.Status()[0]
	slow := make(chan error, 1)
	go func() {
		_, err := h.get(t, ada, "/slow")
		slow <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	wantKind(t, <-slow, fault.Unavailable)
	if took := time.Since(killed); took > 5*time.Second {
		t.Errorf("the running call learned of the death after %s", took)
	}
	eventually(t, "the host sees the death", 20*time.Second, func() bool { return h.Status()[0].State != plugin.Serving })
	fastest := time.Hour // of a few, so that a busy machine does not count as a slow host
	for range 5 {
		asked := time.Now()
		_, err := h.get(t, account.Actor{}, "/hello/x")
		fastest = min(fastest, time.Since(asked))
		if failure := wantKind(t, err, fault.Unavailable); !strings.Contains(failure.Message, "正在重新启动") {
			t.Errorf("message %q does not tell what to do", failure.Message)
		}
	}
	if fastest > 10*time.Millisecond {
		t.Errorf("a call while the plugin is down took %s, want less than 10 ms", fastest)
	}
	if _, err := h.post(t, ada, "peer", "/publish", command{}); err != nil {
		t.Errorf("the neighbour suffers: %v", err)
	}
	h.ready(t)
	after := h.Status()[0]
	if after.PID == before.PID || after.Restarts != 1 || after.LastError == "" {
		t.Errorf("after the restart: %+v", after)
	}
	if _, err := h.get(t, account.Actor{}, "/hello/x"); err != nil {
		t.Error(err)
	}
}

func TestAnOperatorsRestartLetsRunningCallsEnd(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	before := h.Status()[0].PID
	slow := make(chan error, 1)
	go func() {
		_, err := h.get(t, ada, "/nap")
		slow <- err
	}()
	eventually(t, "the slow call runs", 30*time.Second, func() bool { return h.Status()[0].Calls == 1 })
	if err := h.Restart(t.Context(), "notes"); err != nil {
		t.Fatal(err)
	}
	after := h.Status()[0]
	if after.State != plugin.Serving || after.PID == before || after.Restarts != 0 {
		t.Errorf("after the restart: %+v", after)
	}
	if err := <-slow; err != nil {
		t.Errorf("the call that ran in the old process: %v", err)
	}
	eventually(t, "the old process is gone", 30*time.Second, func() bool { return !running(before) })
	if h.Restart(t.Context(), "nobody") == nil {
		t.Error("restarting an unknown plugin succeeded")
	}
}

func TestABadBuildIsRefusedAndTheOldOneKeepsServing(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	before := h.Status()[0]
	for _, bad := range [][]string{{"/bin/false"}, argv("liar"), {"/nowhere/at/all"}} {
		if failure := wantKind(t, h.Upgrade(t.Context(), "notes", bad), fault.Unavailable); !strings.Contains(failure.Message, "原来的继续服务") {
			t.Errorf("%v is refused with %q", bad, failure.Message)
		}
		if _, err := h.get(t, account.Actor{}, "/hello/x"); err != nil {
			t.Errorf("after %v: %v", bad, err)
		}
	}
	after := h.Status()[0]
	if after.PID != before.PID || after.State != plugin.Serving || after.Restarts != 0 {
		t.Errorf("after three bad builds: %+v", after)
	}
	last := after.History[len(after.History)-1]
	if last.State != plugin.Serving || !strings.Contains(last.Note, "/nowhere/at/all") {
		t.Errorf("the history ends with %+v", last)
	}
	if err := h.Restart(t.Context(), "notes"); err != nil {
		t.Errorf("a good build after bad ones: %v", err)
	}
}

func TestNoCallFailsWhileProcessesTakeOver(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var made, failed atomic.Int64
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, err := h.get(t, account.Actor{}, "/hello/x"); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				made.Add(1)
			}
		})
	}
	for range 5 {
		was := made.Load()
		if err := h.Restart(t.Context(), "notes"); err != nil {
			t.Error(err)
		}
		eventually(t, "calls go on", 30*time.Second, func() bool { return made.Load() > was+16 || failed.Load() > 0 })
	}
	stop()
	callers.Wait()
	if failed.Load() > 0 || made.Load() < 80 {
		t.Errorf("%d of %d calls failed", failed.Load(), made.Load())
	}
}

func TestAPluginThatCrashesAtStartBacksOffAndSaysWhy(t *testing.T) {
	db := storetest.Open(t)
	h := newHouse(t, db)
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: "broken", Argv: []string{"/bin/false"}}, {ID: "liar", Argv: argv("liar")}}
	host, err := plugin.New(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for i := range 2 {
		eventually(t, "some restarts", 30*time.Second, func() bool { return host.Status()[i].Restarts >= 3 })
	}
	statuses := host.Status()
	if !strings.Contains(statuses[1].LastError, `calls itself "honest"`) {
		t.Errorf("the liar's error is %q", statuses[1].LastError)
	}
	if statuses[0].Restarts > 8 {
		t.Errorf("%d restarts: no backoff", statuses[0].Restarts)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if host.Ready(ctx) == nil || host.Healthy() == nil {
		t.Error("a broken plugin counts as ready")
	}
	_, err = host.Serve(t.Context(), ada, plugin.Request{Plugin: "broken", Frame: "portal", Method: http.MethodGet, Path: "/"})
	wantKind(t, err, fault.Unavailable)
}

func TestStopLeavesNoProcessAndNoSocket(t *testing.T) {
	base := filepath.Join(os.TempDir(), "mf"+strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(base, 0o700); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(base) }()
	db := storetest.Open(t)
	h := newHouse(t, db)
	options := h.hostOptions()
	options.SocketBase = base
	options.Plugins = []plugin.First{{ID: "notes", Argv: argv("notes")}, {ID: "peer", Argv: argv("peer")}}
	host, err := plugin.New(options)
	if err != nil {
		t.Fatal(err)
	}
	h.Host = host
	if err := host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.ready(t)
	var pids []int
	for _, status := range host.Status() {
		pids = append(pids, status.PID)
	}
	began := time.Now()
	if err := host.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("stopping took %s", took)
	}
	for _, pid := range pids {
		if running(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) != 0 {
		t.Errorf("left in the socket folder: %v, %v", left, err)
	}
}

// hostProcess is a host in a process of its own, for the test that kills it. It prints its children's pids.
func hostProcess(dir string) {
	db, err := store.Open(context.Background(), store.Options{Dialect: store.SQLite, Path: filepath.Join(dir, "host.db")})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	if err := db.Migrate(context.Background()); err != nil {
		fmt.Println("error", err)
		return
	}
	h := &house{db: db, core: &core{db: db}}
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: "notes", Argv: argv("notes")}, {ID: "peer", Argv: argv("peer")}}
	host, err := plugin.New(options)
	if err == nil {
		err = host.Start(context.Background())
	}
	if err == nil {
		err = host.Ready(context.Background())
	}
	if err != nil {
		fmt.Println("error", err)
		return
	}
	for _, status := range host.Status() {
		fmt.Println("pid", status.PID)
	}
	fmt.Println("ready")
	select {}
}

func TestNoChildOutlivesAHostKilledByForce(t *testing.T) {
	host := exec.Command(os.Args[0], "hostprocess", t.TempDir())
	host.Stderr = os.Stderr
	output, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var children []int
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "ready" {
		word, number, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(number)
		if word != "pid" || err != nil {
			t.Fatalf("host said %q", lines.Text())
		}
		children = append(children, pid)
	}
	if len(children) != 2 {
		t.Fatalf("host has children %v", children)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // killed: an error by nature
	for _, pid := range children {
		eventually(t, fmt.Sprintf("child %d is gone", pid), 2*time.Second, func() bool { return !running(pid) })
	}
}
