package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// checkPeople looks at what concerns people: proxies in front of them, and the ways to write to them.
func (c *Config) checkPeople(refuse func(key, why string)) {
	if _, err := c.Proxies(); err != nil {
		refuse("server.trustedProxies", err.Error())
	}
	if c.Mail.Host != "" {
		if c.Mail.Port < 1 || c.Mail.Port > 65535 {
			refuse("mail.port", "want 1 to 65535")
		}
		if c.Mail.TLS != "starttls" && c.Mail.TLS != "tls" && c.Mail.TLS != "none" {
			refuse("mail.tls", "want starttls, tls or none")
		}
		if _, err := mail.ParseAddress(c.Mail.From); err != nil {
			refuse("mail.from", "want the sender's address, like MiniFleet <noreply@mf.example.com>")
		}
		if _, err := c.MailPassword(); err != nil {
			refuse("mail.passwordFile", err.Error())
		}
	}
	if c.SMS.WebhookURL != "" {
		if u, err := url.Parse(c.SMS.WebhookURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			refuse("sms.webhookUrl", "want an address that begins with https:// or http://")
		}
		if s, err := c.SMSSecret(); err != nil || s == "" {
			refuse("sms.secretFile", "want a file that holds the secret the calls are signed with")
		}
	}
}

// Proxies are the networks whose X-Forwarded-For is believed. A single address is a network of one.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.Server.TrustedProxies {
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network, want one like 10.0.0.0/8", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// MailPassword reads the password of mail.user from its file; empty without a file.
func (c *Config) MailPassword() (string, error) { return readSecret(c.Mail.PasswordFile) }

// SMSSecret reads the secret that calls of the SMS webhook are signed with; empty without a file.
func (c *Config) SMSSecret() (string, error) { return readSecret(c.SMS.SecretFile) }

func readSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	raw, err := os.ReadFile(file)
	return strings.TrimSpace(string(raw)), err
}
