package notice

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// PermissionWebhook is what managing a space's webhooks needs.
const PermissionWebhook = "space.webhook"

// Webhook is a space's address that is told of its events.
type Webhook struct {
	ID             int64    `json:"id,string"`
	SpaceID        int64    `json:"space_id,string"`
	Name           string   `json:"name"`
	URL            string   `json:"url"`
	Events         []string `json:"events"` // empty: all
	Enabled        bool     `json:"enabled"`
	FailingSince   int64    `json:"failing_since"` // Unix milliseconds; 0: the last delivery arrived
	DisabledReason string   `json:"disabled_reason,omitempty"`
	CreatedAt      int64    `json:"created_at"`
}

// Hears reports whether the webhook is told of the event.
func (w Webhook) Hears(event string) bool {
	return len(w.Events) == 0 || slices.Contains(w.Events, event)
}

type hookRow struct {
	ID             int64
	SpaceID        int64
	Name           string
	URL            string `orm:"url"`
	Secret         string
	Events         string
	Enabled        int
	FailingSince   int64
	DisabledReason string
	CreatedAt      int64
}

func (r hookRow) view() Webhook {
	return Webhook{ID: r.ID, SpaceID: r.SpaceID, Name: r.Name, URL: r.URL, Events: strings.Fields(r.Events), Enabled: r.Enabled == 1, FailingSince: r.FailingSince, DisabledReason: r.DisabledReason, CreatedAt: r.CreatedAt}
}

func secretPurpose(id int64) string { return "webhook.secret:" + strconv.FormatInt(id, 10) }

func (s *Service) hook(ctx context.Context, id int64) (r hookRow, found bool, err error) {
	found, err = s.o.DB.One(ctx, &r, "SELECT * FROM webhook WHERE id=?", id)
	return r, found, err
}

// hooksFor are the enabled webhooks of a space that are told of the event.
func (s *Service) hooksFor(ctx context.Context, spaceID int64, event string) ([]int64, error) {
	var rows []hookRow
	if err := s.o.DB.All(ctx, &rows, "SELECT * FROM webhook WHERE space_id=? AND enabled=1", spaceID); err != nil {
		return nil, err
	}
	var out []int64
	for _, r := range rows {
		if r.view().Hears(event) {
			out = append(out, r.ID)
		}
	}
	return out, nil
}

var (
	errNoHook        = fault.New(fault.NotFound, "webhook_not_found", "没有找到这个 Webhook")
	errNoDelivery    = fault.New(fault.NotFound, "delivery_not_found", "没有找到这次投递")
	errHookForbidden = fault.New(fault.Forbidden, "forbidden", "你没有管理 Webhook 的权限，请联系空间的所有者")
)

func mayManage(who account.Actor) error {
	if !who.Can(PermissionWebhook) {
		return errHookForbidden
	}
	return nil
}

// own finds a webhook of the actor's space.
func (s *Service) own(ctx context.Context, who account.Actor, id int64) (hookRow, error) {
	if err := mayManage(who); err != nil {
		return hookRow{}, err
	}
	r, found, err := s.hook(ctx, id)
	if err != nil {
		return r, fmt.Errorf("notice: webhook: %w", err)
	}
	if !found || r.SpaceID != who.SpaceID {
		return hookRow{}, errNoHook
	}
	return r, nil
}

// Webhooks lists the space's webhooks.
func (s *Service) Webhooks(ctx context.Context, who account.Actor) ([]Webhook, error) {
	if err := mayManage(who); err != nil {
		return nil, err
	}
	var rows []hookRow
	if err := s.o.DB.All(ctx, &rows, "SELECT * FROM webhook WHERE space_id=? ORDER BY id", who.SpaceID); err != nil {
		return nil, fmt.Errorf("notice: webhooks: %w", err)
	}
	out := make([]Webhook, len(rows))
	for i, r := range rows {
		out[i] = r.view()
	}
	return out, nil
}

// Webhook finds one.
func (s *Service) Webhook(ctx context.Context, who account.Actor, id int64) (Webhook, error) {
	r, err := s.own(ctx, who, id)
	return r.view(), err
}

// WebhookForm is what a person fills in.
type WebhookForm struct {
	Name    string   `json:"name"`
	URL     string   `json:"url"`
	Events  []string `json:"events"` // empty: all
	Enabled bool     `json:"enabled"`
}

const webhooksMost = 20

func (s *Service) checkHook(f *WebhookForm, kind account.Kind) error {
	bad := fault.InvalidInput()
	f.Name, f.URL = strings.TrimSpace(f.Name), strings.TrimSpace(f.URL)
	if n := utf8.RuneCountInString(f.Name); n < 1 || n > 40 || !utf8.ValidString(f.Name) {
		bad.On("name", "请填写名称（1 到 40 个字）")
	} else if strings.ContainsFunc(f.Name, unicode.IsControl) {
		bad.On("name", "名称里不能有换行等控制字符") // it heads messages and mails
	}
	if why := s.o.Webhooks.CheckAddress(f.URL); why != "" {
		bad.On("url", why)
	}
	for _, e := range f.Events {
		if !slices.ContainsFunc(HookKinds(kind), func(k Kind) bool { return k.Event == e }) {
			bad.On("events", "没有这个事件："+cut(e, 60))
		}
	}
	return bad.OrNil()
}

// CheckAddress refuses what can be seen to be wrong before any delivery; what a name leads to is looked at when dialling.
// It gives the reason in words for the form, "" for none.
func (o WebhookOptions) CheckAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" || len(text) > 500 {
		return "请填写完整的地址，例如 https://example.com/hook"
	}
	if u.User != nil {
		return "地址里不能带用户名和密码"
	}
	if u.Scheme != "https" && (u.Scheme != "http" || len(o.Allowed) == 0) {
		return "地址应以 https:// 开头"
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !o.permits(a) {
		return "不能填写内网或本机地址"
	}
	return ""
}

// CreateWebhook adds one; the secret is shown this once.
func (s *Service) CreateWebhook(ctx context.Context, who account.Actor, f WebhookForm) (Webhook, string, error) {
	if err := mayManage(who); err != nil {
		return Webhook{}, "", err
	}
	if err := s.checkHook(&f, who.SpaceKind); err != nil {
		return Webhook{}, "", err
	}
	n, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM webhook WHERE space_id=?", who.SpaceID)
	if err != nil {
		return Webhook{}, "", fmt.Errorf("notice: webhook: %w", err)
	}
	if n >= webhooksMost {
		return Webhook{}, "", fault.Newf(fault.Conflict, "too_many_webhooks", "一个空间最多 %d 个 Webhook，请先删除不用的", webhooksMost)
	}
	now := clock.Millis(s.o.Clock.Now())
	r := hookRow{ID: s.o.DB.NewID(), SpaceID: who.SpaceID, Name: f.Name, URL: f.URL, Events: strings.Join(f.Events, " "), Enabled: 1, CreatedAt: now}
	secret, sealed, err := s.newSecret(r.ID)
	if err != nil {
		return Webhook{}, "", err
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		err := s.o.DB.Insert(ctx, "webhook", map[string]any{
			"id": r.ID, "space_id": r.SpaceID, "name": r.Name, "url": r.URL, "secret": sealed, "events": r.Events, "enabled": 1, "failing_since": 0,
			"disabled_reason": "", "created_by": who.AccountID, "created_at": now, "updated_at": now,
		})
		if err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.create", r, nil)
	})
	if err != nil {
		return Webhook{}, "", fmt.Errorf("notice: webhook: %w", err)
	}
	return r.view(), secret, nil
}

func (s *Service) newSecret(id int64) (secret, sealed string, err error) {
	secret = "whsec_" + rand.Text() + rand.Text()
	sealed, err = s.o.Sealer.SealString(secretPurpose(id), secret)
	return secret, sealed, err
}

func (s *Service) note(ctx context.Context, who account.Actor, act string, r hookRow, changes []trail.Change) error {
	return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Object: cut(r.Name+" "+r.URL, 190), Changes: changes})
}

// UpdateWebhook changes name, address, events and whether it is on. Switching it on forgets its failures.
func (s *Service) UpdateWebhook(ctx context.Context, who account.Actor, id int64, f WebhookForm) (Webhook, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Webhook{}, err
	}
	if err := s.checkHook(&f, who.SpaceKind); err != nil {
		return Webhook{}, err
	}
	before := r.view()
	r.Name, r.URL, r.Events = f.Name, f.URL, strings.Join(f.Events, " ")
	on := 0
	if f.Enabled {
		on = 1
	}
	if on != r.Enabled {
		r.Enabled, r.FailingSince, r.DisabledReason = on, 0, ""
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		_, err := s.o.DB.Exec(ctx, "UPDATE webhook SET name=?, url=?, events=?, enabled=?, failing_since=?, disabled_reason=?, updated_at=? WHERE id=? AND space_id=?",
			r.Name, r.URL, r.Events, r.Enabled, r.FailingSince, r.DisabledReason, clock.Millis(s.o.Clock.Now()), id, who.SpaceID)
		if err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.update", r, trail.Diff(before, r.view()))
	})
	if err != nil {
		return Webhook{}, fmt.Errorf("notice: webhook: %w", err)
	}
	return r.view(), nil
}

// RotateSecret replaces the secret; the new one is shown this once, the old one is dead at once.
func (s *Service) RotateSecret(ctx context.Context, who account.Actor, id int64) (string, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return "", err
	}
	secret, sealed, err := s.newSecret(id)
	if err != nil {
		return "", err
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.o.DB.Exec(ctx, "UPDATE webhook SET secret=?, updated_at=? WHERE id=?", sealed, clock.Millis(s.o.Clock.Now()), id); err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.rotate", r, []trail.Change{trail.Secret("secret")})
	})
	if err != nil {
		return "", fmt.Errorf("notice: webhook: %w", err)
	}
	return secret, nil
}

// DeleteWebhook removes it with its delivery log.
func (s *Service) DeleteWebhook(ctx context.Context, who account.Actor, id int64) error {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return err
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.o.DB.Exec(ctx, "DELETE FROM webhook WHERE id=?", id); err != nil {
			return err
		}
		if _, err := s.o.DB.Exec(ctx, "DELETE FROM notice_delivery WHERE channel=? AND target=?", ChannelWebhook, id); err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.delete", r, nil)
	})
	if err != nil {
		return fmt.Errorf("notice: webhook: %w", err)
	}
	return nil
}
