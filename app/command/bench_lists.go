package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"minifleet/app/store"
)

// What `bench lists` measures: pages of twenty rows asked for by eight connections, in rounds that alternate between the
// things compared, so that another program on the machine disturbs both.
const (
	listConnections = 8
	listRounds      = 5
	listSmall       = 1_000
	listPage        = "__pageSize=20"
)

// The pages of the product that are measured. The first is a plugin's table that the host keeps and GoAdmin's generator
// describes; the second a list of the core's own; the third a table whose rows the plugin's process gives.
const (
	generatedList = "/admin/info/version_templates?" + listPage
	ownList       = "/admin/miniprograms?" + listPage
	pluginList    = "/admin/info/market_listings?" + listPage
	stockList     = "/admin/info/templates?" + listPage
)

// Goals of the issue.
const (
	goalGenerated = 8.0
	goalOwn       = 15.0
	goalFlat      = 1.5
	goalExportMiB = 100.0
)

// benchLists compares the back office's lists with GoAdmin's stock theme on the same data, their first and last page at a
// thousand and at a million rows, and looks at the memory while a million rows are exported. Servers are processes of
// their own with the same environment, so that neither the load nor its garbage counts for them.
func benchLists(ctx context.Context, env Env, dir string, million int) ([]benchRow, error) {
	b := &listBench{env: env, dir: dir, million: million}
	defer b.stop()
	small, err := b.sqlite(ctx, "small", listSmall)
	if err != nil {
		return nil, err
	}
	large, err := b.sqlite(ctx, "large", million)
	if err != nil {
		return nil, err
	}
	rows, err := b.againstStock(ctx, small)
	if err != nil {
		return nil, err
	}
	flat, err := b.flatness(ctx, "SQLite", small, large)
	if err != nil {
		return nil, err
	}
	rows = append(rows, flat...)
	memory, err := b.export(ctx, large)
	if err != nil {
		return nil, err
	}
	b.stop()
	maria, err := b.mariadb(ctx)
	if err != nil {
		return nil, err
	}
	return append(append(rows, maria...), memory...), nil
}

type listBench struct {
	env     Env
	dir     string
	million int
	servers []*listServer
	undo    []func() error
}

// say tells on standard error how far it is.
func (b *listBench) say(words ...any) { _, _ = fmt.Fprintln(b.env.Stderr, words...) }

// stop ends the servers and takes away what was made outside the folder. Its errors are not the bench's result.
func (b *listBench) stop() {
	for _, s := range b.servers {
		if err := s.stop(); err != nil {
			_, _ = fmt.Fprintln(b.env.Stderr, "bench lists:", err)
		}
	}
	for _, f := range slices.Backward(b.undo) {
		if err := f(); err != nil {
			_, _ = fmt.Fprintln(b.env.Stderr, "bench lists:", err)
		}
	}
	b.servers, b.undo = nil, nil
}

// sqlite makes a database of n rows in each list and starts the platform on it.
func (b *listBench) sqlite(ctx context.Context, name string, n int) (*listServer, error) {
	return b.filled(ctx, filepath.Join(b.dir, name), nil, store.Options{Dialect: store.SQLite, Path: filepath.Join(b.dir, name, "minifleet.db")}, n)
}

// filled starts the platform once for its schema and the plugins' tables, fills them, and starts it again.
func (b *listBench) filled(ctx context.Context, data string, environ []string, o store.Options, n int) (*listServer, error) {
	first, err := startListServer(ctx, b.env, data, environ, "serve")
	if err != nil {
		return nil, err
	}
	if err := first.stop(); err != nil {
		return nil, err
	}
	began := time.Now()
	cookie, err := fillLists(ctx, o, n)
	if err != nil {
		return nil, fmt.Errorf("fill %d rows: %w", n, err)
	}
	b.say("filled", n, "rows in", time.Since(began).Round(time.Millisecond))
	s, err := startListServer(ctx, b.env, data, environ, "serve")
	if err != nil {
		return nil, err
	}
	b.servers = append(b.servers, s)
	s.cookie, s.rows = cookie, n
	return s, s.warm(ctx, generatedList, ownList, pluginList)
}

// againstStock compares CPU per request on the small database.
func (b *listBench) againstStock(ctx context.Context, ours *listServer) ([]benchRow, error) {
	stock, err := startListServer(ctx, b.env, ours.data, nil, "bench", "lists-stock")
	if err != nil {
		return nil, err
	}
	b.servers = append(b.servers, stock)
	if stock.cookie, err = stockCookie(ctx, ours.data); err != nil {
		return nil, err
	}
	if err := stock.warm(ctx, stockList); err != nil {
		return nil, err
	}
	cases := []struct {
		name string
		at   *listServer
		path string
		n    int
	}{{"stock theme", stock, stockList, 120}, {"generated list, our theme", ours, generatedList, 600}, {"our own list", ours, ownList, 1200}, {"plugin's table", ours, pluginList, 600}}
	all := make([]listLoad, len(cases))
	shares := make([][]float64, len(cases))
	for round := range listRounds + 1 {
		spent := make([]float64, len(cases))
		for i, c := range cases {
			l, err := c.at.load(ctx, c.path, c.n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			spent[i] = l.cpuMillis()
			if round > 0 { // the first round warms up
				all[i].add(l)
			}
		}
		for i := range cases {
			if round > 0 {
				shares[i] = append(shares[i], spent[0]/spent[i])
			}
		}
	}
	if err := stock.stop(); err != nil {
		return nil, err
	}
	for i, c := range cases {
		b.say(fmt.Sprintf("%s: %.2f ms of CPU, the stock theme's is %.1f times that", c.name, all[i].cpuMillis(), costs(shares[i])))
	}
	goals := []float64{0, goalGenerated, goalOwn, 0}
	var rows []benchRow
	for i, c := range cases {
		rows = append(rows, benchRow{Case: c.name, Metric: "CPU per request", Value: all[i].cpuMillis(), Unit: "ms"}, benchRow{Case: c.name, Metric: "requests", Value: all[i].perSecond(), Unit: "1/s"},
			benchRow{Case: c.name, Metric: "p99", Value: all[i].quantile(0.99), Unit: "ms"})
		if i > 0 {
			row := benchRow{Case: c.name, Metric: "stock theme's CPU / this", Value: middle(shares[i]), Unit: "times"}
			if goals[i] > 0 {
				row = row.atLeast(goals[i])
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// flatness compares the p99 of first and last pages of two sizes of table.
func (b *listBench) flatness(ctx context.Context, database string, small, large *listServer) ([]benchRow, error) {
	var rows []benchRow
	for _, l := range []struct{ name, path string }{{"generated list", generatedList}, {"our own list", ownList}, {"plugin's table", pluginList}} {
		for _, page := range []struct{ name, more string }{{"page 1", ""}, {"last page", "&last=1"}} {
			var few, many listLoad
			var ratios []float64
			for round := range listRounds + 1 {
				a, err := small.load(ctx, l.path+page.more, 400)
				if err != nil {
					return nil, fmt.Errorf("%s of %d rows: %w", l.name, small.rows, err)
				}
				z, err := large.load(ctx, l.path+page.more, 400)
				if err != nil {
					return nil, fmt.Errorf("%s of %d rows: %w", l.name, large.rows, err)
				}
				if round > 0 {
					few.add(a)
					many.add(z)
					ratios = append(ratios, z.quantile(0.99)/a.quantile(0.99))
				}
			}
			b.say(database, l.name, page.name, middle(ratios))
			name := fmt.Sprintf("%s, %s, %s", database, l.name, page.name)
			rows = append(rows, benchRow{Case: name, Metric: fmt.Sprintf("p99 at %d rows", small.rows), Value: few.quantile(0.99), Unit: "ms"},
				benchRow{Case: name, Metric: fmt.Sprintf("p99 at %d rows", large.rows), Value: many.quantile(0.99), Unit: "ms"},
				benchRow{Case: name, Metric: "large / small", Value: middle(ratios), Unit: "times"}.atMost(goalFlat))
		}
	}
	return rows, nil
}

// mariadb repeats the comparison of sizes where there is a server for it; otherwise its row says so.
func (b *listBench) mariadb(ctx context.Context) ([]benchRow, error) {
	server, stop, err := benchMariaDB(ctx, b.env)
	if err != nil {
		return nil, err
	}
	if server == "" {
		return []benchRow{{Case: "MariaDB", Metric: "not measured: no server, see MINIFLEET_TEST_MYSQL"}}, nil
	}
	b.undo = append(b.undo, stop)
	var both []*listServer
	for name, n := range map[string]int{"small": listSmall, "large": b.million} {
		dsn, drop, err := freshDatabase(ctx, server, name)
		if err != nil {
			return nil, err
		}
		b.undo = append(b.undo, drop)
		environ := []string{"MINIFLEET_DATABASE_TYPE=mysql", "MINIFLEET_DATABASE_DSN=" + dsn}
		s, err := b.filled(ctx, filepath.Join(b.dir, "maria-"+name), environ, store.Options{Dialect: store.MySQL, DSN: dsn}, n)
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	slices.SortFunc(both, func(x, y *listServer) int { return x.rows - y.rows })
	return b.flatness(ctx, "MariaDB", both[0], both[1])
}

// export asks for a million rows as a workbook and as CSV and looks at the platform's resident memory all the while.
func (b *listBench) export(ctx context.Context, s *listServer) ([]benchRow, error) {
	var rows []benchRow
	for _, format := range []string{"xlsx", "csv"} {
		if err := s.restart(ctx); err != nil { // without what was left in the heap
			return nil, err
		}
		if err := s.warm(ctx, generatedList); err != nil {
			return nil, err
		}
		if err := wait(ctx, 2*time.Second); err != nil {
			return nil, err
		}
		idle, err := s.memory()
		if err != nil {
			return nil, err
		}
		id, err := s.startExport(ctx, format)
		if err != nil {
			return nil, err
		}
		began, peak := time.Now(), idle
		for done := false; !done; {
			if err := wait(ctx, 20*time.Millisecond); err != nil {
				return nil, err
			}
			now, err := s.memory()
			if err != nil {
				return nil, err
			}
			if peak = max(peak, now); time.Since(began) > 10*time.Minute {
				return nil, errors.New("the export did not end within ten minutes")
			}
			if done, err = s.exported(ctx, id); err != nil {
				return nil, err
			}
		}
		name := fmt.Sprintf("export of %d rows, %s", s.rows, format)
		rows = append(rows, benchRow{Case: name, Metric: "took", Value: time.Since(began).Seconds(), Unit: "s"}, benchRow{Case: name, Metric: "idle", Value: float64(idle) / (1 << 20), Unit: "MiB"},
			benchRow{Case: name, Metric: "memory above idle", Value: float64(peak-idle) / (1 << 20), Unit: "MiB"}.atMost(goalExportMiB))
	}
	return rows, nil
}

func (r benchRow) atLeast(goal float64) benchRow {
	met := r.Value >= goal
	r.Goal, r.Met = fmt.Sprintf(">= %g", goal), &met
	return r
}

func (r benchRow) atMost(goal float64) benchRow {
	met := r.Value <= goal
	r.Goal, r.Met = fmt.Sprintf("<= %g", goal), &met
	return r
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// costs is the middle of what there is; 1 for what is compared with itself.
func costs(shares []float64) float64 {
	if len(shares) == 0 {
		return 1
	}
	return middle(shares)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// listCookies is a header that says who asks.
func listCookies(req *http.Request, cookie string) {
	req.Header.Set("Cookie", cookie)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
}

// hasFile reports whether a file is there at all.
func hasFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
