package journal

import (
	"errors"
	"os"
	"syscall"
)

// openDurable opens a file whose writes return once the data is on the disk: write and sync are one call to the system.
func openDurable(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|syscall.O_DSYNC, 0o600)
}

func writeDurably(f *os.File, b []byte, at int64) error {
	_, err := f.WriteAt(b, at)
	return err
}

// lockFile takes the lock of an open file for this process's descriptor, or says that somebody else has it.
func lockFile(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
