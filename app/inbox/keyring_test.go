package inbox

import (
	"testing"
	"time"

	"minifleet/app/component"
	"minifleet/app/wechat"
)

func TestRotationAndCorrectedKeys(t *testing.T) {
	f := newFixture(t)
	if w := f.do(push{}.request(t)); w.Code != 200 {
		t.Fatal(w.Code)
	}
	// The console's token was changed, and here too, by another replica: nobody invalidated this cache.
	f.keys[testComponent] = component.Keys{Tokens: []string{"new", testToken}, AESKeys: []string{otherKey, testKey}}
	f.wall.Advance(5 * time.Second)
	reads := f.reads
	for name, p := range map[string]push{"new": {token: "new", key: otherKey}, "previous": {}, "mixed": {token: "new"}} {
		if w := f.do(p.request(t)); w.Code != 200 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if f.reads == reads || f.reads > reads+2 {
		t.Errorf("%d reads of the keys", f.reads-reads)
	}
	// Forged pushes do not make the inbox read keys as often as they come.
	reads = f.reads
	for range 50 {
		f.do(push{token: "forged"}.request(t))
	}
	if f.reads > reads+1 {
		t.Errorf("%d reads for 50 forged pushes", f.reads-reads)
	}
	// A platform that was unbound is refused after Invalidate.
	delete(f.keys, testComponent)
	f.h.Invalidate(testComponent)
	if w := f.do(push{}.request(t)); w.Code != 400 || f.refusals(wechat.ReasonComponent) != 1 {
		t.Errorf("unbound: %d", w.Code)
	}
}
