package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestSocketFoldersOfDeadHostsAreRemoved(t *testing.T) {
	base, err := os.MkdirTemp("/tmp", "mfs")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(base) }()
	dead := exec.Command("/bin/true")
	if err := dead.Start(); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(base, socketPrefix+strconv.Itoa(dead.Process.Pid)+"-1")
	living := filepath.Join(base, socketPrefix+strconv.Itoa(os.Getppid())+"-1")
	foreign := filepath.Join(base, "minifleet-notes-1")
	for _, dir := range []string{gone, living, foreign} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := dead.Wait(); err != nil {
		t.Fatal(err)
	}
	made, err := makeSocketDir(base)
	if err != nil {
		t.Fatal(err)
	}
	for dir, stays := range map[string]bool{gone: false, living: true, foreign: true, made: true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: %v, want it there: %t", filepath.Base(dir), err, stays)
		}
	}
	if len(made) > maxSocketDir || !strings.HasPrefix(filepath.Base(made), socketPrefix+strconv.Itoa(os.Getpid())) {
		t.Errorf("made %s", made)
	}
	info, err := os.Stat(made)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is not private: %v, %v", info.Mode(), err)
	}
}
