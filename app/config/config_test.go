package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"minifleet/app/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheShippedFileIsTheDefaults(t *testing.T) {
	shipped, err := config.Load("../../config.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(shipped, plain) {
		t.Fatalf("config.yaml says\n%+v\nthe defaults are\n%+v", shipped, plain)
	}
}

func TestAWrongKeyOrValueIsNamedWithItsLine(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unknown key":       {"server:\n  listen: 127.0.0.1:1\n  lisen: 2\n", `line 3: unknown key "lisen"`},
		"unknown section":   {"severs:\n  listen: x\n", `line 1: unknown key "severs"`},
		"wrong kind":        {"server:\n  shutdownSeconds: soon\n", "line 2"},
		"doubled key":       {"data:\n  dir: a\n  dir: b\n", "line 3"},
		"out of bounds":     {"\nevents:\n  keepDays: 0\n", "line 3: events.keepDays: want 1 to 3650"},
		"not an address":    {"wechat:\n  baseUrl: api.weixin.qq.com\n", "line 2: wechat.baseUrl"},
		"mysql without dsn": {"database:\n  type: mysql\n", "database.dsn"},
		"bad level":         {"log:\n  level: loud\n", "line 2: log.level"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Load(write(t, c.text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTheEnvironmentOverridesAndIsChecked(t *testing.T) {
	path := write(t, "server:\n  listen: 127.0.0.1:1\n")
	c, err := config.Load(path, []string{"MINIFLEET_SERVER_LISTEN=127.0.0.1:9", "MINIFLEET_DATABASE_CONNECTIONS=4", "MINIFLEET_DEMO_PASSWORD=x", "HOME=/root"})
	if err != nil || c.Server.Listen != "127.0.0.1:9" || c.Database.Connections != 4 || c.Server.PublicURL != "http://127.0.0.1:9" {
		t.Fatalf("%+v %v", c, err)
	}
	for _, bad := range []string{"MINIFLEET_SERVER_LISEN=x", "MINIFLEET_DATABASE_CONNECTIONS=many"} {
		if _, err := config.Load(path, []string{bad}); err == nil || !strings.Contains(err.Error(), strings.Split(bad, "=")[0]) {
			t.Fatalf("%s: %v", bad, err)
		}
	}
}

func TestTheDSNMayComeFromAFile(t *testing.T) {
	file := write(t, "u:p@tcp(127.0.0.1:3306)/mf\n")
	c, err := config.Load(write(t, "database:\n  type: mysql\n  dsnFile: "+file+"\n"), nil)
	if err != nil || c.Database.DSN != "u:p@tcp(127.0.0.1:3306)/mf" {
		t.Fatalf("%+v %v", c, err)
	}
}
