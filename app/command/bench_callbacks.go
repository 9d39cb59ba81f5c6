package command

import (
	"context"
	"errors"

	"minifleet/admin"
	"minifleet/app/inbox"
	"minifleet/app/store"
)

// benchCallbacks measures accepted pushes on SQLite and, where there is a server for it, on MariaDB, each also while the
// back office saves through GoAdmin.
func benchCallbacks(ctx context.Context, env Env, dir string, rounds int) ([]benchRow, error) {
	saver := func(db *store.DB) (inbox.Saver, error) { return admin.NewSaver(db) }
	rows, err := callbackRows(inbox.Bench(ctx, inbox.BenchOptions{Dir: dir, Rounds: rounds, Name: "SQLite", BackOffice: saver}))
	if err != nil {
		return nil, err
	}
	server, stop, err := benchMariaDB(ctx, env)
	if err != nil {
		return nil, err
	}
	if server == "" {
		return append(rows, benchRow{Case: "MariaDB", Metric: "not measured: no server, see MINIFLEET_TEST_MYSQL"}), nil
	}
	maria, err := mariaCallbacks(ctx, server, dir, rounds, saver)
	return append(rows, maria...), errors.Join(err, stop())
}

func mariaCallbacks(ctx context.Context, server, dir string, rounds int, saver func(*store.DB) (inbox.Saver, error)) ([]benchRow, error) {
	dsn, drop, err := freshDatabase(ctx, server, "callbacks")
	if err != nil {
		return nil, err
	}
	flush, err := durableCommits(ctx, dsn)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	rows, err := callbackRows(inbox.Bench(ctx, inbox.BenchOptions{Dir: dir, Rounds: rounds, DSN: dsn, Name: "MariaDB", BackOffice: saver}))
	return append(rows, flush), errors.Join(err, drop())
}

// durableCommits asks the server to sync its log at every commit, as one in service does, and tells what it does: without
// the right to change that, the figures are those of the server as it is.
func durableCommits(ctx context.Context, dsn string) (benchRow, error) {
	db, err := store.Open(ctx, store.Options{Dialect: store.MySQL, DSN: dsn})
	if err != nil {
		return benchRow{}, err
	}
	note := ""
	if _, err := db.Exec(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit=1"); err != nil {
		note = " (not changeable here)"
	}
	n, err := db.Int(ctx, "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")
	return benchRow{Case: "MariaDB", Metric: "innodb_flush_log_at_trx_commit" + note, Value: float64(n)}, errors.Join(err, db.Close())
}

func callbackRows(rows []inbox.BenchRow, err error) ([]benchRow, error) {
	if err != nil {
		return nil, err
	}
	var out []benchRow
	for _, r := range rows {
		row := benchRow{Case: r.Case, Metric: r.Metric, Value: r.Value, Unit: r.Unit, Goal: r.Goal}
		if r.Goal != "" {
			row.Met = &r.Met
		}
		out = append(out, row)
	}
	return out, nil
}
