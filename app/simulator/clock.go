package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// clockState is the simulated clock: wall time plus an offset, running at the wall's pace, faster, or not at all. It
// never goes back: a step is forwards, and a change of pace goes on from the moment it was made at.
type clockState struct {
	OffsetMs int64 `json:"offset_ms"`           // simulated minus wall time at the anchor
	AnchorMs int64 `json:"anchor_ms,omitempty"` // wall time from which Speed and Frozen count
	Speed    int64 `json:"speed,omitempty"`     // simulated milliseconds per wall millisecond; 0 is 1
	Frozen   bool  `json:"frozen,omitempty"`
}

// rate is how fast simulated time runs, 0 when it stands still.
func (c *clockState) rate() int64 {
	if c.Frozen {
		return 0
	}
	return max(c.Speed, 1)
}

// at is the simulated time at a moment of wall time, both in Unix milliseconds.
func (c *clockState) at(wallMs int64) int64 {
	return wallMs + c.OffsetMs + (c.rate()-1)*(wallMs-c.AnchorMs)
}

// anchor keeps the present simulated time and counts from now on.
func (c *clockState) anchor(wallMs int64) {
	c.OffsetMs, c.AnchorMs = c.at(wallMs)-wallMs, wallMs
}

const (
	maxAdvanceSeconds = 10 * 366 * 24 * 3600
	maxClockSpeed     = 3600
)

// view is what programs read: the platform of the demo follows offset_ms and rate.
func (c *clockState) view(wallMs int64) map[string]any {
	return map[string]any{"now_ms": c.at(wallMs), "offset_ms": c.at(wallMs) - wallMs, "speed": max(c.Speed, 1), "frozen": c.Frozen, "rate": c.rate()}
}

func (s *Simulator) showClock(w *world, _ int64, _ *http.Request, _ none) (any, error) {
	return w.clock.view(s.wall().UnixMilli()), nil
}

// clockRequest changes the simulated clock; an absent key keeps what is there.
type clockRequest struct {
	AdvanceSeconds *int64 `json:"advance_seconds"`
	Speed          *int64 `json:"speed"`
	Frozen         *bool  `json:"frozen"`
}

func (r clockRequest) check() error {
	switch {
	case r.AdvanceSeconds == nil && r.Speed == nil && r.Frozen == nil:
		return badRequest("advance_seconds", "请填写 advance_seconds、speed、frozen 中的至少一项")
	case r.AdvanceSeconds != nil && (*r.AdvanceSeconds <= 0 || *r.AdvanceSeconds > maxAdvanceSeconds):
		return badRequest("advance_seconds", "快进秒数应大于 0，且不超过十年；时钟只能向前")
	case r.Speed != nil && (*r.Speed < 1 || *r.Speed > maxClockSpeed):
		return badRequest("speed", fmt.Sprintf("倍速应在 1 到 %d 之间", maxClockSpeed))
	}
	return nil
}

// changeClock advances, freezes, thaws or speeds up the clock, then does what fell due.
func (s *Simulator) changeClock(w *world, _ int64, _ *http.Request, req clockRequest) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	wall := s.wall().UnixMilli()
	w.clock.anchor(wall)
	set(&w.clock.Speed, req.Speed)
	set(&w.clock.Frozen, req.Frozen)
	if req.AdvanceSeconds != nil {
		w.clock.OffsetMs += *req.AdvanceSeconds * 1000
	}
	w.saveClock()
	return w.clock.view(wall), w.due(w.clock.at(wall))
}

// offset is the present distance between simulated and wall time, for a person.
func (c *clockState) offset(wall time.Time) time.Duration {
	ms := wall.UnixMilli()
	return time.Duration(c.at(ms)-ms) * time.Millisecond
}

// pace is how the clock runs, in the words of the console; "" when it follows the wall's.
func (c *clockState) pace() string {
	switch {
	case c.Frozen:
		return "已冻结"
	case c.Speed > 1:
		return fmt.Sprintf("%d 倍速", c.Speed)
	}
	return ""
}
