package admin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/GoAdminGroup/go-admin/modules/db"

	"minifleet/app/store"
)

// Saver saves through GoAdmin's own layer and pool, as a form of its does: a transaction that reads a user and writes it
// back. The bench of callbacks runs it while pushes arrive, to see whether the two writers meet badly.
type Saver struct {
	pool *sql.DB
	conn db.Connection
	name string
	id   int64
	n    int
}

// NewSaver makes one with a user of its own. Its calls must not overlap.
func NewSaver(d *store.DB) (*Saver, error) {
	pool, err := d.GoAdminPool()
	if err != nil {
		return nil, fmt.Errorf("admin: saver: %w", err)
	}
	s := &Saver{pool: pool, conn: connection(d.Dialect(), pool), name: "saver-" + strconv.FormatInt(d.NewID(), 36)}
	if s.id, err = s.table().Insert(map[string]interface{}{"username": s.name, "password": "", "name": "saver"}); err != nil {
		return nil, errors.Join(fmt.Errorf("admin: saver: %w", err), pool.Close())
	}
	return s, nil
}

func (s *Saver) table() *db.SQL { return db.WithDriver(s.conn).Table("goadmin_users") }

// Save changes the user's name in a transaction of GoAdmin's.
func (s *Saver) Save(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.n++
	_, err := db.WithDriver(s.conn).WithTransaction(func(tx *sql.Tx) (error, map[string]interface{}) {
		row, err := s.table().WithTx(tx).Where("id", "=", s.id).First()
		if err != nil {
			return err, nil
		}
		if row["username"] != s.name {
			return fmt.Errorf("admin: saver: read the user %v", row["username"]), nil
		}
		_, err = s.table().WithTx(tx).Where("id", "=", s.id).Update(map[string]interface{}{"name": "save " + strconv.Itoa(s.n), "updated_at": time.Now().UTC().Format(time.DateTime)})
		return err, nil
	})
	return err
}

// Close gives GoAdmin's pool back.
func (s *Saver) Close() error { return s.pool.Close() }
