package plugin

import (
	"strings"
	"testing"

	"minifleet/plugins/sdk/pluginpb"
)

func TestAManifestsStaticFilesAreChecked(t *testing.T) {
	sum := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		asset *pluginpb.Asset
		want  bool
	}{
		"a style sheet":        {&pluginpb.Asset{Path: "css/app.css", Sha256: sum, Type: "text/css; charset=utf-8", Size: 3}, true},
		"a script":             {&pluginpb.Asset{Path: "app.js", Sha256: sum, Type: "text/javascript", Size: 3}, false},
		"a module":             {&pluginpb.Asset{Path: "app.css", Sha256: sum, Type: "application/ecmascript", Size: 3}, false},
		"a page":               {&pluginpb.Asset{Path: "a.html", Sha256: sum, Type: "text/html", Size: 3}, false},
		"two types":            {&pluginpb.Asset{Path: "a.css", Sha256: sum, Type: "text/css, text/html", Size: 3}, false},
		"a line in the type":   {&pluginpb.Asset{Path: "a.css", Sha256: sum, Type: "text/css\r\nSet-Cookie: a=b", Size: 3}, false},
		"a way out":            {&pluginpb.Asset{Path: "a/../../app.css", Sha256: sum, Type: "text/css", Size: 3}, false},
		"an absolute path":     {&pluginpb.Asset{Path: "/app.css", Sha256: sum, Type: "text/css", Size: 3}, false},
		"too large":            {&pluginpb.Asset{Path: "a.css", Sha256: sum, Type: "text/css", Size: assetMost + 1}, false},
		"a negative size":      {&pluginpb.Asset{Path: "a.css", Sha256: sum, Type: "text/css", Size: -1}, false},
		"a sum that is no sum": {&pluginpb.Asset{Path: "a.css", Sha256: "abc", Type: "text/css", Size: 3}, false},
	} {
		if _, err := checkAssets(&Manifest{Assets: []*pluginpb.Asset{c.asset}}); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many []*pluginpb.Asset
	for i := range 9 {
		many = append(many, &pluginpb.Asset{Path: string(rune('a'+i)) + ".css", Sha256: sum, Type: "text/css", Size: assetMost})
	}
	if _, err := checkAssets(&Manifest{Assets: many}); err == nil {
		t.Error("36 MiB of files are taken")
	}
	if _, err := checkAssets(&Manifest{Assets: append(many[:1:1], many[0])}); err == nil {
		t.Error("a file is declared twice")
	}
}

func TestFilesInMemoryAreBounded(t *testing.T) {
	m := &assetMemory{most: 10, held: map[assetKey]retained{}}
	m.put("a", "1", "", retained{body: make([]byte, 4)})
	m.put("a", "2", "", retained{body: make([]byte, 4)})
	m.get("a", "1", "")
	m.put("a", "3", "", retained{body: make([]byte, 4)})
	_, one := m.get("a", "1", "")
	_, two := m.get("a", "2", "")
	if !one || two || m.bytes != 8 || len(m.order) != 2 {
		t.Errorf("kept %t %t, %d bytes, %d entries", one, two, m.bytes, len(m.order))
	}
}
