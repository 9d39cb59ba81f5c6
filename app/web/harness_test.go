package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

const (
	platformAppID = "wx0123456789abcdef"
	password      = "a long enough secret"
)

// house is the server over real rooms and a fresh SQLite; only WeChat, the portal and the plugins are stand-ins.
type house struct {
	t       *testing.T
	db      *store.DB
	log     *bytes.Buffer
	plugins *plugins
	server  *Server
	url     string
	events  *event.Log
}

// plugins is a host with one plugin, "version".
type plugins struct {
	answer plugin.Response
	err    error
	asked  []plugin.Request
	actors []account.Actor
	state  plugin.State
	ended  bool // the listeners were let go
}

func (p *plugins) Serve(_ context.Context, actor account.Actor, req plugin.Request) (plugin.Response, error) {
	p.asked, p.actors = append(p.asked, req), append(p.actors, actor)
	return p.answer, p.err
}
func (p *plugins) Pass(ctx context.Context, actor account.Actor, req plugin.Request, body io.Reader) (plugin.Response, error) {
	var err error
	if req.Body, err = io.ReadAll(body); err != nil {
		return plugin.Response{}, err
	}
	return p.Serve(ctx, actor, req)
}

func (p *plugins) ServeTopic(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), id, topic string) error {
	now, err := again(r.Context())
	if err != nil || actor.Nobody() {
		return fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, err = io.WriteString(w, "data: "+id+" "+topic+" "+now.Name+"\n\n")
	return err
}

func (p *plugins) EndTopics() { p.ended = true }

func (p *plugins) Streamed(req plugin.Request) bool { return strings.HasPrefix(req.Path, "/stream") }

func (p *plugins) Offers(_ context.Context, _ account.Actor, id string) (bool, error) {
	return id != "hidden", nil
}

func (p *plugins) ManifestsFor(context.Context, account.Actor) ([]*plugin.Manifest, error) {
	return []*plugin.Manifest{{Id: "version", Title: "版本管理", Routes: []*plugin.Route{{Type: "api", Method: "GET", Pattern: "/miniprograms/{appid}", Summary: "三栏版本"}}}}, nil
}
func (p *plugins) Status() []plugin.Status {
	return []plugin.Status{{ID: "version", Title: "版本管理", Version: "0.1.0", State: p.state, Since: time.UnixMilli(1)}}
}
func (p *plugins) Operations() []plugin.Operation                      { return nil }
func (p *plugins) Usage(context.Context, string) (plugin.Usage, error) { return plugin.Usage{}, nil }

func (p *plugins) PendingDrops(context.Context) ([]plugin.Drop, error) { return nil, nil }

func (p *plugins) ApproveDrop(context.Context, account.Actor, string, string) error { return nil }

func (p *plugins) Restart(_ context.Context, id string) error {
	if id != "version" {
		return fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")
	}
	return nil
}
func (p *plugins) Healthy() error {
	if p.state != plugin.Serving {
		return fmt.Errorf("plugin version is %s", p.state)
	}
	return nil
}

type silent struct{}

func (silent) Announce(context.Context, string, string, string, int64, any) error { return nil }

// newHouse builds everything; around lets a test change the options.
func newHouse(t *testing.T, around ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, db: storetest.Open(t), log: &bytes.Buffer{}, plugins: &plugins{state: plugin.Serving}}
	h.plugins.answer = plugin.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"trial":null}`)}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"errcode":61004,"errmsg":"access clientip is not registered rid: 6500-aa-bb"}`)
	}))
	t.Cleanup(upstream.Close)
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	clk, wx := clock.Fixed(time.UnixMilli(1_760_000_000_000)), &wechat.Client{BaseURL: upstream.URL}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	acts := trail.New(h.db, clk)
	people := account.New(h.db, clk, acts)
	components := component.New(h.db, vault, clk, acts, wx, "https://mf.example.test")
	apps := miniprogram.New(h.db, vault, clk, acts, wx, components, silent{}, miniprogram.Options{PublicURL: "https://mf.example.test", PCHost: "https://pc.example.test", H5Host: "https://h5.example.test"})
	h.events = event.New(event.Options{DB: h.db, Sealer: vault, Clock: clk, Logger: log})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.events.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	jobs := schedule.New(h.db, clk, log, func() []schedule.Job {
		return []schedule.Job{{Name: "component.tokens", Title: "刷新平台令牌", Spec: "*/10 * * * *", Run: func(context.Context) (string, error) { return "0 个", nil }}}
	})
	ran := make(chan error, 1)
	go func() { ran <- jobs.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ran })
	o := Options{
		Name: "web-test-" + t.Name(), PublicURL: "https://mf.example.test", Shutdown: time.Second,
		DB: h.db, Clock: clk, Accounts: people, Tokens: account.NewTokens(h.db, acts, people), Components: components, Apps: apps, Grants: grant.New(h.db, clk, acts, apps),
		Events: h.events, Jobs: jobs, Trail: acts, Chain: trail.NewChain(acts, vault, log), Plugins: h.plugins, Metrics: prometheus.NewRegistry(), Log: log,
		Inbox:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "inbox "+r.URL.Path) }),
		Transfers: transfers(t, h.db, clk, acts, people),
		Portal:    http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "portal "+r.URL.Path) }),
	}
	o.Notices = notice.New(notice.Options{DB: h.db, Clock: clk, Directory: people, Sealer: vault, Trail: acts, Log: log, PublicURL: o.PublicURL, Mailer: notice.Outbox{DB: h.db, Clock: clk}})
	for _, change := range around {
		change(&o)
	}
	h.server = New(o)
	if err := h.server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.server.Stop(); err != nil {
			t.Error(err)
		}
	})
	h.url = fmt.Sprintf("http://127.0.0.1:%d", h.server.Frame().GetListenedPort())
	return h
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
}

func (a reply) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.text), &m); err != nil {
		t.Fatalf("not JSON: %s", a.text)
	}
	return m
}

// code is the code of an error answer, "" when it is none.
func (a reply) code() string {
	var m struct{ Error struct{ Code string } }
	_ = json.Unmarshal([]byte(a.text), &m)
	return m.Error.Code
}

// field is the sentence under a field of an error answer.
func (a reply) field(name string) string {
	var m struct {
		Error struct{ Fields []fault.Field }
	}
	_ = json.Unmarshal([]byte(a.text), &m)
	for _, f := range m.Error.Fields {
		if f.Name == name {
			return f.Message
		}
	}
	return ""
}

// do sends a request; headers come in pairs.
func (h *house) do(method, path, body string, headers ...string) reply {
	h.t.Helper()
	req, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(raw)}
}

// person opens an account and gives its token and space.
func (h *house) person(kind account.Kind, login string) (token string, space int64) {
	h.t.Helper()
	who, err := h.server.o.Accounts.Seed(h.t.Context(), account.Registration{Login: login, Password: password, Name: login, Kind: kind, SpaceName: "空间 " + login, Agreed: true})
	if err != nil {
		h.t.Fatal(err)
	}
	sess, err := h.server.o.Accounts.SessionFor(h.t.Context(), who, "127.0.0.1", "test")
	if err != nil {
		h.t.Fatal(err)
	}
	return sess.Token, who.SpaceID
}

func (h *house) as(token, method, path, body string, headers ...string) reply {
	h.t.Helper()
	return h.do(method, path, body, append([]string{"Authorization", "Bearer " + token}, headers...)...)
}

// miniProgram puts one of a space into the database, authorised to the platform app.
func (h *house) miniProgram(appid string, owner int64) {
	h.t.Helper()
	now := int64(1_760_000_000_000)
	for table, row := range map[string]map[string]any{
		"mini_program":  {"appid": appid, "id": h.db.NewID(), "owner_space_id": owner, "nick_name": "小店 " + appid, "user_name": "gh_" + appid, "head_img": "", "principal": "示例公司", "signature": "", "service_type": 0, "verify_type": -1, "account_status": 1, "categories": "[]", "synced_at": now, "created_at": now},
		"authorization": {"id": h.db.NewID(), "component": platformAppID, "appid": appid, "state": miniprogram.Active, "sets": "18,30", "refresh_token": "", "access_token": "", "expires_at": now, "auth_time": now / 1000, "revoked_time": 0, "version": 1, "last_error": "", "created_at": now},
	} {
		if err := h.db.Insert(h.t.Context(), table, row); err != nil {
			h.t.Fatal(err)
		}
	}
}

const bindBody = `{"appid":"` + platformAppID + `","secret":"0123456789abcdef0123456789abcdef","token":"sf_demo_token_01","aes_key":"Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM","name":"示例平台"}`

// await asks until it is so, at most five seconds.
func (h *house) await(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(5 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain for %s", what)
		}
	}
}
