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

func TestFollowKeepsThePaceOfTheOtherClock(t *testing.T) {
	var o Offset
	if o.Follow(100*time.Millisecond, 1) {
		t.Fatal("a tenth of a second is drift, not a change")
	}
	if !o.Follow(time.Hour, 0) {
		t.Fatal("a clock that stands still must be followed")
	}
	at := o.Now()
	time.Sleep(20 * time.Millisecond)
	if got := o.Now(); got.Sub(at).Abs() > time.Microsecond {
		t.Fatalf("a clock that stands still moved by %v", got.Sub(at))
	}
	if !o.Follow(time.Hour, 1000) {
		t.Fatal("another pace is a change")
	}
	at = o.Now()
	time.Sleep(20 * time.Millisecond)
	if got := o.Now().Sub(at); got < 20*time.Second {
		t.Fatalf("a thousand times as fast went %v in 20 ms", got)
	}
	if !o.Follow(0, 1) {
		t.Fatal("back to the wall's pace is a change")
	}
	if got := time.Until(o.Now()).Abs(); got > time.Second {
		t.Fatalf("%v away from the wall's clock", got)
	}
}
