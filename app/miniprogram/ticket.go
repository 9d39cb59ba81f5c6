package miniprogram

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// States of an authorisation ticket. waiting is the only one that changes.
const (
	Waiting    = "waiting"
	Authorized = "authorized"
	Cancelled  = "cancelled" // the asker's own 取消: WeChat redirects only on success
	Expired    = "expired"
	Failed     = "failed"
)

// FailureOwned is why a ticket fails whose mini program belongs to another space. Its tokens are stored all the same.
const FailureOwned = "owned"

// FailureCode is why a ticket fails whose authorisation code WeChat does not accept.
const FailureCode = "code"

// ticketLife is that of a pre-auth code; a link sent to an administrator stays good this long.
const ticketLife = 30 * time.Minute

// Ticket is one person's request to authorise a mini program. Times are Unix milliseconds of platform time.
type Ticket struct {
	ID           string `json:"ticket"`
	Component    string `json:"component"`
	AccountID    int64  `json:"-"`
	AskerSpaceID int64  `json:"-"`
	OwnerSpaceID int64  `json:"-"` // the space that becomes owner; 0 leaves the mini program 未认领
	BizAppID     string `json:"biz_appid,omitempty" orm:"biz_appid"`
	ReturnTo     string `json:"-"`
	State        string `json:"state"`
	AppID        string `json:"appid,omitempty" orm:"appid"`
	Failure      string `json:"failure,omitempty"`
	OpenedAt     int64  `json:"opened_at"` // when the WeChat page was last opened, 0 = never
	ExpiresAt    int64  `json:"expires_at"`
	CreatedAt    int64  `json:"created_at"`
}

// TicketRequest says what to authorise and where the browser goes afterwards.
type TicketRequest struct {
	Component string
	BizAppID  string // only this mini program may be chosen
	ReturnTo  string // a local path; "" for the list of mini programs
	Unclaimed bool   // leave the mini program without an owner: a merchant's link for a client who has no account yet
}

var (
	bizForm   = regexp.MustCompile(`^wx[0-9a-zA-Z]{16}$`)
	localPath = regexp.MustCompile(`^/[A-Za-z0-9_\-./?&=%~]{0,290}$`)
)

// CreateTicket opens a request of the actor to the platform app. Any logged-in person may ask: it is the mini program's
// administrator who decides, at WeChat.
func (s *Service) CreateTicket(ctx context.Context, who account.Actor, r TicketRequest) (Ticket, error) {
	if err := account.Require(who, "authorization.create"); err != nil {
		return Ticket{}, err
	}
	if r.BizAppID != "" && !who.Reaches(r.BizAppID) {
		return Ticket{}, errNotFound
	}
	bad := fault.InvalidInput()
	if r.BizAppID != "" && !bizForm.MatchString(r.BizAppID) {
		bad.On("biz_appid", "小程序 AppID 应为 wx 开头的 18 位字符")
	}
	if r.ReturnTo == "" {
		r.ReturnTo = "/my/miniprograms"
	}
	if !localPath.MatchString(r.ReturnTo) || strings.HasPrefix(r.ReturnTo, "//") {
		bad.On("return_to", "只能返回本站的页面")
	}
	if err := bad.OrNil(); err != nil {
		return Ticket{}, err
	}
	if _, err := s.components.SpaceOf(ctx, r.Component); err != nil {
		return Ticket{}, err
	}
	now := s.clk.Now()
	t := Ticket{
		ID: strings.ToLower(rand.Text()), Component: r.Component, AccountID: who.AccountID, AskerSpaceID: who.SpaceID, OwnerSpaceID: who.SpaceID,
		BizAppID: r.BizAppID, ReturnTo: r.ReturnTo, State: Waiting, ExpiresAt: clock.Millis(now.Add(ticketLife)), CreatedAt: clock.Millis(now),
	}
	if r.Unclaimed {
		t.OwnerSpaceID = 0
	}
	err := s.db.Insert(ctx, "auth_ticket", map[string]any{
		"id": t.ID, "component": t.Component, "account_id": t.AccountID, "asker_space_id": t.AskerSpaceID, "owner_space_id": t.OwnerSpaceID,
		"biz_appid": t.BizAppID, "return_to": t.ReturnTo, "state": t.State, "appid": "", "failure": "", "opened_at": 0, "expires_at": t.ExpiresAt, "created_at": t.CreatedAt,
	})
	if err != nil {
		return Ticket{}, fmt.Errorf("miniprogram: ticket: %w", err)
	}
	return t, nil
}

var errNoTicket = fault.New(fault.NotFound, "ticket_not_found", "授权链接不存在或已失效，请重新发起授权")

// Ticket reads a request; the id is unguessable, so whoever holds it may see its state.
func (s *Service) Ticket(ctx context.Context, id string) (Ticket, error) {
	var t Ticket
	found, err := s.db.One(ctx, &t, "SELECT * FROM auth_ticket WHERE id=?", id)
	if err != nil {
		return t, fmt.Errorf("miniprogram: ticket: %w", err)
	}
	if !found {
		return t, errNoTicket
	}
	if t.State == Waiting && t.ExpiresAt <= clock.Millis(s.clk.Now()) {
		t.State = Expired
	}
	return t, nil
}

// LandingURL is our own page for the ticket; it is what QR codes hold, since WeChat's page refuses a visitor without Referer.
func (s *Service) LandingURL(id string) string { return s.o.PublicURL + "/auth/" + id }

// Links are WeChat's two authorisation pages for one opening.
type Links struct{ PC, H5 string }

// Links mints a pre-auth code (on click, never before: it lives 30 minutes and opens one page) and makes the links.
// The redirect address carries the ticket signed, which is what binds the code that comes back to who asked.
func (s *Service) Links(ctx context.Context, id string) (Links, error) {
	t, err := s.Ticket(ctx, id)
	if err != nil {
		return Links{}, err
	}
	if t.State != Waiting {
		return Links{}, fault.New(fault.Conflict, "ticket_ended", "这个授权链接已经用过或已过期，请重新发起授权")
	}
	code, _, err := s.components.PreAuthCode(ctx, t.Component)
	if err != nil {
		return Links{}, err
	}
	now := clock.Millis(s.clk.Now())
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.InsertIgnore(ctx, "pre_auth_code", map[string]any{"hash": digest(t.Component, code), "ticket": t.ID, "created_at": now}); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "UPDATE auth_ticket SET opened_at=? WHERE id=?", now, t.ID)
		return err
	})
	if err != nil {
		return Links{}, fmt.Errorf("miniprogram: links: %w", err)
	}
	signed, err := s.vault.Sign("auth.return", t.ID)
	if err != nil {
		return Links{}, err
	}
	l := wechat.Link{Component: t.Component, PreAuthCode: code, RedirectURI: s.o.PublicURL + "/auth/return/" + signed, BizAppID: t.BizAppID}
	return Links{PC: wechat.PCLink(s.o.PCHost, l), H5: wechat.H5Link(s.o.H5Host, l)}, nil
}

// Cancel ends a waiting ticket; only who asked may. One that has ended stays as it is.
func (s *Service) Cancel(ctx context.Context, who account.Actor, id string) (Ticket, error) {
	t, err := s.Ticket(ctx, id)
	if err != nil {
		return t, err
	}
	if t.AccountID != who.AccountID {
		return Ticket{}, errNoTicket
	}
	if _, err := s.db.Exec(ctx, "UPDATE auth_ticket SET state=? WHERE id=? AND state=?", Cancelled, id, Waiting); err != nil {
		return t, err
	}
	return s.Ticket(ctx, id)
}

// Return takes the browser's return from WeChat: the signed ticket of the redirect address and the authorisation code.
// It may come before or after the push with the same code, or more than once; each gives the same ticket.
// A cancelled or expired ticket still takes a success: the administrator did authorise.
func (s *Service) Return(ctx context.Context, signed, code string) (Ticket, error) {
	id, err := s.vault.Verify("auth.return", signed)
	if errors.Is(err, secret.ErrSignature) {
		return Ticket{}, errNoTicket
	}
	if err != nil {
		return Ticket{}, err
	}
	t, err := s.Ticket(ctx, id)
	if err != nil {
		return t, err
	}
	if code == "" || len(code) > 512 {
		return t, fault.New(fault.Invalid, "no_auth_code", "微信没有返回授权码，请重新扫码授权")
	}
	// The push carries the time of the authorisation; the return does not. Five seconds of grace keep a truncated or
	// slightly earlier CreateTime of a following `unauthorized` from looking older than this.
	now := s.clk.Now().Unix()
	if err := s.exchange(ctx, t.Component, code, t.ID, authTime{latest: now, stamp: now - 5}); err != nil {
		return t, err
	}
	return s.Ticket(ctx, id)
}

// ExpireTickets ends tickets nobody used; the cron job tickets.expire. Codes are forgotten after a week.
func (s *Service) ExpireTickets(ctx context.Context) (string, error) {
	now := s.clk.Now()
	n, err := s.db.Exec(ctx, "UPDATE auth_ticket SET state=? WHERE state=? AND expires_at<=?", Expired, Waiting, clock.Millis(now))
	if err != nil {
		return "", err
	}
	old := clock.Millis(now.Add(-7 * 24 * time.Hour))
	for _, table := range []string{"pre_auth_code", "auth_code"} {
		if _, err := s.db.Exec(ctx, "DELETE FROM "+table+" WHERE created_at<?", old); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("过期 %d 个", n), nil
}

func (s *Service) endTicket(ctx context.Context, id, state, appid, failure string) error {
	if id == "" {
		return nil
	}
	_, err := s.db.Exec(ctx, "UPDATE auth_ticket SET state=?, appid=?, failure=? WHERE id=? AND state<>?", state, appid, failure, id, Authorized)
	return err
}

// digest is how codes are remembered: they are credentials, so only their hash is kept.
func digest(component, code string) string {
	sum := sha256.Sum256([]byte(component + "\x00" + code))
	return hex.EncodeToString(sum[:])
}

func (s *Service) record(ctx context.Context, t Ticket, appid, act, outcome, detail string) error {
	return s.trail.Record(ctx, trail.Entry{AccountID: t.AccountID, SpaceID: t.AskerSpaceID, Actor: "授权链接", Office: true, Component: t.Component, AppID: appid, Act: act, Object: t.ID, Outcome: outcome, Detail: detail})
}
