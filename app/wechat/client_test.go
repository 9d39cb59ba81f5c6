package wechat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// upstream is a WeChat that records the last request and gives a fixed answer.
type upstream struct {
	status      int
	contentType string
	answer      string
	calls       int
	method      string
	path        string
	query       url.Values
	body        string
	sentType    string
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	u.calls++
	u.method, u.path, u.query, u.body, u.sentType = r.Method, r.URL.Path, r.URL.Query(), string(b), r.Header.Get("Content-Type")
	if u.contentType != "" {
		w.Header().Set("Content-Type", u.contentType)
	}
	if u.status != 0 {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(u.status)
	}
	fmt.Fprint(w, u.answer)
}

// direct is a Transport that sends everything with one token.
type direct struct{ c *Client }

func (d direct) Do(ctx context.Context, req Request) (Response, error) {
	e, ok := LookupEndpoint(req.Endpoint)
	if !ok {
		return Response{}, fmt.Errorf("no endpoint %q", req.Endpoint)
	}
	return d.c.Send(ctx, e, "TOKEN", req)
}

func serve(t *testing.T, u *upstream) (*Client, MiniProgram, Component) {
	t.Helper()
	s := httptest.NewServer(u)
	t.Cleanup(s.Close)
	c := &Client{BaseURL: s.URL + "/", HTTP: s.Client()}
	return c, MiniProgram{Transport: direct{c}, AppID: "wxa"}, Component{Transport: direct{c}, AppID: "wxc"}
}

func TestTypedCallsSendWhatWeChatExpects(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		answer, method, path, query, body string
		call                              func(m MiniProgram, c Component) (any, error)
		want                              any
	}{
		"commit": {`{"errcode":0}`, "POST", "/wxa/commit", "access_token=TOKEN",
			`{"template_id":0,"ext_json":"{\"a\":\"<你>\"}","user_version":"1.0","user_desc":"夏季 & 版"}`,
			func(m MiniProgram, _ Component) (any, error) {
				return nil, m.Commit(ctx, Commit{ExtJSON: `{"a":"<你>"}`, UserVersion: "1.0", UserDesc: "夏季 & 版"})
			}, nil},
		"commit without ext_json": {`{}`, "POST", "/wxa/commit", "access_token=TOKEN",
			`{"template_id":3,"ext_json":"{}","user_version":"","user_desc":""}`,
			func(m MiniProgram, _ Component) (any, error) { return nil, m.Commit(ctx, Commit{TemplateID: 3}) }, nil},
		"pages": {`{"errcode":"0","page_list":["pages/a"]}`, "GET", "/wxa/get_page", "access_token=TOKEN", "",
			func(m MiniProgram, _ Component) (any, error) { return m.Pages(ctx) }, []string{"pages/a"}},
		"submit": {`{"errcode":0,"auditid":"9007199254740993"}`, "POST", "/wxa/submit_audit", "access_token=TOKEN",
			`{"item_list":[{"title":"首页","first_class":"商","second_class":"食","first_id":1,"second_id":2}],"preview_info":{"pic_id_list":["m"],"video_id_list":[]}}`,
			func(m MiniProgram, _ Component) (any, error) {
				return m.SubmitAudit(ctx, Submit{Items: []AuditItem{Category{FirstClass: "商", SecondClass: "食", FirstID: 1, SecondID: 2}.Item("", "首页")}, Preview: &AuditPreview{Pictures: []string{"m"}}})
			}, int64(9007199254740993)},
		"latest audit": {`{"errcode":0,"status":1,"reason":"a<br>b","ScreenShot":"x|y","auditid":5,"submit_audit_time":7}`, "GET", "/wxa/get_latest_auditstatus", "access_token=TOKEN", "",
			func(m MiniProgram, _ Component) (any, error) { s, _, err := m.LatestAudit(ctx); return s, err },
			AuditStatus{AuditID: 5, Status: AuditRejected, Reason: "a<br>b", Screenshots: []string{"x", "y"}, SubmittedAt: 7}},
		"release": {`{"errcode":0}`, "POST", "/wxa/release", "access_token=TOKEN", `{}`,
			func(m MiniProgram, _ Component) (any, error) { return nil, m.Release(ctx) }, nil},
		"gray": {`{"errcode":0}`, "POST", "/wxa/grayrelease", "access_token=TOKEN", `{"gray_percentage":0,"support_experiencer_first":true}`,
			func(m MiniProgram, _ Component) (any, error) {
				return nil, m.GrayRelease(ctx, Gray{ExperiencersFirst: true})
			}, nil},
		"no gray plan": {`{"errcode":0,"gray_release_plan":{}}`, "GET", "/wxa/getgrayreleaseplan", "access_token=TOKEN", "",
			func(m MiniProgram, _ Component) (any, error) { return m.GrayPlan(ctx) }, (*GrayPlan)(nil)},
		"rollback": {`{"errcode":0}`, "GET", "/wxa/revertcoderelease", "access_token=TOKEN&app_version=4", "",
			func(m MiniProgram, _ Component) (any, error) { return nil, m.Rollback(ctx, 4) }, nil},
		"history": {`{"version_list":{"app_version":"4","user_version":"1"}}`, "GET", "/wxa/revertcoderelease", "access_token=TOKEN&action=get_history_version", "",
			func(m MiniProgram, _ Component) (any, error) { return m.History(ctx) }, []HistoryVersion{{AppVersion: 4, UserVersion: "1"}}},
		"version info of a new one": {`{"errcode":0,"exp_info":{"exp_version":"1.0"},"release_info":""}`, "POST", "/wxa/getversioninfo", "access_token=TOKEN", `{}`,
			func(m MiniProgram, _ Component) (any, error) { return m.VersionInfo(ctx) }, VersionInfo{Trial: &TrialVersion{Version: "1.0"}}},
		"testers": {`{"members":null}`, "POST", "/wxa/memberauth", "access_token=TOKEN", `{"action":"get_experiencer"}`,
			func(m MiniProgram, _ Component) (any, error) { return m.Testers(ctx) }, []Tester(nil)},
		"domains": {`{"errcode":0,"requestdomain":["https://a"]}`, "POST", "/wxa/modify_domain", "access_token=TOKEN", `{"action":"get"}`,
			func(m MiniProgram, _ Component) (any, error) { return m.ModifyDomain(ctx, DomainGet, Domains{}) },
			DomainResult{Domains: Domains{Request: []string{"https://a"}}}},
		"drafts": {`{"draft_list":[{"draft_id":0,"user_version":"1.4.0","source_miniprogram_appid":"wxd","category_list":[]}]}`, "GET", "/wxa/gettemplatedraftlist", "access_token=TOKEN", "",
			func(_ MiniProgram, c Component) (any, error) { return c.Drafts(ctx) }, []Draft{{UserVersion: "1.4.0", SourceAppID: "wxd"}}},
		"templates": {`{"template_list":[{"template_id":"7","draft_id":0}]}`, "GET", "/wxa/gettemplatelist", "access_token=TOKEN&template_type=0", "",
			func(_ MiniProgram, c Component) (any, error) { return c.Templates(ctx) }, []Template{{ID: 7}}},
		"server domains": {`{"published_wxa_server_domain":"a;b"}`, "POST", "/cgi-bin/component/modify_wxa_server_domain", "access_token=TOKEN",
			`{"action":"add","is_modify_published_together":true,"wxa_server_domain":"a;b"}`,
			func(_ MiniProgram, c Component) (any, error) {
				return c.ModifyServerDomain(ctx, DomainAdd, []string{"a", "b"}, true)
			}, ServerDomains{Published: "a;b"}},
		"basic info": {`{"appid":"wxa","nickname":"店","wx_verify_info":{"qualification_verify":1},"head_image_info":[]}`, "GET", "/cgi-bin/account/getaccountbasicinfo", "access_token=TOKEN", "",
			func(m MiniProgram, _ Component) (any, error) { return m.BasicInfo(ctx) },
			BasicInfo{AppID: "wxa", Nickname: "店", Verify: VerifyInfo{Qualification: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			u := &upstream{answer: c.answer}
			_, m, comp := serve(t, u)
			got, err := c.call(m, comp)
			if err != nil {
				t.Fatal(err)
			}
			if c.want != nil && !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if u.method != c.method || u.path != c.path || u.query.Encode() != c.query || u.body != c.body {
				t.Errorf("sent %s %s?%s %s", u.method, u.path, u.query.Encode(), u.body)
			}
		})
	}
}

func TestTokenCalls(t *testing.T) {
	ctx := context.Background()
	u := &upstream{answer: `{"component_access_token":"CT","expires_in":7200}`}
	c, _, _ := serve(t, u)
	if tok, err := c.ComponentToken(ctx, "wxc", "S", "ticket@@@1"); err != nil || tok != (IssuedToken{"CT", 2 * time.Hour}) {
		t.Errorf("%+v %v", tok, err)
	}
	if u.query.Encode() != "" || u.body != `{"component_appid":"wxc","component_appsecret":"S","component_verify_ticket":"ticket@@@1"}` {
		t.Errorf("sent ?%s %s", u.query.Encode(), u.body)
	}
	u.answer = `{"authorization_info":{"authorizer_appid":"wxa","authorizer_access_token":"AT","expires_in":"7200","authorizer_refresh_token":"RT","func_info":[{"funcscope_category":{"id":17}},{"funcscope_category":{"id":18}}]}}`
	g, err := c.QueryAuth(ctx, "wxc", "CT", "code")
	if want := (Grant{"wxa", "AT", "RT", 2 * time.Hour, []int{17, 18}}); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("%+v %v", g, err)
	}
	u.answer = `{"authorizer_access_token":"AT2","expires_in":7200}`
	if tok, err := c.AuthorizerToken(ctx, "wxc", "CT", "wxa", "RT"); err != nil || tok.RefreshToken != "RT" {
		t.Errorf("an absent refresh token must not replace the stored one: %+v %v", tok, err)
	}
	u.answer = `{"authorizer_info":{"nick_name":"店","user_name":"gh_1","verify_type_info":{"id":0},"MiniProgramInfo":{"network":{"RequestDomain":["https://a"]},"categories":[{"first":"f","second":"s"}]},"account_status":1},"authorization_info":{"authorizer_appid":"wxa","func_info":[{"funcscope_category":{"id":18}}]}}`
	info, err := c.AuthorizerInfo(ctx, "wxc", "CT", "wxa")
	if err != nil || info.NickName != "店" || info.UserName != "gh_1" || info.VerifyType != 0 || !info.IsMiniProgram || !reflect.DeepEqual(info.Sets, []int{18}) || info.Network.Request[0] != "https://a" {
		t.Errorf("%+v %v", info, err)
	}
	u.answer = `{"total_count":1,"list":[{"authorizer_appid":"wxa","refresh_token":"","auth_time":3}]}`
	page, err := c.AuthorizerList(ctx, "wxc", "CT", 0, 500)
	if err != nil || page.Total != 1 || page.List[0] != (ListedAuthorizer{"wxa", "", 3}) {
		t.Errorf("%+v %v", page, err)
	}
	u.answer = `{"errcode":0,"errmsg":"ok"}`
	if err := c.StartPushTicket(ctx, "wxc", "S"); err != nil || u.body != `{"component_appid":"wxc","component_secret":"S"}` {
		t.Errorf("%v %s", err, u.body)
	}
	// An answer that lacks what was asked for must not pass for a token.
	for name, f := range map[string]func() error{
		"component token":  func() error { _, err := c.ComponentToken(ctx, "wxc", "S", "t"); return err },
		"pre-auth code":    func() error { _, err := c.CreatePreAuthCode(ctx, "wxc", "CT"); return err },
		"query auth":       func() error { _, err := c.QueryAuth(ctx, "wxc", "CT", "x"); return err },
		"authorizer token": func() error { _, err := c.AuthorizerToken(ctx, "wxc", "CT", "wxa", "RT"); return err },
		"authorizer info":  func() error { _, err := c.AuthorizerInfo(ctx, "wxc", "CT", "wxa"); return err },
	} {
		var call *CallError
		if err := f(); !errors.As(err, &call) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswersAreJudged(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		up       upstream
		code     int
		rid      string
		doubtful bool
	}{
		"refusal":             {upstream{answer: `{"errcode":85009,"errmsg":"in audit rid: 5f3c1a2b-0a1b2c3d-11223344"}`}, 85009, "5f3c1a2b-0a1b2c3d-11223344", false},
		"refusal as a string": {upstream{answer: `{"errcode":"40001","errmsg":"invalid credential"}`}, 40001, "", false},
		"busy":                {upstream{answer: `{"errcode":-1,"errmsg":"system error"}`}, -1, "", true},
		"server error":        {upstream{status: 502, answer: "Bad Gateway"}, 0, "", true},
		"redirect":            {upstream{status: 302}, 0, "", true},
		"no JSON":             {upstream{answer: `<html>`}, 0, "", true},
		"odd errcode":         {upstream{answer: `{"errcode":"many"}`}, 0, "", true},
		"too long":            {upstream{answer: `{"a":"` + strings.Repeat("x", MaxAnswer) + `"}`}, 0, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, _ := serve(t, &c.up)
			err := m.UndoAudit(ctx)
			if err == nil || Code(err) != c.code || Doubtful(err) != c.doubtful {
				t.Fatalf("err %v, code %d, doubtful %v", err, Code(err), Doubtful(err))
			}
			var e *Error
			if errors.As(err, &e) && (e.RID != c.rid || strings.Contains(e.Message, "rid")) {
				t.Errorf("message %q, rid %q", e.Message, e.RID)
			}
			if strings.Contains(err.Error(), "TOKEN") {
				t.Errorf("the error shows the token: %v", err)
			}
			if c.up.calls != 1 {
				t.Errorf("%d calls", c.up.calls)
			}
		})
	}
}

func TestARefusedDomainCallNamesTheDomains(t *testing.T) {
	_, m, _ := serve(t, &upstream{answer: `{"errcode":85301,"errmsg":"x","invalid_requestdomain":["https://1.2.3.4"]}`})
	r, err := m.ModifyDomain(context.Background(), DomainSet, Domains{Request: []string{"https://1.2.3.4"}})
	if Code(err) != 85301 || len(r.Invalid.Request) != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestImageOrJSON(t *testing.T) {
	ctx := context.Background()
	u := &upstream{answer: "\xff\xd8\xff\xe0 picture", contentType: "image/jpeg"}
	_, m, _ := serve(t, u)
	img, err := m.TrialQRCode(ctx, "pages/home?a=1&b=2")
	if err != nil || img.ContentType != "image/jpeg" || string(img.Data) != u.answer || u.query.Get("path") != "pages/home?a=1&b=2" {
		t.Errorf("%+v %v", img, err)
	}
	u.answer, u.contentType = `{"errcode":86001,"errmsg":"no code rid: a-b-c"}`, "image/jpeg"
	if _, err := m.TrialQRCode(ctx, ""); Code(err) != 86001 {
		t.Errorf("an error in an image's clothes: %v", err)
	}
	u.answer = ""
	if _, err := m.TrialQRCode(ctx, ""); err == nil {
		t.Error("an empty image passes")
	}
}

func TestNoAuditAndNoStatusAreNotAPassedAudit(t *testing.T) {
	ctx := context.Background()
	u := &upstream{answer: `{"errcode":85058,"errmsg":"none"}`}
	_, m, _ := serve(t, u)
	if _, ok, err := m.LatestAudit(ctx); ok || err != nil {
		t.Errorf("no audit: %v %v", ok, err)
	}
	u.answer = `{"errcode":0}`
	if _, ok, err := m.LatestAudit(ctx); ok || err == nil {
		t.Error("an answer without status passes")
	}
	if _, err := m.AuditStatus(ctx, 3); err == nil {
		t.Error("an answer without status passes")
	}
	u.answer = `{"errcode":0,"status":"4","reason":"later"}`
	if s, err := m.AuditStatus(ctx, 3); err != nil || s.Status != AuditDelayed || s.AuditID != 3 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestUpload(t *testing.T) {
	u := &upstream{answer: `{"errcode":0,"type":"image","mediaid":"M1"}`}
	_, m, _ := serve(t, u)
	id, err := m.UploadMedia(context.Background(), File{Name: "截图.png", ContentType: "image/png", Data: []byte("PNG")})
	if err != nil || id != "M1" || !strings.HasPrefix(u.sentType, "multipart/form-data") || !strings.Contains(u.body, `name="media"`) || !strings.Contains(u.body, "截图.png") {
		t.Errorf("%q %v %s\n%s", id, err, u.sentType, u.body)
	}
	if _, err := m.UploadMedia(context.Background(), File{}); err == nil {
		t.Error("an upload of nothing")
	}
}

func TestACallThatNeverConnectedIsNotDoubtful(t *testing.T) {
	c := &Client{BaseURL: "http://127.0.0.1:1"}
	err := MiniProgram{Transport: direct{c}, AppID: "wxa"}.Release(context.Background())
	var call *CallError
	if !errors.As(err, &call) || Doubtful(err) || strings.Contains(err.Error(), "TOKEN") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	block := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer s.Close()
	defer close(block)
	c.BaseURL = s.URL
	if err := (MiniProgram{Transport: direct{c}, AppID: "wxa"}).Release(ctx); !Doubtful(err) || !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "TOKEN") {
		t.Errorf("timeout: %v", err)
	}
}

func TestTokensGoOnlyWhereTheTableSays(t *testing.T) {
	u := &upstream{answer: `{}`}
	c, _, _ := serve(t, u)
	e, _ := LookupEndpoint(EndpointComponentToken)
	if _, err := c.Send(context.Background(), e, "TOKEN", Request{}); err == nil {
		t.Error("a token on a call that takes none")
	}
	e, _ = LookupEndpoint(EndpointCommit)
	if _, err := c.Send(context.Background(), e, "", Request{}); err == nil {
		t.Error("a call without its token")
	}
	if u.calls != 0 {
		t.Error("something was sent")
	}
}

func TestLinks(t *testing.T) {
	l := Link{Component: "wxc", PreAuthCode: "preauthcode@@@x", RedirectURI: "https://h/auth/return/1?s=a&b=c", BizAppID: "wxa", Sets: []int{18, 30}}
	for link, path := range map[string]string{
		PCLink(PCHost, l):                   "/cgi-bin/componentloginpage",
		H5Link("http://127.0.0.1:9000/", l): "/wxaopen/safe/bindcomponent",
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if u.Path != path || q.Get("redirect_uri") != l.RedirectURI || q.Get("auth_type") != "2" || q.Get("category_id_list") != "18|30" || q.Get("biz_appid") != "wxa" || q.Get("pre_auth_code") != l.PreAuthCode {
			t.Errorf("%s", link)
		}
		if strings.Contains(link, "18|30") {
			t.Errorf("the bar must be encoded: %s", link)
		}
	}
	if h5 := H5Link(H5Host, l); !strings.HasSuffix(h5, "#wechat_redirect") || !strings.Contains(h5, "no_scan=1") {
		t.Error(h5)
	}
}

func TestPlainReason(t *testing.T) {
	for in, want := range map[string]string{
		"1:a<br>2:b":                       "1:a\n2:b",
		`<a href="javascript:x">link</a>!`: "link!",
		"1 < 2":                            "1 < 2",
		"a <":                              "a <",
		"<script>x</script>":               "x",
	} {
		if got := PlainReason(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSplitRID(t *testing.T) {
	for in, want := range map[string][2]string{
		"ok":                         {"ok", ""},
		"bad rid: 1-2-3":             {"bad", "1-2-3"},
		"bad, rid: 5f3c-11-22 ":      {"bad", "5f3c-11-22"},
		"rid: abc":                   {"", "abc"},
		"madrid: capital of nothing": {"madrid: capital of nothing", ""},
	} {
		if m, r := SplitRID(in); m != want[0] || r != want[1] {
			t.Errorf("%q: %q %q", in, m, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"authorizer_info":{"verify_type_info":{"id":"0"}}}`, `{"authorizer_info":[]}`, `{"authorization_info":{"func_info":{}}}`, `[]`, `null`, `{"authorizer_info":{"MiniProgramInfo":""}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var out authorizerWire
		var versions VersionInfo
		_ = decode(body, &out)      // only panics are failures
		_ = decode(body, &versions) // pointers to structs
	})
}
