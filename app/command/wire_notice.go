package command

import (
	"context"
	"fmt"
	"html/template"
	"net/netip"

	"minifleet/app/account"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/web/portal"
)

// mailer is how e-mail leaves the house: over SMTP where the settings name a server, into the demo's box beside the
// simulator, and not at all otherwise.
func (p *platform) mailer() (notice.Mailer, error) {
	m := p.cfg.Mail
	switch {
	case m.Host != "":
		password, err := p.cfg.MailPassword()
		if err != nil {
			return nil, fmt.Errorf("mail.passwordFile: %w", err)
		}
		return notice.SMTP{Host: m.Host, Port: m.Port, Security: m.TLS, Username: m.User, Password: password, From: m.From}, nil
	case p.cfg.Simulated():
		return notice.Outbox{DB: p.db, Clock: p.clk}, nil
	default:
		return nil, nil
	}
}

// tellers makes the room that tells people what happened.
func (p *platform) tellers() error {
	mailer, err := p.mailer()
	if err != nil {
		return err
	}
	allowed, err := p.cfg.WebhookNetworks()
	if err != nil {
		return fmt.Errorf("webhook.allow: %w", err)
	}
	if p.cfg.Simulated() { // whoever tries the demo has their receiver on the same machine
		allowed = append(allowed, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	p.notices = notice.New(notice.Options{
		DB: p.db, Clock: p.clk, Directory: p.accounts, Sealer: p.vault, Trail: p.trail, Log: p.log, PublicURL: p.cfg.Server.PublicURL, Mailer: mailer,
		Webhooks: notice.WebhookOptions{Allowed: allowed},
	})
	p.forwards = p.forwarding(notice.WebhookOptions{Allowed: allowed})
	p.outside = plugin.Outside{Client: notice.WebhookOptions{Allowed: allowed}.Client(), Plain: len(allowed) > 0}
	return nil
}

// outbox is the demo's box of mails, nil where mail goes out or nowhere.
func (p *platform) outbox() *notice.Outbox {
	if !p.cfg.Simulated() || p.cfg.Mail.Host != "" {
		return nil
	}
	return &notice.Outbox{DB: p.db, Clock: p.clk}
}

// bell is the notices' place in the top bar. A page must not fail for its bell: one that cannot be counted shows none.
func (p *platform) bell(ctx context.Context, who account.Actor) template.HTML {
	n, err := p.notices.Unread(ctx, who.AccountID)
	if err != nil {
		p.log.WarnContext(ctx, "unread notices could not be counted", "error", err)
	}
	return portal.Bell(n)
}
