package sdk

import (
	"regexp"
	"slices"
)

var dropShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?$`)

// Drops names collections ("orders") and columns ("orders.note") of earlier versions that this one no longer needs. Their
// data is kept until an operator has seen how many rows would lose something and said yes; until then an older version
// still works beside this one, and where only older ones are left the yes lapses. What is dropped is not declared any more.
func (p *Plugin) Drops(items ...string) {
	for _, item := range items {
		switch {
		case !dropShape.MatchString(item):
			p.mistaken("Drops", "%q is neither a collection nor a column of one", item)
		case slices.Contains(p.manifest.Drops, item):
			p.mistaken("Drops", "%q is dropped twice", item)
		default:
			p.manifest.Drops = append(p.manifest.Drops, item)
		}
	}
}
