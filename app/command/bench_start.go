package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// startRounds is how often a start is measured; the median counts.
const startRounds = 5

// benchStart measures from exec to /readyz with three plugins, on a database that is there already, and the memory of
// all processes then.
func benchStart(ctx context.Context, env Env, dir string) ([]benchRow, error) {
	var millis, rss []float64
	for round := range startRounds + 1 {
		took, memory, err := oneStart(ctx, env, dir)
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first one makes the key file and the schema
			millis, rss = append(millis, float64(took.Milliseconds())), append(rss, float64(memory)/(1<<20))
		}
	}
	slices.Sort(millis)
	slices.Sort(rss)
	median := millis[len(millis)/2]
	met := median < 1000
	return []benchRow{
		{Case: "start", Metric: "to /readyz, median of 5", Value: median, Unit: "ms", Goal: "< 1000", Met: &met},
		{Case: "start", Metric: "to /readyz, slowest", Value: millis[len(millis)-1], Unit: "ms"},
		{Case: "memory", Metric: "RSS of platform and three plugins, median", Value: rss[len(rss)/2], Unit: "MiB"},
	}, nil
}

func oneStart(ctx context.Context, env Env, dir string) (took time.Duration, memory int64, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(env.Executable, "serve", "--listen", address, "--data", filepath.Join(dir, "data"))
	cmd.Dir, cmd.Env = dir, []string{}
	began := time.Now()
	ended, err := startChild(cmd)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		err = errors.Join(err, askToEnd(cmd.Process))
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			err = errors.Join(err, errors.New("the platform did not end within 10 s"), cmd.Process.Kill())
		}
	}()
	for time.Since(began) < 30*time.Second && ctx.Err() == nil {
		res, e := http.Get("http://" + address + "/readyz")
		if e == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				took = time.Since(began)
				memory, err = treeMemory(cmd.Process.Pid)
				return took, memory, err
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, 0, fmt.Errorf("no /readyz on %s: %w", address, ctx.Err())
}

// treeMemory sums the resident memory of a process and its children, in bytes.
func treeMemory(pid int) (int64, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var total int64
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile(filepath.Join("/proc", e.Name(), "status"))
		if err != nil {
			continue // it has ended meanwhile
		}
		var parent, kib int64
		for line := range strings.Lines(string(status)) {
			name, value, _ := strings.Cut(line, ":")
			switch name {
			case "PPid":
				parent, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			case "VmRSS":
				kib, _ = strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			}
		}
		if n == pid || int(parent) == pid {
			total += kib << 10
		}
	}
	return total, nil
}
