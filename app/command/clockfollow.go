package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// syncClock reads the simulator's clock once. Only the demo has one to follow.
func (p *platform) syncClock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.WeChat.ClockURL, nil)
	if err != nil {
		return fmt.Errorf("simulator's clock: %w", err)
	}
	asked := time.Now()
	res, err := p.simulator.Do(req)
	if err != nil {
		return fmt.Errorf("simulator's clock: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Offset *int64 `json:"offset_ms"`
		Rate   *int64 `json:"rate"` // simulated seconds per second, 0 when the clock stands still
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Offset == nil {
		return fmt.Errorf("simulator's clock: no offset_ms in the answer of %s: %w", asked.Format(time.TimeOnly), err)
	}
	rate := int64(1)
	if answer.Rate != nil && *answer.Rate >= 0 {
		rate = *answer.Rate
	}
	if offset := time.Duration(*answer.Offset) * time.Millisecond; p.offset.Follow(offset, rate) {
		p.log.Info("following the simulator's clock", "offset", offset.Round(time.Second), "rate", rate)
	}
	return nil
}

// followClock asks twice a second, so that 快进, 冻结 and 倍速 in the simulator move the platform too. While the simulator is away
// the last offset stays.
func (p *platform) followClock(ctx context.Context) error {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		err := p.syncClock(ctx)
		if err != nil && !away && ctx.Err() == nil {
			p.log.Warn("the simulator does not tell its clock", "error", err)
		}
		away = err != nil
	}
}
