package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testComponent = "wx00000000000000c1"
	testProgram   = "wx00000000000000a1"
	testSecret    = "secret-of-the-test-platform"
	testToken     = "test-token"
	testAuthHost  = "platform.example.test"
)

// rig is a running simulator with one platform beside it that receives pushes.
type rig struct {
	t        testing.TB
	sim      *Simulator
	server   *httptest.Server
	platform *receiver
}

// startRig runs a simulator until the test ends.
func startRig(t testing.TB, opt Options) *rig {
	t.Helper()
	sim, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	sim.retry = 10 * time.Millisecond
	g := &rig{t: t, sim: sim, server: httptest.NewServer(sim.Handler()), platform: newReceiver(t)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		g.server.Close()
		if err := sim.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return g
}

// object is any JSON object.
type object = map[string]any

// send makes one HTTP call and returns status and body.
func (g *rig) send(method, path string, body any) (int, []byte) {
	g.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			g.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, g.server.URL+path, reader)
	if err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, raw
}

// call is a WeChat interface: the status must be 200 and the body JSON.
func (g *rig) call(method, path string, body any) object {
	g.t.Helper()
	status, raw := g.send(method, path, body)
	out := object{}
	if err := json.Unmarshal(raw, &out); err != nil || status != http.StatusOK {
		g.t.Fatalf("%s %s: HTTP %d %s", method, path, status, raw)
	}
	return out
}

// ok is call that must not be refused.
func (g *rig) ok(method, path string, body any) object {
	g.t.Helper()
	out := g.call(method, path, body)
	if code := errcode(out); code != 0 {
		g.t.Fatalf("%s %s: %v", method, path, out)
	}
	return out
}

// refused is call that must answer the errcode and a rid.
func (g *rig) refused(code int, method, path string, body any) {
	g.t.Helper()
	out := g.call(method, path, body)
	if got := errcode(out); got != code {
		g.t.Fatalf("%s %s: errcode %d, want %d: %v", method, path, got, code, out)
	}
	msg, _ := out["errmsg"].(string)
	at := strings.LastIndex(msg, " rid: ")
	if at < 0 || !ridPattern.MatchString(msg[at+len(" rid: "):]) {
		g.t.Fatalf("%s %s: errmsg %q has no rid at its end", method, path, msg)
	}
}

func errcode(out object) int {
	code, _ := out["errcode"].(float64)
	return int(code)
}

// control is a control call that must succeed.
func (g *rig) control(path string, body any) object {
	g.t.Helper()
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	return g.call(method, "/control/"+path, body)
}

// controlRefused must answer the status and name the field.
func (g *rig) controlRefused(status int, field, method, path string, body any) {
	g.t.Helper()
	got, raw := g.send(method, "/control/"+path, body)
	var out struct {
		Error struct{ Code, Field, Message string } `json:"error"`
	}
	if err := json.Unmarshal(raw, &out); err != nil || got != status || out.Error.Field != field || out.Error.Message == "" {
		g.t.Fatalf("%s /control/%s: HTTP %d %s, want %d for field %q", method, path, got, raw, status, field)
	}
}

func (g *rig) advance(seconds int) {
	g.t.Helper()
	g.control("clock", object{"advance_seconds": seconds})
}

// bind registers the platform and waits for its first ticket.
func (g *rig) bind() string {
	g.t.Helper()
	g.control("components", object{"appid": testComponent, "name": "测试平台", "secret": testSecret, "token": testToken, "aes_key": keyV,
		"ticket_url":  g.platform.server.URL + "/ticket",
		"message_url": g.platform.server.URL + "/message/$APPID$", "auth_domain": testAuthHost, "domains": []string{"api.example.com"}})
	return g.platform.wait("component_verify_ticket")["ComponentVerifyTicket"]
}

func (g *rig) componentToken(ticket string) string {
	g.t.Helper()
	out := g.ok("POST", "/cgi-bin/component/api_component_token", object{"component_appid": testComponent,
		"component_appsecret": testSecret, "component_verify_ticket": ticket})
	return out["component_access_token"].(string)
}

func (g *rig) program(appID string, extra object) {
	g.t.Helper()
	body := object{"appid": appID, "nick_name": "街角咖啡" + appID[16:], "admin": "zhangsan"}
	for k, v := range extra {
		body[k] = v
	}
	g.control("miniprograms", body)
}

// preAuth makes a pre-auth code of the test platform.
func (g *rig) preAuth(ct string) string {
	g.t.Helper()
	return g.ok("POST", "/cgi-bin/component/api_create_preauthcode?component_access_token="+ct, object{"component_appid": testComponent})["pre_auth_code"].(string)
}

// authorizationLink is the address a platform's button leads to.
func authorizationLink(base, component, pre, path string) string {
	q := url.Values{"component_appid": {component}, "pre_auth_code": {pre}, "auth_type": {"2"},
		"redirect_uri": {"http://" + testAuthHost + "/auth/return/t1?x=1"}}
	return base + path + "?" + q.Encode()
}

// authorize scans, confirms and exchanges; it returns the authorizer token and refresh token.
func (g *rig) authorize(ct, appID string, untick ...int) (at, refresh string) {
	g.t.Helper()
	scan := g.control("scan", object{"url": authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent"),
		"appid": appID, "action": "confirm", "untick": append([]int{}, untick...)})
	back, err := url.Parse(scan["redirect_to"].(string))
	if err != nil {
		g.t.Fatal(err)
	}
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": back.Query().Get("auth_code")})["authorization_info"].(object)
	return info["authorizer_access_token"].(string), info["authorizer_refresh_token"].(string)
}

// ready is a platform with one authorised mini program and one template (id 1).
func (g *rig) ready() (ct, at string) {
	g.t.Helper()
	ct = g.componentToken(g.bind())
	g.program(testProgram, nil)
	at, _ = g.authorize(ct, testProgram)
	g.control("drafts", object{"component_appid": testComponent, "user_version": "1.0.0", "user_desc": "首版"})
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": 1})
	return ct, at
}

func commitBody(version string) object {
	return object{"template_id": 1, "ext_json": `{"extAppid":"` + testProgram + `","ext":{"shop":"a<b>&c"}}`, "user_version": version, "user_desc": "描述 " + version}
}

func submitBody() object {
	return object{"item_list": []object{{"address": "pages/index/index", "tag": "咖啡 外卖", "title": "首页", "first_class": "商家自营",
		"second_class": "食品饮料", "first_id": 304, "second_id": 325}}, "version_desc": "新功能"}
}

// submitted commits, lets the privacy scan end and submits.
func (g *rig) submitted(at, version string) (auditID float64) {
	g.t.Helper()
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody(version))
	g.advance(11)
	return g.ok("POST", "/wxa/submit_audit?access_token="+at, submitBody())["auditid"].(float64)
}

// passed is submitted and approved, its event received.
func (g *rig) passed(at, version string) {
	g.t.Helper()
	g.submitted(at, version)
	g.control("audits/"+testProgram, object{"result": "pass"})
	g.platform.wait("weapp_audit_success")
}

// maxPushBody is what the test's platform is willing to parse.
const maxPushBody = 1 << 20

// received is one push as the platform understood it.
type received struct {
	path   string
	query  url.Values
	raw    []byte
	fields map[string]string
}

// receiver is a platform: it verifies, decrypts and answers.
type receiver struct {
	t      testing.TB
	server *httptest.Server
	mu     sync.Mutex
	got    []received
	seen   int // how many were handed out by wait
	answer func(n int, r received) (int, string)
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t, answer: func(int, received) (int, string) { return http.StatusOK, "success" }}
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.server.Close)
	return r
}

func (p *receiver) serve(rw http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Errorf("read push: %v", err)
	}
	in := received{path: r.URL.Path, query: r.URL.Query(), raw: raw}
	if len(raw) <= maxPushBody { // parsing more takes longer than WeChat waits
		in.fields = p.open(r.URL.Query(), raw)
	}
	p.mu.Lock()
	p.got = append(p.got, in)
	status, text := p.answer(len(p.got), in)
	p.mu.Unlock()
	rw.WriteHeader(status)
	fmt.Fprint(rw, text)
}

// open returns the fields of a push, or nil when it must be refused.
func (p *receiver) open(q url.Values, raw []byte) map[string]string {
	var outer struct {
		Encrypt string `xml:"Encrypt"`
	}
	if xml.Unmarshal(raw, &outer) != nil || sign(testToken, q.Get("timestamp"), q.Get("nonce"), outer.Encrypt) != q.Get("msg_signature") {
		return nil
	}
	plain, err := envelopeFor(p.t, testToken, keyV, testComponent).decrypt(outer.Encrypt)
	if err != nil {
		return nil
	}
	fields, name := map[string]string{}, ""
	dec := xml.NewDecoder(bytes.NewReader(plain))
	for {
		tok, err := dec.Token()
		if err != nil {
			return fields
		}
		switch tok := tok.(type) {
		case xml.Directive:
			return nil
		case xml.StartElement:
			name = tok.Name.Local
			fields[name] = ""
		case xml.CharData:
			fields[name] += string(tok)
		case xml.EndElement:
			name = ""
		}
	}
}

// wait returns the fields of the next push of this kind, skipping others.
func (p *receiver) wait(kind string) map[string]string {
	p.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		p.mu.Lock()
		for p.seen < len(p.got) {
			in := p.got[p.seen]
			p.seen++
			if in.fields["InfoType"] == kind || in.fields["Event"] == kind || in.fields["MsgType"] == kind {
				p.mu.Unlock()
				return in.fields
			}
		}
		p.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("no push of kind %s arrived", kind)
	return nil
}

// count is how many pushes arrived so far.
func (p *receiver) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

// pushState waits until a push reached one of the final states.
func (g *rig) pushState(id float64) object {
	g.t.Helper()
	for range 1000 {
		items := g.control(fmt.Sprintf("pushes?id=%.0f", id), nil)["items"].([]any)
		if len(items) == 1 {
			if p := items[0].(object); p["state"] != pushWaiting {
				return p
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	g.t.Fatalf("push %.0f was not finished", id)
	return nil
}
