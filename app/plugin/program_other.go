//go:build !linux

package plugin

import (
	"os"
	"syscall"
)

// executablePath is the file's own: there is no way to execute an open file here.
func executablePath(file *os.File, _ int) string { return file.Name() }

func extensionAttributes(int) *syscall.SysProcAttr { return childAttributes() }

func gainNothing() error { return nil }

func limitProcess(int) error { return nil }

// isolates: own users are used on Linux only.
func isolates() bool { return false }

func endStrays(int, []int) error { return nil }
