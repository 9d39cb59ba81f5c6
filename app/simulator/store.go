package simulator

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/glebarez/go-sqlite" // the database driver "sqlite"
)

// docKey names one stored document.
type docKey struct{ kind, id string }

// batch is what one save writes: all of it or nothing.
type batch struct {
	puts    map[docKey][]byte
	calls   []*call
	deletes []docKey
	taken   map[docKey]any // what the journal held, to be put back when the save fails
	turn    int64
}

// fileStore keeps documents in one SQLite file. A killed process loses nothing that was saved; a power cut may lose the
// last moments (synchronous=NORMAL), which a simulator can bear.
type fileStore struct{ db *sql.DB }

func openFileStore(ctx context.Context, path string) (*fileStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of simulator state: %w", err)
	}
	// the file holds platform secrets: make it ours before SQLite creates it with the process's umask
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open simulator state: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open simulator state: %w", err)
	}
	// A page that changes often is carried over into the file once for many changes: a journal of up to 32 MB, an eighth of the
	// checkpoints and a tenth less work for each call.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)&_pragma=wal_autocheckpoint(8000)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open simulator state: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS docs (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))`); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare simulator state %s: %w", path, err), db.Close())
	}
	return &fileStore{db: db}, nil
}

func (s *fileStore) load(ctx context.Context, visit func(docKey, []byte) error) (err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT kind, id, body FROM docs ORDER BY kind, id`)
	if err != nil {
		return fmt.Errorf("read simulator state: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key docKey
		var body []byte
		if err := rows.Scan(&key.kind, &key.id, &body); err != nil {
			return fmt.Errorf("read simulator state: %w", err)
		}
		if err := visit(key, body); err != nil {
			return fmt.Errorf("read simulator state %s/%s: %w", key.kind, key.id, err)
		}
	}
	return rows.Err()
}

// rowsPerInsert keeps a statement below SQLite's limit of variables.
const rowsPerInsert = 100

func (s *fileStore) save(ctx context.Context, b *batch) (err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("save simulator state: %w", err), tx.Rollback())
		}
	}()
	rows := make([]any, 0, 3*(len(b.puts)+len(b.calls)))
	for key, body := range b.puts {
		rows = append(rows, key.kind, key.id, body)
	}
	for _, c := range b.calls {
		body, err := json.Marshal(c.finish())
		if err != nil {
			return fmt.Errorf("encode call %d: %w", c.Seq, err)
		}
		rows = append(rows, "call", sequenceID(c.Seq), body)
	}
	for len(rows) > 0 { // many rows to a statement: the driver compiles each one anew
		n := min(len(rows)/3, rowsPerInsert)
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO docs (kind, id, body) VALUES (?, ?, ?)`+strings.Repeat(", (?, ?, ?)", n-1), rows[:3*n]...); err != nil {
			return err
		}
		rows = rows[3*n:]
	}
	for _, key := range b.deletes {
		if _, err := tx.ExecContext(ctx, `DELETE FROM docs WHERE kind = ? AND id = ?`, key.kind, key.id); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *fileStore) close() error { return s.db.Close() }
