package command_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// emptyHouse is `minifleet serve` on an empty database, with what it prints.
type emptyHouse struct {
	t       *testing.T
	exe     string
	dir     string
	base    string
	listen  string
	cmd     *exec.Cmd
	out, er lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (h *emptyHouse) start() {
	h.t.Helper()
	h.out, h.er = lockedBuffer{}, lockedBuffer{}
	h.cmd = exec.Command(h.exe, "serve", "--data", filepath.Join(h.dir, "data"), "--listen", h.listen)
	h.cmd.Dir, h.cmd.Env = h.dir, []string{}
	h.cmd.Stdout, h.cmd.Stderr = &h.out, &h.er
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if strings.Contains(h.er.String(), "msg=ready") {
			return
		}
	}
	h.t.Fatalf("not ready:\n%s", h.er.String())
}

func (h *emptyHouse) stop() {
	h.t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	if err := h.cmd.Wait(); err != nil {
		h.t.Fatalf("serve ended with %v:\n%s", err, h.er.String())
	}
}

var setupAddress = regexp.MustCompile(`http://\S+/setup\?token=\S+`)

func (h *emptyHouse) address() string {
	h.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if found := setupAddress.FindString(h.out.String()); found != "" {
			return found
		}
	}
	h.t.Fatalf("no setup address was printed:\n%s\n%s", h.out.String(), h.er.String())
	return ""
}

func fetch(t *testing.T, c *http.Client, method, address string, form url.Values) (int, string, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://"+req.URL.Host)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header.Get("Location")
}

// TestAnEmptyInstallationIsSetUpOverHTTP starts the built binary on nothing, as somebody does after the download.
func TestAnEmptyInstallationIsSetUpOverHTTP(t *testing.T) {
	h := &emptyHouse{t: t, exe: binary(t), dir: t.TempDir(), listen: freePort(t)}
	h.base = "http://" + h.listen
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	h.start()
	defer func() {
		if h.cmd.ProcessState == nil {
			h.stop()
		}
	}()
	first := h.address()
	if strings.Count(h.er.String(), first) != 1 {
		t.Errorf("the address stands %d times in the log", strings.Count(h.er.String(), first))
	}
	for _, path := range []string{"/", "/market", "/login", "/register", "/admin", "/my/miniprograms"} {
		if status, _, to := fetch(t, c, http.MethodGet, h.base+path, nil); status != http.StatusSeeOther || to != "/setup" {
			t.Errorf("%s: %d to %q", path, status, to)
		}
	}
	if status, body, _ := fetch(t, c, http.MethodGet, h.base+"/api/v1/me", nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "setup_required") {
		t.Errorf("REST: %d %s", status, body)
	}
	if status, body, _ := fetch(t, c, http.MethodGet, h.base+"/setup", nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "尚未完成初始化") || strings.Contains(body, "setup-form") {
		t.Errorf("the page without a token: %d\n%s", status, body)
	}
	if status, _, _ := fetch(t, c, http.MethodGet, h.base+"/healthz", nil); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	h.stop()
	if data, err := os.ReadFile(filepath.Join(h.dir, "data", "minifleet.db")); err != nil || strings.Contains(string(data), first[strings.Index(first, "=")+1:]) {
		t.Errorf("the token is in the database, or the database cannot be read: %v", err)
	}
	h.start()
	second := h.address()
	if second == first {
		t.Error("a new start gave the same address")
	}
	if status, body, _ := fetch(t, c, http.MethodGet, second, nil); status != http.StatusOK || !strings.Contains(body, "setup-form") || !strings.Contains(body, "两个地址一致") {
		t.Fatalf("the setup page: %d\n%s", status, body)
	}
	token := second[strings.Index(second, "=")+1:]
	form := url.Values{"token": {token}, "name": {"林站长"}, "login": {"chief@example.test"}, "password": {"short"}, "again": {"short"}}
	if status, body, _ := fetch(t, c, http.MethodPost, h.base+"/setup", form); status != http.StatusBadRequest || !strings.Contains(body, "密码至少 10 位") || !strings.Contains(body, "chief@example.test") {
		t.Fatalf("a short password: %d\n%s", status, body)
	}
	form["password"], form["again"] = []string{"a-long-setup-pass-1"}, []string{"a-long-setup-pass-1"}
	if status, body, to := fetch(t, c, http.MethodPost, h.base+"/setup", form); status != http.StatusSeeOther || to != "/admin" {
		t.Fatalf("setup: %d to %q\n%s", status, to, body)
	}
	if status, body, _ := fetch(t, c, http.MethodGet, h.base+"/admin", nil); status != http.StatusOK || !strings.Contains(body, "工作台") {
		t.Fatalf("the back office after setup: %d\n%.2000s", status, body)
	}
	for _, address := range []string{second, h.base + "/setup"} {
		if status, _, _ := fetch(t, c, http.MethodGet, address, nil); status != http.StatusNotFound {
			t.Errorf("%s after setup: %d", address, status)
		}
	}
	if status, _, _ := fetch(t, c, http.MethodPost, h.base+"/setup", form); status != http.StatusNotFound {
		t.Errorf("a second submit: %d", status)
	}
	h.stop()
	if out, err := exec.Command(h.exe, "operator", "add", "rescue@example.test", "--data", filepath.Join(h.dir, "data")).CombinedOutput(); err != nil || !strings.Contains(string(out), "密码 ") {
		t.Fatalf("operator add: %v\n%s", err, out)
	} else {
		form = url.Values{"login": {"rescue@example.test"}, "password": {regexp.MustCompile(`密码 (\S+?)（`).FindStringSubmatch(string(out))[1]}}
	}
	h.start()
	if status, body, to := fetch(t, c, http.MethodPost, h.base+"/login", form); status != http.StatusSeeOther || to != "/admin" {
		t.Fatalf("the rescued login: %d to %q\n%.2000s", status, to, body)
	}
	if found := setupAddress.FindString(h.out.String() + h.er.String()); found != "" {
		t.Errorf("a start with an operator printed %s", found)
	}
	h.stop()
}
