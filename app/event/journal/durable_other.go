//go:build !linux

package journal

import (
	"errors"
	"os"
)

func openDurable(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0o600) }

func writeDurably(f *os.File, b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return err
	}
	return f.Sync()
}

// lockFile knows no lock here: the journal is used on Linux only, and elsewhere batches go into the database.
func lockFile(*os.File) (bool, error) { return false, errors.ErrUnsupported }
