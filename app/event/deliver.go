package event

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
)

// deliverLoop runs one loop per present subscriber, so that a slow one holds up nobody else.
func (l *Log) deliverLoop(ctx context.Context) error {
	l.subs.mu.Lock()
	l.subs.start = func(s *subscription) {
		own, cancel := context.WithCancel(ctx)
		s.cancel, s.ended = cancel, make(chan struct{})
		l.subs.running.Add(1)
		go func() {
			defer l.subs.running.Done()
			defer close(s.ended)
			defer cancel()
			l.serve(own, s)
		}()
	}
	for _, s := range l.subs.active {
		l.subs.start(s)
	}
	l.subs.mu.Unlock()
	<-ctx.Done()
	l.subs.mu.Lock()
	l.subs.start = nil
	l.subs.mu.Unlock()
	l.subs.running.Wait()
	return nil
}

// serve works on the due queues of one subscriber until ctx ends.
func (l *Log) serve(ctx context.Context, s *subscription) {
	slots := semaphore.NewWeighted(int64(s.Parallel))
	freed := make(chan struct{}, 1)
	for ctx.Err() == nil {
		next, err := l.startDue(ctx, s, slots, freed)
		if err != nil && ctx.Err() == nil {
			l.opts.Logger.ErrorContext(ctx, "event queues cannot be read, will be tried again", "subscriber", s.Name, "error", err)
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-freed:
		case <-timer.C:
		}
		timer.Stop()
	}
	// All slots at once means that every worker has come home. They end soon: their context has ended.
	if err := slots.Acquire(context.WithoutCancel(ctx), int64(s.Parallel)); err != nil {
		l.opts.Logger.ErrorContext(ctx, "event workers did not come home", "subscriber", s.Name, "error", err)
	}
}

// startDue starts a worker for each due queue as far as slots are free, and tells when to look again.
func (l *Log) startDue(ctx context.Context, s *subscription, slots *semaphore.Weighted, freed chan<- struct{}) (time.Duration, error) {
	now := time.Now().UnixMilli()
	queues, nextDue, err := l.dueQueues(ctx, s, now)
	if err != nil {
		return l.opts.Poll, err
	}
	for _, queue := range queues {
		if !slots.TryAcquire(1) {
			return l.opts.Poll, nil // a worker that ends says so on freed
		}
		taken, err := l.takeQueue(ctx, s.Name, queue)
		if err != nil || !taken {
			slots.Release(1)
			if err != nil {
				return l.opts.Poll, err
			}
			continue
		}
		go func() {
			l.work(ctx, s, queue)
			slots.Release(1)
			select {
			case freed <- struct{}{}:
			default:
			}
		}()
	}
	wait := time.Duration(nextDue-now) * time.Millisecond
	return min(max(wait, time.Millisecond), l.opts.Poll), nil
}

// dueQueues lists queues that are due and not held, and when the next one will be.
func (l *Log) dueQueues(ctx context.Context, s *subscription, now int64) (due []string, next int64, err error) {
	next = now + l.opts.Poll.Milliseconds()
	rows, err := l.opts.DB.Reader().QueryContext(ctx,
		"SELECT queue,due_at,lease_until FROM event_queue WHERE subscriber=? AND due_at<? ORDER BY due_at LIMIT ?", s.Name, next, 16*s.Parallel)
	if err != nil {
		return nil, next, fmt.Errorf("event: due queues: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var queue string
		var dueAt, leaseUntil int64
		if err := rows.Scan(&queue, &dueAt, &leaseUntil); err != nil {
			return nil, next, fmt.Errorf("event: due queues: %w", err)
		}
		switch {
		case dueAt > now:
			next = min(next, dueAt)
		case leaseUntil < now:
			due = append(due, queue)
		}
	}
	return due, next, rows.Err()
}

// takeQueue leases a queue to this process.
func (l *Log) takeQueue(ctx context.Context, subscriber, queue string) (bool, error) {
	now := time.Now()
	return l.changed(ctx, "UPDATE event_queue SET lease_until=?, owner=? WHERE subscriber=? AND queue=? AND lease_until<? AND due_at<=?",
		now.Add(l.opts.Lease).UnixMilli(), l.owner, subscriber, queue, now.UnixMilli(), now.UnixMilli())
}

func (l *Log) changed(ctx context.Context, query string, args ...any) (bool, error) {
	res, err := l.opts.DB.Writer().ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// deliveryBatch is how many events of one queue are read, and acknowledged, together. A crash repeats at most these.
const deliveryBatch = 16

// work delivers a leased queue in order until it is empty, an event fails, or ctx ends.
func (l *Log) work(ctx context.Context, s *subscription, queue string) {
	// Book-keeping goes on after ctx has ended: what was handled is acknowledged, and the lease is given back.
	books := context.WithoutCancel(ctx)
	for {
		due, empty, err := l.deliverBatch(ctx, books, s, queue)
		switch {
		case errors.Is(err, errLeaseLost):
			return
		case err != nil && ctx.Err() == nil:
			l.opts.Logger.ErrorContext(ctx, "event queue stopped, will be tried again", "subscriber", s.Name, "queue", queue, "error", err)
			due = time.Now().Add(l.opts.Poll).UnixMilli()
		case ctx.Err() != nil:
			due = time.Now().UnixMilli()
		case empty:
			return
		case due == 0:
			continue
		}
		_, err = l.changed(books, "UPDATE event_queue SET lease_until=0, owner='', due_at=? WHERE subscriber=? AND queue=? AND owner=?", due, s.Name, queue, l.owner)
		if err != nil {
			l.opts.Logger.ErrorContext(books, "event queue could not be given back, its lease will run out", "subscriber", s.Name, "queue", queue, "error", err)
		}
		return
	}
}

var errLeaseLost = errors.New("event: queue lease lost")

// deliverBatch handles the next events of the queue. due != 0 asks to give the queue back until then; empty says that
// the queue was given back as idle.
func (l *Log) deliverBatch(ctx, books context.Context, s *subscription, queue string) (due int64, empty bool, err error) {
	var version int64
	err = l.opts.DB.Reader().QueryRowContext(books, "SELECT version FROM event_queue WHERE subscriber=? AND queue=? AND owner=?", s.Name, queue, l.owner).Scan(&version)
	if err != nil {
		return 0, false, errors.Join(errLeaseLost, err)
	}
	events, err := l.pending(books, s.Name, queue)
	if err != nil {
		return 0, false, err
	}
	if len(events) == 0 {
		empty, err = l.changed(books, "UPDATE event_queue SET lease_until=0, owner='', due_at=? WHERE subscriber=? AND queue=? AND owner=? AND version=?",
			idle, s.Name, queue, l.owner, version)
		return 0, empty, err // not empty: something came meanwhile, go round again
	}
	held := time.Now().Add(l.opts.Lease / 2)
	var done []any
	for _, e := range events {
		if ctx.Err() != nil {
			break
		}
		if time.Now().After(held) {
			ok, err := l.changed(books, "UPDATE event_queue SET lease_until=? WHERE subscriber=? AND queue=? AND owner=?",
				time.Now().Add(l.opts.Lease).UnixMilli(), s.Name, queue, l.owner)
			if err != nil || !ok {
				return 0, false, errors.Join(errLeaseLost, err)
			}
			held = time.Now().Add(l.opts.Lease / 2)
		}
		failure := l.handle(ctx, s, e.Event)
		if failure == nil {
			done = append(done, e.delivery)
			continue
		}
		if ctx.Err() != nil {
			break // cut off by the end of the process or of the subscriber, which is no fault of the event
		}
		if err := l.acknowledge(books, s.Name, done); err != nil {
			return 0, false, err
		}
		due, err = l.fail(books, s.Subscriber, e, failure)
		return due, false, err
	}
	return 0, false, l.acknowledge(books, s.Name, done)
}

// handle calls the handler with its time bound; a panic is an error like any other.
func (l *Log) handle(ctx context.Context, s *subscription, e Event) (err error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.HandlerTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			l.opts.Logger.ErrorContext(ctx, "event handler panicked", "subscriber", s.Name, "event", e.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("handler panicked: %v", p)
		}
	}()
	return s.Handle(ctx, e)
}

// pendingEvent is an event with the delivery under which it was read.
type pendingEvent struct {
	Event
	delivery int64
}

// pending reads the next events of a queue, oldest first, with opened payloads.
func (l *Log) pending(ctx context.Context, subscriber, queue string) ([]pendingEvent, error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, `SELECT d.id,d.attempts,e.id,e.type,e.source,e.component,e.appid,e.space_id,e.subject,e.url_kind,e.create_time,e.received_at,e.hops,e.payload
FROM event_delivery d JOIN event_log e ON e.id=d.event_id
WHERE d.subscriber=? AND d.queue=? AND d.state=0 ORDER BY d.event_id LIMIT ?`, subscriber, queue, deliveryBatch)
	if err != nil {
		return nil, fmt.Errorf("event: pending of %s: %w", subscriber, err)
	}
	defer rows.Close()
	var events []pendingEvent
	for rows.Next() {
		var e pendingEvent
		var sealed []byte
		if err := rows.Scan(&e.delivery, &e.Attempt, &e.ID, &e.Type, &e.Source, &e.Component, &e.AppID, &e.SpaceID, &e.Subject, &e.URLKind, &e.CreateTime, &e.ReceivedAt, &e.Hops, &sealed); err != nil {
			return nil, fmt.Errorf("event: pending of %s: %w", subscriber, err)
		}
		e.Attempt++
		if e.Payload, err = l.opts.Sealer.Open(purpose, sealed); err != nil {
			return nil, fmt.Errorf("event: open payload of %d: %w", e.ID, err)
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// acknowledge books deliveries as done. One that was replayed meanwhile has another id and stays pending.
func (l *Log) acknowledge(ctx context.Context, subscriber string, deliveries []any) error {
	if len(deliveries) == 0 {
		return nil
	}
	args := append([]any{time.Now().UnixMilli()}, deliveries...)
	_, err := l.opts.DB.Writer().ExecContext(ctx, "UPDATE event_delivery SET state=1, attempts=attempts+1, last_error='', updated_at=? WHERE state=0 AND id IN ("+marks(len(deliveries))+")", args...)
	if err != nil {
		return fmt.Errorf("event: acknowledge for %s: %w", subscriber, err)
	}
	return nil
}

// fail books a failed try. It gives the time to try again, or 0 after the last try: the event becomes a dead letter and
// the queue goes on. One that was replayed meanwhile starts from zero all the same.
func (l *Log) fail(ctx context.Context, s Subscriber, e pendingEvent, failure error) (due int64, err error) {
	state := statePending
	if e.Attempt >= s.MaxAttempts {
		state = stateDead
	} else {
		due = time.Now().Add(s.Backoff(e.Attempt)).UnixMilli()
	}
	l.opts.Logger.WarnContext(ctx, "event handler failed", "subscriber", s.Name, "event", e.ID, "type", e.Type, "attempt", e.Attempt, "dead", state == stateDead, "error", failure)
	_, err = l.opts.DB.Writer().ExecContext(ctx, "UPDATE event_delivery SET state=?, attempts=attempts+1, last_error=?, updated_at=? WHERE state=0 AND id=?",
		state, cut(failure.Error(), 480), time.Now().UnixMilli(), e.delivery)
	if err != nil {
		return 0, fmt.Errorf("event: book failure for %s: %w", s.Name, err)
	}
	return due, nil
}
