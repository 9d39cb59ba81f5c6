package simulator

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
)

func TestLifeOfAMiniProgramFromBindingToRollback(t *testing.T) {
	g := startRig(t, Options{Seed: 7})
	ticket := g.bind()
	if !strings.HasPrefix(ticket, "ticket@@@") {
		t.Fatalf("ticket %q", ticket)
	}
	ct := g.componentToken(ticket)
	g.program(testProgram, nil)

	scan := g.control("scan", object{"url": authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent"),
		"appid": testProgram, "action": "confirm"})
	redirect := scan["redirect_to"].(string)
	if !strings.HasPrefix(redirect, "http://"+testAuthHost+"/auth/return/t1?x=1&auth_code=queryauthcode%40%40%40") || !strings.HasSuffix(redirect, "&expires_in=600") {
		t.Fatalf("redirect %s", redirect)
	}
	event := g.platform.wait("authorized")
	if event["AuthorizerAppid"] != testProgram || event["AppId"] != testComponent || event["PreAuthCode"] == "" {
		t.Fatalf("authorized event %v", event)
	}
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": event["AuthorizationCode"]})["authorization_info"].(object)
	at := info["authorizer_access_token"].(string)
	token := "?access_token=" + at

	g.control("drafts", object{"component_appid": testComponent, "user_version": "1.0.0", "user_desc": "首版"})
	drafts := g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any)
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": drafts[0].(object)["draft_id"]})
	if list := g.ok("GET", "/wxa/gettemplatelist?access_token="+ct, nil)["template_list"].([]any); len(list) != 1 {
		t.Fatalf("template list %v", list)
	}

	g.ok("POST", "/wxa/commit"+token, commitBody("1.0.0"))
	status, picture := g.send("GET", "/wxa/get_qrcode"+token+"&path=pages%2Findex%2Findex", nil)
	if _, err := jpeg.Decode(bytes.NewReader(picture)); err != nil || status != http.StatusOK {
		t.Fatalf("trial QR code: HTTP %d, %v", status, err)
	}
	g.refused(61039, "POST", "/wxa/submit_audit"+token, submitBody())
	g.advance(11)
	g.ok("GET", "/wxa/security/get_code_privacy_info"+token, nil)
	first := g.ok("POST", "/wxa/submit_audit"+token, submitBody())["auditid"]

	g.control("audits/"+testProgram, object{"result": "reject", "reason": "1:内容不符<br>2:无法登录", "screenshots": []string{"mA", "mB"}})
	fail := g.platform.wait("weapp_audit_fail")
	if fail["Reason"] != "1:内容不符<br>2:无法登录" || fail["ScreenShot"] != "mA|mB" || !strings.HasPrefix(fail["ToUserName"], "gh_") {
		t.Fatalf("fail event %v", fail)
	}
	asked := g.ok("POST", "/wxa/get_auditstatus"+token, object{"auditid": first})
	if asked["status"].(float64) != auditRejected || asked["reason"] != fail["Reason"] || asked["screenshot"] != "mA|mB" {
		t.Fatalf("status %v", asked)
	}
	g.refused(85020, "POST", "/wxa/release"+token, "{}")

	g.passed(at, "1.0.1")
	if latest := g.ok("GET", "/wxa/get_latest_auditstatus"+token, nil); latest["status"].(float64) != auditPassed || latest["user_version"] != "1.0.1" {
		t.Fatalf("latest %v", latest)
	}
	g.refused(85079, "POST", "/wxa/grayrelease"+token, object{"gray_percentage": 10})
	g.ok("POST", "/wxa/release"+token, "{}")
	g.refused(85052, "POST", "/wxa/release"+token, "{}")

	g.passed(at, "1.1.0")
	g.ok("POST", "/wxa/grayrelease"+token, object{"gray_percentage": 30})
	g.refused(85082, "POST", "/wxa/grayrelease"+token, object{"gray_percentage": 20})
	g.refused(87011, "GET", "/wxa/revertcoderelease"+token, nil)
	if plan := g.ok("GET", "/wxa/getgrayreleaseplan"+token, nil)["gray_release_plan"].(object); plan["status"].(float64) != grayRunning || plan["gray_percentage"].(float64) != 30 {
		t.Fatalf("plan %v", plan)
	}
	g.onlineIs(at, "1.0.1")
	g.ok("POST", "/wxa/grayrelease"+token, object{"gray_percentage": 100})
	g.onlineIs(at, "1.1.0")

	history := g.ok("GET", "/wxa/revertcoderelease"+token+"&action=get_history_version", nil)["version_list"].([]any)
	if len(history) != 1 || history[0].(object)["user_version"] != "1.0.1" {
		t.Fatalf("history %v", history)
	}
	g.ok("GET", "/wxa/revertcoderelease"+token, nil)
	g.onlineIs(at, "1.0.1")
	g.refused(87012, "GET", "/wxa/revertcoderelease"+token, nil)
}

func (g *rig) onlineIs(at, version string) {
	g.t.Helper()
	info := g.ok("POST", "/wxa/getversioninfo?access_token="+at, "{}")
	if got := info["release_info"].(object)["release_version"]; got != version {
		g.t.Fatalf("online is %v, want %s", got, version)
	}
}

func TestReauthorisationPushesOnlyRealChanges(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	g.platform.wait("authorized")
	before := g.platform.count()

	_, refresh := g.authorize(ct, testProgram) // same selection
	if g.platform.count() != before {
		t.Error("the same selection pushed an event")
	}
	_, changed := g.authorize(ct, testProgram, 18)
	if event := g.platform.wait("updateauthorized"); event["AuthorizerAppid"] != testProgram || event["AuthorizationCode"] == "" {
		t.Errorf("event %v", event)
	}
	if changed != refresh {
		t.Error("refresh token changed although the authorisation never ended")
	}
	g.refused(61007, "GET", "/wxa/get_page?access_token="+at, nil)

	g.control("unauthorize", object{"component_appid": testComponent, "appid": testProgram})
	g.platform.wait("unauthorized")
	g.refused(61003, "GET", "/wxa/get_page?access_token="+at, nil)
	list := g.ok("POST", "/cgi-bin/component/api_get_authorizer_list?access_token="+ct, object{"component_appid": testComponent, "offset": 0, "count": 10})
	if list["total_count"].(float64) != 0 {
		t.Errorf("list %v", list)
	}
	fresh, renewed := g.authorize(ct, testProgram)
	g.platform.wait("authorized")
	if renewed == refresh {
		t.Error("refresh token survived the end of the authorisation")
	}
	g.refused(40001, "GET", "/wxa/get_page?access_token="+at, nil)
	g.refused(86001, "GET", "/wxa/get_page?access_token="+fresh, nil)
}

func TestAuthorizerListHidesRefreshTokenUntilTheCodeIsExchanged(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	g.control("scan", object{"url": authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/safe/bindcomponent"), "appid": testProgram})
	ask := func() object {
		list := g.ok("POST", "/cgi-bin/component/api_get_authorizer_list?access_token="+ct, object{"component_appid": testComponent, "offset": 0, "count": 500})
		return list["list"].([]any)[0].(object)
	}
	if got := ask()["refresh_token"]; got != "" {
		t.Errorf("refresh token %v before the exchange", got)
	}
	code := g.platform.wait("authorized")["AuthorizationCode"]
	g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent, "authorization_code": code})
	if got := ask()["refresh_token"].(string); !strings.HasPrefix(got, "refreshtoken@@@") {
		t.Errorf("refresh token %v after the exchange", got)
	}
}

func TestExclusiveSetStaysWithOnePlatform(t *testing.T) {
	g := startRig(t, Options{})
	g.ready()
	other := "wx00000000000000c2"
	g.control("components", object{"appid": other, "name": "另一家", "secret": testSecret, "token": testToken, "aes_key": keyV, "auth_domain": testAuthHost})
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		w.preAuthCodes.put("preauthcode@@@other", &preAuthCode{Value: "preauthcode@@@other", Component: other, ExpiresMs: now + 1000_000})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := g.control("scan", object{"pre_auth_code": "preauthcode@@@other", "redirect_uri": "http://" + testAuthHost + "/r", "appid": testProgram})
	for _, id := range out["granted"].([]any) {
		if exclusiveSets[int(id.(float64))] {
			t.Errorf("exclusive set %v went to a second platform", id)
		}
	}
	missing := false
	for _, id := range out["not_granted"].([]any) {
		missing = missing || id.(float64) == 18
	}
	if !missing {
		t.Errorf("set 18 is not reported as missing: %v", out)
	}
}

func TestAuditPushCanBeDroppedAndTheStatusStillChanges(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.submitted(at, "1.0.0")
	g.control("audits/"+testProgram, object{"result": "pass", "push": false})
	if latest := g.ok("GET", "/wxa/get_latest_auditstatus?access_token="+at, nil); latest["status"].(float64) != auditPassed {
		t.Errorf("latest %v", latest)
	}
	dropped := g.control("pushes?state=dropped&kind=weapp_audit_success", nil)["items"].([]any)
	g.platform.mu.Lock()
	defer g.platform.mu.Unlock()
	if len(dropped) != 1 {
		t.Errorf("dropped %v", dropped)
	}
	for _, in := range g.platform.got {
		if in.fields["Event"] == "weapp_audit_success" {
			t.Errorf("received %v", in.fields)
		}
	}
}
