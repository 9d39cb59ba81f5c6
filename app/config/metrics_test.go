package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheTokenForMetricsComesFromItsFile(t *testing.T) {
	c := Default()
	if token, err := c.ScrapeToken(); token != "" || err != nil {
		t.Errorf("nothing set: %q %v", token, err)
	}
	c.Server.MetricsToken = filepath.Join(t.TempDir(), "token")
	if _, err := c.ScrapeToken(); err == nil {
		t.Error("a file that is not there must stop the start")
	}
	for text, want := range map[string]string{"0123456789abcdef\n": "0123456789abcdef", "short": ""} {
		if err := os.WriteFile(c.Server.MetricsToken, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if token, err := c.ScrapeToken(); token != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v", text, token, err)
		}
	}
}
