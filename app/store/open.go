package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite", the one GoFrame uses
	"github.com/go-sql-driver/mysql"
	gfmysql "github.com/gogf/gf/contrib/drivers/mysql/v2"
	gfsqlite "github.com/gogf/gf/contrib/drivers/sqlite/v2"
	"github.com/gogf/gf/v2/database/gdb"
)

// Open opens the database without migrating it.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Readers == 0 {
		o.Readers = 8
	}
	d := &DB{dialect: o.Dialect, ids: newIDs(), owner: rand.Text()}
	var err error
	switch o.Dialect {
	case SQLite, "":
		d.dialect = SQLite
		err = d.openSQLite(o)
	case MySQL:
		err = d.openMySQL(o)
	default:
		return nil, fmt.Errorf("store: unknown dialect %q", o.Dialect)
	}
	if err != nil {
		return nil, err
	}
	if err := d.writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open: %w", err), d.Close())
	}
	if d.g, err = attach(d, o.Readers); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// sqliteDSN: WAL with synchronous=FULL, since an answered push must survive a power cut. A checkpoint every 4000 pages
// (16 MB) instead of 1000 stops the one writer less often; pages that are written again meanwhile are copied once.
func sqliteDSN(path string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}}
	q["_pragma"] = append([]string{"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(4000)"}, pragmas...)
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (d *DB) openSQLite(o Options) (err error) {
	if err := ownerOnly(o.Path); err != nil {
		return err
	}
	if d.writer, err = sql.Open("sqlite", sqliteDSN(o.Path)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if d.reader, err = sql.Open("sqlite", sqliteDSN(o.Path, "query_only(1)")); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	d.lite = newLite(o.Path, o.Readers)
	d.admin = func() (*sql.DB, error) {
		pool, err := sql.Open("sqlite", sqliteDSN(o.Path))
		if err == nil {
			pool.SetMaxOpenConns(2)
		}
		return pool, err
	}
	return nil
}

// ownerOnly makes the file before SQLite would, since SQLite's own is readable for everybody on the machine; its
// journals take the mode of the file. One that is there already is closed to others too.
func ownerOnly(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (d *DB) openMySQL(o Options) error {
	cfg, err := mysql.ParseDSN(o.DSN)
	if err != nil {
		return errors.New("store: database.dsn does not parse; it should look like user:password@tcp(host:3306)/name")
	}
	cfg.Collation = "utf8mb4_bin" // SQLite compares bytes; so shall MySQL
	cfg.ClientFoundRows = true    // an update that changes nothing still found its row, as SQLite counts it
	cfg.InterpolateParams = true
	conn, err := mysql.NewConnector(cfg)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	pool := sql.OpenDB(conn)
	d.writer, d.reader = pool, pool
	d.admin = func() (*sql.DB, error) {
		c := cfg.Clone()
		c.ParseTime = false
		own, err := mysql.NewConnector(c)
		if err != nil {
			return nil, err
		}
		small := sql.OpenDB(own)
		small.SetMaxOpenConns(4)
		return small, nil
	}
	return nil
}

// driver lends our pools to gdb, which would otherwise open its own from a configuration of its own.
type sqliteDriver struct {
	*gfsqlite.Driver
	db *DB
}

func (p *sqliteDriver) New(core *gdb.Core, _ *gdb.ConfigNode) (gdb.DB, error) {
	return &sqliteDriver{Driver: &gfsqlite.Driver{Core: core}, db: p.db}, nil
}

func (p *sqliteDriver) Open(node *gdb.ConfigNode) (*sql.DB, error) { return p.db.pool(node), nil }

type mysqlDriver struct {
	*gfmysql.Driver
	db *DB
}

func (p *mysqlDriver) New(core *gdb.Core, _ *gdb.ConfigNode) (gdb.DB, error) {
	return &mysqlDriver{Driver: &gfmysql.Driver{Core: core}, db: p.db}, nil
}

func (p *mysqlDriver) Open(node *gdb.ConfigNode) (*sql.DB, error) { return p.db.pool(node), nil }

func (d *DB) pool(node *gdb.ConfigNode) *sql.DB {
	if node.Role == "slave" {
		return d.reader
	}
	return d.writer
}

// attach registers this database with gdb's own global tables (drivers, configuration), the only place that does.
func attach(d *DB, readers int) (gdb.DB, error) {
	name := "minifleet-" + d.owner
	var drv gdb.Driver = &sqliteDriver{Driver: &gfsqlite.Driver{}, db: d}
	if d.dialect == MySQL {
		drv = &mysqlDriver{Driver: &gfmysql.Driver{}, db: d}
	}
	if err := gdb.Register(name, drv); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	node := gdb.ConfigNode{Type: name, Name: "main", Role: "master", TimeMaintainDisabled: true, Weight: 1}
	slave := node
	slave.Role = "slave"
	if err := gdb.SetConfigGroup(name, gdb.ConfigGroup{node, slave}); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	g, err := gdb.NewByGroup(name)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if _, err := g.Master(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if _, err := g.Slave(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// gdb has just put its own bounds on the pools it was lent: ours are set after it.
	for _, p := range []*sql.DB{d.writer, d.reader} {
		p.SetConnMaxLifetime(0)
		p.SetMaxOpenConns(readers)
		p.SetMaxIdleConns(readers)
	}
	if d.dialect == SQLite {
		d.writer.SetMaxOpenConns(1)
		d.writer.SetMaxIdleConns(1)
	}
	return g, nil
}
