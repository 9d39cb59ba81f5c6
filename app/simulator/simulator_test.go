package simulator

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestNewTouchesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "simulator.db")
	sim, err := New(Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	sim.Handler()
	if _, err := os.Stat(filepath.Dir(file)); !os.IsNotExist(err) {
		t.Errorf("New made the folder of its state file: %v", err)
	}
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sim.Run(t.Context()); err == nil {
		t.Error("Run works on a closed simulator")
	}
}

func TestNewRefusesABadPublicURL(t *testing.T) {
	for _, address := range []string{"127.0.0.1:9000", "ftp://x", "http://"} {
		if _, err := New(Options{PublicURL: address}); err == nil {
			t.Errorf("%q was accepted", address)
		}
	}
}

func TestEverythingAcknowledgedSurvivesARestartWithoutClose(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulator.db")
	opt := Options{StateFile: file, Seed: 11}
	first := startRig(t, opt)
	ct, at := first.ready()
	first.submitted(at, "1.0.0")
	first.control("settings", object{"privacy_scan_seconds": 77})
	first.control("faults", object{"path": "/wxa/release", "errcode": 85020})
	calls := first.control("calls?path=/wxa/commit", nil)["total"]
	offset := first.control("clock", nil)["offset_ms"]

	second := startRig(t, opt) // the first one still holds the file, as if it had been killed
	token := "?access_token=" + at
	if latest := second.ok("GET", "/wxa/get_latest_auditstatus"+token, nil); latest["status"].(float64) != auditRunning {
		t.Errorf("audit %v", latest)
	}
	if got := second.control("clock", nil)["offset_ms"]; got != offset {
		t.Errorf("clock %v, want %v", got, offset)
	}
	if got := second.control("settings", nil)["privacy_scan_seconds"].(float64); got != 77 {
		t.Errorf("setting %v", got)
	}
	if got := second.control("calls?path=/wxa/commit", nil)["total"]; got != calls {
		t.Errorf("calls %v, want %v", got, calls)
	}
	second.refused(85020, "POST", "/wxa/release"+token, "{}")
	second.ok("GET", "/wxa/gettemplatelist?access_token="+ct, nil)
	if pre := second.preAuth(ct); first.sim.world.preAuthCodes.get(pre) != nil {
		t.Error("an id was handed out twice")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file %v, %v", info.Mode(), err)
	}
}

func TestWaitingPushIsDeliveredAfterARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulator.db")
	sim, err := New(Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	platform := newReceiver(t)
	err = sim.update(t.Context(), func(w *world, now int64) error { // nobody runs, so nothing is delivered
		c := &component{AppID: testComponent, Token: testToken, AESKey: keyV, TicketURL: platform.server.URL}
		w.components.put(c.AppID, c)
		w.pushTicket(c, now, pushShape{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	if platform.count() != 0 {
		t.Fatal("a push was delivered without Run")
	}
	again := startRig(t, Options{StateFile: file})
	platform.wait("component_verify_ticket")
	if n := again.control("pushes?state=waiting", nil)["total"].(float64); n != 0 {
		t.Logf("%v pushes still waiting (the next ticket may be due)", n)
	}
}

func TestUnreadableStateIsReportedNotIgnored(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulator.db")
	if err := os.WriteFile(file, []byte("this is not a database, it is far too short and wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	sim, err := New(Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.update(context.Background(), func(*world, int64) error { return nil }); err == nil {
		t.Error("a broken state file was accepted")
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			local := *g
			ids[i] = local.preAuth(ct)
			local.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
			local.control("calls", nil)
			if status, _ := local.send("GET", "/console/pushes", nil); status != http.StatusOK {
				t.Errorf("console: HTTP %d", status)
			}
			local.control("pushes", object{"kind": "ticket", "component_appid": testComponent})
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, id := range ids {
		if id == "" || seen[id] {
			t.Errorf("pre auth code %q twice", id)
		}
		seen[id] = true
	}
}

func TestOldRecordsAreForgotten(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	g.advance(7200 + 25*3600)
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		w.forget(now)
		if n := len(w.tokens.docs) + len(w.preAuthCodes.docs) + len(w.authCodes.docs) + len(w.scans.docs); n != 0 {
			t.Errorf("%d records are kept a day after their end", n)
		}
		for range maxCalls + maxCalls/20 + 1 {
			w.addCall(&call{Path: "/x"})
		}
		if n := len(w.calls.docs); n > maxCalls+maxCalls/20 {
			t.Errorf("%d calls are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g.refused(40001, "GET", "/wxa/get_page?access_token="+at, nil)
	g.refused(40001, "GET", "/wxa/gettemplatelist?access_token="+ct, nil)
}

func TestPushLogIsBounded(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		c := w.components.get(testComponent)
		for range maxPushes + maxPushes/20 + 1 {
			if _, err := w.pushInfo(c, map[string]string{"InfoType": "x"}, now, pushShape{suppress: true}); err != nil {
				return err
			}
		}
		if n := len(w.pushes.docs); n > maxPushes+maxPushes/20 {
			t.Errorf("%d pushes are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
