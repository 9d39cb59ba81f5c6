//go:build !linux

package command

import (
	"os"
	"os/exec"
)

// startChild starts a process; without PDEATHSIG it is ended by its parent's orderly end only.
func startChild(cmd *exec.Cmd) (wait <-chan error, err error) {
	ended := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { ended <- cmd.Wait() }()
	return ended, nil
}

// askToEnd is the polite signal.
func askToEnd(p *os.Process) error { return p.Signal(os.Interrupt) }
