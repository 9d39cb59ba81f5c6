package command

import (
	"regexp"
	"strings"
	"testing"

	"minifleet/app/plugin/archive"
)

// An extension's pages lie under /p/ID, /admin/p/ID and /api/v1/ID: its id must not be the first word of any other address.
func TestNoExtensionMayTakeTheIDOfARouteOrOfAPluginOfTheHouse(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)
	for pattern := range tenancy() {
		_, path, found := strings.Cut(pattern, " ")
		if !found {
			path = pattern
		}
		for _, prefix := range []string{"/api/v1/", "/admin/", "/"} {
			below, ok := strings.CutPrefix(path, prefix)
			if first, _, _ := strings.Cut(below, "/"); ok && word.MatchString(first) && !archive.Reserved(first) {
				t.Errorf("%s: the id %q is not reserved", pattern, first)
			}
		}
	}
	for _, p := range firstParty() {
		if !archive.Reserved(p.id) {
			t.Errorf("the id of the house's own plugin %s is not reserved", p.id)
		}
	}
}
