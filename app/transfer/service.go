package transfer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// Actors tells who a person is in a space today; NotFound when they have left it.
type Actors interface {
	Actor(ctx context.Context, accountID, spaceID int64) (account.Actor, error)
}

// Options are what the room is made of. DB, Clock, Trail and Actors are needed.
type Options struct {
	DB     *store.DB
	Clock  clock.Clock
	Trail  *trail.Log
	Actors Actors
	Log    *slog.Logger

	Sources map[string]Source // the core's lists by name
	Tables  Source            // any other name; nil for none
	Targets map[string]Target // what can be imported into, by name
	Into    Target            // any other name; nil for none
	// Importable names the lists of Into that the person may import into; nil for none.
	Importable func(ctx context.Context, who account.Actor) []List

	// Ended tells the person that a file is ready or an import is through; it is called inside the transaction that says so.
	Ended func(ctx context.Context, n Ended) error

	// TempDir is a folder of this room's own for half-made workbooks, emptied by Run. Default: the system's.
	TempDir string
	// Inline is up to how many rows an export is answered at once; default 5,000.
	Inline int
	// MaxBytes bounds a file and SpaceBytes all exports of a space; default 1 GiB and 4 GiB.
	MaxBytes, SpaceBytes int64
	// Lease is how long a job is held without a sign of life; default 1 min. Poll is how often jobs are looked for; default 1 s.
	Lease, Poll time.Duration
	// SheetRows bounds the rows of one sheet; default and most: the format's own 1,048,576.
	SheetRows int
}

// List is a list that can be imported into.
type List struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Ended is the news of a job in the background that ended.
type Ended struct {
	AccountID, SpaceID int64
	Title, Text, Link  string
	Failed             bool
}

// Lives of what this room keeps.
const (
	exportLife  = 24 * time.Hour // of a file that waits for its download
	historyLife = 7 * 24 * time.Hour
)

// workers is how many jobs one process works on at a time: two, so that a long one does not hold up a short one.
const workers = 2

// attemptsMax is how often a job is begun at most when its process keeps dying under it.
const attemptsMax = 3

// Service is the room's door. Make it with New; Run carries out what waits in the background.
type Service struct {
	o     Options
	db    *store.DB
	owner string
	wake  chan struct{}
}

// New makes the service; nothing runs before Run.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Clock == nil || o.Trail == nil || o.Actors == nil {
		return nil, errors.New("transfer: an option is missing")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Inline == 0 {
		o.Inline = 5000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.SpaceBytes == 0 {
		o.SpaceBytes = 4 << 30
	}
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	return &Service{o: o, db: o.DB, owner: rand.Text(), wake: make(chan struct{}, workers)}, nil
}

// Run carries out exports and imports that wait, and those whose process died, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.emptyTemp(); err != nil {
		return err
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { s.work(ctx) })
	}
	running.Wait()
	return nil
}

// emptyTemp makes the folder and takes away what a crash left in it.
func (s *Service) emptyTemp() error {
	if s.o.TempDir == "" {
		return nil
	}
	if err := os.RemoveAll(s.o.TempDir); err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	if err := os.MkdirAll(s.o.TempDir, 0o700); err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	return nil
}

func (s *Service) work(ctx context.Context) {
	t := time.NewTicker(s.o.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		did := false
		for _, next := range []func(context.Context) (bool, error){s.nextExport, s.nextImport} {
			one, err := next(ctx)
			if err != nil && ctx.Err() == nil {
				s.o.Log.ErrorContext(ctx, "a transfer in the background could not be worked on", "error", err)
			}
			did = did || one && err == nil
		}
		if did {
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-t.C:
		}
	}
}

// stir lets a worker look at once.
func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default: // the workers are awake
	}
}

// millis is now on the platform's clock.
func (s *Service) millis() int64 { return clock.Millis(s.o.Clock.Now()) }

// Prune takes away jobs whose history has run out, and files that expired; a core job calls it. It tells how many files.
func (s *Service) Prune(ctx context.Context) (int, error) {
	now := s.millis()
	_, err := s.db.Exec(ctx, "DELETE FROM transfer_export WHERE expires_at<? AND state NOT IN (?,?)", now-historyLife.Milliseconds(), Waiting, Running)
	if err != nil {
		return 0, fmt.Errorf("transfer: prune: %w", err)
	}
	if err := s.pruneImports(ctx, now); err != nil {
		return 0, err
	}
	n, err := s.db.PruneBlobs(ctx, now)
	if err != nil {
		return n, fmt.Errorf("transfer: prune: %w", err)
	}
	return n, nil
}
