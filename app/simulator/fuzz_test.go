package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// fuzzTarget is a simulator with one authorised mini program, called without a network and without Run.
func fuzzTarget(f *testing.F) (handler http.Handler, ct, at string) {
	sim, err := New(Options{Seed: 1})
	if err != nil {
		f.Fatal(err)
	}
	handler = sim.Handler()
	err = sim.update(f.Context(), func(w *world, now int64) error {
		c := &component{AppID: testComponent, Secret: testSecret, Token: testToken, AESKey: keyV, AuthDomain: testAuthHost, AuditQuota: 1 << 30,
			SpeedupQuota: 1 << 30, PermissionSets: defaultPermissionSets(), Domains: []string{"api.example.com"}, NextDraftID: 2, NextTemplateID: 2}
		d := c.addDraft(draft{SourceAppID: "wx00000000000000d1", Version: "1", Pages: []string{"pages/index/index"}})
		c.Templates = []template{{TemplateID: 1, Draft: d}}
		w.components.put(c.AppID, c)
		m := w.newMiniProgram(testProgram, now)
		m.Admin = w.person("zhangsan").WechatID
		w.miniPrograms.put(m.AppID, m)
		if _, err := w.grant(c, m.AppID, allSets(), "", now); err != nil {
			return err
		}
		w.addTask(&task{ID: "task1", Kind: taskEnterprise, Component: c.AppID, Person: "zhangsan", Name: "示例贸易有限公司"}, now)
		ct, at = w.issueComponentToken(c, now).Value, w.issueAuthorizerToken(w.authorizationOf(c.AppID, m.AppID), now).Value
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return handler, ct, at
}

// fuzzRequest calls an endpoint with arbitrary query and body; an upload gets the body as its file.
func fuzzRequest(t testing.TB, ep endpoint, token, query, body string) *http.Request {
	values, err := url.ParseQuery(query)
	if err != nil {
		values = url.Values{"raw": {query}}
	}
	values.Set("access_token", token)
	method, kind := http.MethodGet, "application/json"
	if ep.post {
		method = http.MethodPost
	}
	if ep.file != "" && !strings.HasPrefix(body, "--") { // otherwise the form itself is arbitrary
		e := golden{Method: "POST", Path: ep.path, File: &goldenFile{Field: ep.file, Name: "a.png", Type: "raw:" + body}, Request: json.RawMessage(`{"type":"image"}`)}
		form, contentType := e.form(t)
		r := httptest.NewRequest(method, ep.path+"?"+values.Encode(), form)
		r.Header.Set("Content-Type", contentType)
		return r
	}
	if ep.file != "" {
		kind = "multipart/form-data; boundary=b"
	}
	r := httptest.NewRequest(method, ep.path+"?"+values.Encode(), strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

// FuzzWeChatCalls feeds every interface with arbitrary queries and bodies: the answer is always HTTP 200 and JSON with a
// known shape, or a picture.
func FuzzWeChatCalls(f *testing.F) {
	handler, ct, at := fuzzTarget(f)
	sim, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	eps := sim.endpoints
	index := map[string]int{}
	for i, ep := range eps {
		index[ep.path] = i
		f.Add(i, "", `{}`)
		f.Add(i, "action=get&page=-1&num=99999999999999999999", `{"action":"add","appid":7,"categories":[{}],"owner_setting":null,"auth_data":[],"page":-1}`)
	}
	for _, e := range allGolden(f) {
		q := url.Values{}
		for key, value := range e.Query {
			q.Set(key, value)
		}
		f.Add(index[e.Path], q.Encode(), string(e.Request))
	}
	f.Add(index["/wxa/uploadmedia"], "", "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a\"\r\n\r\nx\r\n--b--")
	f.Add(index["/wxa/uploadmedia"], "", "--b\r\n")
	f.Add(index["/wxa/commit"], "", `{"template_id":"1","ext_json":"{\"pages\":[]}","user_version":"1"}`)
	f.Add(index["/wxa/submit_audit"], "", `{"item_list":[{"first_id":304,"second_id":325,"address":"pages/index/index?a=1"}],"preview_info":{}}`)
	f.Add(index["/wxa/modify_domain"], "", `{"action":"set","requestdomain":["https://api.example.com:99999","https://%zz"]}`)
	f.Add(index["/wxa/grayrelease"], "", `{"gray_percentage":1e9,"auditid":"-1","draft_id":null}`)
	f.Add(index["/wxa/generatescheme"], "", `{"is_expire":true,"expire_time":9223372036854775807,"expire_interval":-9223372036854775808}`)
	f.Add(0, "", `[[[[`)
	f.Fuzz(func(t *testing.T, which int, query, body string) {
		ep := eps[uint(which)%uint(len(eps))]
		token := at
		if ep.token == componentToken {
			token = ct
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, fuzzRequest(t, ep, token, query, body))
		if rec.Code != http.StatusOK {
			t.Fatalf("%s with %q: HTTP %d %s", ep.path, body, rec.Code, rec.Body)
		}
		if !strings.HasPrefix(rec.Header().Get("Content-Type"), "image/") && !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%s with %q: %s", ep.path, body, rec.Body)
		}
	})
}

func FuzzControlBodies(f *testing.F) {
	handler, _, _ := fuzzTarget(f)
	paths := []string{"components", "miniprograms", "people", "drafts", "scan", "audits/" + testProgram, "unauthorize", "settings", "faults", "pushes",
		"violations", "violations/1", "logincodes", "registrations/task1", "reviews/230000009", "restrictions", "orders", "reports", "consents",
		"release-checks", "scenarios", "scenarios/check", "latency", "clock", "authorizations", "fleet", "tokens"}
	for i := range paths {
		f.Add(i, `{}`)
	}
	f.Add(0, `{"appid":"wx00000000000000c1","domains":["a.b"],"permission_sets":[18,18]}`)
	f.Add(4, `{"url":"http://h/?component_appid=wx00000000000000c1&pre_auth_code=x&redirect_uri=%","appid":"wx00000000000000a1"}`)
	f.Add(9, `{"kind":"info","component_appid":"wx00000000000000c1","xml":{"InfoType":"x","a":"]]>"},"duplicate":1}`)
	f.Add(9, `{"component_appid":"wx00000000000000c1","reorder":2,"drop":1}`)
	f.Add(10, `{"appid":"wx00000000000000a1","reason":"x"}`)
	f.Add(12, `{"appid":"wx00000000000000a1","person":"x"}`)
	f.Add(13, `{"action":"face_pass","status":-1,"person":"x"}`)
	f.Add(15, `{"component_appid":"wx00000000000000c1","punished":"all","test_accounts":["wx00000000000000a1"],"appid":"wx00000000000000a1","game":true}`)
	f.Add(16, `{"appid":"wx00000000000000a1","paid_amount":-9223372036854775808,"merchant_trade_no":"]]>"}`)
	f.Add(17, `{"appid":"wx00000000000000a1","error":"x","count":2147483647}`)
	f.Add(18, `{"appid":"wx00000000000000a1","template_id":"x","openid":"y"}`)
	f.Add(19, `{"component_appid":"wx00000000000000c1","group":-1,"scope":"all","wait_seconds":1}`)
	f.Add(20, `{"id":"a","text":"name: a\nneeds: platform\nsteps:\n  - await: {control: GET clock, expect: {a: {min: 1}}}\n"}`)
	f.Add(23, `{"advance_seconds":9223372036854775807,"speed":-1}`)
	f.Add(25, `{"count":-1}`)
	f.Add(7, `{"register_sets":[1e9],"trial_days":-1}`)
	f.Fuzz(func(t *testing.T, which int, body string) {
		path := paths[uint(which)%uint(len(paths))]
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest("POST", "/control/"+path, strings.NewReader(body)))
		if rec.Code >= http.StatusInternalServerError || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%s with %q: HTTP %d %s", path, body, rec.Code, rec.Body)
		}
	})
}

func FuzzPlatformAnswers(f *testing.F) {
	c := &component{AppID: testComponent, Token: testToken, AESKey: keyV}
	f.Add("success", "")
	f.Add("<xml><Encrypt>x</Encrypt></xml>", "TZTES2klOoif5nAQy0LGbhiZUmieUbRGlU3ZUiL5u/2yybJ5mNWzdfT2h4W8mDi4a5Uy2VMvYFC6l2linxwRdQ==")
	f.Add("<xml><Encrypt>", "Ekh0C4c+/19RB8XlbvKsoWT+HGGrgsOltTi5VaZvxhc=")
	f.Add("<!DOCTYPE xml [<!ENTITY a \"b\">]><xml>&a;</xml>", "!!")
	f.Fuzz(func(t *testing.T, answer, encrypted string) {
		judgeAnswer([]byte(answer), c, &push{ToUser: "gh_x"})
		env := envelopeFor(t, testToken, keyV, testComponent)
		if plain, err := env.decrypt(encrypted); err == nil && len(plain) > len(encrypted) {
			t.Errorf("decrypted %d bytes out of %d", len(plain), len(encrypted))
		}
		maskedXML(answer)
	})
}

func FuzzPushFields(f *testing.F) {
	f.Add("Reason", "a]]>b")
	f.Add("a b", "\x00")
	f.Fuzz(func(t *testing.T, name, value string) {
		text, err := buildXML([]xmlField{{name, value}})
		if err != nil {
			return
		}
		if strings.Count(text, "</"+name+">") < 1 || !strings.HasSuffix(text, "</xml>") {
			t.Errorf("%q", text)
		}
	})
}

func FuzzExtJSON(f *testing.F) {
	for _, text := range []string{"{}", "[]", `{"pages":null}`, `{"tabBar":{"list":[{}]}}`, ` {"extAppid":1}`, `{"subPackages":[{"root":"a","pages":["b"]}]}`, `"x"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := checkExtJSON(text, testProgram, draft{Pages: []string{"pages/index/index"}}); err != nil {
			if _, ok := err.(*apiError); !ok {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
