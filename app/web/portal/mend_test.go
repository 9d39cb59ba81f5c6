package portal

import (
	"testing"

	"minifleet/resource/dictionary"
)

// An act that no screen resolves would be a button that leads nowhere.
func TestEveryActOfTheDictionaryLeadsSomewhere(t *testing.T) {
	named := map[string]bool{}
	for _, act := range dictionary.Acts() {
		named[act.Name] = true
		if _, ours := mends()[act.Name]; ours == (act.Href != "") {
			t.Errorf("%s: our page %t, address at WeChat %q", act.Name, ours, act.Href)
		}
	}
	for name := range mends() {
		if !named[name] {
			t.Errorf("%s: no act of the dictionary", name)
		}
	}
	for _, e := range dictionary.Entries() {
		if e.Act != "" && !named[e.Act] {
			t.Errorf("%v: no act %s", e.Codes, e.Act)
		}
	}
}

func TestAnAddressIsMadeOfAppIDsOnly(t *testing.T) {
	for s, ok := range map[string]bool{"wx0123456789abcdef": true, "": false, "wx": false, "wx../admin": false, "gh_123": false, "wx1?x=": false} {
		if appID(s) != ok {
			t.Errorf("%q", s)
		}
	}
}
