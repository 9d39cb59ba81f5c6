package account_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

type movingClock struct{ ms atomic.Int64 }

func (c *movingClock) Now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *movingClock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

type heldThings struct{ authorized, components int64 }

func (h *heldThings) Holds(context.Context, int64) (int64, int64, error) {
	return h.authorized, h.components, nil
}
func (h *heldThings) Export(_ context.Context, space int64) (any, error) {
	return map[string]int64{"space": space}, nil
}

// estate is the spaces service with people in it.
type estate struct {
	t        *testing.T
	db       *store.DB
	clk      *movingClock
	accounts *account.Service
	spaces   *account.Spaces
	held     *heldThings
	erased   []int64
}

func settle(t *testing.T, db *store.DB) *estate {
	t.Helper()
	vault, err := secret.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	w := &estate{t: t, db: db, clk: &movingClock{}, held: &heldThings{}}
	w.clk.ms.Store(1_760_000_000_000)
	log := trail.New(db, w.clk)
	w.accounts = account.New(db, w.clk, log)
	w.spaces = account.NewSpaces(account.SpacesOptions{
		DB: db, Clock: w.clk, Trail: log, Vault: vault, Accounts: w.accounts, Belongings: w.held, PublicURL: "https://fleet.example/",
		Erase: func(_ context.Context, l account.Leaver) ([]int64, error) {
			w.erased = append(w.erased, l.AccountID)
			return nil, nil
		},
	})
	return w
}

const goodPassword = "correct horse battery"

func (w *estate) person(login string, kind account.Kind) account.Actor {
	w.t.Helper()
	name, _, _ := strings.Cut(login, "@")
	who, err := w.accounts.Seed(w.t.Context(), account.Registration{Login: login, Password: goodPassword, Name: name, Kind: kind, SpaceName: name + "的空间"})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.session(who)
}

// session logs the person in, so that they have a session to lose.
func (w *estate) session(who account.Actor) account.Actor {
	w.t.Helper()
	s, err := w.accounts.SessionFor(w.t.Context(), who, "127.0.0.1", "test")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.again(account.Actor{AccountID: who.AccountID, SpaceID: who.SpaceID, SessionID: s.Actor.SessionID})
}

// again is the person as the next request finds them.
func (w *estate) again(who account.Actor) account.Actor {
	w.t.Helper()
	now, err := w.accounts.Actor(w.t.Context(), who.AccountID, who.SpaceID)
	if err != nil {
		w.t.Fatal(err)
	}
	now.SessionID = who.SessionID
	return now
}

// hire invites a fresh person and lets them accept.
func (w *estate) hire(boss account.Actor, login string, role account.RoleChoice, limit account.Limit) account.Actor {
	w.t.Helper()
	who := w.person(login, account.Personal)
	in, err := w.spaces.Invite(w.t.Context(), boss, account.InvitationForm{Login: login, Role: role, Limit: limit})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.spaces.Accept(w.t.Context(), who, tokenIn(in.Link)); err != nil {
		w.t.Fatal(err)
	}
	return w.again(account.Actor{AccountID: who.AccountID, SpaceID: boss.SpaceID, SessionID: who.SessionID})
}

func tokenIn(link string) string { return link[strings.LastIndex(link, "/")+1:] }

func wantFault(t *testing.T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || code != "" && fault.From(err).Code != code {
		t.Errorf("%s: got %v, want kind %d code %q", what, err, kind, code)
	}
}

const shop = "wx1111111111111111"

func TestRolesIncludeWhatTheirNamesSay(t *testing.T) {
	w := settle(t, storetest.Open(t))
	boss := w.person("boss@example.test", account.Merchant)
	for role, can := range map[string][]string{
		account.RoleAdmin:     {"component.bind", "space.member", "version.operate", "trail.read"},
		account.RoleOperation: {"version.operate", "market.listing", "component.read", "!component.bind", "!space.member"},
		account.RoleDeveloper: {"component.bind", "version.template", "!space.member", "!market.listing"},
		account.RoleFinance:   {"trail.read", "miniprogram.read", "!version.operate"},
		account.RoleReadOnly:  {"component.read", "space.member.read", "!component.bind", "!miniprogram.sync", "!space.role"},
	} {
		who := w.hire(boss, role+"@example.test", account.RoleChoice{Key: role}, account.Limit{})
		for _, p := range can {
			name, no := strings.CutPrefix(p, "!")
			if who.Can(name) == no {
				t.Errorf("%s: Can(%s) is %v", role, name, who.Can(name))
			}
		}
	}
	if err := account.Require(w.hire(boss, "reader@example.test", account.RoleChoice{Key: account.RoleReadOnly}, account.Limit{}), "component.bind"); !strings.Contains(fault.From(err).Message, "boss") || !strings.Contains(fault.From(err).Message, "绑定第三方平台") {
		t.Errorf("the refusal does not name what is missing and who can grant it: %v", err)
	}
}

func TestNobodyGivesOrTakesMoreThanTheyHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		admin := w.hire(boss, "admin@example.test", account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
		hr, err := w.spaces.SaveRole(ctx, boss, 0, account.RoleForm{Name: "人事", Permissions: []string{"space.member", "space.member.read", "space.role"}})
		if err != nil {
			t.Fatal(err)
		}
		clerk := w.hire(boss, "clerk@example.test", account.RoleChoice{Key: account.RoleCustom, ID: hr.ID}, account.Limit{})

		_, err = w.spaces.ChangeMember(ctx, admin, admin.MemberID, account.RoleChoice{Key: account.RoleOwner}, account.Limit{})
		wantFault(t, "an admin changes itself", err, fault.Forbidden, "own_membership")
		_, err = w.spaces.ChangeMember(ctx, admin, clerk.MemberID, account.RoleChoice{Key: account.RoleOwner}, account.Limit{})
		wantFault(t, "an admin makes an owner", err, fault.Forbidden, "owner_by_handover")
		_, err = w.spaces.Invite(ctx, admin, account.InvitationForm{Login: "x@example.test", Role: account.RoleChoice{Key: account.RoleOwner}})
		wantFault(t, "an admin invites an owner", err, fault.Forbidden, "owner_by_handover")
		wantFault(t, "an admin hands the space over", w.spaces.HandOver(ctx, admin, admin.MemberID, goodPassword), fault.Forbidden, "owner_only")
		wantFault(t, "an admin removes the owner", w.spaces.RemoveMember(ctx, admin, boss.MemberID), fault.Forbidden, "beyond_own_role")
		_, err = w.spaces.Invite(ctx, clerk, account.InvitationForm{Login: "x@example.test", Role: account.RoleChoice{Key: account.RoleAdmin}})
		wantFault(t, "a clerk invites an admin", err, fault.Forbidden, "beyond_own_role")
		_, err = w.spaces.SaveRole(ctx, clerk, 0, account.RoleForm{Name: "影子", Permissions: []string{"component.bind"}})
		wantFault(t, "a clerk makes a role beyond their own", err, fault.Forbidden, "beyond_own_role")
		_, err = w.spaces.SaveRole(ctx, clerk, hr.ID, account.RoleForm{Name: "人事", Permissions: []string{"space.member.read"}})
		wantFault(t, "a clerk changes their own role", err, fault.Forbidden, "own_role")
		wantFault(t, "a clerk removes an admin", w.spaces.RemoveMember(ctx, clerk, admin.MemberID), fault.Forbidden, "beyond_own_role")
		_, err = w.spaces.ChangeMember(ctx, clerk, clerk.MemberID, account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
		wantFault(t, "a clerk promotes themself", err, fault.Forbidden, "own_membership")
		for _, foreign := range []string{"event.replay", "space.owner", "*", "space."} {
			_, err = w.spaces.SaveRole(ctx, boss, 0, account.RoleForm{Name: "怪", Permissions: []string{foreign}})
			wantFault(t, "a role with "+foreign, err, fault.Invalid, "")
		}
	})
}

func TestALimitedMemberGivesNoMoreThanTheirOwnMiniPrograms(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	only := account.Limit{Limited: true, AppIDs: []string{shop}}
	admin := w.hire(boss, "admin@example.test", account.RoleChoice{Key: account.RoleAdmin}, only)
	if !admin.May("version.operate", shop) || admin.May("version.operate", "wx2222222222222222") || !slices.Equal(admin.MiniPrograms, only.AppIDs) {
		t.Fatalf("the limit does not hold: %+v", admin)
	}
	_, err := w.spaces.Invite(ctx, admin, account.InvitationForm{Login: "x@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}})
	wantFault(t, "unlimited by a limited", err, fault.Forbidden, "beyond_own_limit")
	_, err = w.spaces.Invite(ctx, admin, account.InvitationForm{Login: "x@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}, Limit: account.Limit{Limited: true, AppIDs: []string{"wx2222222222222222"}}})
	wantFault(t, "another mini program", err, fault.Invalid, "")
	free := w.hire(boss, "free@example.test", account.RoleChoice{Key: account.RoleReadOnly}, account.Limit{})
	wantFault(t, "remove who reaches more", w.spaces.RemoveMember(ctx, admin, free.MemberID), fault.Forbidden, "beyond_own_role")
	w.hire(admin, "small@example.test", account.RoleChoice{Key: account.RoleReadOnly}, only)
}

func TestAChangedRoleHoldsAtTheNextRequestAndARemovedMemberFallsBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		dev := w.hire(boss, "dev@example.test", account.RoleChoice{Key: account.RoleDeveloper}, account.Limit{})
		sess, err := w.accounts.SessionFor(ctx, dev, "127.0.0.1", "phone")
		if err != nil {
			t.Fatal(err)
		}
		if now, err := w.accounts.Authenticate(ctx, sess.Token, 0); err != nil || !now.Can("component.bind") {
			t.Fatalf("%+v %v", now, err)
		}
		if _, err := w.spaces.ChangeMember(ctx, boss, dev.MemberID, account.RoleChoice{Key: account.RoleReadOnly}, account.Limit{}); err != nil {
			t.Fatal(err)
		}
		if now, err := w.accounts.Authenticate(ctx, sess.Token, 0); err != nil || now.Can("component.bind") {
			t.Fatalf("the old role still holds: %+v %v", now, err)
		}
		if err := w.spaces.RemoveMember(ctx, boss, dev.MemberID); err != nil {
			t.Fatal(err)
		}
		now, err := w.accounts.Authenticate(ctx, sess.Token, 0)
		if err != nil || now.SpaceID == boss.SpaceID || now.SpaceKind != account.Personal {
			t.Fatalf("a removed member is not in their own space: %+v %v", now, err)
		}
		if _, err := w.accounts.Authenticate(ctx, sess.Token, boss.SpaceID); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("a removed member entered the space: %v", err)
		}
	})
}

func TestMembersRolesAndInvitationsOfAnotherSpaceAreNotFound(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss, other := w.person("boss@example.test", account.Merchant), w.person("other@example.test", account.Merchant)
	admin := w.hire(boss, "admin@example.test", account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
	role, err := w.spaces.SaveRole(ctx, boss, 0, account.RoleForm{Name: "客服", Permissions: []string{"miniprogram.read"}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.spaces.Invite(ctx, boss, account.InvitationForm{Login: "new@example.test", Role: account.RoleChoice{ID: role.ID}})
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range map[string]func() error{
		"member": func() error { _, err := w.spaces.Member(ctx, other, admin.MemberID); return err },
		"change member": func() error {
			_, err := w.spaces.ChangeMember(ctx, other, admin.MemberID, account.RoleChoice{Key: account.RoleReadOnly}, account.Limit{})
			return err
		},
		"remove member": func() error { return w.spaces.RemoveMember(ctx, other, admin.MemberID) },
		"hand over":     func() error { return w.spaces.HandOver(ctx, other, admin.MemberID, goodPassword) },
		"role":          func() error { _, err := w.spaces.Role(ctx, other, role.ID); return err },
		"save role": func() error {
			_, err := w.spaces.SaveRole(ctx, other, role.ID, account.RoleForm{Name: "客服", Permissions: []string{"miniprogram.read"}})
			return err
		},
		"delete role": func() error { return w.spaces.DeleteRole(ctx, other, role.ID) },
		"use role": func() error {
			_, err := w.spaces.Invite(ctx, other, account.InvitationForm{Login: "y@example.test", Role: account.RoleChoice{ID: role.ID}})
			return err
		},
		"cancel": func() error { return w.spaces.CancelInvitation(ctx, other, in.ID) },
		"resend": func() error { _, err := w.spaces.Resend(ctx, other, in.ID); return err },
	} {
		wantFault(t, what, call(), fault.NotFound, "")
	}
	page, err := w.spaces.Members(ctx, other, account.MemberFilter{})
	if err != nil || len(page.Items) != 1 || page.Total != 1 {
		t.Fatalf("the other space's list: %+v %v", page, err)
	}
	wantFault(t, "a role in use is deleted", w.spaces.DeleteRole(ctx, boss, role.ID), fault.Conflict, "role_in_use")
}

func TestAnInvitationIsForOnePersonOnceAndEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		thief, guest := w.person("thief@example.test", account.Personal), w.person("guest@example.test", account.Personal)
		form := account.InvitationForm{Login: "Guest@example.test", Role: account.RoleChoice{Key: account.RoleOperation}}
		in, err := w.spaces.Invite(ctx, boss, form)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM invitation WHERE token_hash=?", tokenIn(in.Link)); err != nil || n != 0 || !strings.HasPrefix(in.Link, "https://fleet.example/invite/") {
			t.Fatalf("the token is in the database, or the link is wrong: %s", in.Link)
		}
		_, err = w.spaces.Invite(ctx, boss, form)
		wantFault(t, "invited twice", err, fault.Invalid, "")
		_, err = w.spaces.Accept(ctx, thief, tokenIn(in.Link))
		wantFault(t, "accepted by another", err, fault.Forbidden, "invitation_of_another")
		o, err := w.spaces.Offer(ctx, thief, tokenIn(in.Link))
		if err != nil || o.Mine || strings.Contains(o.Login, "guest") {
			t.Fatalf("a stranger with the link reads whom it is for: %+v %v", o, err)
		}
		w.clk.advance(7*24*time.Hour + time.Minute)
		_, err = w.spaces.Accept(ctx, guest, tokenIn(in.Link))
		wantFault(t, "expired", err, fault.NotFound, "invitation_gone")
		again, err := w.spaces.Resend(ctx, boss, in.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.spaces.Accept(ctx, guest, tokenIn(in.Link))
		wantFault(t, "the link before the resend", err, fault.NotFound, "invitation_gone")
		m, err := w.spaces.Accept(ctx, guest, tokenIn(again.Link))
		if err != nil || m.SpaceID != boss.SpaceID || m.RoleTitle != "运营" {
			t.Fatalf("%+v %v", m, err)
		}
		_, err = w.spaces.Accept(ctx, guest, tokenIn(again.Link))
		wantFault(t, "used", err, fault.NotFound, "invitation_gone")
		in, err = w.spaces.Invite(ctx, boss, account.InvitationForm{Login: "late@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.spaces.CancelInvitation(ctx, boss, in.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.spaces.Accept(ctx, w.person("late@example.test", account.Personal), tokenIn(in.Link))
		wantFault(t, "cancelled", err, fault.NotFound, "invitation_gone")
	})
}

func TestWhatARemovedMemberOfferedEndsWithThem(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	admin := w.hire(boss, "admin@example.test", account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
	in, err := w.spaces.Invite(ctx, admin, account.InvitationForm{Login: "mole@example.test", Role: account.RoleChoice{Key: account.RoleAdmin}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.spaces.RemoveMember(ctx, boss, admin.MemberID); err != nil {
		t.Fatal(err)
	}
	_, err = w.spaces.Accept(ctx, w.person("mole@example.test", account.Personal), tokenIn(in.Link))
	wantFault(t, "an invitation of a removed admin", err, fault.NotFound, "invitation_gone")
	_, err = w.spaces.Invite(ctx, admin, account.InvitationForm{Login: "y@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}})
	wantFault(t, "the removed admin's request in flight", err, fault.Unauthenticated, "")
}

func TestAPersonOpensFurtherSpacesOfTheirOwn(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	user := w.person("user@example.test", account.Personal)
	m, err := w.spaces.Open(ctx, user, account.Merchant, "晨光贸易有限公司")
	if err != nil || m.Kind != account.Merchant || m.Role != account.RoleOwner {
		t.Fatalf("%+v %v", m, err)
	}
	_, err = w.spaces.Open(ctx, user, account.Platform, "平台")
	wantFault(t, "a platform space", err, fault.Invalid, "")
	got := race(12, func(int) error { _, err := w.spaces.Open(ctx, user, account.Personal, ""); return err })
	if got[""] != 8 || got["too_many_spaces"] != 4 {
		t.Fatalf("%v", got)
	}
	token := user
	token.Scopes = []string{"space.member"}
	_, err = w.spaces.Open(ctx, token, account.Merchant, "令牌贸易")
	wantFault(t, "an API token opens a space", err, fault.Forbidden, "login_only")
}
