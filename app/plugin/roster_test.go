package plugin

import (
	"log/slog"
	"testing"
)

func TestRosterKeepsOrderAndTakesOutOnlyTheUnitThatIsThere(t *testing.T) {
	var r roster
	if r.get("a1") != nil || len(r.list()) != 0 {
		t.Fatal("an empty roster holds somebody")
	}
	first, again, second := newUnit("a1", false, program{}, slog.Default()), newUnit("a1", false, program{}, slog.Default()), newUnit("b1", false, program{}, slog.Default())
	if !r.add(first) || r.add(again) || !r.add(second) {
		t.Fatal("an id was taken twice, or a free one refused")
	}
	before := r.list()
	if r.remove(again) || !r.remove(first) || r.remove(first) {
		t.Fatal("another unit of the same id was taken out, or one twice")
	}
	if r.get("a1") != nil || r.get("b1") != second || len(r.list()) != 1 || len(before) != 2 || before[0] != first {
		t.Fatalf("left: %v, read before: %v", r.list(), before)
	}
	for _, u := range []*unit{first, again, second} {
		u.spawner.close()
	}
}
