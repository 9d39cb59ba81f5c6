package sdk

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
)

func TestStaticFilesAreDeclaredWithTheirSums(t *testing.T) {
	p := New("shop", "商店", "1.0.0")
	p.Assets(fstest.MapFS{"app.css": {Data: []byte("b{}")}, "img/a.svg": {Data: []byte("<svg/>")}})
	if err := p.Err(); err != nil || len(p.Manifest().GetAssets()) != 2 {
		t.Fatalf("%v, %v", p.Manifest().GetAssets(), err)
	}
	ctx := context.WithValue(t.Context(), pluginKey{}, p)
	const sum = "b14fd6b3d2d68e9c5d4ad5a56d4ebf4ba8c3e4bdd4b5e3eb1e6ee4a2ec84c2d6"
	got := Asset(ctx, "app.css")
	if !strings.HasPrefix(got, "/p/shop/assets/") || !strings.HasSuffix(got, "/app.css") || len(got) != len("/p/shop/assets/")+len(sum)+len("/app.css") {
		t.Errorf("address %q", got)
	}
	if got := Asset(ctx, "nothing.css"); strings.HasPrefix(got, "/p/shop/") {
		t.Errorf("a file that is not there is at %q", got)
	}
}

func TestAStaticFileThatCannotBeServedIsAMistake(t *testing.T) {
	for name, file := range map[string]*fstest.MapFile{"app.js": {Data: []byte("1")}, "a.html": {Data: []byte("1")}, "big.png": {Data: make([]byte, maxAsset+1)}} {
		p := New("shop", "商店", "1.0.0")
		p.Assets(fstest.MapFS{name: file})
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
