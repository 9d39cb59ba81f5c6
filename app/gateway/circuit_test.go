package gateway

import (
	"testing"
	"time"
)

func TestTheCircuitOpensProbesAndCloses(t *testing.T) {
	h := newHand()
	c := newCircuits(h.Now)
	for range circuitFailures {
		if wait := c.enter("wx1"); wait != 0 {
			t.Fatalf("closed too early: %s", wait)
		}
		c.leave("wx1", false)
	}
	if wait := c.enter("wx1"); wait != circuitRest || c.count() != 1 {
		t.Fatalf("wait %s, %d open", wait, c.count())
	}
	if c.enter("wx2") != 0 {
		t.Fatal("another platform app is held as well")
	}
	h.advance(circuitRest)
	if c.enter("wx1") != 0 {
		t.Fatal("no probe was let through")
	}
	if c.enter("wx1") == 0 {
		t.Fatal("a second call went beside the probe")
	}
	c.leave("wx1", false)
	if wait := c.enter("wx1"); wait != 2*circuitRest {
		t.Fatalf("after a failed probe it rests %s", wait)
	}
	h.advance(2 * circuitRest)
	if c.enter("wx1") != 0 {
		t.Fatal("no second probe")
	}
	c.dropped("wx1") // its caller gave up: the next may probe at once
	if c.enter("wx1") != 0 {
		t.Fatal("the dropped probe holds the others")
	}
	c.leave("wx1", true)
	if c.enter("wx1") != 0 || c.enter("wx1") != 0 || c.count() != 0 {
		t.Fatal("an answer did not close it")
	}
	for range 10 {
		c.leave("wx1", false)
		c.leave("wx1", true)
	}
	if c.enter("wx1") != 0 {
		t.Fatal("failures that are not in a row opened it")
	}
	for range 20 {
		c.leave("wx1", false)
	}
	for range 20 {
		h.advance(circuitRestMost)
		c.enter("wx1")
		c.leave("wx1", false)
	}
	if wait := c.enter("wx1"); wait > circuitRestMost || wait < time.Second {
		t.Fatalf("rests %s", wait)
	}
}
