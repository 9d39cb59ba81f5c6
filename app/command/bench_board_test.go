package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// BenchmarkWorkBench measures what the 工作台 asks on SQLite with a million rows in each table that it counts; -benchtime 20x
// is enough. MINIFLEET_BENCH_ROWS is another number of rows.
//
//	go test ./app/command -run '^$' -bench WorkBench -benchtime 20x
func BenchmarkWorkBench(b *testing.B) {
	n := 1_000_000
	if v := os.Getenv("MINIFLEET_BENCH_ROWS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	w := fillBoard(b, n)
	ctx := b.Context()
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"小程序/merchant", func() error { _, err := w.grants.Tally(ctx, w.merchant); return err }},
		{"小程序/operator", func() error { _, err := w.grants.Tally(ctx, w.operator); return err }},
		{"小程序已授权列表/merchant", func() error { return w.listed(ctx, w.merchant, miniprogram.Active) }},
		{"小程序授权失效列表/merchant", func() error { return w.listed(ctx, w.merchant, miniprogram.NeedsReauth) }},
		{"小程序已授权列表/operator", func() error { return w.listed(ctx, w.operator, miniprogram.Active) }},
		{"小程序授权失效列表/operator", func() error { return w.listed(ctx, w.operator, miniprogram.NeedsReauth) }},
		{"定时任务", func() error { _, err := w.jobs.Jobs(ctx); return err }},
		{"失败的运行", func() error {
			_, _, err := w.jobs.Failures(ctx, w.dayAgo, 0, 1)
			return err
		}},
		{"事件", func() error { _, err := w.events.Rates(ctx, w.dayAgo); return err }},
		{"事件列表", func() error {
			_, err := w.events.Total(ctx, event.Filter{From: w.dayAgo.UnixMilli(), To: time.Now().UnixMilli()})
			return err
		}},
		{"错误码", func() error { _, err := w.trail.ErrCodes(ctx, w.dayAgo); return err }},
		{"空间", func() error {
			for _, kind := range []account.Kind{account.Merchant, account.Personal, account.Platform} {
				if _, _, _, err := w.people.Directory(ctx, w.operator, account.SpaceFilter{Kind: kind, Limit: 1}); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for who, cookie := range map[string]string{"merchant": w.merchantCookie, "operator": w.operatorCookie} {
		b.Run("whole/"+who, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				b.StopTimer()
				time.Sleep(5100 * time.Millisecond) // a board is shown again for five seconds
				b.StartTimer()
				began := time.Now()
				if err := w.board(ctx, cookie); err != nil {
					b.Fatal(err)
				}
				longest = max(longest, time.Since(began))
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms-longest")
		})
	}
}

// boardBench is a platform whose tables are full, as a process and as rooms of this one.
type boardBench struct {
	merchant, operator             account.Actor
	merchantCookie, operatorCookie string
	grants                         *grant.Service
	jobs                           *schedule.Service
	events                         *event.Log
	trail                          *trail.Log
	people                         *account.Service
	dayAgo                         time.Time
	server                         *listServer
}

func (w *boardBench) listed(ctx context.Context, who account.Actor, state string) error {
	_, err := w.grants.MiniPrograms(ctx, who, miniprogram.Filter{State: state, Limit: 20})
	return err
}

// board asks for the whole board; a card that could not be counted in time is an error.
func (w *boardBench) board(ctx context.Context, cookie string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.server.address+"/api/v1/dashboard", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var view struct {
		Cards []struct{ Key, Unavailable string }
	}
	if err := json.Unmarshal(raw, &view); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %.300s: %w", res.StatusCode, raw, err)
	}
	for _, c := range view.Cards {
		if c.Unavailable != "" {
			return fmt.Errorf("card %s: %s", c.Key, c.Unavailable)
		}
	}
	return nil
}

func fillBoard(b *testing.B, n int) *boardBench {
	b.Helper()
	ctx := b.Context()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	exe := os.Getenv("MINIFLEET_TEST_BINARY")
	if exe == "" {
		exe = filepath.Join(b.TempDir(), "minifleet")
		cmd := exec.Command("go", "build", "-o", exe, "../..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("go build: %v\n%s", err, out)
		}
	}
	env := Env{Executable: exe, Stderr: os.Stderr}
	data := b.TempDir()
	first, err := startListServer(ctx, env, data, nil, "serve")
	must(err)
	must(first.stop())
	db, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: filepath.Join(data, "minifleet.db")})
	must(err)
	b.Cleanup(func() { _ = db.Close() })
	clk := clock.System()
	w := &boardBench{dayAgo: time.Now().Add(-24 * time.Hour), trail: trail.New(db, clk)}
	w.people = account.New(db, clk, w.trail)
	session := func(login string, kind account.Kind) (account.Actor, string) {
		who, err := w.people.Seed(ctx, account.Registration{Login: login, Password: "a password for the bench", Name: "Bench", Kind: kind, SpaceName: "Bench", Agreed: true})
		must(err)
		s, err := w.people.SessionFor(ctx, who, "127.0.0.1", "bench")
		must(err)
		return who, account.Cookie + "=" + s.Token
	}
	w.operator, w.operatorCookie = session("operator@example.test", account.Platform)
	w.merchant, w.merchantCookie = session("merchant@example.test", account.Merchant)
	began := time.Now()
	for table, values := range boardRows(w.merchant.SpaceID, began) {
		if err := fillTable(ctx, db, table, values, n); err != nil {
			b.Fatalf("%s: %v", table, err)
		}
	}
	must(analyze(ctx, db))
	b.Logf("filled %d rows in each table in %v", n, time.Since(began).Round(time.Second))
	w.events = event.New(event.Options{DB: db, Clock: clk})
	w.grants = grant.New(db, clk, w.trail, miniprogram.New(db, nil, clk, w.trail, nil, nil, nil, miniprogram.Options{}))
	w.jobs = schedule.New(db, clk, slog.Default(), func() []schedule.Job { return []schedule.Job{{Name: "bench", Title: "bench", Spec: "* * * * *"}} })
	began = time.Now()
	_, err = w.events.CountRates(ctx)
	must(err)
	b.Logf("a day of %d events was counted by quarters of an hour in %v, once", n, time.Since(began).Round(time.Millisecond))
	w.server, err = startListServer(ctx, env, data, nil, "serve")
	must(err)
	b.Cleanup(func() { _ = w.server.stop() })
	return w
}

// boardRows is what stands in each column of the tables that the work bench counts; n is the number of the row.
func boardRows(space int64, now time.Time) map[string]map[string]string {
	at, day := fmt.Sprint(now.UnixMilli()), fmt.Sprint(now.Add(-24*time.Hour).UnixMilli())
	mine := fmt.Sprint(space)
	return map[string]map[string]string{
		"mini_program":  {"owner_space_id": mine, "categories": "'[]'", "synced_at": at, "created_at": at},
		"authorization": {"component": "'wxbench'", "state": "CASE WHEN n%1000=0 THEN 'needs_reauth' ELSE 'active' END", "expires_at": "9000000000000", "created_at": at},
		"event_log":     {"type": "'weapp_audit_success'", "received_at": "(" + day + "+n*86)", "dedupe": "NULL", "fanned_out": "1"},
		"trail":         {"at": "(" + day + "+n*86)", "errcode": "CASE WHEN n%10=0 THEN 61000+n%7 ELSE 0 END", "outcome": "'ok'", "seq": "(1000000+n)"},
		"job_run":       {"job": "'bench'", "tick": "n", "state": "CASE WHEN n%100=0 THEN 'failed' ELSE 'done' END", "started_at": "(" + day + "+n*86)", "ended_at": at},
		"space":         {"kind": "'personal'", "created_at": at},
		"plugin_version_lanes": {"space_id": mine, "version": "1", "audit_state": "CASE n%5 WHEN 0 THEN 'running' WHEN 1 THEN 'passed' WHEN 2 THEN 'rejected' WHEN 3 THEN 'released' ELSE '' END",
			"online_version": "CASE WHEN n%4=0 THEN '' ELSE '1.'||(n%30) END", "created_at": at, "updated_at": at},
		"plugin_version_audits": {"space_id": mine, "version": "1", "audit_id": "n", "state": "CASE n%3 WHEN 0 THEN 'rejected' ELSE 'passed' END", "attempt": "1+n%2",
			"submitted_at": "(" + day + "+n*80)", "decided_at": "(" + day + "+n*86)", "created_at": at, "updated_at": at},
		"plugin_version_templates":    {"space_id": mine, "version": "1", "state": "'ready'", "ext_schema": "'[]'", "domains": "'{}'", "created_at": at, "updated_at": at},
		"plugin_market_listings":      {"space_id": mine, "version": "1", "state": "'listed'", "created_at": at, "updated_at": at, "listed_at": at},
		"plugin_market_installations": {"space_id": mine, "version": "1", "merchant_space": mine, "state": "'done'", "created_at": at, "updated_at": at},
	}
}
