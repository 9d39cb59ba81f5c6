package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFaultsHitAsOftenAsAskedAndLeaveATrace(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	path := "/wxa/commit?access_token=" + at
	g.control("faults", object{"path": "/wxa/commit", "appid": testProgram, "errcode": 45009, "times": 2})
	g.refused(45009, "POST", path, commitBody("1"))
	g.refused(45009, "POST", path, commitBody("1"))
	g.ok("POST", path, commitBody("1"))
	if left := g.control("faults", nil)["items"].([]any); len(left) != 0 {
		t.Errorf("faults left %v", left)
	}
	calls := g.control("calls?path=/wxa/commit&errcode=45009", nil)
	if calls["total"].(float64) != 2 || !strings.Contains(calls["items"].([]any)[0].(object)["fault"].(string), "45009") {
		t.Errorf("calls %v", calls)
	}
}

func TestFaultOfAnotherAppidDoesNotHit(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("faults", object{"path": "*", "appid": "wx00000000000000zz", "errcode": -1, "times": -1})
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
	g.control("faults", object{"path": "*", "appid": testComponent, "errcode": -1, "times": -1})
	g.refused(-1, "POST", "/wxa/commit?access_token="+at, commitBody("1"))
	status, raw := g.send("DELETE", "/control/faults", nil)
	if status != http.StatusOK || string(raw) != "{\"removed\":2}\n" {
		t.Errorf("delete: HTTP %d %s", status, raw)
	}
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
}

func TestHTTPFaultAnswersTheStatusAndDelayOnlyWaits(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("faults", object{"path": "/wxa/get_category", "http_status": 502})
	if status, raw := g.send("GET", "/wxa/get_category?access_token="+at, nil); status != 502 || strings.Contains(string(raw), "{") {
		t.Errorf("HTTP %d %s", status, raw)
	}
	g.control("faults", object{"path": "/wxa/get_category", "delay_ms": 60})
	start := time.Now()
	g.ok("GET", "/wxa/get_category?access_token="+at, nil)
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}

func TestFaultAfterTheEffectLosesOnlyTheAnswer(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
	g.advance(11)
	g.control("faults", object{"path": "/wxa/submit_audit", "drop": true, "after": true})
	resp, err := http.Post(g.server.URL+"/wxa/submit_audit?access_token="+at, "application/json",
		strings.NewReader(`{"item_list":[{"first_class":"商家自营","second_class":"食品饮料","first_id":304,"second_id":325}]}`))
	if err == nil {
		resp.Body.Close()
		t.Fatalf("the connection was not closed: HTTP %d", resp.StatusCode)
	}
	g.refused(85009, "POST", "/wxa/submit_audit?access_token="+at, submitBody())

	// for ever, since net/http repeats an idempotent request on a lost connection by itself
	g.control("faults", object{"path": "/wxa/undocodeaudit", "drop": true, "times": -1})
	if resp, err := http.Get(g.server.URL + "/wxa/undocodeaudit?access_token=" + at); err == nil {
		resp.Body.Close()
		t.Fatal("the connection was not closed")
	}
	if latest := g.ok("GET", "/wxa/get_latest_auditstatus?access_token="+at, nil)["status"].(float64); latest != auditRunning {
		t.Errorf("a call that was dropped before its effect changed the status to %v", latest)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	g := startRig(t, Options{})
	for field, body := range map[string]object{
		"path":        {"errcode": 1},
		"errcode":     {"path": "*"},
		"http_status": {"path": "*", "http_status": 99},
		"delay_ms":    {"path": "*", "delay_ms": -5},
		"times":       {"path": "*", "errcode": 1, "times": -2},
	} {
		g.controlRefused(400, field, "POST", "faults", body)
	}
	g.controlRefused(404, "id", "DELETE", "faults?id=77", nil)
}

func TestCallLogNeverHoldsSecrets(t *testing.T) {
	g := startRig(t, Options{})
	ticket := g.bind()
	ct := g.componentToken(ticket)
	g.program(testProgram, nil)
	at, refresh := g.authorize(ct, testProgram)
	g.ok("POST", "/cgi-bin/component/api_authorizer_token?access_token="+ct, object{"component_appid": testComponent,
		"authorizer_appid": testProgram, "authorizer_refresh_token": refresh})
	g.refused(86001, "GET", "/wxa/get_page?access_token="+at, nil)
	for _, path := range []string{"/control/calls?limit=1000", "/control/pushes", "/control/components", "/control/authorizations", "/console/calls", "/console/pushes", "/console/components/" + testComponent} {
		_, raw := g.send("GET", path, nil)
		for name, secret := range map[string]string{"ticket": ticket, "component token": ct, "authorizer token": at, "refresh token": refresh, "app secret": testSecret, "AES key": keyV} {
			// The platform app's own page is where a person copies its keys from.
			own := path == "/console/components/"+testComponent && (name == "app secret" || name == "AES key")
			if strings.Contains(string(raw), secret) != own {
				t.Errorf("%s: shows the %s: %v", path, name, !own)
			}
		}
	}
	commit := g.control("calls?path=/cgi-bin/component/*", nil)
	one := commit["items"].([]any)[0].(object)
	if len(one["body_sha256"].(string)) != 64 || !ridPattern.MatchString(one["rid"].(string)) || one["component_appid"] != testComponent {
		t.Errorf("call %v", one)
	}
}

func TestRidLeadsBackToTheCall(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	out := g.call("GET", "/wxa/get_page?access_token="+at, nil)
	rid := out["errmsg"].(string)[strings.LastIndex(out["errmsg"].(string), " ")+1:]
	found := g.ok("POST", "/cgi-bin/openapi/rid/get?access_token="+ct, object{"rid": rid})["request"].(object)
	if !strings.HasPrefix(found["request_url"].(string), "/wxa/get_page") || !strings.Contains(found["response_body"].(string), "86001") {
		t.Errorf("request %v", found)
	}
}

func TestAnswersAreSpoiledAfterTheCallTookEffect(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	path := "/wxa/commit?access_token=" + at
	for _, c := range []struct {
		fault object
		seen  func(status int, kind string, body []byte, err error) bool
	}{
		{object{"content_type": "text/html"}, func(_ int, kind string, body []byte, _ error) bool {
			return kind == "text/html" && json.Valid(body)
		}},
		{object{"broken": "json"}, func(status int, _ string, body []byte, _ error) bool {
			return status == 200 && len(body) > 0 && !json.Valid(body)
		}},
		{object{"broken": "html"}, func(_ int, kind string, body []byte, _ error) bool {
			return strings.HasPrefix(kind, "text/html") && strings.Contains(string(body), "<html>")
		}},
		{object{"broken": "empty"}, func(status int, _ string, body []byte, err error) bool {
			return status == 200 && len(body) == 0 && err == nil
		}},
		{object{"broken": "cut"}, func(_ int, _ string, _ []byte, err error) bool { return err != nil }},
	} {
		version := fmt.Sprint("v-", c.fault)
		c.fault["path"] = "/wxa/com*"
		g.control("faults", c.fault)
		raw, err := json.Marshal(commitBody(version))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(g.server.URL+path, "application/json", bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !c.seen(resp.StatusCode, resp.Header.Get("Content-Type"), body, err) {
			t.Errorf("%v: HTTP %d %s %q %v", c.fault, resp.StatusCode, resp.Header.Get("Content-Type"), body, err)
		}
		g.sim.mu.Lock()
		if got := g.sim.world.miniPrograms.get(testProgram).Trial; got == nil || got.Version != version {
			t.Errorf("%v: the call did not take effect", c.fault)
		}
		g.sim.mu.Unlock()
	}
}

func TestAFaultHitsAShareOfTheCalls(t *testing.T) {
	g := startRig(t, Options{Seed: 5})
	_, at := g.ready()
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
	f := g.control("faults", object{"path": "/wxa/get_page", "errcode": -1, "percent": 30})
	if f["times"].(float64) != -1 {
		t.Errorf("a percentage lasts for ever, not %v times", f["times"])
	}
	hits := 0
	for range 300 {
		if errcode(g.call("GET", "/wxa/get_page?access_token="+at, nil)) == -1 {
			hits++
		}
	}
	if hits < 60 || hits > 120 {
		t.Errorf("30%% of 300 calls hit %d", hits)
	}
	g.controlRefused(400, "percent", "POST", "faults", object{"path": "*", "errcode": 1, "percent": 101})
	g.controlRefused(400, "broken", "POST", "faults", object{"path": "*", "broken": "x"})
	g.controlRefused(400, "path", "POST", "faults", object{"path": "wxa", "errcode": 1})
}

func TestStatedLatencyOfAPath(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("latency", object{"path": "/wxa/*", "latency_ms": 1})
	g.control("latency", object{"path": "/wxa/get_category", "latency_ms": 40})
	start := time.Now()
	g.ok("GET", "/wxa/get_category?access_token="+at, nil)
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
	if w := g.sim.world; w.latencyOf("/wxa/commit") != time.Millisecond || w.latencyOf("/cgi-bin/x") != 0 {
		t.Errorf("latency %s and %s", w.latencyOf("/wxa/commit"), w.latencyOf("/cgi-bin/x"))
	}
	g.control("latency", object{"path": "/wxa/get_category", "latency_ms": 0})
	if left := g.control("latency", nil); len(left) != 1 {
		t.Errorf("latency %v", left)
	}
	g.controlRefused(400, "path", "POST", "latency", object{"path": "x", "latency_ms": 1})
	g.controlRefused(400, "latency_ms", "POST", "latency", object{"path": "*", "latency_ms": -1})
}
