package event

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"minifleet/app/clock"
	"minifleet/app/event/journal"
	"minifleet/app/store"
)

// Options of a Log. DB, Sealer and Clock are needed; the rest has defaults.
type Options struct {
	DB     *store.DB
	Sealer Sealer
	Clock  clock.Clock  // platform time, for ReceivedAt only; leases and backoff use wall time
	Logger *slog.Logger // default: slog.Default

	MaxAttempts    int                             // tries before the dead letter; default 10
	Backoff        func(attempt int) time.Duration // wait after the n-th failed try (from 1); default 1 s doubling to 5 min
	HandlerTimeout time.Duration                   // bound of one call of a handler; default 30 s
	Lease          time.Duration                   // how long a queue is held without a sign of life; default 2 min, more than HandlerTimeout
	Poll           time.Duration                   // how often the database is asked without a wake-up; default 2 s
}

func (o *Options) defaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 10
	}
	if o.Backoff == nil {
		o.Backoff = func(n int) time.Duration { return min(time.Second<<min(n-1, 20), 5*time.Minute) }
	}
	if o.HandlerTimeout == 0 {
		o.HandlerTimeout = 30 * time.Second
	}
	if o.Lease == 0 {
		o.Lease = max(2*time.Minute, 4*o.HandlerTimeout)
	}
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
}

// Log is the event log. Its life: New, Subscribe as often as wanted, Run until the context ends, and nothing after.
// Append waits for Run; it must be running.
type Log struct {
	opts  Options
	owner string // names this process in leases

	mu      sync.Mutex
	stopped bool
	batches []*batch      // to be committed, oldest first; only the last one takes records
	buffer  []byte        // of the batch before, for the next one
	arrived chan struct{} // wakes the appender
	crowd   int           // how many pushed together lately: a batch and those who came while it was committed
	quorum  int           // how many of them the appender waits for
	enough  chan struct{} // tells it that they are there

	journal        atomic.Pointer[journal.Journal] // nil: batches go into event_intake
	journalOptions journal.Options
	tending        sync.WaitGroup
	tried          time.Time // when the journal was last tried; of the dispatcher

	fan     chan struct{} // wakes the dispatcher
	commits atomic.Int64
	taken   atomic.Int64 // when this process last took something in, unix milliseconds
	backlog atomic.Int64 // records taken in by this process that may still wait for the dispatcher

	subs subscribers
}

// New makes a Log. It starts nothing.
func New(o Options) *Log {
	o.defaults()
	return &Log{
		opts:    o,
		owner:   newOwner(o.DB.NewID()),
		arrived: make(chan struct{}, 1),
		enough:  make(chan struct{}, 1),
		fan:     make(chan struct{}, 1),
		subs:    subscribers{active: map[string]*subscription{}},
	}
}

// Run appends, fans out and delivers until ctx ends. Then it commits what was accepted before, lets handlers finish the
// event they hold, gives its leases back and returns. A Log runs once. Several may run on one database: beside SQLite the
// first of them holds the intake journal, and the others take in through the database until it is free.
func (l *Log) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.tried = time.Now()
	if err := l.takeJournal(ctx); err != nil {
		l.opts.Logger.ErrorContext(ctx, "event intake journal cannot be opened, batches go into the database", "error", err)
	}
	if err := l.inherit(ctx); err != nil {
		l.opts.Logger.ErrorContext(ctx, "queues of an earlier run cannot be freed, their leases will run out", "error", err)
	}
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return l.appendLoop(running) })
	g.Go(func() error { return l.fanLoop(running) })
	g.Go(func() error { return l.deliverLoop(running) })
	err := g.Wait()
	cancel()
	return errors.Join(err, l.leaveJournal())
}

// Wake makes the dispatcher look now. Callers of AppendTx call it after their commit; forgetting costs a moment only.
func (l *Log) Wake() {
	signal(l.fan)
}

// Commits tells how many transactions Append has made durable so far; beside the number of appends it shows how well
// they share.
func (l *Log) Commits() int64 { return l.commits.Load() }
