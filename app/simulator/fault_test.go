package simulator

import (
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
