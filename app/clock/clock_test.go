package clock

import (
	"testing"
	"time"
)

func TestOffsetFollowsItsShift(t *testing.T) {
	var o Offset
	if !o.Set(2 * time.Hour) {
		t.Fatal("a shift of two hours must count as a change")
	}
	if got := o.Now().Sub(time.Now()); got < 2*time.Hour-time.Second || got > 2*time.Hour+time.Second {
		t.Fatalf("shifted by %v, want two hours", got)
	}
	if o.Set(2*time.Hour + 100*time.Millisecond) {
		t.Fatal("a tenth of a second is drift, not a change")
	}
}

func TestManualMovesOnlyWhenTold(t *testing.T) {
	m := Fixed(time.UnixMilli(1_760_000_000_000))
	before := m.Now()
	if !m.Now().Equal(before) {
		t.Fatal("a fixed clock moved by itself")
	}
	m.Advance(time.Minute)
	if got := m.Now().Sub(before); got != time.Minute {
		t.Fatalf("advanced by %v, want one minute", got)
	}
}
