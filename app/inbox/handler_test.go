package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

const (
	testComponent = "wx0123456789abcdef"
	testToken     = "sf_demo_token_01"
	testKey       = "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	otherKey      = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	wallTime      = 1_760_000_010 // the vectors' time
)

// rooms stand for the rooms above the inbox.
type rooms struct {
	mu     sync.Mutex
	keys   map[string]component.Keys
	owners map[string]string // component/appid → gh_ id
	events []event.Record
	broken error // every door answers this
	reads  int
}

func (r *rooms) Keys(_ context.Context, appid string) (component.Keys, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	k, ok := r.keys[appid]
	if !ok {
		return k, fault.New(fault.NotFound, "not_found", "没有这个第三方平台")
	}
	return k, r.broken
}

func (r *rooms) Owner(_ context.Context, component, appid string) (string, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, ok := r.owners[component+"/"+appid]
	return name, ok, r.broken
}

// Foreign knows a mini program by every platform app that it is authorised to.
func (r *rooms) Foreign(_ context.Context, component, appid string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := false
	for key := range r.owners {
		known = known || strings.HasSuffix(key, "/"+appid)
	}
	_, mine := r.owners[component+"/"+appid]
	return known && !mine, r.broken
}

func (r *rooms) Append(_ context.Context, e event.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	r.events = append(r.events, e)
	return nil
}

type fixture struct {
	*rooms
	h    *Handler
	wall *clock.Manual
	log  *bytes.Buffer
	reg  *prometheus.Registry
}

// counter reads one counter of ours from the registry, as a scrape would.
func (f *fixture) counter(name, label string) float64 {
	families, err := f.reg.Gather()
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{reg: prometheus.NewRegistry(), wall: clock.Fixed(time.Unix(wallTime, 0)), log: &bytes.Buffer{}, rooms: &rooms{
		keys:   map[string]component.Keys{testComponent: {Tokens: []string{testToken}, AESKeys: []string{testKey}}},
		owners: map[string]string{testComponent + "/wxmini": "gh_mini"},
	}}
	h, err := New(Options{Keys: f.rooms, Owners: f.rooms, Events: f.rooms, Clock: clock.Fixed(time.Unix(1_790_000_000, 0)),
		Wall: f.wall.Now, Registry: f.reg, Logger: slog.New(slog.NewTextHandler(f.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	f.h = h
	return f
}

// push is one request to be; zero fields take the values of a good ticket push.
type push struct {
	path, method, token, key, receiver, timestamp, nonce, msg, encrypt, body, query string
}

func (p push) request(t testing.TB) *http.Request {
	t.Helper()
	or := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	or(&p.path, "/wechat/"+testComponent+"/ticket")
	or(&p.method, http.MethodPost)
	or(&p.token, testToken)
	or(&p.key, testKey)
	or(&p.receiver, testComponent)
	or(&p.timestamp, strconv.Itoa(wallTime))
	or(&p.nonce, "n1")
	or(&p.msg, ticket("ticket@@@1"))
	if p.encrypt == "" {
		c, err := wechat.NewCrypter(p.receiver, []string{p.token}, []string{p.key})
		if err != nil {
			t.Fatal(err)
		}
		if p.encrypt, err = c.Encrypt(rand.Reader, []byte(p.msg)); err != nil {
			t.Fatal(err)
		}
	}
	or(&p.body, "<xml><AppId>"+testComponent+"</AppId><Encrypt><![CDATA["+p.encrypt+"]]></Encrypt></xml>")
	or(&p.query, fmt.Sprintf("timestamp=%s&nonce=%s&encrypt_type=aes&msg_signature=%s", p.timestamp, p.nonce, wechat.Signature(p.token, p.timestamp, p.nonce, p.encrypt)))
	return httptest.NewRequest(p.method, p.path+"?"+p.query, strings.NewReader(p.body))
}

func ticket(value string) string {
	return "<xml><AppId>" + testComponent + "</AppId><CreateTime>1760000000</CreateTime><InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>" + value + "</ComponentVerifyTicket></xml>"
}

func audit(to string) string {
	return "<xml><ToUserName>" + to + "</ToUserName><FromUserName>o1</FromUserName><CreateTime>1760000001</CreateTime><MsgType>event</MsgType><Event>weapp_audit_success</Event><SuccTime>1760000001</SuccTime></xml>"
}

func (f *fixture) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r)
	return w
}

func (f *fixture) refusals(reason wechat.Reason) float64 {
	return f.counter("minifleet_inbox_refused_total", string(reason))
}

func TestAGoodPushIsStoredAndAnsweredSuccess(t *testing.T) {
	f := newFixture(t)
	w := f.do(push{}.request(t))
	if w.Code != 200 || w.Body.String() != "success" {
		t.Fatalf("%d %q\n%s", w.Code, w.Body, f.log)
	}
	if len(f.events) != 1 {
		t.Fatal("not stored")
	}
	e := f.events[0]
	if e.Type != wechat.VerifyTicket || e.Component != testComponent || e.AppID != "" || e.URLKind != wechat.TicketURL || e.Source != event.SourceWeChat ||
		e.CreateTime != 1760000000 || e.ReceivedAt != 1_790_000_000_000 || string(e.Payload) != ticket("ticket@@@1") || len(e.Dedupe) != 32 || e.Inert {
		t.Errorf("%+v", e)
	}
	if got := f.counter("minifleet_inbox_accepted_total", wechat.TicketURL); got != 1 {
		t.Errorf("accepted counter %v", got)
	}
	if strings.Contains(f.log.String(), "ticket@@@1") {
		t.Error("the log shows the ticket")
	}

	msg := "<xml><AppId>" + testComponent + "</AppId><CreateTime>1</CreateTime><InfoType>authorized</InfoType><AuthorizerAppid>wxmini</AuthorizerAppid></xml>"
	if w := f.do(push{msg: msg}.request(t)); w.Code != 200 || f.events[1].AppID != "wxmini" {
		t.Errorf("authorised: %d %+v", w.Code, f.events)
	}
}

func TestTheOfficialVectorsPass(t *testing.T) {
	f := newFixture(t)
	f.keys["wx134c8103faa5a59e"] = component.Keys{Tokens: []string{"AAAAA"}, AESKeys: []string{strings.Repeat("A", 43)}}
	f.owners["wx134c8103faa5a59e/wxba5fad812f8e6fb9"] = "gh_97417a04a28d"
	f.wall.Advance(time.Unix(1715943329, 0).Sub(f.wall.Now()))
	const encrypt = "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg=="
	r := httptest.NewRequest(http.MethodPost, "/wechat/wx134c8103faa5a59e/message/wxba5fad812f8e6fb9?signature=cc0c594499c1634947d5b502f158ee518947db27&timestamp=1715943329&nonce=1590219412&openid=o9AgO5Kd5ggOC-bXrbNODIiE3bGY&encrypt_type=aes&msg_signature=6c12a4205838198b8fa631b3220723bb07f1015c",
		strings.NewReader("<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName><Encrypt><![CDATA["+encrypt+"]]></Encrypt></xml>"))
	if w := f.do(r); w.Code != 200 || len(f.events) != 1 || f.events[0].Type != "debug_demo" || f.events[0].Inert {
		t.Errorf("%d %+v\n%s", w.Code, f.events, f.log)
	}
}

func TestBadInputIsRefusedAlikeAndStoresNothing(t *testing.T) {
	v := func(encrypt, nonce, signature string) push {
		return push{encrypt: encrypt, query: "timestamp=1760000010&nonce=" + nonce + "&msg_signature=" + signature}
	}
	good := push{}
	big := strings.Repeat("x", maxBody)
	cases := map[string]struct {
		push   push
		reason wechat.Reason
	}{
		"wrong token":            {push{token: "other"}, wechat.ReasonSignature},
		"no signature":           {push{query: "timestamp=1760000010&nonce=1"}, wechat.ReasonParameters},
		"only the weak one":      {push{query: "timestamp=1760000010&nonce=1&signature=" + wechat.Signature(testToken, "1760000010", "1")}, wechat.ReasonParameters},
		"doubled timestamp":      {push{query: "timestamp=1760000010&timestamp=1&nonce=1&msg_signature=" + strings.Repeat("0", 40)}, wechat.ReasonParameters},
		"doubled nonce":          {push{query: "timestamp=1760000010&nonce=1&nonce=1&msg_signature=" + strings.Repeat("0", 40)}, wechat.ReasonParameters},
		"no time":                {push{timestamp: "soon"}, wechat.ReasonParameters},
		"broken query":           {push{query: "timestamp=%zz"}, wechat.ReasonParameters},
		"endless query":          {push{query: strings.Repeat("a", maxQuery+1)}, wechat.ReasonParameters},
		"stale":                  {push{timestamp: strconv.Itoa(wallTime - 601)}, wechat.ReasonStale},
		"from the future":        {push{timestamp: strconv.Itoa(wallTime + 601)}, wechat.ReasonStale},
		"far beyond":             {push{timestamp: "9223372036854775807"}, wechat.ReasonStale},
		"other AES key":          {push{key: otherKey}, wechat.ReasonPadding},
		"for another platform":   {push{receiver: "wxffffffffffffffff"}, wechat.ReasonAppID},
		"no base64":              {push{encrypt: "***"}, wechat.ReasonBase64},
		"no whole block":         {push{encrypt: "AAAA"}, wechat.ReasonCipher},
		"unbound platform":       {push{path: "/wechat/wxunbound/ticket"}, wechat.ReasonComponent},
		"over-long body":         {push{body: big + "x"}, wechat.ReasonTooLarge},
		"no XML":                 {push{body: `{"Encrypt":"x"}`}, wechat.ReasonBody},
		"empty body":             {push{body: " "}, wechat.ReasonBody},
		"outer DTD":              {push{body: `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Encrypt>&e;</Encrypt></xml>`}, wechat.ReasonBody},
		"two Encrypt":            {push{body: "<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>"}, wechat.ReasonBody},
		"inner DTD":              {push{msg: `<!DOCTYPE x [<!ENTITY e "y">]><xml><AppId>&e;</AppId></xml>`}, wechat.ReasonXML},
		"no InfoType":            {push{msg: "<xml><AppId>" + testComponent + "</AppId></xml>"}, wechat.ReasonXML},
		"inner AppId of another": {push{msg: strings.Replace(ticket("t"), testComponent, "wxother", 1)}, wechat.ReasonAppID},
		"message on ticket URL":  {push{msg: audit("gh_mini")}, wechat.ReasonXML},
		"ticket on message URL":  {push{path: "/wechat/" + testComponent + "/message/wxmini"}, wechat.ReasonXML},
		"N1":                     {v("Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97ums20FeyJq0BnWVaC3GnYkLbWEDzh0ufml5OhBul5uYA==", "1", "dcb9c6e9e8431294c39a5c64b8566a29f5716474"), wechat.ReasonPadding},
		"N2":                     {v("Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97stxKgdFakX3e97SK8qqa9C8kELWcYqXVOPxuXNYaf8xA==", "2", "588460288df297bd9b02a83adf6d471ccc51aae6"), wechat.ReasonPadding},
		"N3":                     {v("Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97tDLzTbHfhJnjkA8luJYf3vNxoY+8QRgLL7yy96GtCHow==", "3", "1ef20c929e75c5621accc71e7406f1aa71bfe915"), wechat.ReasonPadding},
		"N4":                     {v("Ekh0C4c+/19RB8XlbvKsoV1TVSqZzEwak8rSizQ842j411FwYgrRXRldAarq9tfgkmScpraBpdI0bpp+HnuT4g==", "4", "510ce7f37f4c7a05ddda0ade7461fa4af15422c9"), wechat.ReasonLength},
		"N5":                     {v("Ekh0C4c+/19RB8XlbvKsoZiaZgnu5NcFqMr/aH1wf43rkYwIG7voG/LYBpcV/LvagwBZjIjU2PzIBQVRYIVbgA==", "5", "f421bf45f6f7f500dfd3d0daf674ba1e2cb19a10"), wechat.ReasonLength},
		"N6":                     {v("Ekh0C4c+/19RB8XlbvKsoXwGUxlLlX0Mb8OPz9G7yY6/2i7XO59Qo4Q4W56aHAUxyrM0U9zWvh9GCftu/bPi8w==", "6", "9bb1ed9b4bbb05d260249b10a248e37b2df666a3"), wechat.ReasonAppID},
		"N7":                     {v("Ekh0C4c+/19RB8XlbvKsoWT+HGGrgsOltTi5VaZvxhc=", "7", "9cec6f5907d4f1ca275e6c0e6e7dcaf5695144bf"), wechat.ReasonAppID},
		"N9":                     {v("Ekh0C4c+/19RB8XlbvKsoeP55JtaPcJIY1ehGSVicAZW0sj+RzMYzkcntNq5m2j7oSOgkpenly5gzjqNZOhRecukJ/l0T8Ms6mCpQJdRl0GX3kY2m9Vsqo4ezWZ0SqcCWEuSboMKDQ8RZ1GR9h4AFILBcQNG9bX/daJR1dfvQVU=", "9", "2645d9af54b05efe8b3f0cf00d587d415d47878d"), wechat.ReasonXML},
	}
	f := newFixture(t)
	if w := f.do(good.request(t)); w.Code != 200 { // from here on the keys are cached, as in life
		t.Fatal(w.Code)
	}
	var generic string
	for name, c := range cases {
		before := f.refusals(c.reason)
		w := f.do(c.push.request(t))
		if generic == "" {
			generic = fmt.Sprint(w.Code, w.Body, w.Header())
		}
		if w.Code != http.StatusBadRequest || fmt.Sprint(w.Code, w.Body, w.Header()) != generic {
			t.Errorf("%s: the answer tells more than the others: %d %q %v", name, w.Code, w.Body, w.Header())
		}
		if got := f.refusals(c.reason); got != before+1 {
			t.Errorf("%s: the counter of %q did not go up\n%s", name, c.reason, f.log)
		}
		f.log.Reset()
		if len(f.events) != 1 {
			t.Fatalf("%s: something was stored", name)
		}
	}
}

func TestABodyWithoutLengthIsBoundedToo(t *testing.T) {
	f := newFixture(t)
	r := push{}.request(t)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", maxBody+1))), -1
	if w := f.do(r); w.Code != 400 || f.refusals(wechat.ReasonTooLarge) != 1 {
		t.Errorf("%d", w.Code)
	}
}

func TestOtherVerbsAndPaths(t *testing.T) {
	f := newFixture(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead} {
		if w := f.do(push{method: method}.request(t)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	for _, path := range []string{"/wechat/", "/wechat/x", "/wechat/x/other", "/wechat/x/message/", "/wechat/x/message/a/b", "/wechat//ticket",
		"/wechat/" + strings.Repeat("x", 33) + "/ticket", "/wechat/a%2e/ticket", "/wechat/x/ticket/"} {
		if w := f.do(push{path: path}.request(t)); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if len(f.events) != 0 {
		t.Error("stored")
	}
}

func TestTroubleInTheHouseAsksWeChatToComeAgain(t *testing.T) {
	f := newFixture(t)
	f.broken = errors.New("database is gone")
	for _, p := range []push{{}, {path: "/wechat/" + testComponent + "/message/wxmini", msg: audit("gh_mini")}} {
		if w := f.do(p.request(t)); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "database") {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	}
	if f.refusals(wechat.ReasonInternal) != 2 {
		t.Error("not counted")
	}
	f.broken = nil
	if w := f.do(push{}.request(t)); w.Code != 200 {
		t.Errorf("after the trouble: %d", w.Code)
	}
}

func TestDedupeKeysDifferByWhereAndWhat(t *testing.T) {
	at := address{wechat.MessageURL, "c", "a"}
	base := dedupe(at, 1, []byte("x"))
	if !bytes.Equal(base, dedupe(at, 1, []byte("x"))) {
		t.Error("not repeatable")
	}
	for name, other := range map[string][]byte{
		"body": dedupe(at, 1, []byte("y")), "appid": dedupe(address{wechat.MessageURL, "c", "b"}, 1, []byte("x")),
		"component": dedupe(address{wechat.MessageURL, "d", "a"}, 1, []byte("x")), "kind": dedupe(address{wechat.TicketURL, "c", "a"}, 1, []byte("x")),
		"borders": dedupe(address{wechat.MessageURL, "ca", ""}, 1, []byte("x")),
	} {
		if bytes.Equal(base, other) {
			t.Errorf("same key for another %s", name)
		}
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("/wechat/"+testComponent+"/ticket", "timestamp=1760000010&nonce=1&msg_signature=x", "<xml><Encrypt>a</Encrypt></xml>")
	f.Add("/wechat/a/message/b", "", "")
	fix := newFixture(f)
	fix.h.opts.Logger = slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, path, query, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = path, query
		if w := fix.do(r); w.Code == 200 || w.Code >= 500 {
			t.Errorf("%d for %q ?%q", w.Code, path, query)
		}
	})
}
