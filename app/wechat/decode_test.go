package wechat

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBodiesAreRawUTF8(t *testing.T) {
	for _, text := range []string{"夏季版", "<b>&'\"", "行\u2028段\u2029末", `\\u2028 \u2028`, "\\", "笔😀", "a\tb\nc\u0001"} {
		body, err := encode(map[string]string{"t": text})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(body, &back); err != nil || back["t"] != text {
			t.Errorf("%q became %s: %v", text, body, err)
		}
		for _, escape := range []string{`\u4e`, `\u003c`, `\u0026`, `\ud83d`} {
			if strings.Contains(string(body), escape) {
				t.Errorf("%s holds %s", body, escape)
			}
		}
	}
	body, err := encode(map[string]string{"t": "行\u2028段\u2029末"})
	if err != nil || string(body) != "{\"t\":\"行\u2028段\u2029末\"}" {
		t.Errorf("%q %v", body, err)
	}
}

func TestAnswersThatAreNoneOfTheFieldsKindAreErrors(t *testing.T) {
	type answer struct {
		N int64    `json:"n"`
		F float64  `json:"f"`
		B bool     `json:"b"`
		S string   `json:"s"`
		L []string `json:"l"`
		O struct {
			X int `json:"x"`
		} `json:"o"`
	}
	for body, bad := range map[string]bool{
		`{"n":"7","f":"1.5","b":"1","s":7,"l":"a","o":[]}`: false,
		`{"n":"","b":"","l":"","o":""}`:                    false,
		`{"N":7,"L":null}`:                                 false,
		`{"n":7.0,"b":1}`:                                  false,
		`{"n":"soon"}`:                                     true,
		`{"n":1.5}`:                                        true,
		`{"f":"much"}`:                                     true,
		`{"b":"perhaps"}`:                                  true,
		`{"s":{}}`:                                         true,
		`{"o":7}`:                                          true,
		`{"n":7} {"n":8}`:                                  true,
		`{"n":7}9`:                                         true,
		`{`:                                                true,
	} {
		var out answer
		if err := decode([]byte(body), &out); (err != nil) != bad {
			t.Errorf("%s: %+v, %v", body, out, err)
		}
	}
	var out answer
	if err := decode([]byte(`{"n":"7","f":"1.5","b":"1","s":7,"l":"a","o":{"x":"3"}}`), &out); err != nil || out.N != 7 || out.F != 1.5 || !out.B || out.S != "7" || len(out.L) != 1 || out.O.X != 3 {
		t.Errorf("%+v %v", out, err)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"errcode":0,"list":[{"authorizer_appid":"wx","auth_time":"7"}],"total_count":"1"}`,
		`{"errcode":"0","authorizer_info":{"service_type_info":{"id":"2"},"MiniProgramInfo":{"network":[],"categories":{}}}}`,
		`{"identity_tree_list":{"node_id":"1","node_list":[{"node_list":null}]}}`,
		`{"status":1,"ScreenShot":"a|b","auditid":"9007199254740993"}`,
		`{"icp_subject":"","icp_applets":{"base_info":{"service_content_types":"3"}}}`,
		`{"visit_uv":{"devices":[{"id":1e3}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, out := range []any{
			new(AuthorizerPage), new(authorizerWire), new(auditWire), new(domainWire), new(BasicInfo), new(PrivacyGuide), new(Filing),
			new(CertificationState), new(Portraits), new(LogPage), new(struct {
				List []IdentityNode `json:"identity_tree_list"`
			}),
		} {
			if err := decode(body, out); err == nil && !json.Valid(body) {
				t.Errorf("%q is no JSON and was read as %+v", body, out)
			}
		}
	})
}
