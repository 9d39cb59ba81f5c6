package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAPlainTransactionIsRunAgainUntilItFitsAndLeavesNothingOfABrokenRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		runs := 0
		insert := func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO lease (name,owner,lease_until,fence) VALUES ('plain','o',?,0)", runs)
			return err
		}
		err := db.PlainTx(t.Context(), func(tx *sql.Tx) error {
			if runs++; runs < 3 {
				return errors.Join(insert(tx), fmt.Errorf("wrapped: %w", store.ErrAgain))
			}
			return insert(tx)
		})
		if err != nil || runs != 3 {
			t.Fatalf("%d runs: %v", runs, err)
		}
		if n, err := db.Int(t.Context(), "SELECT lease_until FROM lease WHERE name='plain'"); err != nil || n != 3 {
			t.Errorf("row of run %d: %v", n, err)
		}
		no := errors.New("no")
		if err := db.PlainTx(t.Context(), func(tx *sql.Tx) error { runs++; return no }); !errors.Is(err, no) || runs != 4 {
			t.Errorf("%d runs: %v", runs, err)
		}
	})
}

func TestTheFileOfADatabaseIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		file, err := db.File(t.Context())
		if err != nil || (file != "") != (db.Dialect() == store.SQLite) {
			t.Fatalf("%q, %v", file, err)
		}
		if file == "" {
			return
		}
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	})
}
