package simulator

import (
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options say where the simulator is seen and where it keeps its state. The zero value is usable: everything in memory.
type Options struct {
	PublicURL string       // base of the links it makes, e.g. http://127.0.0.1:9000; "" takes the Host of each request
	StateFile string       // SQLite file, created with mode 0600; "" keeps everything in memory
	Seed      int64        // not 0: repeatable ids and tokens; ignored when StateFile already holds a state
	Start     time.Time    // not zero: simulated time at the first start, at which the clock stands still until it is changed
	Log       *slog.Logger // nil discards
}

// Simulator is one simulated Open Platform. Its methods are safe for concurrent use.
//
// New does nothing; the state file is opened at the first request or by Run. Pushes are delivered, tickets made and old
// records pruned only while Run runs.
type Simulator struct {
	opt       Options
	log       *slog.Logger
	wall      func() time.Time
	client    *http.Client
	templates *htmltemplate.Template
	endpoints []endpoint    // the whole interface, state machines and golden answers
	wake      chan struct{} // one pending wish to look for work
	retry     time.Duration // a second of the waits before a push is repeated

	mu     sync.Mutex // guards everything below
	world  *world
	store  *fileStore // nil keeps the state in memory only
	loaded bool
	closed bool

	shipped   map[string]*storedScenario     // read only
	addresses func(method, path string) bool // does the simulator have this address
	life      context.Context                // ends with Close; scenarios run in it
	end       context.CancelFunc
	runs      sync.WaitGroup // scenarios that run
	running   int64          // id of the one that runs, 0 when none does; guarded by mu
	stopRun   context.CancelFunc

	saving    sync.Mutex // taken before mu: one save at a time
	savedTurn int64      // guarded by saving
}

// pushTimeout is how long WeChat waits for `success`.
const pushTimeout = 5 * time.Second

// New checks the options and makes a simulator that has touched nothing yet.
func New(opt Options) (*Simulator, error) {
	if opt.PublicURL != "" {
		if err := checkWebURL(opt.PublicURL); err != nil {
			return nil, fmt.Errorf("public URL of the simulator: %w", err)
		}
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	answers, err := loadGolden()
	if err != nil {
		return nil, err
	}
	log := opt.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	scenarios, err := shipped()
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		opt: opt, log: log, wall: time.Now, templates: templates, endpoints: endpoints(answers), wake: make(chan struct{}, 1), retry: time.Second,
		world: newWorld(), shipped: scenarios,
	}
	s.client = &http.Client{
		Transport:     pushTransport{s, http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.addresses = s.hasAddress(s.Handler())
	return s, nil
}

var errClosed = errors.New("simulator is closed")

// open loads the state once; after a failure the next call tries again. The caller holds mu.
func (s *Simulator) open(ctx context.Context) error {
	if s.closed {
		return errClosed
	}
	if s.loaded {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // the state belongs to all requests, not to the one that came first
	fresh := newWorld()
	var store *fileStore
	var err error
	if s.opt.StateFile != "" {
		if store, err = openFileStore(ctx, s.opt.StateFile); err != nil {
			return err
		}
		kinds := fresh.kinds()
		err = store.load(ctx, func(key docKey, body []byte) error {
			kind, ok := kinds[key.kind]
			if !ok {
				return fmt.Errorf("unknown kind of document")
			}
			return kind.restore(key.id, body)
		})
	}
	if err == nil {
		err = fresh.adoptMeta(s.opt, s.wall().UnixMilli())
	}
	if err != nil && store != nil {
		err = errors.Join(err, store.close())
	}
	if err != nil {
		return err
	}
	s.world, s.store, s.loaded = fresh, store, true
	return nil
}

// nowMs is the simulated time in Unix milliseconds. The caller holds mu.
func (s *Simulator) nowMs() int64 { return s.world.clock.at(s.wall().UnixMilli()) }

// update runs one step on the world and saves what it changed before anybody is told that it happened. Steps that come
// together share one transaction. A failed save is an error; the change stays in memory and goes out with the next save.
func (s *Simulator) update(ctx context.Context, step func(w *world, now int64) error) error {
	turn, pushes, err := s.step(ctx, step)
	if turn > 0 {
		err = errors.Join(err, s.flush(ctx, turn))
	}
	if pushes {
		select {
		case s.wake <- struct{}{}:
		default: // Run is already told to look
		}
	}
	return err
}

// step runs alone on the world. turn is what flush must have saved before the change may be told, 0 when there is
// nothing to save.
func (s *Simulator) step(ctx context.Context, step func(w *world, now int64) error) (turn int64, pushes bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(ctx); err != nil {
		return 0, false, err
	}
	err = step(s.world, s.nowMs())
	if len(s.world.log.changed) > 0 {
		if s.store == nil {
			s.world.saved()
		} else {
			turn = s.world.log.turn + 1
		}
	}
	return turn, len(s.world.waiting) > 0, err
}

// flush returns when everything up to turn is in the state file. Whoever comes first saves for all who came meanwhile.
func (s *Simulator) flush(ctx context.Context, turn int64) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.savedTurn >= turn {
		return nil
	}
	batch, err := s.takeBatch()
	if err != nil {
		return err
	}
	if err := s.store.save(context.WithoutCancel(ctx), batch); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.world.unsaved(batch)
		return err
	}
	s.savedTurn = batch.turn
	return nil
}

func (s *Simulator) takeBatch() (*batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	return s.world.take()
}

// Close ends the use of the state file. Run must have returned.
func (s *Simulator) Close() error {
	s.end()
	s.runs.Wait()
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.store == nil {
		return nil
	}
	return s.store.close()
}
