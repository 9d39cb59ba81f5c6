package notice_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// The people of the tests: an owner and a read-only member of one merchant, somebody limited to one mini program, and
// the owner of another space.
const (
	mine, others         = 10, 20
	owner, reader, limit = 1, 2, 3
	stranger             = 4
)

func TestAMessageIsHeardByThoseWhoMaySeeIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		h.send(notice.Message{Event: notice.TicketLate, SpaceID: mine, Title: "票据延迟", Text: "半小时没有收到票据", Link: "/admin/components/wx0"})
		h.send(notice.Message{Event: notice.AuditRejected, SpaceID: mine, AppID: "wx1", Title: "wx1 驳回"})
		h.send(notice.Message{Event: notice.AuditRejected, SpaceID: mine, AppID: "wx2", Title: "wx2 驳回"})
		h.send(notice.Message{Event: notice.Invitation, SpaceID: mine, AccountIDs: []int64{stranger}, Title: "邀请你加入"})
		h.work()
		for id, want := range map[int64][]string{owner: {"wx2 驳回", "wx1 驳回", "票据延迟"}, reader: {"票据延迟"}, limit: {"wx1 驳回"}, stranger: {"邀请你加入"}} {
			var got []string
			for _, i := range h.list(id) {
				got = append(got, i.Title)
			}
			if !slices.Equal(got, want) {
				t.Errorf("account %d hears %q, want %q", id, got, want)
			}
		}
		// The reader has a phone number only; the owner has an address. An invitation's letter, with its token, is no notice.
		var to []string
		for _, m := range h.post.mails {
			to = append(to, m.To+" "+m.Subject)
		}
		slices.Sort(to)
		if want := []string{"limit@example.test wx1 驳回", "owner@example.test wx1 驳回", "owner@example.test wx2 驳回", "owner@example.test 票据延迟"}; !slices.Equal(to, want) {
			t.Errorf("mails %q", to)
		}
		i := slices.IndexFunc(h.post.mails, func(m notice.Mail) bool { return m.Subject == "票据延迟" })
		if text := h.post.mails[i].Text; !strings.Contains(text, "https://mf.example.test/admin/components/wx0") || !strings.Contains(text, "半小时没有收到票据") {
			t.Errorf("mail says %q", text)
		}
	})
}

func TestAMessageOfATransactionThatFailsIsNeverTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		no := errors.New("no")
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			if err := h.Send(ctx, notice.Message{Event: notice.Authorized, SpaceID: mine, Title: "授权成功"}); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		h.work()
		if n := len(h.list(owner)); n != 0 {
			t.Fatalf("%d notices", n)
		}
	})
}

func TestABatchIsOneDigestOneMailAndOneBellEntry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		for i := range 400 {
			m := notice.Message{Event: notice.BatchFinished, SpaceID: mine, Title: "批次 1.4.0", Batch: "rollout-7", Outcome: notice.OK, Link: "/admin/batches/7"}
			if i%29 == 0 {
				m.Outcome = notice.Failed
			}
			h.send(m)
			if i == 200 {
				h.work()
				h.clk.Advance(30 * time.Second)
				if err := h.MarkRead(t.Context(), owner, h.list(owner)[0].ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		h.work()
		if n := len(h.post.mails); n != 0 {
			t.Fatalf("%d mails before the batch was quiet", n)
		}
		h.clk.Advance(time.Minute)
		h.work()
		items := h.list(owner)
		if len(items) != 1 || items[0].OK != 386 || items[0].Failed != 14 || items[0].ReadAt != 0 {
			t.Fatalf("bell: %+v", items)
		}
		var subjects []string
		for _, m := range h.post.mails {
			subjects = append(subjects, m.To+" "+m.Subject)
		}
		if want := []string{"limit@example.test 批次 1.4.0：386 成功 14 失败", "owner@example.test 批次 1.4.0：386 成功 14 失败"}; !slices.Equal(slices.Sorted(slices.Values(subjects)), want) {
			t.Fatalf("mails %q", subjects)
		}
		h.send(notice.Message{Event: notice.BatchFinished, SpaceID: mine, Title: "批次 1.4.0", Batch: "rollout-7", Outcome: notice.OK})
		h.work()
		if n := len(h.list(owner)); n != 2 {
			t.Fatalf("a message after the window makes %d entries", n)
		}
	})
}

func TestReadingIsEverybodysOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		for range 3 {
			h.send(notice.Message{Event: notice.TicketLate, SpaceID: mine, Title: "票据延迟"})
		}
		h.work()
		if h.unread(owner) != 3 || h.unread(reader) != 3 || h.unread(stranger) != 0 {
			t.Fatalf("unread %d %d %d", h.unread(owner), h.unread(reader), h.unread(stranger))
		}
		id := h.list(owner)[1].ID
		if err := h.MarkRead(t.Context(), owner, id); err != nil {
			t.Fatal(err)
		}
		if h.unread(owner) != 2 || h.unread(reader) != 3 {
			t.Fatalf("unread %d %d", h.unread(owner), h.unread(reader))
		}
		if err := h.MarkRead(t.Context(), stranger, id); err == nil {
			t.Fatal("a stranger read it")
		}
		if _, err := h.Open(t.Context(), stranger, id); err == nil {
			t.Fatal("a stranger opened it")
		}
		if n, err := h.MarkAllRead(t.Context(), owner); err != nil || n != 2 || h.unread(owner) != 0 {
			t.Fatalf("marked %d, %v", n, err)
		}
		items, next, err := h.List(t.Context(), reader, notice.Query{Unread: true, Limit: 2})
		if err != nil || len(items) != 2 || next == 0 {
			t.Fatalf("%d %d %v", len(items), next, err)
		}
		rest, next, err := h.List(t.Context(), reader, notice.Query{Unread: true, Limit: 2, Cursor: next})
		if err != nil || len(rest) != 1 || next != 0 {
			t.Fatalf("%d %d %v", len(rest), next, err)
		}
	})
}

func TestPreferencesDecideHowAMemberHears(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		me := h.actor(owner)
		set := func(p ...notice.Preference) error { return h.SetPreferences(t.Context(), me, p) }
		if err := set(notice.Preference{Event: notice.TicketLate, Channel: "mail"}, notice.Preference{Event: notice.Authorized, Channel: "site"}, notice.Preference{Event: notice.Authorized, Channel: "mail", On: true}); err != nil {
			t.Fatal(err)
		}
		for name, p := range map[string]notice.Preference{
			"a forced one":  {Event: notice.NewDevice, Channel: "mail"},
			"no event":      {Event: "x.y", Channel: "mail", On: true},
			"no channel":    {Event: notice.TicketLate, Channel: "pigeon", On: true},
			"of operators":  {Event: notice.ApplicationSent, Channel: "mail", On: true},
			"webhook's own": {Event: notice.TicketLate, Channel: "webhook", On: true},
		} {
			if err := set(p); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		h.send(notice.Message{Event: notice.TicketLate, SpaceID: mine, Title: "票据延迟"})
		h.send(notice.Message{Event: notice.Authorized, SpaceID: mine, Title: "授权成功"})
		h.work()
		if items := h.list(owner); len(items) != 1 || items[0].Title != "票据延迟" {
			t.Fatalf("%+v", items)
		}
		if len(h.post.mails) != 1 || h.post.mails[0].Subject != "授权成功" {
			t.Fatalf("%+v", h.post.mails)
		}
	})
}

func TestTheSettingsSayHowManyWebhooksAreTold(t *testing.T) {
	h := open(t, storetest.Open(t))
	for _, f := range []notice.WebhookForm{
		{Name: "全部", URL: "http://127.0.0.1:9/a", Enabled: true}, {Name: "审核", URL: "http://127.0.0.1:9/b", Events: []string{notice.AuditRejected}, Enabled: true},
	} {
		if _, _, err := h.CreateWebhook(t.Context(), h.actor(owner), f); err != nil {
			t.Fatal(err)
		}
	}
	told := func(who int64) map[string]*int64 {
		choices, err := h.Preferences(t.Context(), h.actor(who))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]*int64{}
		for _, c := range choices {
			found[c.Event] = c.Webhooks
		}
		return found
	}
	mine := told(owner)
	for event, want := range map[string]int64{notice.AuditRejected: 2, notice.QuotaLow: 1} {
		if n := mine[event]; n == nil || *n != want {
			t.Errorf("%s is told to %v webhooks, want %d", event, n, want)
		}
	}
	if n, listed := mine[notice.NewDevice]; !listed || n != nil {
		t.Errorf("news of a person: %v", n)
	}
	if _, listed := mine[notice.Invitation]; listed {
		t.Error("an invitation to another space is offered to choose here")
	}
	if n := told(reader)[notice.TicketLate]; n != nil {
		t.Errorf("a member who may not see webhooks: %d", *n)
	}
	if n := told(stranger)[notice.QuotaLow]; n == nil || *n != 0 {
		t.Errorf("another space: %v", n)
	}
}

func TestDeliveriesAreTriedAgainAndGivenUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		h.post.fail = errors.New("server away")
		h.send(notice.Message{Event: notice.TokenFailing, SpaceID: mine, Title: "令牌失败"})
		h.work()
		h.post.fail = nil
		h.work()
		if len(h.post.mails) != 0 {
			t.Fatal("tried again at once")
		}
		h.clk.Advance(time.Minute)
		h.work()
		if len(h.post.mails) != 1 {
			t.Fatalf("%d mails", len(h.post.mails))
		}
		h.post.fail = errors.New("server away")
		h.send(notice.Message{Event: notice.TokenFailing, SpaceID: mine, Title: "令牌又失败"})
		for range 12 {
			h.work()
			h.clk.Advance(12 * time.Hour)
		}
		n, err := db.Int(t.Context(), "SELECT attempts FROM notice_delivery WHERE state=2")
		if err != nil || n != 8 {
			t.Fatalf("given up after %d tries, %v", n, err)
		}
	})
}

func TestTwoReplicasTellOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		twin := open(t, db, func(o *notice.Options) { o.Mailer = h.post })
		for i := range 60 {
			h.send(notice.Message{Event: notice.TokenFailing, SpaceID: mine, Title: fmt.Sprint("令牌失败 ", i)})
		}
		var wg sync.WaitGroup
		for _, s := range []house{h, twin, h, twin} {
			wg.Go(func() {
				for range 6 {
					_, e1 := s.Dispatch(t.Context())
					_, e2 := s.DeliverDue(t.Context())
					if e1 != nil || e2 != nil {
						t.Error(e1, e2)
					}
				}
			})
		}
		wg.Wait()
		h.work()
		h.work()
		seen := map[string]int{}
		for _, m := range h.post.mails {
			seen[m.Subject]++
		}
		if len(seen) != 60 || len(h.post.mails) != 60 || len(h.list(owner)) != 20 {
			t.Fatalf("%d subjects in %d mails", len(seen), len(h.post.mails))
		}
	})
}

func TestMessagesThatCannotBeToldAreRefused(t *testing.T) {
	h := open(t, storetest.Open(t))
	for name, m := range map[string]notice.Message{
		"unknown event":  {Event: "a.b", Title: "x"},
		"no title":       {Event: notice.TicketLate},
		"another site":   {Event: notice.TicketLate, Title: "x", Link: "https://elsewhere.example"},
		"protocol-less":  {Event: notice.TicketLate, Title: "x", Link: "//elsewhere.example"},
		"line in link":   {Event: notice.TicketLate, Title: "x", Link: "/a\r\nb"},
		"wrong outcome":  {Event: notice.TicketLate, Title: "x", Outcome: "maybe"},
		"negative space": {Event: notice.TicketLate, Title: "x", SpaceID: -1},
	} {
		if err := h.Send(t.Context(), m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
