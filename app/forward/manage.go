package forward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Create adds a target; its signing secret is shown this once ("" for WeChat's form, which signs with the receiver's token).
func (s *Service) Create(ctx context.Context, who account.Actor, f Request) (Target, string, error) {
	if err := may(who); err != nil {
		return Target{}, "", err
	}
	if err := s.check(&f, false); err != nil {
		return Target{}, "", err
	}
	if _, err := s.o.Components.Get(ctx, who, f.Component); err != nil {
		return Target{}, "", fault.InvalidInput().On("component", "请选择你的第三方平台").Because(err)
	}
	now := clock.Millis(s.o.Clock.Now())
	r := targetRow{ID: s.o.DB.NewID(), SpaceID: who.SpaceID, Component: f.Component, Name: f.Name, URL: f.URL, Form: f.Form, Types: strings.Join(f.Types, " "), AppIDs: strings.Join(f.AppIDs, " "), Enabled: 1, Version: 1, CreatedAt: now}
	secret := newSecret()
	if err := s.seal(&r, secret, f.Token, f.AESKey); err != nil {
		return Target{}, "", err
	}
	err := s.o.DB.Tx(ctx, func(ctx context.Context) error {
		// Under the space's lock: of many at once no more than there is room for get in.
		if err := account.LockSpace(ctx, s.o.DB, who.SpaceID); err != nil {
			return err
		}
		n, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM forward_target WHERE space_id=?", who.SpaceID)
		if err != nil {
			return err
		}
		if n >= targetsMost {
			return fault.Newf(fault.Conflict, "too_many_forwards", "一个空间最多 %d 个转发，请先删除不用的", targetsMost)
		}
		err = s.o.DB.Insert(ctx, "forward_target", map[string]any{
			"id": r.ID, "space_id": r.SpaceID, "component": r.Component, "name": r.Name, "url": r.URL, "form": r.Form, "types": r.Types, "appids": r.AppIDs,
			"secret": r.Secret, "token": r.Token, "aes_key": r.AesKey, "enabled": 1, "paused_at": 0, "paused_reason": "", "failing_since": 0, "failures": 0, "version": 1,
			"created_at": now, "updated_at": now,
		})
		if err != nil {
			return err
		}
		return s.note(ctx, who, "forward.create", r, nil)
	})
	if err != nil {
		return Target{}, "", fmt.Errorf("forward: create: %w", err)
	}
	if f.Form == FormWeChat {
		secret = ""
	}
	return r.view(), secret, s.Sync(ctx)
}

func newSecret() string { return "whsec_" + rand.Text() + rand.Text() }

// seal keeps the secrets that are given and leaves the others.
func (s *Service) seal(r *targetRow, secret, token, key string) error {
	for _, f := range []struct {
		column, plain string
		into          *string
	}{{"secret", secret, &r.Secret}, {"token", token, &r.Token}, {"aes_key", key, &r.AesKey}} {
		if f.plain == "" {
			continue
		}
		sealed, err := s.o.Sealer.SealString(purpose(f.column, r.ID), f.plain)
		if err != nil {
			return err
		}
		*f.into = sealed
	}
	return nil
}

func (s *Service) note(ctx context.Context, who account.Actor, act string, r targetRow, changes []trail.Change) error {
	return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Component: r.Component, Act: act, Object: cut(r.Name+" "+r.URL, 190), Changes: changes})
}

// Update changes what is told and to where. The platform app stays: another one wants another target.
func (s *Service) Update(ctx context.Context, who account.Actor, id int64, f Request) (Target, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Target{}, err
	}
	if err := s.check(&f, r.Token != "" && r.AesKey != ""); err != nil {
		return Target{}, err
	}
	before := r.view()
	r.Name, r.URL, r.Form, r.Types, r.AppIDs = f.Name, f.URL, f.Form, strings.Join(f.Types, " "), strings.Join(f.AppIDs, " ")
	if err := s.seal(&r, "", f.Token, f.AESKey); err != nil {
		return Target{}, err
	}
	changes := trail.Diff(before, r.view())
	for column, v := range map[string]string{"token": f.Token, "aes_key": f.AESKey} {
		if v != "" {
			changes = append(changes, trail.Secret(column))
		}
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		_, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET name=?, url=?, form=?, types=?, appids=?, token=?, aes_key=?, version=version+1, updated_at=? WHERE id=?",
			r.Name, r.URL, r.Form, r.Types, r.AppIDs, r.Token, r.AesKey, clock.Millis(s.o.Clock.Now()), id)
		if err != nil {
			return err
		}
		return s.note(ctx, who, "forward.update", r, changes)
	})
	if err != nil {
		return Target{}, fmt.Errorf("forward: update: %w", err)
	}
	return r.view(), s.Sync(ctx)
}

// RotateSecret replaces the signing secret of the JSON form; the old one is dead at once.
func (s *Service) RotateSecret(ctx context.Context, who account.Actor, id int64) (string, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return "", err
	}
	if r.Form != FormJSON {
		return "", fault.New(fault.Conflict, "forward_no_secret", "微信格式用接收方的 Token 签名，请在“修改”里更换")
	}
	secret := newSecret()
	if err := s.seal(&r, secret, "", ""); err != nil {
		return "", err
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET secret=?, updated_at=? WHERE id=?", r.Secret, clock.Millis(s.o.Clock.Now()), id); err != nil {
			return err
		}
		return s.note(ctx, who, "forward.rotate", r, []trail.Change{trail.Secret("secret")})
	})
	if err != nil {
		return "", fmt.Errorf("forward: rotate: %w", err)
	}
	return secret, nil
}

// Switch turns a target on or off. Off, no event is kept for it; on again after a pause, what has waited is told first.
func (s *Service) Switch(ctx context.Context, who account.Actor, id int64, on bool) (Target, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Target{}, err
	}
	act := "forward.pause"
	if r.Enabled = 0; on {
		r.Enabled, act = 1, "forward.resume"
	}
	r.PausedAt, r.PausedReason, r.FailingSince, r.Failures = 0, "", 0, 0
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		_, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET enabled=?, paused_at=0, paused_reason='', failing_since=0, failures=0, version=version+1, updated_at=? WHERE id=?", r.Enabled, clock.Millis(s.o.Clock.Now()), id)
		if err != nil {
			return err
		}
		return s.note(ctx, who, act, r, nil)
	})
	if err != nil {
		return Target{}, fmt.Errorf("forward: switch: %w", err)
	}
	return r.view(), s.Sync(ctx)
}

// Delete removes a target with its log.
func (s *Service) Delete(ctx context.Context, who account.Actor, id int64) error {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return err
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		return errors.Join(s.remove(ctx, id), s.note(ctx, who, "forward.delete", r, nil))
	})
	if err != nil {
		return fmt.Errorf("forward: delete: %w", err)
	}
	return s.Sync(ctx)
}

func (s *Service) remove(ctx context.Context, id int64) error {
	for _, q := range []string{"DELETE FROM forward_attempt WHERE target_id=?", "DELETE FROM forward_target WHERE id=?"} {
		if _, err := s.o.DB.Exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// Erase removes the targets of spaces that end with a closed account, inside the caller's transaction. Their subscribers
// are forgotten at the next look.
func (s *Service) Erase(ctx context.Context, who account.Leaver) error {
	for _, space := range who.Ended {
		var rows []struct{ ID int64 }
		if err := s.o.DB.All(ctx, &rows, "SELECT id FROM forward_target WHERE space_id=?", space); err != nil {
			return fmt.Errorf("forward: erase: %w", err)
		}
		for _, r := range rows {
			if err := s.remove(ctx, r.ID); err != nil {
				return fmt.Errorf("forward: erase: %w", err)
			}
		}
	}
	return nil
}

func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
