package command_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// children gives the pids of every process that was started below pid.
func children(t *testing.T, pid int) []int {
	t.Helper()
	parents := map[int]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("this system has no /proc; the parent's death is tested on Linux")
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// The second field is the name in brackets and may hold spaces.
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[0] != "Z" {
			parents[n], _ = strconv.Atoi(f[1])
		}
	}
	var found []int
	for n := range parents {
		for p := parents[n]; p > 1; p = parents[p] {
			if p == pid {
				found = append(found, n)
				break
			}
		}
	}
	return found
}

func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// TestKillLeavesNoChildAndLosesNothing kills the demo with -9 and starts it again on the same data.
func TestKillLeavesNoChildAndLosesNothing(t *testing.T) {
	exe := binary(t)
	d := startDemo(t, exe)
	token := d.login("merchant@example.test")
	type app struct {
		AppID    string `json:"appid"`
		TicketAt int64  `json:"ticket_at"`
	}
	var before, after struct{ Items []app }
	d.call(http.MethodGet, d.base+"/api/v1/components", token, nil, &before)
	if len(before.Items) != 1 {
		t.Fatalf("the demo has %d platform apps", len(before.Items))
	}
	kids := children(t, d.cmd.Process.Pid)
	if len(kids) < 4 {
		t.Fatalf("simulator and three plugins should run below the demo, found %d", len(kids))
	}
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait() // "signal: killed" is what was asked for
	d.eventually("every child gone", func() bool {
		for _, pid := range kids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
	d.start(exe)
	if status := d.call(http.MethodGet, d.base+"/api/v1/components", token, nil, &after); status != http.StatusOK {
		t.Fatalf("the session is gone after a restart: %d", status)
	}
	if len(after.Items) != 1 || after.Items[0].AppID != before.Items[0].AppID {
		t.Fatalf("before %+v, after %+v", before.Items, after.Items)
	}
	var listings struct{ Items []struct{ Title string } }
	d.call(http.MethodGet, d.base+"/api/v1/market/listings", "", nil, &listings)
	if len(listings.Items) != 1 || listings.Items[0].Title != "扫码点餐" {
		t.Fatalf("the market after a restart: %+v", listings.Items)
	}
	var checks struct {
		Items []struct{ Name, State, Message string }
	}
	d.call(http.MethodPost, d.base+"/api/v1/components/"+after.Items[0].AppID+"/check", token, map[string]any{}, &checks)
	for _, c := range checks.Items {
		if c.State != "ok" {
			t.Errorf("self-check after a restart: %+v", c)
		}
	}
}

// TestSIGTERMEndsWithinTenSeconds also while somebody is connected.
func TestSIGTERMEndsWithinTenSeconds(t *testing.T) {
	d := startDemo(t, binary(t))
	client := &http.Client{Timeout: 30 * time.Second}
	res, err := client.Get(d.base + "/market")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	kids := children(t, d.cmd.Process.Pid)
	if err := syscall.Kill(d.cmd.Process.Pid, 0); err != nil {
		t.Fatal(err)
	}
	d.stop() // fails the test when it takes longer or exits with another status than 0
	for _, pid := range kids {
		if alive(pid) {
			t.Errorf("process %d outlived the demo", pid)
		}
	}
}
