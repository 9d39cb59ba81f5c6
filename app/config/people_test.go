package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minifleet/app/config"
)

func TestSettingsAboutPeopleAreChecked(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"no network":         {"server:\n  trustedProxies: [proxy.example]\n", "server.trustedProxies"},
		"no sender":          {"mail:\n  host: smtp.example.test\n", "mail.from"},
		"unknown encryption": {"mail:\n  host: smtp.example.test\n  from: a@example.test\n  tls: maybe\n", "line 4: mail.tls"},
		"no password file":   {"mail:\n  host: smtp.example.test\n  from: a@example.test\n  passwordFile: /no/such/file\n", "mail.passwordFile"},
		"unsigned messages":  {"sms:\n  webhookUrl: https://sms.example.test/send\n", "sms.secretFile"},
		"no address":         {"sms:\n  webhookUrl: sms.example.test\n", "sms.webhookUrl"},
		"neither yes nor no": {"account:\n  verifyLogins: perhaps\n", "line 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Load(write(t, c.text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestListsAndSwitchesComeFromTheEnvironmentToo(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load("", []string{
		"MINIFLEET_SERVER_TRUSTEDPROXIES=10.0.0.0/8, 192.0.2.7", "MINIFLEET_ACCOUNT_VERIFYLOGINS=false",
		"MINIFLEET_SMS_WEBHOOKURL=https://sms.example.test/send", "MINIFLEET_SMS_SECRETFILE=" + secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := c.Proxies()
	if err != nil || len(proxies) != 2 || proxies[0] != netip.MustParsePrefix("10.0.0.0/8") || proxies[1] != netip.MustParsePrefix("192.0.2.7/32") || c.Account.VerifyLogins {
		t.Fatalf("%v %v %+v", proxies, err, c.Account)
	}
	if s, err := c.SMSSecret(); err != nil || s != "s3cret" {
		t.Fatalf("%q %v", s, err)
	}
	if _, err := config.Load("", []string{"MINIFLEET_ACCOUNT_VERIFYLOGINS=perhaps"}); err == nil || !strings.Contains(err.Error(), "neither true nor false") {
		t.Fatal(err)
	}
}
