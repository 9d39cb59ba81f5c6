package notice

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/clock"
	"minifleet/app/store"
)

// Mail is one e-mail in plain text.
type Mail struct {
	To      string // a bare address
	Subject string
	Text    string
	ID      string // makes the Message-ID, so that a mail sent twice is known as one; "" = random
}

// Mailer sends e-mail: over SMTP, or into the demo's box.
type Mailer interface {
	SendMail(ctx context.Context, m Mail) error
}

// mailChannel tells people by e-mail.
type mailChannel struct{ mailer Mailer }

// Deliver sends the notice to the person's address as it is now.
func (c mailChannel) Deliver(ctx context.Context, d *Delivery) error {
	if email(d.To) == "" {
		return Permanent(errors.New("没有邮箱"))
	}
	m := Mail{To: email(d.To), Subject: d.Title, Text: d.To.Name + "，你好：\n\n" + d.Title + "\n", ID: fmt.Sprintf("notice-%d", d.ID)}
	if d.Text != "" {
		m.Text += "\n" + d.Text + "\n"
	}
	if d.Link != "" {
		m.Text += "\n查看详情：" + d.Link + "\n"
	}
	m.Text += "\n——\n这封邮件由 MiniFleet 自动发出，请不要直接回复。可在「消息设置」里选择要接收的邮件。\n"
	d.Note.Request = "To: " + m.To + "\nSubject: " + m.Subject
	return c.mailer.SendMail(ctx, m)
}

// Outbox is the demo's mailer: mails go into a table and are shown on a page.
type Outbox struct {
	DB    *store.DB
	Clock clock.Clock
}

// Boxed is a mail of the demo's box.
type Boxed struct {
	ID        int64  `json:"id,string"`
	Recipient string `json:"to"`
	Subject   string `json:"subject"`
	Body      string `json:"text"`
	CreatedAt int64  `json:"created_at"`
}

// SendMail keeps the mail.
func (o Outbox) SendMail(ctx context.Context, m Mail) error {
	if err := checkMail(m); err != nil {
		return err
	}
	err := o.DB.Insert(ctx, "mail_outbox", map[string]any{
		"id": o.DB.NewID(), "recipient": m.To, "subject": cut(m.Subject, 300), "body": cut(m.Text, 16000), "created_at": clock.Millis(o.Clock.Now()),
	})
	if err != nil {
		return fmt.Errorf("notice: outbox: %w", err)
	}
	return nil
}

// Mails gives the newest mails, at most 100.
func (o Outbox) Mails(ctx context.Context, limit int) ([]Boxed, error) {
	var rows []Boxed
	if err := o.DB.All(ctx, &rows, "SELECT * FROM mail_outbox ORDER BY id DESC LIMIT ?", min(max(limit, 1), 100)); err != nil {
		return nil, fmt.Errorf("notice: outbox: %w", err)
	}
	return rows, nil
}

var _ Mailer = Outbox{}
