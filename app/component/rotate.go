package component

import (
	"context"
	"fmt"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// NewKeys are what the WeChat console will sign and seal with from now on. An empty field stays as it is.
type NewKeys struct {
	Token  string `json:"token"`   // 消息校验Token
	AESKey string `json:"aes_key"` // 消息加解密Key, 43 letters and digits; its last one may carry spare bits (01 A.5)
}

// Errors of a rotation.
var (
	errRotating    = fault.New(fault.Conflict, "rotation_open", "上一次轮换还没有结束，请先结束轮换，再更换密钥")
	errNotRotating = fault.New(fault.Conflict, "no_rotation", "现在没有进行中的轮换")
)

func (k *NewKeys) check() error {
	k.Token, k.AESKey = strings.TrimSpace(k.Token), strings.TrimSpace(k.AESKey)
	bad := fault.InvalidInput()
	if k.Token == "" && k.AESKey == "" {
		bad.On("token", "请填写新的消息校验 Token，或新的消息加解密 Key")
	}
	if k.Token != "" && !tokenForm.MatchString(k.Token) {
		bad.On("token", "消息校验 Token 应为 3 到 32 位字母、数字或下划线")
	}
	if k.AESKey != "" && !aesKeyForm.MatchString(k.AESKey) {
		bad.On("aes_key", "消息加解密 Key 应为 43 位字母和数字")
	}
	return bad.OrNil()
}

// WatchKeys calls f whenever the keys of a platform app changed here; what caches them drops them then. It is set once,
// before anything runs.
func (s *Service) WatchKeys(f func(appid string)) { s.keysChanged = f }

// Rotate puts new keys in front and keeps the current ones beside them, so that pushes under either are taken while the
// WeChat console is being changed. Only one rotation is under way at a time: a third key would push a good one out.
func (s *Service) Rotate(ctx context.Context, who account.Actor, appid string, next NewKeys) (Component, error) {
	if err := s.mayTurn(ctx, who, appid); err != nil {
		return Component{}, err
	}
	if err := next.check(); err != nil {
		return Component{}, err
	}
	held, err := s.Keys(ctx, appid)
	if err != nil {
		return Component{}, err
	}
	bad := fault.InvalidInput()
	if next.Token == held.Tokens[0] {
		bad.On("token", "和现在的消息校验 Token 一样")
	}
	if next.AESKey == held.AESKeys[0] {
		bad.On("aes_key", "和现在的消息加解密 Key 一样")
	}
	if err := bad.OrNil(); err != nil {
		return Component{}, err
	}
	sets, args, changes := "rotated_at=?, previous_used_at=0", []any{clock.Millis(s.clk.Now())}, []trail.Change(nil)
	for _, f := range []struct{ column, value string }{{"token", next.Token}, {"aes_key", next.AESKey}} {
		if f.value == "" {
			continue
		}
		sealed, err := s.vault.SealString(purpose(f.column, appid), f.value)
		if err != nil {
			return Component{}, err
		}
		// The previous value is set from the current one in the same statement; MySQL reads assignments from left to right.
		sets, args = sets+", previous_"+f.column+"="+f.column+", "+f.column+"=?", append(args, sealed)
		changes = append(changes, trail.Secret(f.column))
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE component SET "+sets+" WHERE appid=? AND rotated_at=0", append(args[:len(args):len(args)], appid)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRotating
		}
		return s.turned(ctx, who, appid, "component.rotate", changes)
	})
	if err != nil {
		return Component{}, fmt.Errorf("component: rotate keys of %s: %w", appid, err)
	}
	s.keysTurned(appid)
	return s.Get(ctx, who, appid)
}

// EndRotation forgets the previous keys: from now on only pushes under the current ones are taken. Other replicas follow
// within half a minute.
func (s *Service) EndRotation(ctx context.Context, who account.Actor, appid string) (Component, error) {
	if err := s.mayTurn(ctx, who, appid); err != nil {
		return Component{}, err
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE component SET previous_token='', previous_aes_key='', rotated_at=0, previous_used_at=0 WHERE appid=? AND rotated_at>0", appid)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNotRotating
		}
		return s.turned(ctx, who, appid, "component.rotate_end", nil)
	})
	if err != nil {
		return Component{}, fmt.Errorf("component: end rotation of %s: %w", appid, err)
	}
	s.keysTurned(appid)
	return s.Get(ctx, who, appid)
}

// PreviousUsed notes that a push came under the previous keys, which WeChat therefore still uses.
func (s *Service) PreviousUsed(ctx context.Context, appid string) error {
	_, err := s.db.Exec(ctx, "UPDATE component SET previous_used_at=? WHERE appid=? AND rotated_at>0", clock.Millis(s.clk.Now()), appid)
	if err != nil {
		return fmt.Errorf("component: use of the previous keys of %s: %w", appid, err)
	}
	return nil
}

func (s *Service) mayTurn(ctx context.Context, who account.Actor, appid string) error {
	if _, err := s.Get(ctx, who, appid); err != nil {
		return err
	}
	return account.Require(who, "component.bind")
}

func (s *Service) turned(ctx context.Context, who account.Actor, appid, act string, changes []trail.Change) error {
	return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Component: appid, Act: act, Changes: changes})
}

func (s *Service) keysTurned(appid string) {
	if s.keysChanged != nil {
		s.keysChanged(appid)
	}
}

// QuietFor is how long no push has come under the previous keys, since the rotation began at the latest.
func (c Component) QuietFor(now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(max(c.RotatedAt, c.PreviousUsedAt)))
}
