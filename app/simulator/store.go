package simulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/glebarez/go-sqlite" // the database driver "sqlite"
)

// docKey names one stored document.
type docKey struct{ kind, id string }

// docStore keeps the simulator's documents over a restart. save is one transaction: all of it or nothing.
type docStore interface {
	load(ctx context.Context, visit func(key docKey, body []byte) error) error
	save(ctx context.Context, puts map[docKey][]byte, deletes []docKey) error
	close() error
}

// memoryStore keeps nothing: the state lives as long as the process.
type memoryStore struct{}

func (memoryStore) load(context.Context, func(docKey, []byte) error) error  { return nil }
func (memoryStore) save(context.Context, map[docKey][]byte, []docKey) error { return nil }
func (memoryStore) close() error                                            { return nil }

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
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)"}
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

func (s *fileStore) save(ctx context.Context, puts map[docKey][]byte, deletes []docKey) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	for key, body := range puts {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO docs (kind, id, body) VALUES (?, ?, ?)`, key.kind, key.id, body); err != nil {
			return errors.Join(fmt.Errorf("save simulator state: %w", err), tx.Rollback())
		}
	}
	for _, key := range deletes {
		if _, err := tx.ExecContext(ctx, `DELETE FROM docs WHERE kind = ? AND id = ?`, key.kind, key.id); err != nil {
			return errors.Join(fmt.Errorf("save simulator state: %w", err), tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	return nil
}

func (s *fileStore) close() error { return s.db.Close() }

var (
	_ docStore = memoryStore{}
	_ docStore = (*fileStore)(nil)
)
