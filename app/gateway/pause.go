package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"minifleet/app/store"
	"minifleet/app/wechat"
)

// How long an endpoint rests. Each further refusal of the same code doubles the rest (45009: four times) up to the most;
// an answer of any other kind ends the series.
const (
	restMinute     = 5 * time.Second // 45011: the minute's calls are used up
	restMinuteMost = time.Minute
	restDay        = time.Minute // 45009: the day's calls are used up; they can be reset by hand, so it is tried now and then
	restDayMost    = time.Hour
	restBusy       = time.Second // -1, from the third in a row on: one alone is repeated or shown
	restBusyMost   = 30 * time.Second
	busyInRow      = 3

	// pausesFresh is how old a replica's knowledge of the others' pauses may be.
	pausesFresh = 2 * time.Second
	pausesMost  = 10_000
)

// pauses remember which endpoints WeChat wants left alone, per mini program (or platform app, for its own calls). Replicas
// tell each other through the table wechat_pause, which each reads once in two seconds at most while it calls: within that
// time a replica may make one call too many.
type pauses struct {
	db  *store.DB
	now func() time.Time

	mu      sync.Mutex
	series  map[string]*series
	read    time.Time
	reading bool
}

type series struct {
	code  int
	times int
	until time.Time
	heard time.Time // when it was last told, for forgetting
}

func newPauses(db *store.DB, now func() time.Time) *pauses {
	return &pauses{db: db, now: now, series: map[string]*series{}}
}

// pauseName is the mini program, or the platform app for its own calls, with the endpoint.
func pauseName(e wechat.Endpoint, req wechat.Request) string {
	if e.Token == wechat.TokenAuthorizer {
		return req.AppID + "|" + e.Name
	}
	return req.Component + "|" + e.Name
}

// rest tells how long name must still be left alone and by which errcode; 0 when it may be called.
func (p *pauses) rest(ctx context.Context, name string) (time.Duration, int, error) {
	if err := p.catchUp(ctx); err != nil {
		return 0, 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.series[name]
	if !ok {
		return 0, 0, nil
	}
	if wait := s.until.Sub(p.now()); wait > 0 {
		return wait, s.code, nil
	}
	return 0, 0, nil
}

// catchUp reads the pauses of all replicas when this one's knowledge is old; one caller reads, the others go on meanwhile.
func (p *pauses) catchUp(ctx context.Context) error {
	p.mu.Lock()
	now := p.now()
	if p.reading || now.Sub(p.read) < pausesFresh {
		p.mu.Unlock()
		return nil
	}
	p.reading = true
	p.mu.Unlock()
	var rows []struct {
		Name    string
		Errcode int
		UntilAt int64
	}
	err := p.db.All(ctx, &rows, "SELECT name, errcode, until_at FROM wechat_pause WHERE until_at>? ORDER BY until_at LIMIT ?", now.UnixMilli(), pausesMost)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading = false
	if err != nil {
		return fmt.Errorf("gateway: pauses: %w", err)
	}
	p.read = now
	for name, s := range p.series {
		if now.Sub(s.heard) > 2*restDayMost {
			delete(p.series, name)
		}
	}
	for _, r := range rows {
		until := time.UnixMilli(r.UntilAt)
		if s, ok := p.series[r.Name]; !ok || s.until.Before(until) {
			p.series[r.Name] = &series{code: r.Errcode, times: 1, until: until, heard: now}
		}
	}
	return nil
}

// lesson is what an answer has taught: a rest that begins, the zero value for none.
type lesson struct {
	code  int
	wait  time.Duration
	until time.Time
}

// learn takes what WeChat answered. It writes only when a pause begins.
func (p *pauses) learn(ctx context.Context, name string, answer error) (lesson, error) {
	code := wechat.Code(answer)
	first, most, factor, least := time.Duration(0), time.Duration(0), time.Duration(2), 1
	switch code {
	case wechat.CodeDailyLimit:
		first, most, factor = restDay, restDayMost, 4
	case wechat.CodeMinuteLimit:
		first, most = restMinute, restMinuteMost
	case wechat.CodeBusy:
		first, most, least = restBusy, restBusyMost, busyInRow
	default:
		p.mu.Lock()
		delete(p.series, name)
		p.mu.Unlock()
		return lesson{}, nil
	}
	p.mu.Lock()
	s, ok := p.series[name]
	if !ok || s.code != code {
		s = &series{code: code}
		p.series[name] = s
	}
	s.times++
	s.heard = p.now()
	if s.times < least {
		p.mu.Unlock()
		return lesson{}, nil
	}
	wait := first
	for range s.times - least {
		if wait *= factor; wait >= most {
			wait = most
			break
		}
	}
	s.until = p.now().Add(wait)
	l := lesson{code: code, wait: wait, until: s.until}
	p.mu.Unlock()
	if err := p.db.Upsert(ctx, "wechat_pause", map[string]any{"name": name, "errcode": code, "until_at": l.until.UnixMilli()}, "name"); err != nil {
		return l, fmt.Errorf("gateway: pause of %s: %w", name, err)
	}
	return l, nil
}
