package notice_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/notice"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

type directory struct{}

func (directory) all() []account.Actor {
	return []account.Actor{
		{AccountID: owner, SpaceID: mine, Name: "陈晨", Login: "owner@example.test", Role: account.RoleOwner, SpaceKind: account.Merchant},
		{AccountID: reader, SpaceID: mine, Name: "小王", Login: "13800000000", Role: account.RoleReadOnly, SpaceKind: account.Merchant, Permissions: []string{"component.read"}},
		{AccountID: limit, SpaceID: mine, Name: "小李", Login: "limit@example.test", Role: account.RoleOperation, SpaceKind: account.Merchant, Permissions: []string{"version.operate"}, MiniPrograms: []string{"wx1"}},
		{AccountID: stranger, SpaceID: others, Name: "外人", Login: "stranger@example.test", Role: account.RoleOwner, SpaceKind: account.Merchant},
	}
}

func (d directory) Audience(_ context.Context, spaceID int64) ([]account.Actor, error) {
	return slices.DeleteFunc(d.all(), func(a account.Actor) bool { return a.SpaceID != spaceID }), nil
}

func (d directory) Someone(_ context.Context, id int64) (account.Actor, bool, error) {
	for _, a := range d.all() {
		if a.AccountID == id {
			return account.Actor{AccountID: id, Name: a.Name, Login: a.Login}, true, nil
		}
	}
	return account.Actor{}, false, nil
}

func (d directory) actor(id int64) account.Actor {
	i := slices.IndexFunc(d.all(), func(a account.Actor) bool { return a.AccountID == id })
	return d.all()[i]
}

// post keeps mails instead of sending them, or refuses them.
type post struct {
	mu    sync.Mutex
	mails []notice.Mail
	fail  error
}

func (p *post) SendMail(_ context.Context, m notice.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.mails = append(p.mails, m)
	}
	return p.fail
}

type house struct {
	*notice.Service
	t    *testing.T
	db   *store.DB
	clk  *clock.Manual
	post *post
	directory
}

func open(t *testing.T, db *store.DB, more ...func(*notice.Options)) house {
	t.Helper()
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	h := house{t: t, db: db, clk: clock.Fixed(time.UnixMilli(1_760_000_000_000)), post: &post{}}
	o := notice.Options{
		DB: db, Clock: h.clk, Directory: directory{}, Sealer: vault, Trail: trail.New(db, h.clk), PublicURL: "https://mf.example.test", Mailer: h.post,
		Webhooks: notice.WebhookOptions{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 2 * time.Second},
	}
	for _, f := range more {
		f(&o)
	}
	h.Service = notice.New(o)
	return h
}

func (h house) send(m notice.Message) {
	h.t.Helper()
	if err := h.Send(h.t.Context(), m); err != nil {
		h.t.Fatal(err)
	}
}

// work dispatches and delivers what is due.
func (h house) work() {
	h.t.Helper()
	if _, err := h.Dispatch(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.DeliverDue(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) list(account int64) []notice.Item {
	h.t.Helper()
	items, _, err := h.List(h.t.Context(), account, notice.Query{})
	if err != nil {
		h.t.Fatal(err)
	}
	return items
}

func (h house) unread(account int64) int64 {
	h.t.Helper()
	n, err := h.Unread(h.t.Context(), account)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}
