package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/secret"
	"minifleet/app/store"
)

// BenchOptions say where and how long to measure.
type BenchOptions struct {
	Dir    string // a folder on the disk that counts; a new folder inside it is used and removed
	Rounds int    // each case is measured so often, in turns; default 9
	Pushes int    // per measurement at 32 connections, a sixth of it at 2; default 10,000

	DSN  string // an empty MySQL or MariaDB database instead of SQLite
	Name string // of the database, in front of each case; "" for none
	// BackOffice makes something that saves through the back office, again and again while pushes arrive in one more case;
	// nil leaves that case out.
	BackOffice func(db *store.DB) (Saver, error)
}

// Saver saves one row through the back office.
type Saver interface {
	Save(ctx context.Context) error
	Close() error
}

// BenchRow is one figure. Goal is "" and Met true where nothing is to be reached.
type BenchRow struct {
	Case   string  `json:"case"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Goal   string  `json:"goal"`
	Met    bool    `json:"met"`
}

// goalShare is what storing may cost at 32 connections: this share of the handler without storage has to be left.
const goalShare = 0.60

// Bench measures accepted pushes over loopback HTTP with kept-alive connections: the whole way with full durability on
// SQLite or on the database of o.DSN, beside the same handler whose Append does nothing, in turns and in one run. It fails when a push was answered
// `success` and is not in the database.
func Bench(ctx context.Context, o BenchOptions) (rows []BenchRow, err error) {
	o.Rounds, o.Pushes = cmp.Or(o.Rounds, 9), cmp.Or(o.Pushes, 10_000)
	dir, err := os.MkdirTemp(o.Dir, "bench-callbacks-")
	if err != nil {
		return nil, fmt.Errorf("inbox: bench: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newBench(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()

	results := map[benchCase]*measured{}
	for round := range o.Rounds + 1 { // the first round warms up and does not count
		for _, c := range benchCases(o.BackOffice != nil) {
			m, err := b.measureCase(ctx, c, c.pushes(o.Pushes))
			if err != nil {
				return nil, fmt.Errorf("inbox: bench %s: %w", c, err)
			}
			if round == 0 {
				continue
			}
			if results[c] == nil {
				results[c] = &measured{}
			}
			results[c].add(m)
		}
	}
	if err := b.nothingLost(ctx); err != nil {
		return nil, err
	}
	rows = report(results, o)
	for i := range rows {
		if o.Name != "" {
			rows[i].Case = o.Name + ", " + rows[i].Case
		}
	}
	return rows, nil
}

type benchCase struct {
	connections int
	stored      bool
	saving      bool // the back office saves meanwhile
}

func (c benchCase) String() string {
	if c.saving {
		return fmt.Sprintf("%d connections, stored, saves in the back office meanwhile", c.connections)
	}
	if c.stored {
		return fmt.Sprintf("%d connections, stored", c.connections)
	}
	return fmt.Sprintf("%d connections, without storage", c.connections)
}

// pushes scales the number of pushes, so that both counts of connections take about as long.
func (c benchCase) pushes(at32 int) int {
	if c.connections < 32 {
		return at32 / 6
	}
	return at32
}

func benchCases(saving bool) []benchCase {
	cases := []benchCase{{connections: 2, stored: true}, {connections: 2}, {connections: 32, stored: true}, {connections: 32}}
	if saving {
		cases = append(cases, benchCase{connections: 32, stored: true, saving: true})
	}
	return cases
}

// measured is one round, or all rounds of one case.
type measured struct {
	pushes    int
	took      time.Duration // until the last answer
	settled   time.Duration // until the last push was dispatched too; only where pushes are stored
	latencies []time.Duration
	rates     []float64 // accepted per second, by round
	saves     int       // of the back office
	failures  int       // saves that failed
}

func (m *measured) add(round measured) {
	m.pushes += round.pushes
	m.took += round.took
	m.settled += round.settled
	m.saves += round.saves
	m.failures += round.failures
	m.latencies = append(m.latencies, round.latencies...)
	m.rates = append(m.rates, float64(round.pushes)/round.took.Seconds())
}

// median is the middle of values: one round that met another program on the machine must not decide.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// share is what storing leaves of the rate without it: the median over the rounds, whose two halves ran one after the
// other under the same conditions.
func share(stored, without *measured) float64 {
	var shares []float64
	for i, rate := range stored.rates {
		shares = append(shares, rate/without.rates[i])
	}
	return median(shares)
}

// quantile gives the q-th latency in milliseconds; the latencies must be sorted.
func (m *measured) quantile(q float64) float64 {
	return m.latencies[min(int(q*float64(len(m.latencies))), len(m.latencies)-1)].Seconds() * 1000
}

func report(results map[benchCase]*measured, o BenchOptions) []BenchRow {
	var rows []BenchRow
	for _, c := range benchCases(o.BackOffice != nil) {
		m := results[c]
		slices.Sort(m.latencies)
		rows = append(rows,
			BenchRow{Case: c.String(), Metric: "accepted", Value: median(m.rates), Unit: "1/s", Met: true},
			BenchRow{Case: c.String(), Metric: "p50", Value: m.quantile(0.50), Unit: "ms", Met: true},
			BenchRow{Case: c.String(), Metric: "p99", Value: m.quantile(0.99), Unit: "ms", Met: true})
		if c.stored {
			rows = append(rows, BenchRow{Case: c.String(), Metric: "accepted and dispatched", Value: float64(m.pushes) / m.settled.Seconds(), Unit: "1/s", Met: true})
		}
		if c.saving {
			rows = append(rows, BenchRow{Case: c.String(), Metric: "saves", Value: float64(m.saves) / m.took.Seconds(), Unit: "1/s", Met: true},
				BenchRow{Case: c.String(), Metric: "errors", Value: float64(m.failures), Unit: "saves", Goal: "= 0", Met: m.failures == 0})
		}
	}
	for _, n := range []int{2, 32} {
		left := share(results[benchCase{connections: n, stored: true}], results[benchCase{connections: n}])
		row := BenchRow{Case: fmt.Sprintf("%d connections", n), Metric: "stored / without storage", Value: left * 100, Unit: "%", Met: true}
		if n == 32 && o.DSN == "" { // the goal is that of the embedded database
			row.Goal, row.Met = fmt.Sprintf(">= %.0f", goalShare*100), left >= goalShare
		}
		rows = append(rows, row)
	}
	return rows
}

// bench holds the two servers and what stands behind them.
type bench struct {
	db      *store.DB
	events  *event.Log
	servers map[bool]string // by stored: host:port
	pushes  *pushMaker
	closers []func() error
	sent    int
	saver   Saver // nil for none
}

// newBench builds the real parts as the product does, on a fresh database.
func newBench(ctx context.Context, dir string, o BenchOptions) (b *bench, err error) {
	b = &bench{servers: map[bool]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("inbox: bench: %w", err), b.close())
		}
	}()
	vault, err := secret.OpenFile(filepath.Join(dir, "bench.key"))
	if err != nil {
		return b, err
	}
	where := store.Options{Dialect: store.SQLite, Path: filepath.Join(dir, "bench.db")}
	if o.DSN != "" {
		where = store.Options{Dialect: store.MySQL, DSN: o.DSN, Readers: 48} // 32 senders, and who delivers
	}
	b.db, err = store.Open(ctx, where)
	if err != nil {
		return b, err
	}
	b.closers = append(b.closers, b.db.Close)
	if err := b.db.Migrate(ctx); err != nil {
		return b, err
	}
	b.events = event.New(event.Options{DB: b.db, Sealer: vault, Clock: clock.System()})
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error { return b.events.Run(run) })
	b.closers = append(b.closers, func() error { stop(); return g.Wait() })
	if o.BackOffice != nil {
		if b.saver, err = o.BackOffice(b.db); err != nil {
			return b, err
		}
		b.closers = append(b.closers, b.saver.Close)
	}
	if b.pushes, err = newPushMaker(); err != nil {
		return b, err
	}
	for stored, appender := range map[bool]Appender{true: b.events, false: discard{}} {
		h, err := New(Options{Keys: b.pushes, Owners: b.pushes, Events: appender, Clock: clock.System(), Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return b, err
		}
		if err := b.listen(stored, h); err != nil {
			return b, err
		}
	}
	return b, nil
}

// savePause is between two saves: fifty a second at most, more than a busy back office makes.
const savePause = 20 * time.Millisecond

// measureCase measures a case, with the back office saving beside it where the case says so.
func (b *bench) measureCase(ctx context.Context, c benchCase, n int) (measured, error) {
	if !c.saving {
		return b.measure(ctx, c, n)
	}
	ended := make(chan struct{})
	saves, failures := 0, 0
	var g errgroup.Group
	g.Go(func() error {
		for {
			select {
			case <-ended:
				return nil
			case <-time.After(savePause):
			}
			if err := b.saver.Save(ctx); err != nil {
				failures++
			} else {
				saves++
			}
		}
	})
	m, err := b.measure(ctx, c, n)
	close(ended)
	err = errors.Join(err, g.Wait())
	m.saves, m.failures = saves, failures
	return m, err
}

// discard is the Append of the case without storage.
type discard struct{}

func (discard) Append(context.Context, event.Record) error { return nil }

func (b *bench) listen(stored bool, h http.Handler) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	var g errgroup.Group
	g.Go(func() error { return server.Serve(ln) })
	b.servers[stored] = ln.Addr().String()
	b.closers = append(b.closers, func() error {
		err := server.Close()
		if served := g.Wait(); !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
	return nil
}

func (b *bench) close() error {
	var errs []error
	for _, f := range slices.Backward(b.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// settle waits until everything that was taken in is dispatched, so that no case pays for the one before it.
func (b *bench) settle(ctx context.Context) error {
	for {
		n, err := b.events.Waiting(ctx)
		if err != nil {
			return fmt.Errorf("inbox: bench: %w", err)
		}
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// nothingLost compares what was answered `success` with what is in the database.
func (b *bench) nothingLost(ctx context.Context) error {
	if err := b.settle(ctx); err != nil {
		return err
	}
	n, err := b.db.Int(ctx, "SELECT COUNT(*) FROM event_log")
	if err != nil {
		return fmt.Errorf("inbox: bench: %w", err)
	}
	if int(n) != b.sent {
		return fmt.Errorf("inbox: bench: %d pushes were answered success, %d are stored", b.sent, n)
	}
	return nil
}

// Keys and Owner let the pushMaker stand for the rooms above.
func (p *pushMaker) Keys(context.Context, string) (component.Keys, error) {
	return component.Keys{Tokens: []string{benchToken}, AESKeys: []string{benchKey}}, nil
}

// Owner knows every appid under one name.
func (p *pushMaker) Owner(context.Context, string, string) (string, bool, error) {
	return benchUserName, true, nil
}

func (p *pushMaker) Foreign(context.Context, string, string) (bool, error) { return false, nil }
