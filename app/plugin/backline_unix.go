//go:build unix

package plugin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// pair makes a connection whose ends are this process and the child that inherits theirs. It has no name, so nobody else
// can reach it, whichever user the child runs as.
func pair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // no child of another goroutine is born with the ends
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a plugin's way back: %w", err)
	}
	kept, theirs := os.NewFile(uintptr(ends[0]), "plugin"), os.NewFile(uintptr(ends[1]), "host")
	ours, err = net.FileConn(kept) // a copy
	if err = errors.Join(err, kept.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a plugin's way back: %w", err), theirs.Close())
	}
	return ours, theirs, nil
}
