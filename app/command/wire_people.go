package command

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/config"
	"minifleet/app/notice"
)

// people are the settings of accounts: keys, rules, and the way to reach a login.
func (p *platform) people() ([]account.Setting, error) {
	with := []account.Setting{
		account.WithVault(p.vault),
		account.WithRules(account.Rules{VerifyLogins: p.cfg.Account.VerifyLogins, OperatorsNeedSecondFactor: p.cfg.Account.RequireSecondFactorForOperators}),
	}
	sender, err := codeSender(p.cfg, p.http)
	if err == nil && sender != nil {
		with = append(with, account.WithSender(sender))
	}
	return with, err
}

// codeSender joins what the settings give: mail, SMS, both, or nil for neither. The demo shows letters on the page instead.
func codeSender(cfg config.Config, client *http.Client) (account.CodeSender, error) {
	if cfg.Simulated() {
		return &shownLetters{last: map[string]account.Letter{}}, nil
	}
	var out lettersOut
	if cfg.Mail.Host != "" {
		password, err := cfg.MailPassword()
		if err != nil {
			return nil, fmt.Errorf("mail.passwordFile: %w", err)
		}
		out.mail = notice.SMTP{Host: cfg.Mail.Host, Port: cfg.Mail.Port, Security: cfg.Mail.TLS, Username: cfg.Mail.User, Password: password, From: cfg.Mail.From, Timeout: 15 * time.Second}
	}
	if cfg.SMS.WebhookURL != "" {
		secret, err := cfg.SMSSecret()
		if err != nil {
			return nil, fmt.Errorf("sms.secretFile: %w", err)
		}
		own := *client // a signed message goes where it was meant to, not where an answer points
		own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		out.sms = &smsWebhook{url: cfg.SMS.WebhookURL, secret: []byte(secret), http: &own, now: time.Now}
	}
	if out.mail == nil && out.sms == nil {
		return nil, nil
	}
	return out, nil
}

// lettersOut writes to addresses by mail and to phones by SMS.
type lettersOut struct {
	mail notice.Mailer
	sms  *smsWebhook
}

// Reaches tells whether there is a way to the login.
func (l lettersOut) Reaches(login string) bool {
	if strings.Contains(login, "@") {
		return l.mail != nil
	}
	return l.sms != nil
}

// Send takes the way that fits the login.
func (l lettersOut) Send(ctx context.Context, letter account.Letter) error {
	switch {
	case !l.Reaches(letter.To):
		return errors.New("no way to write to this kind of login")
	case strings.Contains(letter.To, "@"):
		return l.mail.SendMail(ctx, notice.Mail{To: letter.To, Subject: letter.Title, Text: letter.Text + "\n"})
	default:
		return l.sms.send(ctx, letter)
	}
}

// smsWebhook hands messages to the operator's own SMS gateway: a JSON POST whose X-MiniFleet-Signature is the hex
// HMAC-SHA256 of "<X-MiniFleet-Timestamp>.<body>". An answer of 2xx means that it was taken.
type smsWebhook struct {
	url    string
	secret []byte
	http   *http.Client
	now    func() time.Time
}

type smsMessage struct {
	To      string `json:"to"`
	Purpose string `json:"purpose"` // register, reset, login; empty for a notice
	Code    string `json:"code"`    // empty for a message without one
	Text    string `json:"text"`
}

func (h *smsWebhook) send(ctx context.Context, letter account.Letter) (err error) {
	body, err := json.Marshal(smsMessage{letter.To, string(letter.Purpose), letter.Code, letter.Text})
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	at := strconv.FormatInt(h.now().Unix(), 10)
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(at + "." + string(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-MiniFleet-Timestamp", at)
	req.Header.Set("X-MiniFleet-Signature", hex.EncodeToString(mac.Sum(nil)))
	res, err := h.http.Do(req)
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	said, err := io.ReadAll(io.LimitReader(res.Body, 300))
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("sms: the gateway answered %d %q", res.StatusCode, said)
	}
	return nil
}

// shownLetters keep the demo's letters, to be shown on the page that asked for them. They end with the process.
type shownLetters struct {
	mu   sync.Mutex
	last map[string]account.Letter
}

// mostShown bounds the demo's memory; beyond it the box begins anew.
const mostShown = 1000

// Reaches is true for everybody.
func (*shownLetters) Reaches(string) bool { return true }

// Send keeps the letter.
func (s *shownLetters) Send(_ context.Context, l account.Letter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) >= mostShown {
		clear(s.last)
	}
	s.last[l.To] = l
	return nil
}

// Shown gives the last letter to a login.
func (s *shownLetters) Shown(login string) (account.Letter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.last[login]
	return l, ok
}
