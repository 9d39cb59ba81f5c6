package admin

import (
	"maps"
	"slices"
)

// Routes lists every pattern that the back office serves, for tests that walk all of them.
func (a *Admin) Routes() []string { return slices.Sorted(maps.Keys(a.pages)) }
