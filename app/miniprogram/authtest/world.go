// Package authtest sets the rooms component and miniprogram against the simulator as WeChat, for tests of whatever
// needs an authorised mini program. Pushes wait in the World until the test hands them over.
package authtest

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

// The appids of the stage.
const (
	PlatformID = "wx0123456789abcdef"
	ShopID     = "wx00000000000000a1"
	CafeID     = "wx00000000000000a2"
)

var binding = component.Binding{AppID: PlatformID, Secret: "0123456789abcdef0123456789abcdef", Token: "sf_demo_token_01", AESKey: "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM", Name: "示例平台"}

// World is the rooms with the simulator.
type World struct {
	DB         *store.DB
	Sim        *httptest.Server
	Clock      *clock.Offset
	Trail      *trail.Log
	WeChat     *wechat.Client
	Components *component.Service
	Apps       *miniprogram.Service
	Public     string
	Events     []string // type and AppID of what was announced

	t      testing.TB
	vault  *secret.Vault
	mu     sync.Mutex
	pushes []wechat.Push
}

// Announce keeps the types of events.
func (w *World) Announce(_ context.Context, typ, _, appid string, _ int64, _ any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Events = append(w.Events, typ+" "+appid)
	return nil
}

// New stages two mini programs and a bound platform app that has its ticket.
func New(t testing.TB, db *store.DB) *World {
	t.Helper()
	w := &World{t: t, DB: db, Clock: &clock.Offset{}}
	callback := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(callback.Close)
	w.Public = callback.URL
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
	w.Sim = srv
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault
	w.WeChat = &wechat.Client{BaseURL: srv.URL}
	w.Trail = trail.New(db, w.Clock)
	w.Components = component.New(db, vault, w.Clock, w.Trail, w.WeChat, w.Public)
	w.Apps = miniprogram.New(db, vault, w.Clock, w.Trail, w.WeChat, w.Components, w, miniprogram.Options{PublicURL: w.Public, PCHost: srv.URL, H5Host: srv.URL})
	w.stage()
	return w
}

// Replica is the room of another process on the same database.
func (w *World) Replica(o miniprogram.Options) *miniprogram.Service {
	return miniprogram.New(w.DB, w.vault, w.Clock, w.Trail, w.WeChat, w.Components, w, o)
}

// stage binds the platform app on both sides, makes two mini programs and waits for the ticket.
func (w *World) stage() {
	w.t.Helper()
	if _, err := w.Components.Bind(w.t.Context(), Merchant(), binding); err != nil {
		w.t.Fatal(err)
	}
	w.Control("/control/miniprograms", map[string]any{"appid": ShopID, "nick_name": "街角咖啡", "admin": "zhangsan"})
	w.Control("/control/miniprograms", map[string]any{"appid": CafeID, "nick_name": "四季花坊", "admin": "lisi"})
	w.Control("/control/components", map[string]any{
		"appid": PlatformID, "name": binding.Name, "secret": binding.Secret, "token": binding.Token, "aes_key": binding.AESKey,
		"ticket_url": w.Public + "/ticket", "message_url": w.Public + "/message/$APPID$", "auth_domain": strings.TrimPrefix(w.Public, "http://"),
	})
	w.Deliver("component_verify_ticket")
}

// Control makes a call of the simulator's control API.
func (w *World) Control(path string, body map[string]any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.Sim.URL+path, "application/json", bytes.NewReader(raw))
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
func (w *World) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	env, err := wechat.ParseEnvelope(body)
	if err != nil {
		w.t.Error(err)
	}
	crypter, err := wechat.NewCrypter(PlatformID, []string{binding.Token}, []string{binding.AESKey})
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

// Take waits for a push of the type and takes it out of the post.
func (w *World) Take(typ string) wechat.Push {
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

// Deliver hands the next push of the type to the rooms.
func (w *World) Deliver(typ string) {
	w.t.Helper()
	w.Hand(w.Take(typ))
}

// Hand gives a push to the rooms.
func (w *World) Hand(p wechat.Push) {
	w.t.Helper()
	var err error
	switch p.Type() {
	case "component_verify_ticket":
		err = w.Components.SaveTicket(w.t.Context(), PlatformID, p.Fields["ComponentVerifyTicket"], p.CreateTime)
	case "unauthorized":
		err = w.Apps.OnUnauthorized(w.t.Context(), PlatformID, p.Fields["AuthorizerAppid"], p.CreateTime)
	default:
		err = w.Apps.OnAuthorized(w.t.Context(), PlatformID, p.Fields["AuthorizationCode"], p.Fields["PreAuthCode"], p.CreateTime)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", p.Type(), err)
	}
}

// Ticket opens a request of the actor.
func (w *World) Ticket(who account.Actor) miniprogram.Ticket {
	w.t.Helper()
	t, err := w.Apps.CreateTicket(w.t.Context(), who, miniprogram.TicketRequest{Component: PlatformID})
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// Scan opens the ticket's page and lets the administrator confirm. It gives the address the browser is sent back to.
func (w *World) Scan(t miniprogram.Ticket, appid string, untick ...int) *url.URL {
	w.t.Helper()
	links, err := w.Apps.Links(w.t.Context(), t.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	body := map[string]any{"url": links.H5, "appid": appid, "action": "confirm"}
	if len(untick) > 0 {
		body["untick"] = untick
	}
	back, err := url.Parse(fmt.Sprint(w.Control("/control/scan", body)["redirect_to"]))
	if err != nil {
		w.t.Fatal(err)
	}
	return back
}

// ComeBack is the browser's return.
func (w *World) ComeBack(back *url.URL) (miniprogram.Ticket, error) {
	return w.Apps.Return(w.t.Context(), strings.TrimPrefix(back.Path, "/auth/return/"), back.Query().Get("auth_code"))
}

// State reads a ticket.
func (w *World) State(id string) miniprogram.Ticket {
	w.t.Helper()
	t, err := w.Apps.Ticket(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// Calls counts the calls that WeChat received on a path.
func (w *World) Calls(path string) int {
	w.t.Helper()
	res, err := http.Get(w.Sim.URL + "/control/calls?limit=200&path=" + url.QueryEscape(path))
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

// Merchant owns the platform app.
func Merchant() account.Actor {
	return account.Actor{AccountID: 1, SpaceID: 7, Name: "商户", Role: account.RoleOwner, SpaceKind: account.Merchant}
}

// User is the n-th ordinary user.
func User(n int64) account.Actor {
	return account.Actor{AccountID: 100 + n, SpaceID: 1000 + n, Name: "用户", Role: account.RoleOwner, SpaceKind: account.Personal}
}
