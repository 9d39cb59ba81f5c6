package plugin_test

import (
	"io/fs"
	"syscall"
)

// owner is the user that a file belongs to, -1 when unknown.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
