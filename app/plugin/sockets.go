package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A socket's path may have 107 bytes, and go-plugin adds about 25.
const maxSocketDir = 70

const socketPrefix = "minifleet-"

// makeSocketDir makes a private folder for this host's sockets and removes those of hosts that died without cleaning up.
func makeSocketDir(base string) (string, error) {
	if base == "" {
		base = os.TempDir()
	}
	if len(base) > maxSocketDir-len(socketPrefix)-20 {
		base = "/tmp"
	}
	if err := removeStale(base); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(base, socketPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", fmt.Errorf("make folder for plugin sockets: %w", err)
	}
	return dir, nil
}

func removeStale(base string) error {
	found, err := filepath.Glob(filepath.Join(base, socketPrefix+"*-*"))
	if err != nil {
		return fmt.Errorf("look for old plugin sockets: %w", err)
	}
	var failures []error
	for _, dir := range found {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), socketPrefix), "-")
		number, err := strconv.Atoi(pid)
		if err != nil || number == os.Getpid() || alive(number) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil && !errors.Is(err, os.ErrPermission) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
