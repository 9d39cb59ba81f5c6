package simulator

import (
	"testing"
	"time"
)

func TestClockStateNeverGoesBack(t *testing.T) {
	c := &clockState{}
	if c.at(1000) != 1000 {
		t.Fatalf("the zero clock is not wall time: %d", c.at(1000))
	}
	c.OffsetMs = 500
	c.anchor(2000)
	c.Frozen = true
	if c.at(2000) != 2500 || c.at(9000) != 2500 {
		t.Fatalf("frozen at %d, then %d", c.at(2000), c.at(9000))
	}
	c.anchor(9000)
	c.Frozen, c.Speed = false, 10
	if c.at(9000) != 2500 || c.at(9100) != 3500 {
		t.Fatalf("ten times as fast: %d, %d", c.at(9000), c.at(9100))
	}
	c.anchor(9100)
	c.Speed = 1
	if c.at(9100) != 3500 || c.at(9200) != 3600 {
		t.Fatalf("back at the wall's pace: %d, %d", c.at(9100), c.at(9200))
	}
}

func TestTokensFollowAClockThatStandsAndOneThatRuns(t *testing.T) {
	g := startRig(t, Options{})
	ct, _ := g.ready()
	g.control("clock", object{"frozen": true})
	first := g.control("clock", nil)
	time.Sleep(20 * time.Millisecond)
	second := g.control("clock", nil)
	if first["now_ms"] != second["now_ms"] || second["rate"].(float64) != 0 {
		t.Fatalf("a frozen clock went from %v to %v", first, second)
	}
	g.control("clock", object{"advance_seconds": 7201})
	g.refused(42001, "GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)
	g.control("clock", object{"frozen": false, "speed": 3600})
	before := g.control("clock", nil)["now_ms"].(float64)
	time.Sleep(20 * time.Millisecond)
	if went := g.control("clock", nil)["now_ms"].(float64) - before; went < 20*3600 {
		t.Fatalf("went %v ms at 3600 times the pace", went)
	}
	tickets := g.control("pushes?kind=component_verify_ticket", nil)["total"].(float64)
	deadline := time.Now().Add(30 * time.Second)
	for g.control("pushes?kind=component_verify_ticket", nil)["total"].(float64) == tickets {
		if time.Now().After(deadline) {
			t.Fatal("no ticket comes although simulated hours pass")
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.controlRefused(400, "speed", "POST", "clock", object{"speed": 0})
	g.controlRefused(400, "advance_seconds", "POST", "clock", object{})
}

func TestClockOfAStateFileStaysFrozen(t *testing.T) {
	file := t.TempDir() + "/simulator.db"
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, shanghai)
	first := startRig(t, Options{StateFile: file, Seed: 3, Start: start})
	if now := first.control("clock", nil)["now_ms"].(float64); int64(now) != start.UnixMilli() {
		t.Fatalf("started at %v", now)
	}
	first.advance(60)
	second := startRig(t, Options{StateFile: file, Seed: 3, Start: start})
	if now := second.control("clock", nil)["now_ms"].(float64); int64(now) != start.Add(time.Minute).UnixMilli() {
		t.Fatalf("a restart went to %v", now)
	}
}
