package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// submitPage sends a form as the phone's browser does, without following the redirect.
func (g *rig) submitPage(path string, form url.Values) (int, string, string) {
	g.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(g.server.URL+path, form)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.pageOf(resp)
}

// openPage opens an address without following the redirect.
func (g *rig) openPage(path string) (int, string, string) {
	g.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(g.server.URL + path)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.pageOf(resp)
}

func (g *rig) pageOf(resp *http.Response) (status int, location, body string) {
	g.t.Helper()
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), b.String()
}

// officialReady is a platform with an authorised official account.
func (g *rig) officialReady() (ct, at string) {
	g.t.Helper()
	ct = g.componentToken(g.bind())
	g.control("components", object{"appid": testComponent, "permission_sets": []int{17, 18, 25, 27, 30, 40}})
	g.program(testProgram, object{"official": true})
	at, _ = g.authorize(ct, testProgram)
	return ct, at
}

func TestOfficialAccountLendsItsSubjectToANewMiniProgram(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.officialReady()
	AT := "?access_token=" + at
	link := "/cgi-bin/fastregisterauth?" + url.Values{"appid": {testProgram}, "component_appid": {testComponent}, "copy_wx_verify": {"1"},
		"redirect_uri": {"http://" + testAuthHost + "/back?a=1"}}.Encode()
	status, page, _ := g.openPage(link)
	if status != http.StatusSeeOther || !strings.HasPrefix(page, "/sim/task/") {
		t.Fatalf("HTTP %d to %q", status, page)
	}
	g.refused(61058, "POST", "/cgi-bin/account/fastregister"+AT, object{"ticket": strings.TrimPrefix(page, "/sim/task/")})
	if _, _, body := g.openPage(page); !strings.Contains(body, "复用公众号主体注册") {
		t.Errorf("page %s", body)
	}
	status, back, _ := g.submitPage(page, url.Values{"action": {"confirm"}})
	to, err := url.Parse(back)
	if err != nil || status != http.StatusSeeOther || to.Host != testAuthHost || to.Query().Get("a") != "1" {
		t.Fatalf("HTTP %d to %q", status, back)
	}
	ticket := object{"ticket": to.Query().Get("ticket")}
	made := g.ok("POST", "/cgi-bin/account/fastregister"+AT, ticket)
	if made["is_wx_verify_succ"] != "true" || made["is_link_succ"] != "true" {
		t.Errorf("answer %v", made)
	}
	g.refused(61058, "POST", "/cgi-bin/account/fastregister"+AT, ticket)
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": made["authorization_code"]})["authorization_info"].(object)
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo?access_token="+info["authorizer_access_token"].(string), nil)
	if basic["principal_name"] != "示例商贸有限公司" || basic["account_type"].(float64) != 3 {
		t.Errorf("basic info %v", basic)
	}
	g.control("miniprograms", object{"appid": testProgram, "verify_type": -1})
	g.refused(61052, "POST", "/cgi-bin/account/fastregister"+AT, ticket)
	g.control("miniprograms", object{"appid": testProgram, "principal_type": 0})
	g.refused(61051, "POST", "/cgi-bin/account/fastregister"+AT, ticket)
	g.control("components", object{"appid": testComponent, "permission_sets": []int{27}})
	g.refused(61029, "POST", "/cgi-bin/account/fastregister"+AT, ticket)
}

func TestPagesOfTasksRefuseForeignAddresses(t *testing.T) {
	g := startRig(t, Options{})
	g.officialReady()
	for why, q := range map[string]url.Values{
		"component": {"appid": {testProgram}, "component_appid": {"wxnone"}, "redirect_uri": {"http://" + testAuthHost + "/"}},
		"account":   {"appid": {"wxnone"}, "component_appid": {testComponent}, "redirect_uri": {"http://" + testAuthHost + "/"}},
		"redirect":  {"appid": {testProgram}, "component_appid": {testComponent}, "redirect_uri": {"http://evil.example.test/"}},
	} {
		if status, to, body := g.openPage("/cgi-bin/fastregisterauth?" + q.Encode()); status != http.StatusOK || to != "" || !strings.Contains(body, "无效") {
			t.Errorf("%s: HTTP %d to %q", why, status, to)
		}
	}
	if _, _, body := g.openPage("/sim/task/none"); !strings.Contains(body, "链接无效") {
		t.Error("an unknown task has a page")
	}
}

func TestAdministratorIsRebound(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.ok("POST", "/cgi-bin/component/fastregisterweapp?action=create&component_access_token="+ct, enterpriseBody(1))
	page := "/sim/task/" + g.taskOf("enterprise")["id"].(string)
	if _, _, body := g.submitPage(page, url.Values{"action": {"face_pass"}, "status": {"x"}}); !strings.Contains(body, "应为数字") {
		t.Error("a wrong status is not refused on the page")
	}
	if status, to, _ := g.submitPage(page, url.Values{"action": {"face_pass"}, "status": {"0"}, "person": {"faren_0001"}}); status != http.StatusSeeOther || to != page {
		t.Fatalf("HTTP %d to %q", status, to)
	}
	push := g.platform.wait("notify_third_fasteregister")
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": push["auth_code"]})["authorization_info"].(object)
	link := "/wxopen/componentrebindadmin?" + url.Values{"appid": {push["appid"]}, "component_appid": {testComponent}, "redirect_uri": {"http://" + testAuthHost + "/"}}.Encode()
	_, task, _ := g.openPage(link)
	_, back, _ := g.submitPage(task, url.Values{"action": {"confirm"}, "person": {"xinguanli_1"}})
	to, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	rebind := "/cgi-bin/account/componentrebindadmin?access_token=" + info["authorizer_access_token"].(string)
	g.ok("POST", rebind, object{"taskid": to.Query().Get("taskid")})
	g.refused(85060, "POST", rebind, object{"taskid": to.Query().Get("taskid")})
	if m := g.control("miniprograms?appid="+push["appid"], nil)["items"].([]any)[0].(object); m["admin"] != "xinguanli_1" {
		t.Errorf("administrator %v", m["admin"])
	}
}
