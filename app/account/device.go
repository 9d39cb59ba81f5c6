package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/trail"
)

// DeviceCookie is the name of the cookie that recognises a device on which a login has succeeded before. It logs nobody in:
// it only gives the device a counter of its own, so that strangers' guesses at the login do not lock its owner out.
const DeviceCookie = "minifleet_device"

// DeviceLife is how long a browser should keep the device cookie.
const DeviceLife = 365 * 24 * time.Hour

// deviceAccounts bounds how many accounts one device remembers; the one that rested longest is forgotten.
const deviceAccounts = 5

// device is what the cookie says: the device's own random name and the accounts that logged in on it, newest first.
type device struct {
	id       string
	accounts []string
}

func (s *Service) readDevice(cookie string) (device, bool) {
	if cookie == "" || len(cookie) > 400 {
		return device{}, false
	}
	text, err := s.vault.Verify("device", cookie)
	if err != nil {
		return device{}, false
	}
	id, list, ok := strings.Cut(text, "~")
	if !ok || id == "" {
		return device{}, false
	}
	return device{id: id, accounts: strings.Split(list, "-")}, true
}

// remember gives the cookie of a device on which the account has just logged in.
func (s *Service) remember(cookie string, accountID int64) (string, error) {
	d, ok := s.readDevice(cookie)
	if !ok {
		d = device{id: rand.Text()}
	}
	me := strconv.FormatInt(accountID, 36)
	d.accounts = slices.DeleteFunc(d.accounts, func(a string) bool { return a == me })
	d.accounts = append([]string{me}, d.accounts...)
	if len(d.accounts) > deviceAccounts {
		d.accounts = d.accounts[:deviceAccounts]
	}
	return s.vault.Sign("device", d.id+"~"+strings.Join(d.accounts, "-"))
}

// deviceCounter names the counter of attempts: the device's own where the account has logged in before, else the one that
// everybody shares.
func (s *Service) deviceCounter(kind, whose string, accountID int64, cookie string) string {
	if d, ok := s.readDevice(cookie); ok && accountID != 0 && slices.Contains(d.accounts, strconv.FormatInt(accountID, 36)) {
		return counterOf(kind+"-dev", d.id+"~"+whose)
	}
	return counterOf(kind, whose)
}

// loginCounter is the counter of password attempts at a login, whether or not it exists.
func (s *Service) loginCounter(ctx context.Context, login, cookie string) (string, error) {
	login = NormalLogin(login)
	id, err := s.db.Int(ctx, "SELECT id FROM account WHERE login=?", login)
	if err != nil {
		return "", fmt.Errorf("account: login: %w", err)
	}
	return s.deviceCounter("login", login, id, cookie), nil
}

// tellOfDevice says that the account logs in on a device that does not know it. The very first login is no news.
func (s *Service) tellOfDevice(ctx context.Context, who Actor, c Credentials) error {
	if d, ok := s.readDevice(c.Device); s.watchDevice == nil || ok && slices.Contains(d.accounts, strconv.FormatInt(who.AccountID, 36)) {
		return nil
	}
	before, err := s.trail.Count(ctx, trail.Filter{AccountID: who.AccountID, Act: "account.login"})
	if err != nil || before == 0 {
		return err
	}
	return s.watchDevice(ctx, who, trim(c.IP, 64), trim(c.UserAgent, 255))
}
