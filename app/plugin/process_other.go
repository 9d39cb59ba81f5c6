//go:build !linux

package plugin

import (
	"syscall"

	goplugin "github.com/hashicorp/go-plugin"
)

// childAttributes knows no PDEATHSIG here; the life pipe ends the child.
func childAttributes() *syscall.SysProcAttr { return nil }

// spawner needs no thread of its own here.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

func (*spawner) run(f func()) { f() }
func (*spawner) close()       {}

func awaitExit(_ int, client *goplugin.Client) { pollExit(client) }

func killGroup(int) {}

func alive(int) bool { return false }

func residentBytes(int) int64 { return 0 }
