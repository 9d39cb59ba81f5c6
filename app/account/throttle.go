package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"minifleet/app/fault"
)

// The bounds of guessing. A counter that rests for counterLife begins anew.
const (
	counterLife  = 24 * time.Hour
	captchaAfter = 3                // failures on one login before a captcha is asked for
	lockAfter    = 5                // failures on one login before it has to wait
	firstWait    = 30 * time.Second // then twice as long each time
	longestWait  = 30 * time.Minute
	ipWindow     = time.Hour
	ipFailures   = 10 // failures from one address in an hour before it sees captchas; it is never locked out
)

// wait is how long a login rests after so many failures in a row.
func wait(failures int) time.Duration {
	if failures < lockAfter {
		return 0
	}
	d := firstWait
	for i := lockAfter; i < failures && d < longestWait; i++ {
		d *= 2
	}
	return min(d, longestWait)
}

// counterOf names a counter without keeping in the table whose it is: logins and addresses are personal data.
func counterOf(kind, whose string) string {
	sum := sha256.Sum256([]byte(whose))
	return kind + ":" + hex.EncodeToString(sum[:20])
}

// addressOf is what an IP is counted by: an IPv6 customer holds a whole /64.
func addressOf(ip string) string {
	a, err := netip.ParseAddr(strings.Trim(ip, "[]"))
	if err != nil || a.Unmap().Is4() {
		return ip
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}

type throttleRow struct {
	Hits        int
	LockedUntil int64
	ExpiresAt   int64
}

func (s *Service) counter(ctx context.Context, name string, now time.Time) (throttleRow, error) {
	var row throttleRow
	found, err := s.db.One(ctx, &row, "SELECT hits, locked_until, expires_at FROM throttle WHERE name=?", name)
	if err != nil {
		return row, fmt.Errorf("account: counter: %w", err)
	}
	if !found || row.ExpiresAt <= now.UnixMilli() {
		return throttleRow{}, nil
	}
	return row, nil
}

// Both ask for a captcha; the second says that the one given was wrong.
var (
	errCaptchaNeeded = fault.New(fault.Invalid, "captcha_required", "为了安全，请先输入图中的数字").On("captcha", "请输入图中的数字，看不清可以换一张或听一遍")
	errCaptchaWrong  = fault.New(fault.Invalid, "captcha_wrong", "图中的数字不对，已换一张，请重新输入").On("captcha", "数字不对，已换一张，请重新输入")
)

func errLocked(until int64, now time.Time) error {
	return fault.New(fault.TooMany, "account_locked", "连续输错太多次，请 "+spell(time.UnixMilli(until).Sub(now))+"后再试")
}

// spell says a duration as a person would, rounded up.
func spell(d time.Duration) string {
	if d <= time.Minute {
		return fmt.Sprintf("%d 秒", max(1, int((d+time.Second-1)/time.Second)))
	}
	return fmt.Sprintf("%d 分钟", int((d+time.Minute-1)/time.Minute))
}

// attempt counts a guess on a counter before the guess is looked at: guesses sent at the same time, also to other
// replicas, would otherwise all be made before the first of them is counted. It refuses while the counter is locked, and
// from captchaAfter failures on unless a captcha was solved. A right guess takes the count back with forgive.
func (s *Service) attempt(ctx context.Context, name string, solved bool) error {
	now := s.wall.Now()
	most := captchaAfter
	if solved {
		most = 1 << 30
	}
	if _, err := s.db.InsertIgnore(ctx, "throttle", map[string]any{"name": name, "hits": 0, "locked_until": 0, "expires_at": now.Add(counterLife).UnixMilli()}); err != nil {
		return fmt.Errorf("account: counter: %w", err)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		at := now.UnixMilli()
		// MySQL assigns from left to right: hits is told by the old end of the row, in both databases.
		n, err := s.db.Exec(ctx, "UPDATE throttle SET hits=CASE WHEN expires_at<=? THEN 1 ELSE hits+1 END, expires_at=? WHERE name=? AND locked_until<=? AND (hits<? OR expires_at<=?)",
			at, now.Add(counterLife).UnixMilli(), name, at, most, at)
		if err != nil {
			return fmt.Errorf("account: counter: %w", err)
		}
		row, err := s.counter(ctx, name, now)
		if err != nil {
			return err
		}
		switch {
		case n == 0 && row.LockedUntil > at:
			return errLocked(row.LockedUntil, now)
		case n == 0:
			return errCaptchaNeeded
		case wait(row.Hits) > 0:
			_, err = s.db.Exec(ctx, "UPDATE throttle SET locked_until=? WHERE name=?", now.Add(wait(row.Hits)).UnixMilli(), name)
		}
		return err
	})
}

// forgive ends a counter.
func (s *Service) forgive(ctx context.Context, name string) error {
	_, err := s.db.Exec(ctx, "DELETE FROM throttle WHERE name=?", name)
	return err
}

// take uses up one of the most that a counter allows in a window that begins with its first use, and reports whether
// there was one left.
func (s *Service) take(ctx context.Context, name string, most int, window time.Duration) (bool, error) {
	now := s.wall.Now()
	at := now.UnixMilli()
	if _, err := s.db.InsertIgnore(ctx, "throttle", map[string]any{"name": name, "hits": 0, "locked_until": 0, "expires_at": now.Add(window).UnixMilli()}); err != nil {
		return false, fmt.Errorf("account: counter: %w", err)
	}
	n, err := s.db.Exec(ctx, "UPDATE throttle SET hits=CASE WHEN expires_at<=? THEN 1 ELSE hits+1 END, expires_at=CASE WHEN expires_at<=? THEN ? ELSE expires_at END WHERE name=? AND (hits<? OR expires_at<=?)",
		at, at, now.Add(window).UnixMilli(), name, most, at)
	if err != nil {
		return false, fmt.Errorf("account: counter: %w", err)
	}
	return n > 0, nil
}
