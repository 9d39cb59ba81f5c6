package forward_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/forward"
	"minifleet/app/notice"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

const (
	platformApp = "wx0123456789abcdef"
	shopA       = "wxaaaa1111bbbb2222"
	shopB       = "wxcccc3333dddd4444"
	hisToken    = "their_token"
	hisKey      = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// receiver is somebody's server.
type receiver struct {
	mu     sync.Mutex
	status int
	got    []arrived
}

type arrived struct {
	path, query string
	header      http.Header
	body        []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != 0 {
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, "no")
		return
	}
	r.got = append(r.got, arrived{req.URL.Path, req.URL.RawQuery, req.Header, body})
	_, _ = io.WriteString(w, "success")
}

func (r *receiver) set(status int) { r.mu.Lock(); r.status = status; r.mu.Unlock() }

func (r *receiver) list() []arrived {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

type sentNotices struct {
	mu   sync.Mutex
	list []notice.Message
}

func (s *sentNotices) Send(_ context.Context, m notice.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, m)
	return nil
}

func (s *sentNotices) count() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.list) }

type owned struct{}

func (owned) Get(_ context.Context, who account.Actor, appid string) (component.Component, error) {
	if appid != platformApp || who.SpaceID != 7 {
		return component.Component{}, fault.New(fault.NotFound, "component_not_found", "没有找到这个第三方平台")
	}
	return component.Component{AppID: appid, SpaceID: 7}, nil
}

type world struct {
	t       *testing.T
	events  *event.Log
	s       *forward.Service
	o       forward.Options
	to      *receiver
	url     string
	notices *sentNotices
	n       int
}

func merchant(space int64) account.Actor {
	return account.Actor{AccountID: 1, SpaceID: space, Name: "商户", Role: account.RoleOwner, SpaceKind: account.Merchant}
}

func (owned) SpaceOf(context.Context, string) (int64, error) { return 7, nil }

func newWorld(t *testing.T, db *store.DB, change ...func(*forward.Options)) *world {
	t.Helper()
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, to: &receiver{}, notices: &sentNotices{}}
	srv := httptest.NewServer(w.to)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	clk := clock.Fixed(time.UnixMilli(1_790_000_000_000))
	w.events = event.New(event.Options{DB: db, Sealer: vault, Clock: clk, Poll: 50 * time.Millisecond})
	w.o = forward.Options{
		DB: db, Clock: clk, Sealer: vault, Trail: trail.New(db, clk), Events: w.events, Components: owned{}, Notices: w.notices,
		Webhooks: notice.WebhookOptions{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Tries:    3, Backoff: func(int) time.Duration { return 5 * time.Millisecond }, PauseAfter: 4, Poll: 50 * time.Millisecond,
	}
	for _, f := range change {
		f(&w.o)
	}
	w.s = forward.New(w.o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{w.events.Run, w.s.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	return w
}

// push appends one as the inbox does.
func (w *world) push(typ, appid, more string) {
	w.t.Helper()
	w.n++
	r := event.Record{Type: typ, Source: event.SourceWeChat, Component: platformApp, AppID: appid, URLKind: wechat.MessageURL, CreateTime: int64(w.n)}
	body := fmt.Sprintf("<xml><ToUserName>gh_x</ToUserName><FromUserName>oUser</FromUserName><CreateTime>%d</CreateTime><MsgType>event</MsgType><Event>%s</Event>%s</xml>", w.n, typ, more)
	if typ == "component_verify_ticket" || typ == "authorized" {
		r.URLKind = wechat.TicketURL
		body = fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>%s</InfoType>%s</xml>", platformApp, w.n, typ, more)
	}
	r.Payload = []byte(body)
	if err := w.events.Append(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create(f forward.Request) (forward.Target, string) {
	w.t.Helper()
	f.Component, f.Name = platformApp, "订单系统"
	target, secret, err := w.s.Create(w.t.Context(), merchant(7), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return target, secret
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func TestChosenPushesArriveSignedAndWithoutCodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		target, secret := w.create(forward.Request{URL: w.url + "/hook/$APPID$", Form: forward.FormJSON, Types: []string{forward.AllTypes}, AppIDs: []string{shopA}})
		w.push("component_verify_ticket", "", "<ComponentVerifyTicket>ticket@@@secret</ComponentVerifyTicket>")
		w.push("weapp_audit_fail", shopB, "<Reason>another mini program</Reason>")
		w.push("authorized", shopA, "<AuthorizerAppid>"+shopA+"</AuthorizerAppid><AuthorizationCode>queryauthcode@@@secret</AuthorizationCode><PreAuthCode>preauthcode@@@secret</PreAuthCode>")
		w.push("weapp_audit_fail", shopA, "<Reason>1:示例</Reason>")
		await(t, "two pushes", func() bool { return len(w.to.list()) == 2 })
		for i, a := range w.to.list() {
			if a.path != "/hook/"+shopA {
				t.Errorf("path %s", a.path)
			}
			sign := a.header.Get(notice.HeaderSignature)
			sec, _, _ := strings.Cut(strings.TrimPrefix(sign, "t="), ",")
			n, err := strconv.ParseInt(sec, 10, 64)
			if err != nil || notice.Signature(secret, time.Unix(n, 0), a.body) != sign {
				t.Errorf("signature %q does not fit the body", sign)
			}
			var body struct {
				ID, Type, Title, AppID, XML string
				Fields                      map[string]string
			}
			if err := json.Unmarshal(a.body, &body); err != nil {
				t.Fatal(err)
			}
			if want := []string{"authorized", "weapp_audit_fail"}[i]; body.Type != want || a.header.Get(notice.HeaderEvent) != want || body.ID != a.header.Get(notice.HeaderID) {
				t.Errorf("%d: %+v", i, body)
			}
			if strings.Contains(string(a.body), "@@@secret") {
				t.Errorf("a code left the house: %s", a.body)
			}
			if i == 1 && body.Fields["Reason"] != "1:示例" {
				t.Errorf("fields %v", body.Fields)
			}
		}
		var log []forward.Attempt
		var err error
		await(t, "both in the log", func() bool {
			log, _, err = w.s.Attempts(t.Context(), merchant(7), target.ID, false, 0, 10)
			return err != nil || len(log) == 2
		})
		if err != nil || !log[0].OK || log[0].Status != 200 || log[0].Response != "success" || log[0].Title != "代码审核驳回" {
			t.Fatalf("%+v %v", log, err)
		}
		if err := w.s.Replay(t.Context(), merchant(7), target.ID, log[0].ID); err != nil {
			t.Fatal(err)
		}
		await(t, "the replayed push", func() bool { return len(w.to.list()) == 3 })
		if a, b := w.to.list()[1], w.to.list()[2]; a.header.Get(notice.HeaderID) != b.header.Get(notice.HeaderID) {
			t.Error("a repetition has another id")
		}
	})
}

func TestWeChatsOwnFormOpensWithTheReceiversKeys(t *testing.T) {
	db := storetest.Open(t)
	w := newWorld(t, db)
	target, secret := w.create(forward.Request{URL: w.url + "/wx?from=us", Form: forward.FormWeChat, Types: []string{"wxa_nickname_audit"}, Token: hisToken, AESKey: hisKey})
	if secret != "" {
		t.Error("a secret that signs nothing was shown")
	}
	w.push("weapp_audit_fail", shopA, "")
	w.push("wxa_nickname_audit", shopB, "<ret>3</ret><nickname>晨光</nickname>")
	await(t, "the push", func() bool { return len(w.to.list()) == 1 })
	a := w.to.list()[0]
	req, err := http.NewRequest(http.MethodPost, "http://x/?"+a.query, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := req.URL.Query()
	var env struct{ ToUserName, Encrypt string }
	if err := xml.Unmarshal(a.body, &env); err != nil || env.ToUserName != "gh_x" || q.Get("from") != "us" || q.Get("openid") != "oUser" {
		t.Fatalf("%s %v %v", a.body, q, err)
	}
	c, err := wechat.NewCrypter(platformApp, []string{hisToken}, []string{hisKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(wechat.Signed{Timestamp: q.Get("timestamp"), Nonce: q.Get("nonce"), MsgSignature: q.Get("msg_signature")}, env.Encrypt); err != nil {
		t.Fatal(err)
	}
	msg, err := c.Decrypt(env.Encrypt)
	if err != nil || !strings.Contains(string(msg), "<nickname>晨光</nickname>") {
		t.Fatalf("%s %v", msg, err)
	}
	// An update that leaves the keys empty keeps them.
	if _, err := w.s.Update(t.Context(), merchant(7), target.ID, forward.Request{Name: "改名", URL: w.url + "/wx", Form: forward.FormWeChat, Types: []string{"wxa_nickname_audit"}}); err != nil {
		t.Fatal(err)
	}
	w.push("wxa_nickname_audit", shopB, "<ret>2</ret>")
	await(t, "the push after the update", func() bool { return len(w.to.list()) == 2 })
}

func TestARefusingReceiverIsTriedAgainThenPausedAndGetsWhatWaited(t *testing.T) {
	db := storetest.Open(t)
	w := newWorld(t, db)
	ctx := t.Context()
	target, _ := w.create(forward.Request{URL: w.url + "/hook", Form: forward.FormJSON, Types: []string{"weapp_audit_success"}})
	w.to.set(http.StatusInternalServerError)
	w.push("weapp_audit_success", shopA, "")
	w.push("weapp_audit_success", shopB, "")
	await(t, "the pause", func() bool {
		g, err := w.s.Get(ctx, merchant(7), target.ID)
		return err == nil && g.State == forward.StatePaused
	})
	if w.notices.count() != 1 || w.notices.list[0].SpaceID != 7 || w.notices.list[0].Event != notice.ForwardPaused {
		t.Errorf("notices %+v", w.notices.list)
	}
	w.to.set(0)
	w.push("weapp_audit_success", "wxeeee5555ffff6666", "") // waits for the receiver
	log, _, err := w.s.Attempts(ctx, merchant(7), target.ID, true, 0, 100)
	if err != nil || len(log) < 4 || log[0].LastError != "对方返回 500，应为 2xx" {
		t.Fatalf("%+v %v", log, err)
	}
	if err := w.s.Replay(ctx, merchant(7), target.ID, log[0].ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("replayed while paused: %v", err)
	}
	if _, err := w.s.Switch(ctx, merchant(7), target.ID, true); err != nil {
		t.Fatal(err)
	}
	await(t, "what waited", func() bool {
		for _, a := range w.to.list() {
			if strings.Contains(string(a.body), "wxeeee5555ffff6666") {
				return true
			}
		}
		return false
	})
	// Switched off, nothing is kept for it.
	if _, err := w.s.Switch(ctx, merchant(7), target.ID, false); err != nil {
		t.Fatal(err)
	}
	names, err := w.events.Known(ctx, "forward:")
	if err != nil || len(names) != 0 {
		t.Errorf("still known: %v %v", names, err)
	}
}

func TestTargetsAreCheckedAndKeptFromOthers(t *testing.T) {
	db := storetest.Open(t)
	w := newWorld(t, db)
	ctx := t.Context()
	good := forward.Request{Component: platformApp, Name: "x", URL: w.url, Form: forward.FormJSON, Types: []string{"authorized"}}
	for name, c := range map[string]struct {
		change func(*forward.Request)
		field  string
	}{
		"no name":         {func(f *forward.Request) { f.Name = " " }, "name"},
		"an intranet":     {func(f *forward.Request) { f.URL = "https://10.0.0.1/x" }, "url"},
		"a line break":    {func(f *forward.Request) { f.Name = "x\r\nBcc: y" }, "name"},
		"a file":          {func(f *forward.Request) { f.URL = "file:///etc/passwd" }, "url"},
		"no type":         {func(f *forward.Request) { f.Types = nil }, "types"},
		"the ticket":      {func(f *forward.Request) { f.Types = []string{"component_verify_ticket"} }, "types"},
		"an unknown type": {func(f *forward.Request) { f.Types = []string{"x"} }, "types"},
		"a bad appid":     {func(f *forward.Request) { f.AppIDs = []string{"gh_1"} }, "appids"},
		"no keys":         {func(f *forward.Request) { f.Form = forward.FormWeChat }, "token"},
		"another form":    {func(f *forward.Request) { f.Form = "xml" }, "form"},
		"another's app":   {func(f *forward.Request) { f.Component = "wxffffffffffffffff" }, "component"},
	} {
		f := good
		c.change(&f)
		_, _, err := w.s.Create(ctx, merchant(7), f)
		if bad := fault.From(err); err == nil || len(bad.Fields) == 0 || bad.Fields[0].Name != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	target, _, err := w.s.Create(ctx, merchant(7), good)
	if err != nil {
		t.Fatal(err)
	}
	limited := merchant(7)
	limited.MiniPrograms = []string{shopA}
	for name, who := range map[string]account.Actor{"another merchant": merchant(8), "a limited member": limited, "an owner of mini programs": {AccountID: 3, SpaceID: 7, Role: account.RoleOwner, SpaceKind: account.Personal}} {
		if _, err := w.s.Get(ctx, who, target.ID); err == nil {
			t.Errorf("%s reads it", name)
		}
		if err := w.s.Delete(ctx, who, target.ID); err == nil {
			t.Errorf("%s deletes it", name)
		}
	}
	for column, value := range map[string]string{"secret": "whsec_", "token": hisToken, "aes_key": hisKey} {
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM forward_target WHERE "+column+" LIKE ?", "%"+value+"%"); err != nil || n != 0 {
			t.Errorf("%s stands in clear: %v", column, err)
		}
	}
	a, err := w.s.Test(ctx, merchant(7), target.ID)
	if err != nil || !a.OK || a.Title != "测试消息" {
		t.Errorf("test: %+v %v", a, err)
	}
	if err := w.s.Delete(ctx, merchant(7), target.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Int(ctx, "SELECT COUNT(*) FROM forward_attempt"); err != nil || n != 0 {
		t.Errorf("%d tries are left %v", n, err)
	}
}
