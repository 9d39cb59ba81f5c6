package command_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/wechat"
)

// TestKeysRotateWhilePushesAreForwarded binds a platform app, has its pushes told to a server, rotates its keys under
// them, and looks at every page of it.
func TestKeysRotateWhilePushesAreForwarded(t *testing.T) {
	d := startDemo(t, binary(t))
	merchant := d.login("merchant@example.test")
	const oldToken, oldKey = "sf_demo_token_01", "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	const newToken, newKey = "next_token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" // its last letter carries spare bits
	api := d.base + "/api/v1"
	must := func(method, path string, body, out any, want int) {
		t.Helper()
		if status := d.call(method, api+path, merchant, body, out); status != want {
			t.Fatalf("%s %s: %d, want %d", method, path, status, want)
		}
	}
	must(http.MethodPost, "/components", map[string]any{"appid": walkApp, "secret": walkSecret, "token": oldToken, "aes_key": oldKey, "name": "Rotation"}, nil, http.StatusCreated)
	var mu sync.Mutex
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
	}))
	defer receiver.Close()
	arrived := func(what string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(strings.Join(got, "\n"), what)
		}
	}
	var forward struct{ ID, Secret string }
	must(http.MethodPost, "/forwards", map[string]any{"component": walkApp, "name": "Orders", "url": receiver.URL + "/$APPID$", "form": "json", "types": []string{"*"}}, &forward, http.StatusCreated)
	crypter := func(token, key string) *wechat.Crypter {
		c, err := wechat.NewCrypter(walkApp, []string{token}, []string{key})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	n := 0
	send := func(token, key string) int {
		n++
		return push(t, d, crypter(token, key), token, fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>notify_load</InfoType><n>push-%d</n></xml>", walkApp, time.Now().Unix(), n))
	}
	if status := send(oldToken, oldKey); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}
	var turned struct {
		RotatedAt      int64 `json:"rotated_at"`
		PreviousUsedAt int64 `json:"previous_used_at"`
	}
	must(http.MethodPost, "/components/"+walkApp+"/keys", map[string]any{"token": newToken, "aes_key": newKey}, &turned, http.StatusOK)
	if turned.RotatedAt == 0 {
		t.Error("no rotation is under way")
	}
	for name, pair := range map[string][2]string{"new": {newToken, newKey}, "previous": {oldToken, oldKey}, "mixed": {oldToken, newKey}} {
		if status := send(pair[0], pair[1]); status != http.StatusOK {
			t.Errorf("%s pair while rotating: %d", name, status)
		}
	}
	d.eventually("the use of the previous keys to be told", func() bool {
		must(http.MethodGet, "/components/"+walkApp, nil, &turned, http.StatusOK)
		return turned.PreviousUsedAt > 0
	})
	d.eventually("the forwarded pushes", arrived("push-4"))
	p := sit(t, startBrowser(t), "merchant", 1366, d.base, d.listen, d.simAt)
	p.open("/login")
	p.login("merchant@example.test", "/")
	lookAt(t, p, "/admin/components/"+walkApp+"/keys")
	must(http.MethodDelete, "/components/"+walkApp+"/keys/previous", nil, nil, http.StatusOK)
	if old, fresh := send(oldToken, oldKey), send(newToken, newKey); old != http.StatusBadRequest || fresh != http.StatusOK {
		t.Errorf("after the end: previous %d, current %d", old, fresh)
	}
	var lines struct {
		Items []struct{ Name, State string }
	}
	must(http.MethodGet, "/components/"+walkApp+"/release-check", nil, &lines, http.StatusOK)
	if len(lines.Items) != 5 {
		t.Errorf("%+v", lines)
	}
	var log struct{ Items []struct{ ID string } }
	must(http.MethodGet, "/forwards/"+forward.ID+"/attempts", nil, &log, http.StatusOK)
	if len(log.Items) < 4 {
		t.Fatalf("%d tries", len(log.Items))
	}
	base := "/admin/forwards/" + forward.ID
	lookAt(t, p, "/admin/components/"+walkApp+"/keys", "/admin/components/"+walkApp, "/admin/forwards", "/admin/forwards/new", base, base+"/edit", base+"/attempts/"+log.Items[0].ID)
}

// lookAt inspects pages in both themes, widths and languages.
func lookAt(t *testing.T, p *person, addresses ...string) {
	t.Helper()
	axe := string(readAll(t, filepath.Join("..", "..", "resource", "web", "node_modules", "axe-core", "axe.min.js")))
	p.shots = filepath.Join("..", "..", ".artifacts", "pages")
	if err := os.MkdirAll(p.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		for _, gripe := range p.inspect(address, axe) {
			t.Errorf("%s: %s", address, gripe)
		}
	}
}
