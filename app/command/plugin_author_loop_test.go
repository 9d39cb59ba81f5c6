package command_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// screen is what a program has printed so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// loop is an author at work: a plugin's folder, `plugin dev` in it, and a platform that takes each build over.
type loop struct {
	*running
	t      *testing.T
	folder string
	screen *screen
}

// save changes the plugin's source.
func (l *loop) save(from, to string) {
	l.t.Helper()
	file := filepath.Join(l.folder, "plugin.go")
	raw, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte(from)) {
		l.t.Fatalf("the skeleton has no %q", from)
	}
	if err := os.WriteFile(file, bytes.Replace(raw, []byte(from), []byte(to), 1), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// waits gives a busy machine the time that a build takes there.
func (l *loop) waits(what string, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if ok() {
			return
		}
	}
	l.t.Fatalf("never: %s; the author reads\n%s", what, l.screen)
}

func (l *loop) says(words string) {
	l.t.Helper()
	l.waits("“"+words+"” on the screen", func() bool { return strings.Contains(l.screen.String(), words) })
}

// served is the version that the platform runs, and its process.
func (l *loop) served(operator string) (version string, pid int) {
	l.t.Helper()
	var list struct {
		Items []struct {
			ID, Version, State string
			PID                int
		}
	}
	l.call(http.MethodGet, l.base+"/api/v1/plugins", operator, nil, &list)
	for _, item := range list.Items {
		if item.ID == "memo" && item.State == "serving" {
			return item.Version, item.PID
		}
	}
	return "", 0
}

func TestEverySaveReachesTheRunningPlatform(t *testing.T) {
	exe := binary(t)
	on := []string{"MINIFLEET_PLUGINS_THIRDPARTY=true", "MINIFLEET_PLUGINS_DEVELOPMENT=true"}
	l := &loop{t: t, folder: newPlugin(t, "memo"), running: startDemo(t, exe, on...), screen: &screen{}}
	dev := exec.Command(exe, "plugin", "dev", "--data", filepath.Join(l.dir, "data"))
	dev.Dir, dev.Env, dev.Stdout, dev.Stderr = l.folder, developing(), l.screen, l.screen
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if dev.ProcessState == nil {
			_ = dev.Process.Kill()
			_ = dev.Wait()
		}
	})
	operator, merchant := l.login("operator@example.test"), l.login("merchant@example.test")
	l.waits("the first build serves", func() bool { version, _ := l.served(operator); return version == "0.1.0" })
	l.says("平台已换上 memo 0.1.0")
	if status := l.call(http.MethodPut, l.base+"/api/v1/plugins/memo/reach", operator, map[string]any{"reach": "all", "version": "0"}, nil); status != http.StatusOK {
		t.Fatalf("opening it: %d", status)
	}
	if status := l.call(http.MethodPost, l.base+"/api/v1/extensions/memo/on", merchant, map[string]any{}, nil); status >= 300 {
		t.Fatalf("switching it on: %d", status)
	}
	tasks := func() int { return l.call(http.MethodGet, l.base+"/api/v1/memo/tasks", merchant, nil, nil) }
	if status := tasks(); status != http.StatusOK {
		t.Fatalf("its list: %d", status)
	}

	l.save(`"0.1.0")`, `"0.1.1")`)
	l.waits("the next build serves", func() bool {
		if status := tasks(); status != http.StatusOK {
			t.Fatalf("in between its list answers %d", status)
		}
		version, _ := l.served(operator)
		return version == "0.1.1"
	})
	l.says("平台已换上 memo 0.1.1")
	_, pid := l.served(operator)
	for _, bad := range []struct{ from, to, says string }{
		{"return p\n", "return q\n", "undefined: q"},
		{`title,事项,text`, `title,事项,string`, `main.Task.Title: unknown column type "string"`},
	} {
		l.save(bad.from, bad.to)
		l.says(bad.says)
		if version, still := l.served(operator); version != "0.1.1" || still != pid || tasks() != http.StatusOK {
			t.Errorf("with %s the platform runs %s in process %d", bad.to, version, still)
		}
		l.save(bad.to, bad.from)
	}
	l.save(`"0.1.1")`, `"0.1.2")`)
	l.waits("the mended build serves", func() bool { version, _ := l.served(operator); return version == "0.1.2" })
	l.says("平台已换上 memo 0.1.2")

	if err := dev.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := dev.Wait(); err != nil {
		t.Errorf("Ctrl+C ended it with %v\n%s", err, l.screen)
	}
	if version, _ := l.served(operator); version != "0.1.2" || tasks() != http.StatusOK {
		t.Errorf("afterwards the platform runs %s", version)
	}
}
