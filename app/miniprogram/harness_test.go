package miniprogram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/miniprogram"
	"minifleet/app/secret"
	"minifleet/app/simulator"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

const (
	platformID = "wx0123456789abcdef"
	shopID     = "wx00000000000000a1"
	cafeID     = "wx00000000000000a2"
)

var binding = component.Binding{AppID: platformID, Secret: "0123456789abcdef0123456789abcdef", Token: "sf_demo_token_01", AESKey: "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM", Name: "示例平台"}

// world is the rooms under test with the simulator as WeChat. Pushes wait in the world until the test hands them over.
type world struct {
	t      *testing.T
	db     *store.DB
	sim    *httptest.Server
	clk    *clock.Offset
	trail  *trail.Log
	parts  *component.Service
	apps   *miniprogram.Service
	public string

	mu     sync.Mutex
	pushes []wechat.Push
	events []string
}

// Announce keeps the types of events.
func (w *world) Announce(_ context.Context, typ, _, appid string, _ int64, _ any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, typ+" "+appid)
	return nil
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, clk: &clock.Offset{}}
	callback := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(callback.Close)
	w.public = callback.URL
	srv := httptest.NewUnstartedServer(nil)
	sim, err := simulator.New(simulator.Options{PublicURL: "http://" + srv.Listener.Addr().String(), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = sim.Handler()
	srv.Start()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		srv.Close()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	w.sim = srv
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	wx := &wechat.Client{BaseURL: srv.URL}
	w.trail = trail.New(db, w.clk)
	w.parts = component.New(db, vault, w.clk, w.trail, wx, w.public)
	w.apps = miniprogram.New(db, vault, w.clk, w.trail, wx, w.parts, w, miniprogram.Options{PublicURL: w.public, PCHost: srv.URL, H5Host: srv.URL})
	w.stage()
	return w
}

// stage binds the platform app on both sides, makes two mini programs and waits for the ticket.
func (w *world) stage() {
	w.t.Helper()
	if _, err := w.parts.Bind(w.t.Context(), merchant(), binding); err != nil {
		w.t.Fatal(err)
	}
	w.control("/control/miniprograms", map[string]any{"appid": shopID, "nick_name": "街角咖啡", "admin": "zhangsan"})
	w.control("/control/miniprograms", map[string]any{"appid": cafeID, "nick_name": "四季花坊", "admin": "lisi"})
	w.control("/control/components", map[string]any{
		"appid": platformID, "name": binding.Name, "secret": binding.Secret, "token": binding.Token, "aes_key": binding.AESKey,
		"ticket_url": w.public + "/ticket", "message_url": w.public + "/message/$APPID$", "auth_domain": strings.TrimPrefix(w.public, "http://"),
	})
	w.deliver("component_verify_ticket")
}

func (w *world) control(path string, body map[string]any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.sim.URL+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("%s: %d %s %v", path, res.StatusCode, answer, err)
	}
	return out
}

// receive decrypts a push and keeps it.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	env, err := wechat.ParseEnvelope(body)
	if err != nil {
		w.t.Error(err)
	}
	crypter, err := wechat.NewCrypter(platformID, []string{binding.Token}, []string{binding.AESKey})
	if err != nil {
		w.t.Error(err)
		return
	}
	msg, err := crypter.Decrypt(env.Encrypt)
	if err != nil {
		w.t.Error(err)
	}
	kind := wechat.TicketURL
	if strings.HasPrefix(r.URL.Path, "/message/") {
		kind = wechat.MessageURL
	}
	push, err := wechat.ParsePush(kind, msg)
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	w.pushes = append(w.pushes, push)
	w.mu.Unlock()
	_, _ = io.WriteString(rw, "success")
}

// take waits for a push of the type and takes it out of the post.
func (w *world) take(typ string) wechat.Push {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		for i, p := range w.pushes {
			if p.Type() == typ {
				w.pushes = append(w.pushes[:i], w.pushes[i+1:]...)
				w.mu.Unlock()
				return p
			}
		}
		w.mu.Unlock()
	}
	w.t.Fatalf("no push %s came", typ)
	return wechat.Push{}
}

// deliver hands the next push of the type to the rooms.
func (w *world) deliver(typ string) {
	w.t.Helper()
	w.hand(w.take(typ))
}

func (w *world) hand(p wechat.Push) {
	w.t.Helper()
	var err error
	switch p.Type() {
	case "component_verify_ticket":
		err = w.parts.SaveTicket(w.t.Context(), platformID, p.Fields["ComponentVerifyTicket"], p.CreateTime)
	case "unauthorized":
		err = w.apps.OnUnauthorized(w.t.Context(), platformID, p.Fields["AuthorizerAppid"], p.CreateTime)
	default:
		err = w.apps.OnAuthorized(w.t.Context(), platformID, p.Fields["AuthorizationCode"], p.Fields["PreAuthCode"], p.CreateTime)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", p.Type(), err)
	}
}

func (w *world) ticket(who account.Actor) miniprogram.Ticket {
	w.t.Helper()
	t, err := w.apps.CreateTicket(w.t.Context(), who, miniprogram.TicketRequest{Component: platformID})
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// scan opens the ticket's page and lets the administrator confirm. It gives the address the browser is sent back to.
func (w *world) scan(t miniprogram.Ticket, appid string, untick ...int) *url.URL {
	w.t.Helper()
	links, err := w.apps.Links(w.t.Context(), t.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	body := map[string]any{"url": links.H5, "appid": appid, "action": "confirm"}
	if len(untick) > 0 {
		body["untick"] = untick
	}
	back, err := url.Parse(fmt.Sprint(w.control("/control/scan", body)["redirect_to"]))
	if err != nil {
		w.t.Fatal(err)
	}
	return back
}

// comeBack is the browser's return.
func (w *world) comeBack(back *url.URL) (miniprogram.Ticket, error) {
	return w.apps.Return(w.t.Context(), strings.TrimPrefix(back.Path, "/auth/return/"), back.Query().Get("auth_code"))
}

func (w *world) state(id string) miniprogram.Ticket {
	w.t.Helper()
	t, err := w.apps.Ticket(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// exchanges counts how often WeChat was asked to exchange a code.
func (w *world) calls(path string) int {
	w.t.Helper()
	res, err := http.Get(w.sim.URL + "/control/calls?limit=200&path=" + url.QueryEscape(path))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct{ Total int }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	return out.Total
}

func merchant() account.Actor {
	return account.Actor{AccountID: 1, SpaceID: 7, Name: "商户", Role: account.RoleOwner, SpaceKind: account.Merchant}
}

func user(n int64) account.Actor {
	return account.Actor{AccountID: 100 + n, SpaceID: 1000 + n, Name: "用户", Role: account.RoleOwner, SpaceKind: account.Personal}
}
