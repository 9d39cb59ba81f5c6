package command_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const demoPassword = "walk-Passw0rd-1"

// running is a demo in processes of its own, as `make demo` starts it.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	base, sim, dir string
	listen, simAt  string
	environ        []string
}

// binary is the product as built by make, or built here.
func binary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a whole demo in processes of its own: part of `make test`, not of `make check`")
	}
	if path := os.Getenv("MINIFLEET_TEST_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "minifleet")
	cmd := exec.Command("go", "build", "-o", path, "../..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// startDemo starts a demo on fresh data and waits for its last line.
func startDemo(t *testing.T, exe string, environ ...string) *running {
	t.Helper()
	d := &running{t: t, dir: t.TempDir(), listen: freePort(t), simAt: freePort(t), environ: environ}
	d.base, d.sim = "http://"+d.listen, "http://"+d.simAt
	d.start(exe)
	t.Cleanup(d.stop)
	return d
}

func (d *running) start(exe string) {
	d.t.Helper()
	d.cmd = exec.Command(exe, "demo", "--data", filepath.Join(d.dir, "data"), "--listen", d.listen, "--simulator", d.simAt)
	d.cmd.Dir = d.dir
	d.cmd.Env = append(append(os.Environ(), d.environ...), "MINIFLEET_DEMO_PASSWORD="+demoPassword)
	var errs bytes.Buffer
	d.cmd.Stderr = &errs
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "ready") {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			log, _ := os.ReadFile(filepath.Join(d.dir, "data", "minifleet.log"))
			d.t.Fatalf("the demo ended: %s\n%.3000s", errs.String(), log)
		}
	case <-time.After(90 * time.Second):
		d.t.Fatalf("the demo is not ready after 90 s: %s", errs.String())
	}
}

func (d *running) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Error(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil || time.Since(began) > 10*time.Second {
			d.t.Errorf("SIGTERM: %v after %v, want exit 0 within 10 s", err, time.Since(began))
		}
	case <-time.After(15 * time.Second):
		d.t.Error("the demo does not end")
		_ = d.cmd.Process.Kill()
		<-ended
	}
}

// call makes one JSON call and gives the answer; token may be empty.
func (d *running) call(method, address, token string, in, out any) int {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, address, body)
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			d.t.Fatalf("%s %s: %d %.500s: %v", method, address, res.StatusCode, raw, err)
		}
	}
	return res.StatusCode
}

// control makes one call of the simulator's control API that must succeed.
func (d *running) control(path string, in, out any) {
	d.t.Helper()
	method := http.MethodPost
	if in == nil {
		method = http.MethodGet
	}
	var answer json.RawMessage
	if status := d.call(method, d.sim+path, "", in, &answer); status >= 300 {
		d.t.Fatalf("%s: %d %s", path, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			d.t.Fatal(err)
		}
	}
}

// login gives a token of one of the demo's people.
func (d *running) login(who string) string {
	d.t.Helper()
	var out struct{ Token string }
	if status := d.call(http.MethodPost, d.base+"/api/v1/sessions", "", map[string]string{"login": who, "password": demoPassword}, &out); status != http.StatusCreated {
		d.t.Fatalf("login of %s: %d", who, status)
	}
	return out.Token
}

// eventually waits for something to become true.
func (d *running) eventually(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	d.t.Fatalf("never: %s", what)
}
