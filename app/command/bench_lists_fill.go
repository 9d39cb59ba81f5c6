package command

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// fillLists makes a merchant with n rows in each of the measured lists, and gives the cookie of their session.
func fillLists(ctx context.Context, o store.Options, n int) (cookie string, err error) {
	db, err := store.Open(ctx, o)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	people := account.New(db, clock.System(), trail.New(db, clock.System()))
	// Without an operator the platform only shows how to make one.
	if _, err := people.Seed(ctx, account.Registration{Login: "operator@example.test", Password: "a password for the bench", Name: "Operator", Kind: account.Platform, Agreed: true}); err != nil {
		return "", err
	}
	who, err := people.Seed(ctx, account.Registration{Login: "bench@example.test", Password: "a password for the bench", Name: "Bench", Kind: account.Merchant, SpaceName: "Bench", Agreed: true})
	if err != nil {
		return "", err
	}
	session, err := people.SessionFor(ctx, who, "127.0.0.1", "bench")
	if err != nil {
		return "", err
	}
	now := fmt.Sprint(time.Now().UnixMilli())
	for table, values := range map[string]map[string]string{
		"mini_program": {"owner_space_id": fmt.Sprint(who.SpaceID), "categories": "'[]'", "appid": "CAST(wx AS CHAR)", "synced_at": now, "created_at": now},
		"plugin_version_templates": {"space_id": fmt.Sprint(who.SpaceID), "version": "1", "state": "'ready'", "ext_schema": "'[]'", "domains": "'{}'", "user_version": "'1.2.0'",
			"notes": "'修复已知问题，提升稳定性'", "created_at": now, "updated_at": now},
		"plugin_market_listings": {"space_id": fmt.Sprint(who.SpaceID), "version": "1", "state": "'listed'", "created_at": now, "updated_at": now, "listed_at": now},
	} {
		if err := fillTable(ctx, db, table, values, n); err != nil {
			return "", fmt.Errorf("%s: %w", table, err)
		}
	}
	return account.Cookie + "=" + session.Token, analyze(ctx, db)
}

// fillTable inserts n rows with one statement per hundred thousand. A column without a value gets the row's number as its
// text, or 0; a JSON column is empty.
func fillTable(ctx context.Context, db *store.DB, table string, values map[string]string, n int) error {
	columns, err := columnsOf(ctx, db, table)
	if err != nil {
		return err
	}
	var names, picks []string
	for _, c := range columns {
		pick, given := values[c.name]
		switch {
		case given:
			pick = strings.ReplaceAll(pick, "wx", "(1000000000+n)")
		case c.name == "id":
			pick = "(250000000000000000+n*4096)"
		case c.text && c.long:
			pick = "''"
		case c.text:
			pick = "CAST((1000000000+n) AS CHAR)"
		default:
			pick = "0"
		}
		names, picks = append(names, "`"+c.name+"`"), append(picks, pick)
	}
	const digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	for from := 0; from < n; from += 100_000 {
		numbers := fmt.Sprintf("(SELECT %d + a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d AS n FROM %s a, %s b, %s c, %s e, %s f) numbers", from, digits, digits, digits, digits, digits)
		_, err := db.Exec(ctx, "INSERT INTO `"+table+"` ("+strings.Join(names, ",")+") SELECT "+strings.Join(picks, ",")+" FROM "+numbers+" WHERE n<? ORDER BY n", n)
		if err != nil {
			return err
		}
	}
	return nil
}

type benchColumn struct {
	name       string
	text, long bool
}

func columnsOf(ctx context.Context, db *store.DB, table string) (columns []benchColumn, err error) {
	rows, err := db.Reader().QueryContext(ctx, "SELECT * FROM `"+table+"` LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		kind := strings.ToUpper(t.DatabaseTypeName())
		long := strings.Contains(kind, "TEXT") || strings.Contains(kind, "BLOB")
		columns = append(columns, benchColumn{t.Name(), long || strings.Contains(kind, "CHAR"), long})
	}
	return columns, rows.Err()
}

// analyze lets the database know its tables, as it does by itself in time.
func analyze(ctx context.Context, db *store.DB) error {
	if db.Dialect() == store.MySQL {
		_, err := db.Writer().ExecContext(ctx, "ANALYZE TABLE mini_program, plugin_version_templates, plugin_market_listings")
		return err
	}
	_, err := db.Exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// benchMariaDB finds the server of MINIFLEET_TEST_MYSQL or starts a private one by the project's own script; "" when there
// is neither.
func benchMariaDB(ctx context.Context, env Env) (server string, stop func() error, err error) {
	for _, kv := range env.Environ {
		if v, ok := strings.CutPrefix(kv, "MINIFLEET_TEST_MYSQL="); ok && v != "" {
			return v, func() error { return nil }, nil
		}
	}
	script := filepath.Join("manifest", "dev", "mariadb.sh")
	if !hasFile(script) {
		return "", nil, nil
	}
	told, err := os.CreateTemp("", "minifleet-bench-")
	if err != nil {
		return "", nil, err
	}
	name := told.Name()
	if err := told.Close(); err != nil {
		return "", nil, err
	}
	// The script runs a command beside its server: one that tells the address and waits for its input to end.
	cmd := exec.CommandContext(ctx, script, "sh", "-c", `printf %s "$MINIFLEET_TEST_MYSQL" >"$1"; cat >/dev/null`, "sh", name)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	hold, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() error { return errors.Join(hold.Close(), <-ended, os.Remove(name)) }
	for began := time.Now(); time.Since(began) < time.Minute; {
		if raw, err := os.ReadFile(name); err == nil && len(raw) > 0 {
			return string(raw), stop, nil
		}
		select {
		case <-ended: // no server on this machine
			return "", nil, os.Remove(name)
		default:
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return "", nil, errors.Join(err, stop())
		}
	}
	return "", nil, errors.Join(errors.New("MariaDB did not start within a minute"), stop())
}

// freshDatabase makes an empty database for the bench.
func freshDatabase(ctx context.Context, server, name string) (dsn string, drop func() error, err error) {
	admin, err := sql.Open("mysql", server)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	name = fmt.Sprintf("mf_bench_%d_%s", os.Getpid(), name)
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		return "", nil, err
	}
	drop = func() error {
		again, err := sql.Open("mysql", server)
		if err != nil {
			return err
		}
		_, err = again.Exec("DROP DATABASE " + name)
		return errors.Join(err, again.Close())
	}
	return strings.TrimSuffix(server, "/") + "/" + name, drop, nil
}
