package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// simulatorProcess is `minifleet simulator` as a process of its own.
type simulatorProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	log  bytes.Buffer
}

func startSimulatorProcess(t *testing.T, exe string, args ...string) *simulatorProcess {
	t.Helper()
	listen := port(t)
	p := &simulatorProcess{t: t, base: "http://" + listen, cmd: exec.Command(exe, append([]string{"simulator", "--listen", listen}, args...)...)}
	p.cmd.Env, p.cmd.Stderr = []string{}, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(p.base + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return p
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the simulator is not ready: %s", p.log.String())
		}
	}
}

// kill is kill -9.
func (p *simulatorProcess) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// call is one JSON call; the answer as it came.
func (p *simulatorProcess) call(method, path string, in any) (string, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(method, p.base+path, bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, body)
	}
	return string(body), nil
}

func (p *simulatorProcess) must(method, path string, in any) string {
	p.t.Helper()
	out, err := p.call(method, path, in)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func TestAKilledSimulatorHasEverythingItAcknowledged(t *testing.T) {
	exe, data := executable(t), t.TempDir()
	p := startSimulatorProcess(t, exe, "--data", data)
	p.must("POST", "/control/clock", map[string]any{"frozen": true})
	p.must("POST", "/control/clock", map[string]any{"advance_seconds": 86400})
	clock := p.must("GET", "/control/clock", nil)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var writers sync.WaitGroup
	for n := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				appid := fmt.Sprintf("wx%04x%012x", n, i)
				if _, err := p.call("POST", "/control/miniprograms", map[string]any{"appid": appid, "nick_name": "店", "admin": "zhangsan"}); err != nil {
					return // killed
				}
				mu.Lock()
				acknowledged[appid] = true
				mu.Unlock()
			}
		})
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		enough := len(acknowledged) >= 200
		mu.Unlock()
		if enough {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d mini programs in a minute", len(acknowledged))
		}
	}
	p.kill() // in the middle of their writing
	writers.Wait()
	again := startSimulatorProcess(t, exe, "--data", data)
	kept := again.must("GET", "/control/miniprograms", nil)
	for appid := range acknowledged {
		if !strings.Contains(kept, appid) {
			t.Errorf("%s was acknowledged and is gone", appid)
		}
	}
	if now := again.must("GET", "/control/clock", nil); field(t, now, "now_ms") != field(t, clock, "now_ms") || field(t, now, "frozen") != true {
		t.Errorf("the clock stood at %s and is %s", clock, now)
	}
	t.Logf("%d acknowledged before the kill", len(acknowledged))
}

func field(t *testing.T, raw, key string) any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatal(err)
	}
	return out[key]
}

func TestTwoSimulatorsWithOneSeedGiveTheSameIdsAndTimes(t *testing.T) {
	exe := executable(t)
	play := func(seed string) string {
		p := startSimulatorProcess(t, exe, "--seed", seed)
		var said strings.Builder
		for _, c := range []struct {
			method, path string
			in           map[string]any
		}{
			{"POST", "/control/components", map[string]any{"appid": "wx00000000000000c1", "name": "平台", "token": "abc", "ticket_url": "http://receiver.simulator/t"}},
			{"POST", "/control/miniprograms", map[string]any{"nick_name": "没有指定 AppID", "admin": "zhangsan"}},
			{"POST", "/control/clock", map[string]any{"advance_seconds": 7200}},
			{"POST", "/control/drafts", map[string]any{"component_appid": "wx00000000000000c1", "user_version": "1.0.0"}},
			{"POST", "/control/tokens", map[string]any{"component_appid": "wx00000000000000c1"}},
			{"POST", "/wxa/commit?access_token=none", map[string]any{"template_id": 0}},
			{"GET", "/control/clock", nil},
			{"GET", "/control/miniprograms", nil},
			{"GET", "/control/calls", nil},
		} {
			out := p.must(c.method, c.path, c.in)
			if c.path == "/control/clock" { // offset_ms is against the wall clock of the moment
				out = fmt.Sprint(field(t, out, "now_ms"), field(t, out, "frozen"))
			}
			said.WriteString(out + "\n")
		}
		return strings.ReplaceAll(said.String(), p.base, "")
	}
	first, second := play("7"), play("7")
	if first != second {
		t.Errorf("two runs with one seed differ:\n%s\n%s", first, second)
	}
	if play("8") == first {
		t.Error("another seed gives the same ids")
	}
}
