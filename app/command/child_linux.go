package command

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// startChild starts a process that ends when this one does, however this one ends. PDEATHSIG follows the thread that
// forked, so one goroutine keeps its thread for as long as the child lives.
func startChild(cmd *exec.Cmd) (wait <-chan error, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	return ended, <-started
}

// askToEnd is the polite signal.
func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
