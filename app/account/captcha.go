package account

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/mojocn/base64Captcha"

	"minifleet/app/fault"
)

// The bounds of a captcha.
const (
	captchaDigits = 5
	captchaLife   = 10 * time.Minute
)

// CaptchaAnswer is what a person read off a captcha. The zero value is none.
type CaptchaAnswer struct{ Token, Digits string }

// Captcha is a picture of digits to type. Its token holds the sealed answer, so every replica can judge it; it is good
// for one answer, right or wrong.
type Captcha struct {
	Token     string
	PNG       []byte
	ExpiresAt time.Time
}

type captchaSeal struct {
	ID     string `json:"i"`
	Digits string `json:"d"`
	Until  int64  `json:"u"`
}

// NewCaptcha draws a fresh one.
func (s *Service) NewCaptcha() (Captcha, error) {
	var digits strings.Builder
	for range captchaDigits {
		n, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			return Captcha{}, fmt.Errorf("account: captcha: %w", err)
		}
		digits.WriteString(n.String())
	}
	until := s.wall.Now().Add(captchaLife)
	raw, err := json.Marshal(captchaSeal{ID: rand.Text(), Digits: digits.String(), Until: until.UnixMilli()})
	if err != nil {
		return Captcha{}, err
	}
	sealed, err := s.vault.SealString("captcha", string(raw))
	if err != nil {
		return Captcha{}, err
	}
	var picture bytes.Buffer
	if err := draw(&picture, base64Captcha.NewDriverDigit(64, 200, captchaDigits, 0.6, 60), digits.String()); err != nil {
		return Captcha{}, err
	}
	return Captcha{Token: urlSafe(sealed), PNG: picture.Bytes(), ExpiresAt: until}, nil
}

// CaptchaSound speaks the digits of a captcha in Chinese, as WAV: for people who cannot see the picture.
func (s *Service) CaptchaSound(token string) ([]byte, error) {
	c, ok := s.openCaptcha(token)
	if !ok {
		return nil, fault.New(fault.NotFound, "captcha_gone", "这个图形验证码已过期，请换一张")
	}
	var sound bytes.Buffer
	if err := draw(&sound, base64Captcha.NewDriverAudio(captchaDigits, "zh"), c.Digits); err != nil {
		return nil, err
	}
	return sound.Bytes(), nil
}

func draw(w io.Writer, driver base64Captcha.Driver, digits string) error {
	item, err := driver.DrawCaptcha(digits)
	if err == nil {
		_, err = item.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("account: captcha: %w", err)
	}
	return nil
}

func (s *Service) openCaptcha(token string) (captchaSeal, bool) {
	var c captchaSeal
	if token == "" || len(token) > 600 {
		return c, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return c, false
	}
	plain, err := s.vault.OpenString("captcha", base64.StdEncoding.EncodeToString(raw))
	if err != nil || json.Unmarshal([]byte(plain), &c) != nil || c.Until <= s.wall.Now().UnixMilli() {
		return c, false
	}
	return c, true
}

// solve uses up the captcha and says whether it was read right: nil, or one of the two refusals.
func (s *Service) solve(ctx context.Context, a CaptchaAnswer) error {
	if a.Token == "" {
		return errCaptchaNeeded
	}
	c, ok := s.openCaptcha(a.Token)
	if !ok {
		return errCaptchaWrong
	}
	first, err := s.db.InsertIgnore(ctx, "captcha_used", map[string]any{"id": c.ID, "expires_at": c.Until})
	if err != nil {
		return fmt.Errorf("account: captcha: %w", err)
	}
	given := strings.Join(strings.Fields(a.Digits), "")
	if !first || subtle.ConstantTimeCompare([]byte(given), []byte(c.Digits)) != 1 {
		return errCaptchaWrong
	}
	return nil
}

// CaptchaDue tells a login page that the next attempt will be asked for a captcha. The login may be empty.
func (s *Service) CaptchaDue(ctx context.Context, login, ip, device string) (bool, error) {
	now := s.wall.Now()
	row, err := s.counter(ctx, counterOf("fail-ip", addressOf(ip)), now)
	if err != nil || row.Hits >= ipFailures {
		return err == nil, err
	}
	if login == "" {
		return false, nil
	}
	name, err := s.loginCounter(ctx, login, device)
	if err != nil {
		return false, err
	}
	row, err = s.counter(ctx, name, now)
	return row.Hits >= captchaAfter, err
}

func urlSafe(std string) string {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(std), "=")
}
