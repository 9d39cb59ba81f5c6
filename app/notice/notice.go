package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// Outcomes of a message inside a batch; the digest counts them.
const (
	OK     = "ok"
	Failed = "failed"
)

// LinkMost is how long the link of a message may be.
const LinkMost = 300

// Message is something that happened, as a room tells it. Texts are Chinese and hold no secrets; what is too long is cut.
type Message struct {
	Event string // of the catalogue, see Kinds
	// SpaceID is whose news it is. 0 with no AccountIDs means the platform's own operators.
	SpaceID int64
	// AccountIDs are who shall hear it; nil means every member of the space who may see it.
	AccountIDs []int64
	Title      string // one line, up to 190 characters; in a batch the first message's title heads the digest
	Text       string
	Link       string // address on this site, beginning with /; what to open
	AppID      string // the mini program it is about, "" for none: a member limited to others does not hear of it
	// Batch joins messages of the same event and space: they are told as one digest. "" stands alone.
	Batch   string
	Outcome string // OK, Failed or "": what the digest counts
}

// Directory knows who is in a space; account.Service is one.
type Directory interface {
	// Audience lists the members of a space as the actors they would be there; space 0 is every space of the platform itself.
	Audience(ctx context.Context, spaceID int64) ([]account.Actor, error)
	// Someone finds one account outside of any space; false when it is gone.
	Someone(ctx context.Context, accountID int64) (account.Actor, bool, error)
}

// email is the address of an account whose login is one; others cannot be written to.
func email(a account.Actor) string {
	if strings.Contains(a.Login, "@") {
		return a.Login
	}
	return ""
}

// Sealer keeps webhook secrets; secret.Vault is one.
type Sealer interface {
	SealString(purpose, plain string) (string, error)
	OpenString(purpose, sealed string) (string, error)
}

// Options of a Service. DB, Clock, Directory, Sealer and Trail are needed.
type Options struct {
	DB        *store.DB
	Clock     clock.Clock
	Directory Directory
	Sealer    Sealer
	Trail     *trail.Log
	Log       *slog.Logger // nil means the default logger
	PublicURL string       // origin that links in mails and webhooks begin with

	// Mailer sends e-mail; nil means that no mail goes out and the settings say so.
	Mailer Mailer
	// Webhooks are the bounds of what a webhook may reach.
	Webhooks WebhookOptions

	// BatchQuiet is how long after its last message a digest closes and goes out; default 1 min. BatchMost bounds how long
	// it takes messages after its first; default 10 min. Both in platform time. A later message opens the next digest.
	BatchQuiet, BatchMost time.Duration
	// Poll is how often the outbox and the deliveries are looked at without a wake-up, in wall time; default 1 s.
	Poll time.Duration
}

// Service is the room's door. Safe for concurrent use.
type Service struct {
	o        Options
	channels map[string]Channel
	wake     chan struct{}
	owner    string
}

// New makes the service; nothing runs until Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.BatchQuiet == 0 {
		o.BatchQuiet = time.Minute
	}
	if o.BatchMost == 0 {
		o.BatchMost = 10 * time.Minute
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	s := &Service{o: o, wake: make(chan struct{}, 1), channels: map[string]Channel{}, owner: fmt.Sprintf("notice-%d", o.DB.NewID())}
	if o.Mailer != nil {
		s.channels[ChannelMail] = mailChannel{o.Mailer}
	}
	s.channels[ChannelWebhook] = newWebhookChannel(s)
	return s
}

// Send tells m. Inside a transaction it is told when that commits and not otherwise. It costs one insert; who hears it
// is decided a moment later.
func (s *Service) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	accounts, err := json.Marshal(m.AccountIDs)
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	err = s.o.DB.Insert(ctx, "notice_outbox", map[string]any{
		"id": s.o.DB.NewID(), "event": m.Event, "space_id": m.SpaceID, "accounts": string(accounts), "title": cut(m.Title, 190), "body": cut(m.Text, 4000),
		"link": m.Link, "batch": m.Batch, "outcome": m.Outcome, "appid": m.AppID, "created_at": clock.Millis(s.o.Clock.Now()),
	})
	if err != nil {
		return fmt.Errorf("notice: send %s: %w", m.Event, err)
	}
	// The caller's commit may still be to come; the looks after it are cheap and find nothing when there is nothing.
	for _, d := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
		time.AfterFunc(d, s.Wake)
	}
	return nil
}

func (m Message) check() error {
	_, known := kindOf(m.Event)
	switch {
	case !known:
		return fmt.Errorf("notice: no event %q in the catalogue", m.Event)
	case m.Title == "":
		return fmt.Errorf("notice: %s without a title", m.Event)
	case m.SpaceID < 0:
		return errors.New("notice: space ids are positive")
	case len(m.Link) > LinkMost || m.Link != "" && (!strings.HasPrefix(m.Link, "/") || strings.HasPrefix(m.Link, "//") || strings.ContainsAny(m.Link, "\\\r\n\t")):
		return fmt.Errorf("notice: %s: the link is no address of this site", m.Event)
	case len(m.Batch) > 120 || len(m.AppID) > 32:
		return fmt.Errorf("notice: %s: batch or appid too long", m.Event)
	case m.Outcome != "" && m.Outcome != OK && m.Outcome != Failed:
		return fmt.Errorf("notice: %s: unknown outcome %q", m.Event, m.Outcome)
	}
	return nil
}

// Wake makes the dispatcher look now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// cut shortens text to n characters and drops what is no UTF-8, which one of the databases would refuse.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "�")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// Mails reports whether e-mail goes out at all.
func (s *Service) Mails() bool { return s.o.Mailer != nil }
