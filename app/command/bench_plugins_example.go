package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"minifleet/app/plugin"
)

// What an extension that has nothing to do may take, and which one is measured.
const (
	goalIdleMiB = 20.0
	idleExample = "auditnotifier" // the one without a job for each space, which needs the catalog
	idleSettle  = 2 * time.Second // for what starting has left behind
)

// idle measures the memory of an extension that serves and has nothing to do. The example is built for it, which needs the
// go tool and this repository: without them a line says that it was not measured.
func (b *pluginBench) idle(ctx context.Context) (_ []benchRow, err error) {
	folder, found := exampleFolder(b.argv[0], idleExample)
	_, noTool := exec.LookPath("go")
	if !found || noTool != nil {
		why := "no go tool"
		if !found {
			why = "no plugins/examples beside this binary"
		}
		_, err := fmt.Fprintf(b.env.Stderr, "idle third-party plugin: not measured: %s\n", why)
		return nil, err
	}
	work, err := os.MkdirTemp("", "minifleet-bench-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder to build in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	binary := filepath.Join(work, idleExample)
	if err := buildPlugin(ctx, b.env, folder, binary, runtime.GOOS, runtime.GOARCH); err != nil {
		return nil, err
	}
	h, _, err := b.serving(ctx, plugin.First{ID: idleExample, Argv: []string{binary}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(idleSettle):
	}
	memory := float64(0)
	for _, s := range h.Status() {
		memory += float64(s.MemoryBytes) / (1 << 20)
	}
	if memory == 0 {
		return nil, fmt.Errorf("no memory of %s is known", idleExample)
	}
	return []benchRow{benchRow{Case: "idle third-party plugin", Metric: "RSS", Value: memory, Unit: "MiB"}.atMost(goalIdleMiB)}, nil
}

// exampleFolder finds an example from where the command runs, or from bin/ of the repository.
func exampleFolder(executable, name string) (string, bool) {
	for _, root := range []string{".", filepath.Join(filepath.Dir(executable), "..")} {
		folder := filepath.Join(root, "plugins", "examples", name)
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, true
		}
	}
	return "", false
}
