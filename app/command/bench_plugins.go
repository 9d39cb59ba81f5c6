package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"minifleet/app/account"
	"minifleet/app/config"
	"minifleet/app/plugin"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// What `bench plugins` measures, and the goals of the issue.
const (
	pagesAlone      = 3_000
	pagesTogether   = 30_000
	pageCallers     = 32
	pageRows        = 20
	lifeRounds      = 7
	upgradeCount    = 100
	upgradeCallers  = 16
	goalPageMicros  = 250.0
	goalPageRate    = 9_000.0
	goalLifeRatio   = 2.0
	goalErrorMillis = 10.0
)

// benchPage is the plugin of the bench: one table that its process gives, a page of it about 10 KB.
func benchPage() *sdk.Plugin {
	p := sdk.New("bench", "测量", "1.0.0")
	rows := make([]any, pageRows)
	for i := range rows {
		rows[i] = map[string]any{"id": i + 1, "name": fmt.Sprintf("小程序 %d", i), "appid": fmt.Sprintf("wx%016d", i), "text": strings.Repeat("说明文字 ", 25), "count": i * 1000, "state": "online"}
	}
	p.Table(sdk.Table{Name: "rows", Title: "测量", Columns: []sdk.Column{
		{Name: "name", Title: "名称", Type: "text"}, {Name: "appid", Title: "AppID", Type: "text"}, {Name: "text", Title: "说明", Type: "text"}, {Name: "count", Title: "数量", Type: "int"}, {Name: "state", Title: "状态", Type: "text"},
	}, Rows: func(context.Context, sdk.TableQuery) (sdk.TablePage, error) { return sdk.TablePage{Rows: rows}, nil }})
	return p
}

// benchPlugins measures a plugin's page through the wire beside the same call without it, and a plugin process's life beside
// a bare go-plugin process's.
func benchPlugins(ctx context.Context, env Env, dir string) ([]benchRow, error) {
	cfg := config.Default()
	cfg.Data.Dir = dir
	quiet := slog.New(slog.DiscardHandler)
	p, err := build(ctx, cfg, quiet, env.Executable, nil)
	if err != nil {
		return nil, err
	}
	b := &pluginBench{env: env, p: p, argv: []string{env.Executable, "bench", "plugins-page"}, bare: []string{env.Executable, "bench", "plugins-bare"}}
	var rows []benchRow
	for _, part := range []func(context.Context) ([]benchRow, error){b.pages, b.life, b.upgrades, b.idle} {
		more, err := part(ctx)
		if err != nil {
			return nil, errors.Join(err, p.db.Close())
		}
		rows = append(rows, more...)
	}
	return rows, p.db.Close()
}

type pluginBench struct {
	env  Env
	p    *platform
	argv []string
	bare []string
}

var errStillServing = errors.New("the plugin still serves")

// started gives a host with the one plugin, and how long it took to serve.
func (b *pluginBench) started(ctx context.Context) (*plugin.Host, time.Duration, error) {
	return b.serving(ctx, plugin.First{ID: "bench", Argv: b.argv})
}

func (b *pluginBench) serving(ctx context.Context, one plugin.First) (*plugin.Host, time.Duration, error) {
	began := time.Now()
	h, err := b.p.hostOf([]plugin.First{one}, nil)
	if err == nil {
		err = h.Start(ctx)
	}
	if err != nil {
		return nil, 0, err
	}
	wait, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := h.Ready(wait); err != nil {
		return nil, 0, errors.Join(err, h.Stop())
	}
	return h, time.Since(began), nil
}

func page(ctx context.Context, h *plugin.Host) error {
	who := account.Actor{AccountID: 1, MemberID: 1, SpaceID: 1, SpaceKind: account.Merchant, Role: "owner"}
	got, err := h.Rows(ctx, who, "bench", "rows", plugin.TableQuery{Limit: pageRows})
	if err == nil && len(got.Rows) != pageRows {
		err = fmt.Errorf("a page of %d rows", len(got.Rows))
	}
	return err
}

// pages alternates rounds through the process with rounds through a bare go-plugin process, whose page is made before, and
// rounds that call the SDK's server directly: what a machine can do, what the rules cost, what the wire costs.
func (b *pluginBench) pages(ctx context.Context) (_ []benchRow, err error) {
	h, _, err := b.started(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	server := sdk.NewServer(benchPage(), slog.New(slog.DiscardHandler), nil)
	info := &grpc.UnaryServerInfo{FullMethod: pluginpb.Plugin_Rows_FullMethodName}
	ask := &pluginpb.RowsRequest{Table: "rows", Limit: pageRows}
	direct := func(ctx context.Context) error {
		_, err := server.Intercept(ctx, ask, info, func(ctx context.Context, r any) (any, error) { return server.Rows(ctx, r.(*pluginpb.RowsRequest)) })
		return err
	}
	wired := func(ctx context.Context) error { return page(ctx, h) }
	bare, end, err := b.barePages()
	if err != nil {
		return nil, err
	}
	defer end()
	type measured struct{ alone, together []time.Duration }
	var through, plain, inside measured
	var throughTook, plainTook, insideTook time.Duration
	for round := range listRounds + 1 {
		for _, one := range []struct {
			call func(context.Context) error
			into *measured
			took *time.Duration
		}{{wired, &through, &throughTook}, {bare, &plain, &plainTook}, {direct, &inside, &insideTook}} {
			alone, _, err := callAll(ctx, 1, pagesAlone/listRounds, one.call)
			if err != nil {
				return nil, err
			}
			together, took, err := callAll(ctx, pageCallers, pagesTogether/listRounds, one.call)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first one warms up
				one.into.alone, one.into.together, *one.took = append(one.into.alone, alone...), append(one.into.together, together...), *one.took+took
			}
		}
	}
	rate := func(m measured, took time.Duration) float64 { return float64(len(m.together)) / took.Seconds() }
	micros := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Nanoseconds()) / 1000
	}
	memory := float64(0)
	for _, s := range h.Status() {
		memory += float64(s.MemoryBytes) / (1 << 20)
	}
	const name = "page of 20 rows"
	alone, bareAlone := micros(through.alone), micros(plain.alone)
	together, bareTogether := rate(through, throughTook), rate(plain, plainTook)
	return []benchRow{
		benchRow{Case: name + ", unix + mTLS", Metric: "p50, one caller", Value: alone, Unit: "µs"}.atMost(goalPageMicros),
		benchRow{Case: name + ", unix + mTLS", Metric: "32 callers", Value: together, Unit: "1/s"}.atLeast(goalPageRate),
		{Case: name + ", bare go-plugin", Metric: "p50, one caller", Value: bareAlone, Unit: "µs"},
		{Case: name + ", bare go-plugin", Metric: "32 callers", Value: bareTogether, Unit: "1/s"},
		{Case: name + ", ours / bare", Metric: "p50, one caller", Value: alone / bareAlone, Unit: "times"},
		{Case: name + ", ours / bare", Metric: "32 callers", Value: together / bareTogether, Unit: "times"},
		{Case: name + ", in process", Metric: "p50, one caller", Value: micros(inside.alone), Unit: "µs"},
		{Case: name + ", in process", Metric: "32 callers", Value: rate(inside, insideTook), Unit: "1/s"},
		{Case: "plugin of this binary, after the load", Metric: "RSS", Value: memory, Unit: "MiB"},
	}, nil
}

// callAll makes n calls from so many callers and gives how long each took, and all together.
func callAll(ctx context.Context, callers, n int, call func(context.Context) error) ([]time.Duration, time.Duration, error) {
	var next atomic.Int64
	var group sync.WaitGroup
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	began := time.Now()
	for range callers {
		group.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && next.Add(1) <= int64(n) {
				asked := time.Now()
				err = call(ctx)
				mine = append(mine, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, mine...), errors.Join(failed, err)
		})
	}
	group.Wait()
	return all, time.Since(began), failed
}

// life alternates starting a bare go-plugin process, starting ours, and killing ours.
func (b *pluginBench) life(ctx context.Context) ([]benchRow, error) {
	var bare, spawn, again, told []float64
	for round := range lifeRounds + 1 {
		plain, err := b.bareStart()
		if err != nil {
			return nil, err
		}
		h, took, err := b.started(ctx)
		if err != nil {
			return nil, err
		}
		heard, back, err := killed(ctx, h)
		if err = errors.Join(err, h.Stop()); err != nil {
			return nil, err
		}
		if round > 0 {
			bare, spawn = append(bare, millis(plain)), append(spawn, millis(took))
			again, told = append(again, millis(back)), append(told, millis(heard))
		}
	}
	base := middle(bare)
	return []benchRow{
		{Case: "bare go-plugin process", Metric: "start to first answer", Value: base, Unit: "ms"},
		{Case: "plugin process", Metric: "start to serving", Value: middle(spawn), Unit: "ms"},
		benchRow{Case: "plugin process", Metric: "start / bare", Value: middle(spawn) / base, Unit: "times"}.atMost(goalLifeRatio),
		{Case: "after kill -9", Metric: "to serving again", Value: middle(again), Unit: "ms"},
		benchRow{Case: "after kill -9", Metric: "serving again / bare start", Value: middle(again) / base, Unit: "times"}.atMost(goalLifeRatio),
		benchRow{Case: "after kill -9", Metric: "until a caller has an error", Value: middle(told), Unit: "ms"}.atMost(goalErrorMillis),
	}, nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// killed ends the plugin's process by force and measures when a caller hears of it and when one is served again.
func killed(ctx context.Context, h *plugin.Host) (heard, again time.Duration, err error) {
	if err := syscall.Kill(h.Status()[0].PID, syscall.SIGKILL); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	for time.Since(began) < time.Minute {
		asked := time.Now()
		err := page(ctx, h)
		switch {
		case err != nil && heard == 0:
			heard = time.Since(asked)
		case err == nil && heard > 0:
			return heard, time.Since(began), nil
		}
		if err != nil {
			time.Sleep(500 * time.Microsecond)
		}
	}
	return 0, 0, errStillServing
}

// upgrades has processes take over while callers go on.
func (b *pluginBench) upgrades(ctx context.Context) (_ []benchRow, err error) {
	h, _, err := b.started(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	calling, stop := context.WithCancel(ctx)
	defer stop()
	var made, failed atomic.Int64
	var callers sync.WaitGroup
	for range upgradeCallers {
		callers.Go(func() {
			for calling.Err() == nil {
				if err := page(ctx, h); err != nil {
					failed.Add(1)
				}
				made.Add(1)
			}
		})
	}
	began := time.Now()
	for range upgradeCount {
		if err := h.Restart(ctx, "bench"); err != nil {
			return nil, err
		}
	}
	took := time.Since(began)
	stop()
	callers.Wait()
	const name = "100 upgrades under 16 callers"
	return []benchRow{
		{Case: name, Metric: "calls", Value: float64(made.Load()), Unit: ""},
		benchRow{Case: name, Metric: "failed calls", Value: float64(failed.Load()), Unit: ""}.atMost(0),
		{Case: name, Metric: "one upgrade", Value: millis(took) / upgradeCount, Unit: "ms"},
	}, nil
}
