package plugin

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	goplugin "github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
)

// childAttributes puts a child into its own process group, so that Ctrl-C reaches only the host, and lets the kernel
// kill it when the thread that forked it is gone.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// spawner runs functions on one thread that lives as long as the host: PDEATHSIG follows the thread that forked, not
// the process.
type spawner struct{ work chan func() }

func newSpawner() *spawner {
	s := &spawner{work: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *spawner) run(f func()) {
	done := make(chan struct{})
	s.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// close ends the thread; call it only when no child is left.
func (s *spawner) close() { close(s.work) }

// awaitExit returns when the process is gone. A pidfd tells it at once; go-plugin's own Exited waits until stdout closes,
// which a grandchild can delay.
func awaitExit(pid int, client *goplugin.Client) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		pollExit(client)
		return
	}
	defer func() { _ = unix.Close(fd) }() // only a handle
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// killGroup kills the process and whatever it started.
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // ESRCH: all gone already
}

// alive tells whether a process of this id runs. A zombie, which a container without a reaping PID 1 keeps, does not.
func alive(pid int) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(after, "Z")
}

// residentBytes is the process' memory as the kernel counts it, 0 when unknown.
func residentBytes(pid int) int64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
