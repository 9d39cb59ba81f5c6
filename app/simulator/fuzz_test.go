package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
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
		if _, err := w.grant(c, m.AppID, c.PermissionSets, "", now); err != nil {
			return err
		}
		ct, at = w.issueComponentToken(c, now).Value, w.issueAuthorizerToken(w.authorizationOf(c.AppID, m.AppID), now).Value
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return handler, ct, at
}

// postPaths are all interfaces with a body.
func postPaths() []endpoint {
	out := []endpoint{}
	for _, ep := range endpoints(nil) {
		if ep.post {
			out = append(out, ep)
		}
	}
	return out
}

func FuzzWeChatBodies(f *testing.F) {
	handler, ct, at := fuzzTarget(f)
	paths := postPaths()
	for i := range paths {
		f.Add(i, `{}`)
		f.Add(i, `{"component_appid":"`+testComponent+`","authorizer_appid":"`+testProgram+`"}`)
	}
	f.Add(0, `{"template_id":"1","ext_json":"{\"pages\":[]}","user_version":"1"}`)
	f.Add(0, `{"item_list":[{"first_id":304,"second_id":325,"address":"pages/index/index?a=1"}],"preview_info":{}}`)
	f.Add(0, `{"action":"set","requestdomain":["https://api.example.com:99999","https://%zz"]}`)
	f.Add(0, `{"gray_percentage":1e9,"auditid":"-1","draft_id":null}`)
	f.Add(0, `[[[[`)
	f.Fuzz(func(t *testing.T, which int, body string) {
		ep := paths[uint(which)%uint(len(paths))]
		token := at
		if ep.token == componentToken {
			token = ct
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest("POST", ep.path+"?access_token="+token, strings.NewReader(body)))
		if rec.Code != http.StatusOK || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%s with %q: HTTP %d %s", ep.path, body, rec.Code, rec.Body)
		}
	})
}

func FuzzControlBodies(f *testing.F) {
	handler, _, _ := fuzzTarget(f)
	paths := []string{"components", "miniprograms", "people", "drafts", "scan", "audits/" + testProgram, "unauthorize", "settings", "faults", "pushes"}
	for i := range paths {
		f.Add(i, `{}`)
	}
	f.Add(0, `{"appid":"wx00000000000000c1","domains":["a.b"],"permission_sets":[18,18]}`)
	f.Add(4, `{"url":"http://h/?component_appid=wx00000000000000c1&pre_auth_code=x&redirect_uri=%","appid":"wx00000000000000a1"}`)
	f.Add(9, `{"kind":"info","component_appid":"wx00000000000000c1","xml":{"InfoType":"x","a":"]]>"},"duplicate":1}`)
	f.Add(9, `{"component_appid":"wx00000000000000c1","reorder":2,"drop":1}`)
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
