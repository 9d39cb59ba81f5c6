package simulator

import (
	"context"
	"errors"
	"time"
)

// tick is how often Run looks for due work when nothing wakes it, in real time.
const tick = 500 * time.Millisecond

// forgetEvery is how often Run drops old records, in real time.
const forgetEvery = 30 * time.Second

// keepMs is how long used and expired codes, tokens and scans stay known (simulated), so that their reuse still gets
// the right errcode.
const keepMs = 24 * 3600 * 1000

// Run pushes tickets every ten simulated minutes, delivers pushes and forgets old records until ctx ends. It then waits
// for running deliveries; what was not delivered stays in the state and is delivered by the next Run.
func (s *Simulator) Run(ctx context.Context) error {
	k := &courier{busy: map[string]bool{}}
	defer k.wg.Wait()
	timer := time.NewTicker(tick)
	defer timer.Stop()
	var lastForget time.Time
	for {
		err := s.update(ctx, func(w *world, now int64) error {
			if err := w.due(now); err != nil {
				return err
			}
			if wall := s.wall(); wall.Sub(lastForget) >= forgetEvery { // it looks at every record, so not at each wake
				lastForget = wall
				w.forget(now)
			}
			return nil
		})
		if err == nil {
			err = s.dispatch(ctx, k)
		}
		switch {
		case errors.Is(err, errClosed):
			return err
		case err != nil && ctx.Err() == nil:
			s.log.Error("simulator cannot save its state, trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// due does what the simulated clock asks for by now.
func (w *world) due(now int64) error {
	w.pushDueTickets(now)
	w.pushDelayedOnes(now)
	return w.settle(now)
}

// pushDueTickets pushes one ticket to every component whose time has come; a long jump of the clock gives one, not many.
func (w *world) pushDueTickets(now int64) {
	for _, c := range w.components.all() {
		if c.pushable() && now >= c.NextTicketMs {
			w.pushTicket(c, now, pushShape{})
		}
	}
}

// forget drops records a day after they stopped being usable.
func (w *world) forget(now int64) {
	for id, t := range w.tokens.docs {
		if now >= t.ExpiresMs+keepMs {
			w.tokens.delete(id)
		}
	}
	for id, c := range w.preAuthCodes.docs {
		if now >= c.ExpiresMs+keepMs {
			w.preAuthCodes.delete(id)
		}
	}
	for id, c := range w.authCodes.docs {
		if now >= c.ExpiresMs+keepMs {
			w.authCodes.delete(id)
		}
	}
	w.forgetResources(now)
	for id, s := range w.scans.docs {
		if now >= s.CreatedMs+keepMs {
			w.scans.delete(id)
		}
	}
}
