package notice_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// receiver is the other side of a webhook.
type receiver struct {
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	status int
	server *httptest.Server
	during func() // while a request is being answered
}

func receive(t *testing.T) *receiver {
	r := &receiver{status: 200}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.bodies = append(r.got, req), append(r.bodies, string(body))
		if r.during != nil {
			r.during()
		}
		if r.status == 302 {
			w.Header().Set("Location", "http://169.254.169.254/")
		}
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, strings.Repeat("答", 5000))
	}))
	t.Cleanup(r.server.Close)
	return r
}

func (h house) create(url string, events ...string) (notice.Webhook, string) {
	h.t.Helper()
	hook, secret, err := h.CreateWebhook(h.t.Context(), h.actor(owner), notice.WebhookForm{Name: "值班", URL: url, Events: events, Enabled: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return hook, secret
}

func (h house) attempts(id int64) []notice.Attempt {
	h.t.Helper()
	list, _, err := h.Deliveries(h.t.Context(), h.actor(owner), id, 0, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func TestAWebhookIsToldWithASignatureThatFits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, r := open(t, db), receive(t)
		hook, secret := h.create(r.server.URL+"/hook", notice.AuditRejected)
		h.send(notice.Message{Event: notice.AuditRejected, SpaceID: mine, AppID: "wx1", Title: "驳回", Link: "/admin/x"})
		h.send(notice.Message{Event: notice.AuditPassed, SpaceID: mine, Title: "通过"})
		h.send(notice.Message{Event: notice.AuditRejected, SpaceID: others, Title: "别人的驳回"})
		h.work()
		if len(r.got) != 1 {
			t.Fatalf("%d requests: %q", len(r.got), r.bodies)
		}
		req, body := r.got[0], r.bodies[0]
		stamp, mac, _ := strings.Cut(strings.TrimPrefix(req.Header.Get("MiniFleet-Signature"), "t="), ",v1=")
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write([]byte(stamp + "." + body))
		if hex.EncodeToString(sum.Sum(nil)) != mac {
			t.Errorf("signature %q does not fit", req.Header.Get("MiniFleet-Signature"))
		}
		var said struct{ ID, Event, Title, Link, AppID string }
		if err := json.Unmarshal([]byte(body), &said); err != nil || said.Event != notice.AuditRejected || said.Title != "驳回" || said.AppID != "wx1" || said.Link != "https://mf.example.test/admin/x" || said.ID != req.Header.Get("MiniFleet-Id") {
			t.Errorf("%s %v", body, err)
		}
		log := h.attempts(hook.ID)
		if len(log) != 1 || log[0].State != "done" || log[0].Status != 200 || log[0].Request != body || len([]rune(log[0].Response)) > 2000 || strings.Contains(log[0].Request, secret) {
			t.Errorf("%+v", log)
		}
		again, err := h.Retry(t.Context(), h.actor(owner), hook.ID, log[0].ID)
		if err != nil || again.State != "waiting" {
			t.Fatal(err)
		}
		h.work()
		if len(r.got) != 2 || r.got[1].Header.Get("MiniFleet-Id") != r.got[0].Header.Get("MiniFleet-Id") {
			t.Errorf("a repeated delivery has another id")
		}
		if _, err := h.Retry(t.Context(), h.actor(stranger), hook.ID, log[0].ID); err == nil {
			t.Error("a stranger sent it again")
		}
		if _, err := h.Webhooks(t.Context(), h.actor(reader)); err == nil {
			t.Error("a member without the permission sees the webhooks")
		}
	})
}

func TestARepetitionAskedForDuringATryIsNotLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, r := open(t, db), receive(t)
		hook, _ := h.create(r.server.URL)
		r.during = sync.OnceFunc(func() {
			if _, err := h.Retry(t.Context(), h.actor(owner), hook.ID, h.attempts(hook.ID)[0].ID); err != nil {
				t.Error(err)
			}
		})
		h.send(notice.Message{Event: notice.AuditPassed, SpaceID: mine, Title: "通过"})
		h.work()
		h.work()
		if log := h.attempts(hook.ID); len(r.got) != 2 || len(log) != 1 || log[0].State != "done" || log[0].Attempts != 1 {
			t.Errorf("%d requests, %+v", len(r.got), log)
		}
	})
}

func TestAWebhookThatFailsForThreeDaysIsSwitchedOffWithANotice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, r := open(t, db), receive(t)
		hook, _ := h.create(r.server.URL)
		r.status = 500
		for range 14 {
			h.send(notice.Message{Event: notice.AuditPassed, SpaceID: mine, Title: "通过"})
			h.work()
			h.clk.Advance(6 * time.Hour)
		}
		now, err := h.Webhook(t.Context(), h.actor(owner), hook.ID)
		if err != nil || now.Enabled || now.DisabledReason == "" {
			t.Fatalf("%+v %v", now, err)
		}
		h.work()
		told := false
		for _, i := range h.list(owner) {
			told = told || i.Event == notice.WebhookDisabled
		}
		if !told {
			t.Fatal("nobody was told")
		}
		before := len(r.got)
		h.send(notice.Message{Event: notice.AuditPassed, SpaceID: mine, Title: "通过"})
		h.clk.Advance(48 * time.Hour)
		h.work()
		if len(r.got) != before {
			t.Fatal("a disabled webhook was called")
		}
		r.status = 204
		if now, err = h.UpdateWebhook(t.Context(), h.actor(owner), hook.ID, notice.WebhookForm{Name: now.Name, URL: now.URL, Enabled: true}); err != nil || !now.Enabled || now.FailingSince != 0 {
			t.Fatalf("%+v %v", now, err)
		}
		h.send(notice.Message{Event: notice.AuditPassed, SpaceID: mine, Title: "通过"})
		h.work()
		if len(r.got) != before+1 {
			t.Fatal("switched on again it is not told")
		}
	})
}

func TestARedirectIsNotFollowed(t *testing.T) {
	h, r := open(t, storetest.Open(t)), receive(t)
	r.status = 302
	hook, _ := h.create(r.server.URL)
	if _, err := h.TestWebhook(t.Context(), h.actor(owner), hook.ID); err != nil {
		t.Fatal(err)
	}
	h.work()
	log := h.attempts(hook.ID)
	if len(r.got) != 1 || log[0].State != "waiting" || !strings.Contains(log[0].LastError, "跳转") {
		t.Fatalf("%d %+v", len(r.got), log)
	}
}

// names answers for a test what a name leads to.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, a := range n[host] {
		out = append(out, netip.MustParseAddr(a))
	}
	if out == nil {
		return nil, errors.New("no such host")
	}
	return out, nil
}

func TestNoWebhookReachesThisHouseFromWithin(t *testing.T) {
	var mu sync.Mutex
	var dialled []string
	h := open(t, storetest.Open(t), func(o *notice.Options) {
		o.Webhooks = notice.WebhookOptions{
			Resolver: names{
				"inside.example": {"10.0.0.5"}, "loop.example": {"127.0.0.1"}, "meta.example": {"169.254.169.254"}, "mapped.example": {"::ffff:127.0.0.1"}, "six.example": {"::1", "fd00::1", "fe80::1"},
				"cloud.example": {"100.100.100.200"}, "nat.example": {"64:ff9b::7f00:1"}, "zero.example": {"0.0.0.0"}, "mixed.example": {"192.168.1.1", "93.184.216.34"}, "out.example": {"93.184.216.34"},
			},
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				dialled = append(dialled, address)
				return nil, errors.New("the test dials nobody")
			},
		}
	})
	for _, host := range []string{"inside", "loop", "meta", "mapped", "six", "cloud", "nat", "zero"} {
		hook, _ := h.create("https://" + host + ".example/")
		if _, err := h.TestWebhook(t.Context(), h.actor(owner), hook.ID); err != nil {
			t.Fatal(err)
		}
		h.work()
		if log := h.attempts(hook.ID); !strings.Contains(log[0].LastError, "内网") {
			t.Errorf("%s: %+v", host, log)
		}
	}
	if len(dialled) != 0 {
		t.Errorf("dialled %q", dialled)
	}
	for _, host := range []string{"mixed", "out"} {
		hook, _ := h.create("https://" + host + ".example/")
		if _, err := h.TestWebhook(t.Context(), h.actor(owner), hook.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.work()
	if len(dialled) != 2 || dialled[0] != "93.184.216.34:443" || dialled[1] != "93.184.216.34:443" {
		t.Errorf("dialled %q", dialled)
	}
	for _, url := range []string{"http://out.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.1.1/", "https://u:p@out.example/", "ftp://out.example/", "https:///x", "nonsense"} {
		if _, _, err := h.CreateWebhook(t.Context(), h.actor(owner), notice.WebhookForm{Name: "x", URL: url}); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
	hook, _ := h.create("https://out.example:25/")
	if _, err := h.TestWebhook(t.Context(), h.actor(owner), hook.ID); err != nil {
		t.Fatal(err)
	}
	h.work()
	if log := h.attempts(hook.ID); !strings.Contains(log[0].LastError, "端口") {
		t.Errorf("%+v", log)
	}
}

func TestASecretIsShownOnceAndKeptSealed(t *testing.T) {
	db := storetest.Open(t)
	h := open(t, db)
	hook, secret := h.create("https://out.example/")
	kept, err := db.Maps(t.Context(), "SELECT * FROM webhook")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(kept); err != nil || strings.Contains(string(raw), secret) {
		t.Fatal("the database holds the secret in clear")
	}
	fresh, err := h.RotateSecret(t.Context(), h.actor(owner), hook.ID)
	if err != nil || fresh == secret {
		t.Fatal(err)
	}
}
