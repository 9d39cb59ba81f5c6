package command_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the rooms from the ground up: a room may import those of lower layers only, never its own layer.
var layers = [][]string{
	{"app/clock", "app/fault", "app/lang", "app/wechat", "app/simulator"},
	{"app/config", "app/store", "app/secret"},
	{"app/event", "app/trail"},
	{"app/account"},
	{"app/component"},
	{"app/miniprogram"},
	{"app/grant"},
	{"app/gateway"},
	{"app/inbox", "app/schedule", "app/notice", "app/plugin", "app/transfer"},
	{"app/dashboard", "app/forward"},
	{"app/web/portal"},
	{"app/web", "admin"},
	{"app/command"},
}

// special are rooms whose imports of ours are listed one by one.
var special = map[string][]string{
	"app/simulator":                 {},
	"resource":                      {},
	"resource/dictionary":           {},
	"plugins/sdk":                   {"app/wechat", "plugins/sdk/lane", "plugins/sdk/pluginpb"},
	"plugins/sdk/lane":              {},
	"plugins/sdk/ui":                {},
	"plugins/sdk/sdktest/hostsuite": {"app/wechat", "plugins/sdk"},
	"plugins/version":               {"app/wechat", "plugins/sdk", "plugins/sdk/ui"},
	"plugins/market":                {"app/wechat", "plugins/sdk", "plugins/sdk/ui"},
	"plugins/hosting":               {"app/wechat", "plugins/sdk", "plugins/sdk/ui"},
	"plugins/sdk/pluginpb":          {},
	"plugins/sdk/schema":            {},
}

// beside are imports that do not count as a layer.
var beside = []string{"resource", "resource/dictionary", "plugins/sdk/lane", "plugins/sdk/pluginpb", "plugins/sdk/schema"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "minifleet/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []goPackage
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func layer(room string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, room) })
}

// room is the package's room: tests' helper packages belong to the room they stand in.
func room(path string) string {
	r := strings.TrimPrefix(path, "minifleet/")
	for _, l := range layers {
		for _, name := range l {
			if r == name {
				return r
			}
		}
	}
	if _, ok := special[r]; ok {
		return r
	}
	for _, l := range layers {
		for _, name := range l {
			if strings.HasPrefix(r, name+"/") {
				return name
			}
		}
	}
	return r
}

func TestRoomsImportDownwardsOnly(t *testing.T) {
	for _, p := range packages(t) {
		from := room(p.ImportPath)
		helper := strings.HasSuffix(p.ImportPath, "test") // storetest, authtest, sdktest serve tests
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, "minifleet/") || helper {
				continue
			}
			to := room(imported)
			if to == from || slices.Contains(beside, to) {
				continue
			}
			if allowed, ok := special[from]; ok {
				if !slices.Contains(allowed, to) {
					t.Errorf("%s may not import %s", p.ImportPath, imported)
				}
				continue
			}
			switch {
			case from == "minifleet":
				if to != "app/command" {
					t.Errorf("main imports %s", imported)
				}
			case from == "app/command":
			case layer(from) < 0:
				t.Errorf("%s stands on no layer: add it to the list", p.ImportPath)
			case layer(to) < 0 || layer(to) >= layer(from):
				t.Errorf("%s may not import %s: it is not below", p.ImportPath, imported)
			}
		}
	}
}

func TestDomainRoomsKnowNoHTTPServer(t *testing.T) {
	for _, p := range packages(t) {
		r := room(p.ImportPath)
		if l := layer(r); l < 1 || l > layer("app/gateway") || strings.HasSuffix(p.ImportPath, "test") {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "net/http" || strings.Contains(imported, "/net/ghttp") || strings.Contains(imported, "/frame/g") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}
