package notice

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// How an SMTP connection is protected.
const (
	SMTPStartTLS = "starttls" // port 587: begin in clear, then TLS; refused when the server does not offer it
	SMTPTLS      = "tls"      // port 465: TLS from the first byte
	SMTPPlain    = "none"     // no protection: only for a relay on the same machine or network, and without password
)

// SMTP sends mail through a server. Safe for concurrent use; every mail has a connection of its own.
type SMTP struct {
	Host               string
	Port               int
	Security           string // SMTPStartTLS unless set
	Username, Password string // empty: no login
	From               string // address, or "Name <address>"
	Timeout            time.Duration
	TLS                *tls.Config // nil means the system's roots and the host's name
}

// checkMail refuses what could add headers or recipients of its own.
func checkMail(m Mail) error {
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || strings.ContainsAny(m.To, "\r\n") || len(m.To) > 190 {
		return Permanent(errors.New("邮箱地址不正确"))
	}
	if m.Subject == "" || strings.ContainsAny(m.ID, "\r\n<>@ ") {
		return Permanent(errors.New("notice: a mail needs a subject and a plain id"))
	}
	return nil
}

// SendMail hands the mail to the server and returns once that has taken it. An answer of 5xx to the mail itself is
// permanent.
func (s SMTP) SendMail(ctx context.Context, m Mail) error {
	if err := checkMail(m); err != nil {
		return err
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return fmt.Errorf("notice: mail.from: %w", err)
	}
	if s.Timeout == 0 {
		s.Timeout = 30 * time.Second
	}
	ctx, stop := context.WithTimeout(ctx, s.Timeout)
	defer stop()
	c, err := s.connect(ctx)
	if err != nil {
		return fmt.Errorf("notice: mail server: %w", err)
	}
	err = s.talk(c, from, m)
	if err != nil {
		return errors.Join(fmt.Errorf("notice: mail to %s: %w", m.To, final(err)), ignoreClosed(c.Close()))
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// final marks a server's refusal of the mail as permanent; one of the login is not, since a person mends the settings.
func final(err error) error {
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code >= 550 && answer.Code <= 554 {
		return Permanent(err)
	}
	return err
}

// connect opens the connection with its protection and logs in.
func (s SMTP) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	settings := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		settings = s.TLS.Clone()
	}
	if s.Security == SMTPTLS {
		conn = tls.Client(conn, settings)
	}
	c, err := smtp.NewClient(conn, s.Host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := s.protect(c, settings); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (s SMTP) protect(c *smtp.Client, settings *tls.Config) error {
	if s.Security == "" || s.Security == SMTPStartTLS {
		if offered, _ := c.Extension("STARTTLS"); !offered {
			return errors.New("the server offers no STARTTLS; set mail.tls to tls or none if that is meant")
		}
		if err := c.StartTLS(settings); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if s.Username == "" {
		return nil
	}
	if s.Security == SMTPPlain {
		return errors.New("no password is sent over an unprotected connection")
	}
	if err := c.Auth(smtp.PlainAuth("", s.Username, s.Password, s.Host)); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return nil
}

func (s SMTP) talk(c *smtp.Client, from *mail.Address, m Mail) error {
	if err := c.Mail(from.Address); err != nil {
		return err
	}
	if err := c.Rcpt(m.To); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(compose(from, m, time.Now())); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return err
	}
	// The mail is taken: a quarrel at the farewell does not make it untaken.
	_ = c.Quit()
	return nil
}

// compose writes the mail: UTF-8 headers as encoded words, which also makes line breaks in them harmless, the text as
// base64.
func compose(from *mail.Address, m Mail, now time.Time) []byte {
	id := m.ID
	if id == "" {
		id = rand.Text()
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	subject := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, m.Subject)
	var b strings.Builder
	for _, h := range [][2]string{
		{"From", from.String()}, {"To", "<" + m.To + ">"}, {"Subject", mime.BEncoding.Encode("utf-8", subject)}, {"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + id + "@" + domain + ">"}, {"MIME-Version", "1.0"}, {"Content-Type", `text/plain; charset="utf-8"`},
		{"Content-Transfer-Encoding", "base64"}, {"Auto-Submitted", "auto-generated"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n")))
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return []byte(b.String())
}

var _ Mailer = SMTP{}
