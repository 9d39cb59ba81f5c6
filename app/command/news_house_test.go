package command

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/config"
	"minifleet/app/event"
	"minifleet/app/inbox"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/wechat"
)

// newsHouse is the platform without its plugins and its server: pushes come in by the inbox's door, and what its people are
// told stands in their lists. The shop belongs to owner and is authorised to merchant's platform app; rival has bound a
// platform app of its own.
type newsHouse struct {
	t                      *testing.T
	p                      *platform
	merchant, owner, rival account.Actor
	wx                     http.HandlerFunc // WeChat's answers
	crypters               map[string]*wechat.Crypter
	sent                   int
}

const (
	newsApp, rivalApp  = "wxaaaabbbbccccdddd", "wxddddccccbbbbaaaa"
	newsShop, newsGh   = "wx1111222233334444", "gh_newsshop"
	newsToken, newsAES = "news_token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	newsShopName       = "街角咖啡"
	newsMark           = "——"
)

func newNewsHouse(t *testing.T) *newsHouse {
	t.Helper()
	h := &newsHouse{t: t, crypters: map[string]*wechat.Crypter{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.wx == nil {
			http.NotFound(w, r)
			return
		}
		h.wx(w, r)
	}))
	t.Cleanup(srv.Close)
	cfg, err := config.Load("", []string{
		"MINIFLEET_SERVER_LISTEN=" + port(t), "MINIFLEET_DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "MINIFLEET_WECHAT_BASEURL=" + srv.URL, "MINIFLEET_WECHAT_PCAUTHURL=" + srv.URL,
		"MINIFLEET_WECHAT_H5AUTHURL=" + srv.URL, "MINIFLEET_WECHAT_CLOCKURL=" + srv.URL + "/control/clock",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.p, err = build(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), "no-such-binary", &demoMode{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.p.subscribe(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.p.events.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		end()
		running.Wait()
		if err := h.p.db.Close(); err != nil {
			t.Error(err)
		}
	})
	h.merchant, h.owner, h.rival = h.person("merchant", account.Merchant), h.person("owner", account.Personal), h.person("rival", account.Merchant)
	h.bind(h.merchant, newsApp)
	h.bind(h.rival, rivalApp)
	h.insert("mini_program", map[string]any{
		"appid": newsShop, "id": h.p.db.NewID(), "owner_space_id": h.owner.SpaceID, "nick_name": newsShopName, "user_name": newsGh, "head_img": "", "principal": "", "signature": "",
		"service_type": 0, "verify_type": -1, "account_status": miniprogram.StatusNormal, "categories": "[]", "synced_at": 1, "created_at": 1,
	})
	h.authorised(newsApp, miniprogram.Active)
	return h
}

func (h *newsHouse) person(name string, kind account.Kind) account.Actor {
	h.t.Helper()
	who, err := h.p.accounts.Seed(h.t.Context(), account.Registration{Login: name + "@example.test", Password: "walk-Passw0rd-1", Name: name, Kind: kind, SpaceName: name, Agreed: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return who
}

func (h *newsHouse) bind(who account.Actor, appid string) {
	h.t.Helper()
	if _, err := h.p.components.Bind(h.t.Context(), who, component.Binding{AppID: appid, Secret: strings.Repeat("a", 32), Token: newsToken, AESKey: newsAES, Name: "平台"}); err != nil {
		h.t.Fatal(err)
	}
	c, err := wechat.NewCrypter(appid, []string{newsToken}, []string{newsAES})
	if err != nil {
		h.t.Fatal(err)
	}
	h.crypters[appid] = c
}

func (h *newsHouse) insert(table string, row map[string]any) {
	h.t.Helper()
	if err := h.p.db.Insert(h.t.Context(), table, row); err != nil {
		h.t.Fatal(err)
	}
}

func (h *newsHouse) authorised(component, state string) {
	h.insert("authorization", map[string]any{
		"id": h.p.db.NewID(), "component": component, "appid": newsShop, "state": state, "sets": "18", "refresh_token": "", "access_token": "", "expires_at": 0,
		"auth_time": 1, "revoked_time": 0, "version": 1, "last_error": "", "created_at": 1,
	})
}

// push signs and seals what the body says as WeChat would for the platform app, and waits until it was delivered.
func (h *newsHouse) push(app, kind, body string) {
	h.t.Helper()
	h.sent++
	head := fmt.Sprintf("<AppId>%s</AppId><CreateTime>%d</CreateTime>", app, 1_790_000_000+h.sent)
	path := inbox.Prefix + app + "/ticket"
	if kind == wechat.MessageURL {
		head = fmt.Sprintf("<ToUserName>%s</ToUserName><FromUserName>oWeChat</FromUserName><CreateTime>%d</CreateTime><MsgType>event</MsgType>", newsGh, 1_790_000_000+h.sent)
		path = inbox.Prefix + app + "/message/" + newsShop
	}
	encrypt, err := h.crypters[app].Encrypt(rand.Reader, []byte("<xml>"+head+body+"</xml>"))
	if err != nil {
		h.t.Fatal(err)
	}
	now, nonce := fmt.Sprint(time.Now().Unix()), rand.Text()[:10]
	q := url.Values{"timestamp": {now}, "nonce": {nonce}, "msg_signature": {wechat.Signature(newsToken, now, nonce, encrypt)}}
	w := httptest.NewRecorder()
	h.p.inbox.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path+"?"+q.Encode(), strings.NewReader("<xml><Encrypt>"+encrypt+"</Encrypt></xml>")))
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d %s", body, w.Code, w.Body)
	}
	h.settled(h.sent)
}

// settled waits until n events were delivered to everybody who takes them, or stored without effect.
func (h *newsHouse) settled(n int) {
	h.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		rows, _, err := h.p.events.List(h.t.Context(), event.Filter{Source: event.SourceWeChat, Limit: 200})
		if err != nil {
			h.t.Fatal(err)
		}
		over := 0
		for _, r := range rows {
			if r.State == event.StateDead {
				h.t.Fatalf("%s was given up", r.Type)
			}
			if r.State == event.StateDone || r.State == event.StateInert {
				over++
			}
		}
		if over == n {
			break
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d of %d pushes are delivered: %+v", over, n, rows)
		}
	}
	h.fold()
}

// quiet waits until no event is waiting, whoever appended it.
func (h *newsHouse) quiet() {
	h.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		rows, _, err := h.p.events.List(h.t.Context(), event.Filter{State: event.StateWaiting, Limit: 1})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("still waiting: %+v", rows)
		}
	}
	h.fold()
}

func (h *newsHouse) fold() {
	h.t.Helper()
	if _, err := h.p.notices.Dispatch(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// told takes what a person was told since it was last asked, the oldest first: kind, title, text and link.
func (h *newsHouse) told(who account.Actor) []string {
	h.t.Helper()
	items, _, err := h.p.notices.List(h.t.Context(), who.AccountID, notice.Query{Unread: true, Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.p.db.Exec(h.t.Context(), "UPDATE notice_recipient SET read_at=1 WHERE account_id=?", who.AccountID); err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, i := range items {
		out = append([]string{strings.Join([]string{i.Event, i.Title, i.Text, i.Link}, newsMark)}, out...)
	}
	return out
}
