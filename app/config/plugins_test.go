package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minifleet/app/config"
)

func TestExtensionsAreOffByDefaultAndTurnedOnByFileOrEnvironment(t *testing.T) {
	if c, err := config.Load("", nil); err != nil || c.Plugins.ThirdParty || c.Plugins.UIDBase != 61000 {
		t.Fatalf("%+v %v", c.Plugins, err)
	}
	if c, err := config.Load("", []string{"MINIFLEET_PLUGINS_THIRDPARTY=true"}); err != nil || !c.Plugins.ThirdParty {
		t.Fatalf("%+v %v", c.Plugins, err)
	}
	if _, err := config.Load(write(t, "plugins:\n  uidBase: 0\n"), nil); err == nil || !strings.Contains(err.Error(), "line 2: plugins.uidBase") {
		t.Fatalf("got %v", err)
	}
}

func TestWithExtensionsNoSecretMayLieOpenToEveryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("extensions have users of their own only where the platform runs as root")
	}
	secret := filepath.Join(t.TempDir(), "token")
	for mode, open := range map[os.FileMode]bool{0o644: true, 0o640: false, 0o600: false} {
		if err := os.WriteFile(secret, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(secret, mode); err != nil {
			t.Fatal(err)
		}
		for _, on := range []bool{true, false} {
			environ := []string{"MINIFLEET_SERVER_METRICSTOKEN=" + secret}
			if on {
				environ = append(environ, "MINIFLEET_PLUGINS_THIRDPARTY=true")
			}
			_, err := config.Load("", environ)
			if refused := err != nil && strings.Contains(err.Error(), "server.metricsToken"); refused != (open && on) {
				t.Errorf("mode %v, extensions %v: %v", mode, on, err)
			}
		}
	}
	file := write(t, "database:\n  type: mysql\n  dsn: user:password@tcp(127.0.0.1:3306)/x\nplugins:\n  thirdParty: true\n")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file, nil); err == nil || !strings.Contains(err.Error(), "database.dsn") {
		t.Errorf("a DSN in a file that everybody reads: %v", err)
	}
}

func TestBuildsThatNobodyLookedAtNeverRunOnAPublicPlatform(t *testing.T) {
	on := "MINIFLEET_PLUGINS_DEVELOPMENT=true"
	if c, err := config.Load("", []string{on}); err != nil || !c.Plugins.Development {
		t.Errorf("%+v %v", c.Plugins, err)
	}
	if c, err := config.Load("", nil); err != nil || c.Plugins.Development {
		t.Errorf("on by itself: %+v %v", c.Plugins, err)
	}
	if _, err := config.Load("", []string{on, "MINIFLEET_SERVER_PUBLICURL=https://fleet.example.com"}); err == nil || !strings.Contains(err.Error(), "plugins.development") {
		t.Errorf("beside a public address: %v", err)
	}
}
