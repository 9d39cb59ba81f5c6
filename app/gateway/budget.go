package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"minifleet/app/store"
)

// Limits bound how often WeChat is called. The zero value bounds nothing.
type Limits struct {
	ComponentPerMinute int           // calls of one platform app over all its mini programs, 0 unbounded
	AppPerMinute       int           // calls for one mini program, 0 unbounded
	Wait               time.Duration // how long a call may wait for its turn before it is refused
}

const (
	chunksPerMinute = 20 // a replica settles after a twentieth of a minute's calls
	burstShare      = 4  // a quarter of a minute's calls may come at once
	settleTries     = 8
)

// budgets are token buckets that all replicas share through the table wechat_budget.
//
// A replica spends a chunk (the calls of three seconds) on credit and then settles it in the table with one statement read
// and one written, so of each chunk only one call pays for a database round trip, and a mini program that is called now and
// then costs none. Over any stretch of T minutes all replicas together therefore make at most
//
//	rate·T + rate/4 (burst) + replicas · chunk, where chunk = max(1, rate/20)
//
// calls: the error against one exact bucket is replicas · chunk. Time is wall time; a replica whose clock is behind another's
// fills nothing in until it has caught up.
type budgets struct {
	db  *store.DB
	now func() time.Time

	mu   sync.Mutex
	held map[string]*credit
}

// credit is what one replica has spent of a bucket and not settled yet.
type credit struct {
	mu     sync.Mutex
	debt   int64
	closed time.Time // nothing may be spent before
}

func newBudgets(db *store.DB, now func() time.Time) *budgets {
	return &budgets{db: db, now: now, held: map[string]*credit{}}
}

func (b *budgets) credit(name string) *credit {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.held[name]
	if !ok {
		c = &credit{}
		b.held[name] = c
	}
	return c
}

// take spends one call, or tells how long to wait for it. perMinute 0 bounds nothing.
func (b *budgets) take(ctx context.Context, name string, perMinute int) (wait time.Duration, err error) {
	if perMinute <= 0 {
		return 0, nil
	}
	chunk := int64(max(1, perMinute/chunksPerMinute))
	c := b.credit(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := b.now()
	if wait := c.closed.Sub(now); wait > 0 {
		return wait, nil
	}
	if c.debt >= chunk {
		paid, err := b.settle(ctx, name, int64(perMinute), c.debt)
		if err != nil {
			return 0, err
		}
		c.debt -= paid
	}
	if c.debt >= chunk {
		wait = time.Minute / time.Duration(perMinute) * time.Duration(max(1, chunk/2))
		c.closed = now.Add(wait)
		return wait, nil
	}
	c.debt++
	return 0, nil
}

// giveBack returns a call that was not made after all.
func (b *budgets) giveBack(name string, perMinute int) {
	if perMinute <= 0 {
		return
	}
	c := b.credit(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.debt = max(0, c.debt-1)
}

// settle pays as much of a debt as the shared bucket holds, in whole calls.
func (b *budgets) settle(ctx context.Context, name string, perMinute, debt int64) (paid int64, err error) {
	full := max(perMinute/burstShare, 2*max(1, perMinute/chunksPerMinute)) * 1000
	for range settleTries {
		now := b.now().UnixMilli()
		row := struct{ LevelMilli, FilledAt, Version int64 }{}
		found, err := b.db.One(ctx, &row, "SELECT level_milli, filled_at, version FROM wechat_budget WHERE name=?", name)
		if err != nil {
			return 0, fmt.Errorf("gateway: budget of %s: %w", name, err)
		}
		if !found {
			if _, err := b.db.InsertIgnore(ctx, "wechat_budget", map[string]any{"name": name, "level_milli": full, "filled_at": now, "version": 1}); err != nil {
				return 0, fmt.Errorf("gateway: budget of %s: %w", name, err)
			}
			continue
		}
		level := row.LevelMilli
		if passed := min(now-row.FilledAt, time.Hour.Milliseconds()); passed > 0 {
			level += passed * perMinute / 60
		}
		level = min(level, full)
		paid := min(debt, level/1000)
		n, err := b.db.Exec(ctx, "UPDATE wechat_budget SET level_milli=?, filled_at=?, version=version+1 WHERE name=? AND version=?",
			level-paid*1000, max(now, row.FilledAt), name, row.Version)
		if err != nil {
			return 0, fmt.Errorf("gateway: budget of %s: %w", name, err)
		}
		if n == 1 {
			return paid, nil
		}
	}
	return 0, nil // others were faster each time: they have spent what there was
}
