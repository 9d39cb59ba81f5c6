package notice

import (
	"context"
	"fmt"
	"slices"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Choice is one event of a member's settings.
type Choice struct {
	Kind
	Site bool `json:"site"`
	Mail bool `json:"mail"`
	// Webhooks is how many webhooks of the space are told of it; nil where none can be, or who asks may not see them.
	Webhooks *int64 `json:"webhooks" dc:"推送这个事件的 Webhook 数；个人消息和没有权限时为 null"`
}

// Pushed reports whether some webhook is told of it.
func (c Choice) Pushed() bool { return c.Webhooks != nil && *c.Webhooks > 0 }

type preferenceRow struct {
	AccountID int64
	Event     string
	Channel   string
	Chosen    int
}

// default is how a kind is told to who chose nothing.
func (k Kind) byDefault(channel string) bool {
	return channel == ChannelSite || channel == ChannelMail && k.Mail
}

// Preferences lists what the actor hears of in the current space, and how.
func (s *Service) Preferences(ctx context.Context, who account.Actor) ([]Choice, error) {
	var rows []preferenceRow
	if err := s.o.DB.All(ctx, &rows, "SELECT account_id, event, channel, chosen FROM notice_preference WHERE account_id=? AND space_id=?", who.AccountID, who.SpaceID); err != nil {
		return nil, fmt.Errorf("notice: preferences: %w", err)
	}
	var hooks []hookRow
	manages := who.Can(PermissionWebhook) && who.SpaceKind != account.Personal
	if manages {
		if err := s.o.DB.All(ctx, &hooks, "SELECT * FROM webhook WHERE space_id=? AND enabled=1", who.SpaceID); err != nil {
			return nil, fmt.Errorf("notice: preferences: %w", err)
		}
	}
	var out []Choice
	for _, k := range Kinds(who.SpaceKind) {
		if k.Permission != "" && !k.Named && !who.Can(k.Permission) {
			continue
		}
		if k.Event == Invitation { // comes from spaces whose member one is not yet: nothing of this space to choose
			continue
		}
		c := Choice{Kind: k, Site: k.wants(rows, who.AccountID, ChannelSite), Mail: k.wants(rows, who.AccountID, ChannelMail)}
		if manages && !k.Personal {
			told := int64(0)
			for _, h := range hooks {
				if h.view().Hears(k.Event) {
					told++
				}
			}
			c.Webhooks = &told
		}
		out = append(out, c)
	}
	return out, nil
}

// wants tells whether an account hears of the kind by the channel.
func (k Kind) wants(rows []preferenceRow, accountID int64, channel string) bool {
	if k.Forced {
		return k.byDefault(channel)
	}
	i := slices.IndexFunc(rows, func(r preferenceRow) bool {
		return r.AccountID == accountID && r.Event == k.Event && r.Channel == channel
	})
	if i < 0 {
		return k.byDefault(channel)
	}
	return rows[i].Chosen == 1
}

// Preference is one box of the settings, ticked or not.
type Preference struct {
	Event   string `json:"event"`
	Channel string `json:"channel"` // site or mail
	On      bool   `json:"on"`
}

// SetPreferences keeps what the actor chose for the current space. What a member cannot hear of, or cannot switch off,
// is refused.
func (s *Service) SetPreferences(ctx context.Context, who account.Actor, chosen []Preference) error {
	have, err := s.Preferences(ctx, who)
	if err != nil {
		return err
	}
	bad := fault.InvalidInput()
	for _, p := range chosen {
		i := slices.IndexFunc(have, func(c Choice) bool { return c.Event == p.Event })
		switch {
		case i < 0:
			bad.On(p.Event, "没有这个事件")
		case p.Channel != ChannelSite && p.Channel != ChannelMail:
			bad.On(p.Event, "应为 site 或 mail")
		case have[i].Forced && p.On != have[i].byDefault(p.Channel):
			bad.On(p.Event, "账号安全消息不能关闭")
		}
	}
	if err := bad.OrNil(); err != nil {
		return err
	}
	return s.o.DB.Tx(ctx, func(ctx context.Context) error {
		for _, p := range chosen {
			on := 0
			if p.On {
				on = 1
			}
			err := s.o.DB.Upsert(ctx, "notice_preference", map[string]any{
				"account_id": who.AccountID, "space_id": who.SpaceID, "event": p.Event, "channel": p.Channel, "chosen": on, "updated_at": clock.Millis(s.o.Clock.Now()),
			}, "account_id", "space_id", "event", "channel")
			if err != nil {
				return fmt.Errorf("notice: preferences: %w", err)
			}
		}
		return nil
	})
}
