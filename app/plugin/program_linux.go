package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Bounds of an extension's process beside those of its memory: threads and processes of its user, open files, and how
// large a file it may write (it has nowhere to write but the folder for temporary files).
const (
	mostThreads = 512
	mostFiles   = 1024
	mostFile    = 64 << 20 // bytes
)

// executablePath names an open file for execve: number is its place in the child.
func executablePath(_ *os.File, number int) string { return "/proc/self/fd/" + strconv.Itoa(number) }

// extensionAttributes puts an extension into a session of its own, without a terminal, under its own user where the host
// may do that. The kernel kills it with the thread that forked it: the signal is set after the user was changed, which
// would clear it.
func extensionAttributes(uid int) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if uid != 0 {
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), Groups: []uint32{}}
	}
	return attributes
}

// gainNothing keeps what the calling thread forks from now on from gaining rights by executing a program that has them
// (setuid, file capabilities), for good. It is a thread's attribute, which its children inherit.
func gainNothing() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new rights: %w", err)
	}
	return nil
}

// limitProcess bounds a process that has just started. Bounding another user's needs a right (CAP_SYS_RESOURCE) that root
// in a container seldom has: then the container's own bounds are what there is.
func limitProcess(pid int) error {
	for _, limit := range []struct {
		what int
		most uint64
	}{{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, mostFiles}, {unix.RLIMIT_NPROC, mostThreads}, {unix.RLIMIT_FSIZE, mostFile}} {
		var had unix.Rlimit
		err := unix.Prlimit(pid, limit.what, nil, &had)
		if errors.Is(err, unix.EPERM) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read limit %d: %w", limit.what, err)
		}
		want := unix.Rlimit{Cur: min(limit.most, had.Cur), Max: min(limit.most, had.Max)}
		if err := unix.Prlimit(pid, limit.what, &want, nil); err != nil {
			return fmt.Errorf("set limit %d: %w", limit.what, err)
		}
	}
	return nil
}

// isolates tells whether the host may run an extension as another user.
func isolates() bool { return os.Geteuid() == 0 }

// endStrays kills what an extension's user left running: children that left their group and whose parent is gone. What
// descends from one of the living stays.
func endStrays(uid int, living []int) error {
	if uid == 0 {
		return nil
	}
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return fmt.Errorf("look for processes of user %d: %w", uid, err)
	}
	family := map[int]int{} // of this user: process → parent
	for _, folder := range found {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if owner, parent, ok := lineage(folder); ok && owner == uid {
			family[pid] = parent
		}
	}
	for pid := range family {
		if astray(pid, family, living) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // ESRCH: it ended meanwhile
		}
	}
	return nil
}

// astray tells whether a process has no living one among its ancestors and hangs below the first process of all.
func astray(pid int, family map[int]int, living []int) bool {
	for range len(family) + 1 {
		for _, alive := range living {
			if pid == alive {
				return false
			}
		}
		parent, ours := family[pid]
		if !ours {
			return pid <= 1 // pid is the first ancestor of another user
		}
		pid = parent
	}
	return false
}

// lineage reads a process' real user and parent; false when it is gone.
func lineage(folder string) (uid, parent int, ok bool) {
	raw, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return 0, 0, false
	}
	uid, parent = -1, -1
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		switch {
		case err != nil:
		case fields[0] == "Uid:":
			uid = n
		case fields[0] == "PPid:":
			parent = n
		}
	}
	return uid, parent, uid >= 0 && parent >= 0
}
