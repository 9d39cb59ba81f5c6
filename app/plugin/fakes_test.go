package plugin_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// core is the other rooms of these tests: who owns and may do what, in memory and in one table for Visible.
type core struct {
	t  testing.TB
	db *store.DB

	running, most atomic.Int64 // calls of Do

	mu     sync.Mutex
	actors map[int64]account.Actor // by account
	calls  []string
	refuse error // what WeChat says to the next calls
	news   []string
}

func newCore(t testing.TB, db *store.DB) *core {
	c := &core{t: t, db: db, actors: map[int64]account.Actor{}}
	if _, err := db.Exec(t.Context(), "CREATE TABLE test_right (appid VARCHAR(32) NOT NULL, space_id BIGINT NOT NULL, scope VARCHAR(32) NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return c
}

// right lets a space act on a mini program; scope "*" is the owner's.
func (c *core) right(appid string, space int64, scope string) {
	c.t.Helper()
	if err := c.db.Insert(context.Background(), "test_right", map[string]any{"appid": appid, "space_id": space, "scope": scope}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *core) revoke(appid string, space int64) {
	c.t.Helper()
	if _, err := c.db.Exec(context.Background(), "DELETE FROM test_right WHERE appid=? AND space_id=?", appid, space); err != nil {
		c.t.Fatal(err)
	}
}

func (c *core) Visible(space int64, scope string) (string, []any) {
	return "SELECT appid FROM test_right WHERE space_id=? AND scope IN ('*', ?)", []any{space, scope}
}

func (c *core) May(ctx context.Context, space int64, appid, scope string) (bool, error) {
	n, err := c.db.Int(ctx, "SELECT COUNT(*) FROM test_right WHERE space_id=? AND appid=? AND scope IN ('*', ?)", space, appid, scope)
	return n > 0, err
}

func (c *core) List(ctx context.Context, query plugin.MiniProgramQuery) ([]plugin.MiniProgram, string, error) {
	var rows []struct {
		Appid string
		Owner int64
	}
	const columns = "SELECT appid, MAX(CASE WHEN scope='*' THEN space_id ELSE 0 END) AS owner FROM test_right"
	sql, args := columns+" WHERE space_id=? GROUP BY appid ORDER BY appid", []any{query.Actor.SpaceID}
	if query.System {
		sql, args = columns+" GROUP BY appid ORDER BY appid", nil
	}
	if err := c.db.All(ctx, &rows, sql, args...); err != nil {
		return nil, "", err
	}
	var apps []plugin.MiniProgram
	for _, row := range rows {
		if query.AppIDs == nil || slices.Contains(query.AppIDs, row.Appid) {
			apps = append(apps, plugin.MiniProgram{
				AppID: row.Appid, OwnerSpace: row.Owner, NickName: "名" + row.Appid, Components: []plugin.Binding{{Component: "wxc", State: miniprogram.Active, Sets: []int{18}}, {Component: "wxold", State: "ended", Sets: []int{30}}},
			})
		}
	}
	return apps, "", nil
}

func (c *core) Actor(_ context.Context, accountID, spaceID int64) (account.Actor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	actor, ok := c.actors[accountID]
	if !ok || actor.SpaceID != spaceID {
		return account.Actor{}, fault.New(fault.Forbidden, "account.left", "已不在这个空间")
	}
	return actor, nil
}

// Settle notes what the plugin found out about a key.
func (c *core) Settle(_ context.Context, caller plugin.Caller, key string, happened bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, fmt.Sprint("settle ", caller.Plugin, " ", key, " ", happened))
	return nil
}

// Do is the gateway: it checks the grant as the real one does and answers as WeChat.
func (c *core) Do(ctx context.Context, caller plugin.Caller, request wechat.Request) (wechat.Response, error) {
	running := c.running.Add(1)
	defer c.running.Add(-1)
	for most := c.most.Load(); running > most && !c.most.CompareAndSwap(most, running); most = c.most.Load() {
	}
	endpoint, _ := wechat.LookupEndpoint(request.Endpoint)
	if !caller.System {
		if may, err := c.May(ctx, caller.Actor.SpaceID, request.AppID, endpoint.Scope); err != nil || !may {
			return wechat.Response{}, fault.New(fault.Forbidden, "grant.missing", "没有这个小程序的权限")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	line := strings.Join([]string{caller.Plugin, caller.Actor.Name, request.Endpoint, request.AppID}, " ")
	if request.Key != "" {
		line += " key " + request.Key
	}
	c.calls = append(c.calls, line)
	if c.refuse != nil {
		return wechat.Response{}, c.refuse
	}
	return wechat.Response{Body: []byte(`{"errcode":0,"errmsg":"ok","auditid":7,"status":0}`), RID: "rid-1"}, nil
}

func (c *core) sent() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// Tell notes what a space's people hear.
func (c *core) Tell(_ context.Context, space int64, news plugin.ExtensionNews) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.news = append(c.news, fmt.Sprint(space, " ", news.Plugin, " ", news.Title))
	return nil
}

type grants struct{ *core }

// List gives the rights on a mini program that are no owner's.
func (g grants) List(ctx context.Context, _ account.Actor, _ bool, appid string) ([]plugin.Grant, error) {
	var rows []struct {
		SpaceID int64
		Scope   string
	}
	if err := g.db.All(ctx, &rows, "SELECT space_id, scope FROM test_right WHERE appid=? AND scope<>'*' ORDER BY space_id", appid); err != nil {
		return nil, err
	}
	var list []plugin.Grant
	for _, row := range rows {
		list = append(list, plugin.Grant{AppID: appid, SpaceID: row.SpaceID, Scopes: []string{row.Scope}, State: "active"})
	}
	return list, nil
}

func (g grants) Create(_ context.Context, actor account.Actor, request plugin.GrantRequest) (int64, error) {
	for _, scope := range request.Scopes {
		g.right(request.AppID, request.SpaceID, scope)
	}
	return 1, nil
}
func (g grants) Revoke(context.Context, account.Actor, int64) error { return nil }

type components struct{}

func (components) List(context.Context, account.Actor, bool) ([]plugin.Component, error) {
	return []plugin.Component{{AppID: "wxc", Name: "平台"}}, nil
}

type spaces struct{}

func (spaces) Named(_ context.Context, ids []int64) ([]plugin.Space, error) {
	var named []plugin.Space
	for _, id := range ids {
		if id == 404 {
			continue
		}
		named = append(named, plugin.Space{ID: id, Name: "空间", Kind: string(kindsOfSpaces(id))})
	}
	return named, nil
}

func kindsOfSpaces(id int64) account.Kind {
	for _, actor := range []account.Actor{ada, bob, eve} {
		if actor.SpaceID == id {
			return actor.SpaceKind
		}
	}
	return account.Platform
}

type authorizations struct{}

func (authorizations) Create(_ context.Context, _ account.Actor, request plugin.AuthorizeRequest) (plugin.Ticket, error) {
	return plugin.Ticket{ID: "t1", URL: "http://127.0.0.1/auth/t1?c=" + request.Component}, nil
}
func (authorizations) State(context.Context, account.Actor, bool, string) (plugin.Ticket, error) {
	return plugin.Ticket{ID: "t1", State: "waiting"}, nil
}

// plainSealer leaves payloads readable; sealing is the vault's own test.
type plainSealer struct{}

func (plainSealer) Seal(_ string, plain []byte) ([]byte, error)  { return plain, nil }
func (plainSealer) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }

// house is a running host with its surroundings.
type house struct {
	*plugin.Host
	core   *core
	db     *store.DB
	clock  *clock.Manual
	events *event.Log
}

// People of the tests.
var (
	ada = account.Actor{AccountID: 1, SpaceID: 11, MemberID: 1, Name: "ada", Space: "甲店", Role: account.RoleOwner, SpaceKind: account.Merchant}
	bob = account.Actor{AccountID: 2, SpaceID: 22, MemberID: 2, Name: "bob", Space: "乙店", Role: account.RoleOwner, SpaceKind: account.Merchant}
	eve = account.Actor{AccountID: 3, SpaceID: 33, MemberID: 3, Name: "eve", Space: "路人", Role: account.RoleOwner, SpaceKind: account.Personal}
)

func newHouse(t testing.TB, db *store.DB, plugins ...string) *house {
	t.Helper()
	h := &house{core: newCore(t, db), db: db}
	for _, actor := range []account.Actor{ada, bob, eve} {
		h.core.actors[actor.AccountID] = actor
	}
	options := h.hostOptions()
	for _, id := range plugins {
		options.Plugins = append(options.Plugins, plugin.First{ID: id, Argv: argv(id)})
	}
	var err error
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	return h
}

// hostOptions completes the house and gives the options of a host in it.
func (h *house) hostOptions() plugin.Options {
	if h.clock == nil {
		h.clock = clock.Fixed(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	}
	if h.events == nil {
		h.events = event.New(event.Options{
			DB: h.db, Sealer: plainSealer{}, Clock: h.clock, Poll: 100 * time.Millisecond,
			Backoff: func(int) time.Duration { return 50 * time.Millisecond },
		})
	}
	return plugin.Options{
		Mounts: map[string]string{"notes": "notes"}, DB: h.db, Clock: h.clock, Events: h.events, Gateway: h.core, Actors: h.core,
		MiniPrograms: h.core, Grants: grants{h.core}, Components: components{}, Spaces: spaces{}, Authorizations: authorizations{},
		Trail: trail.New(h.db, h.clock), Sealer: plainSealer{}, News: h.core,
	}
}

// run starts host and event log and ends both with the test.
func (h *house) run(t testing.TB) *house {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	logged := make(chan error, 1)
	go func() { logged <- h.events.Run(ctx) }()
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-logged; err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) ready(t testing.TB) *house {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}
