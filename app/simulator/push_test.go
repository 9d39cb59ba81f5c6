package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPushIsRepeatedUntilSuccessAndAtMostThreeTimes(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    int
		answer    string
		failFirst int
		attempts  int
		state     string
	}{
		{"at once", 200, "success", 0, 1, pushOK},
		{"on the second try", 500, "", 1, 2, pushOK},
		{"never", 200, "SUCCESS", 99, 1 + 3, pushFailed},
		{"ticket url must say success", 200, "", 99, 1 + 3, pushFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startRig(t, Options{})
			g.bind()
			start := g.platform.count()
			g.platform.mu.Lock()
			g.platform.answer = func(n int, _ received) (int, string) {
				if n-start <= c.failFirst {
					return c.status, c.answer
				}
				return http.StatusOK, "success"
			}
			g.platform.mu.Unlock()
			id := g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})["id"].(float64)
			p := g.pushState(id)
			if p["state"] != c.state || len(p["attempts"].([]any)) != c.attempts || g.platform.count()-start != c.attempts {
				t.Errorf("push %v, %d arrived", p, g.platform.count()-start)
			}
		})
	}
}

func TestMessageURLAcceptsAnEmptyAnswerAndAnEncryptedReply(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	g.program(testProgram, nil)
	env := envelopeFor(t, testToken, keyV, testComponent)
	encrypted, err := env.encrypt([]byte("0123456789abcdef"), []byte("<xml><Content>你好_callback</Content></xml>"))
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{"": "", "<xml><Encrypt>" + encrypted + "</Encrypt><MsgSignature>" + sign(testToken, "1", "2", encrypted) +
		"</MsgSignature><TimeStamp>1</TimeStamp><Nonce>2</Nonce></xml>": "你好_callback"}
	for answer, shown := range answers {
		g.platform.mu.Lock()
		g.platform.answer = func(int, received) (int, string) { return http.StatusOK, answer }
		g.platform.mu.Unlock()
		p := g.pushState(g.control("pushes", object{"kind": "text", "component_appid": testComponent, "appid": testProgram, "xml": object{"Content": "你好"}})["id"].(float64))
		got := p["attempts"].([]any)[0].(object)["answer"].(string)
		if p["state"] != pushOK || !strings.Contains(got, shown) {
			t.Errorf("push %v", p)
		}
	}
}

func TestEachCorruptionReachesThePlatformAndIsRefusedThere(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	g.platform.mu.Lock()
	g.platform.answer = func(_ int, r received) (int, string) {
		stamp, err := strconv.ParseInt(r.query.Get("timestamp"), 10, 64)
		if r.fields == nil || err != nil || time.Since(time.Unix(stamp, 0)) > time.Hour {
			return http.StatusBadRequest, "bad"
		}
		return http.StatusOK, "success"
	}
	g.platform.mu.Unlock()
	for kind := range corruptions {
		before := g.platform.count()
		p := g.pushState(g.control("pushes", object{"kind": "ticket", "component_appid": testComponent, "corrupt": kind})["id"].(float64))
		if p["state"] != pushFailed || g.platform.count() != before+1 {
			t.Errorf("%s: %v, %d arrived", kind, p["state"], g.platform.count()-before)
		}
	}
	if p := g.pushState(g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})["id"].(float64)); p["state"] != pushOK {
		t.Errorf("a good push after the bad ones: %v", p)
	}
}

func TestPushesCanBeDuplicatedDroppedAndReordered(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	info := func(n int) object {
		return object{"kind": "info", "component_appid": testComponent, "xml": object{"InfoType": "note", "N": strconv.Itoa(n)}}
	}
	dup := info(0)
	dup["duplicate"] = 2
	before := g.platform.count()
	g.pushState(g.control("pushes", dup)["id"].(float64))
	g.platform.mu.Lock()
	got := g.platform.got[before:]
	if len(got) != 3 || string(got[0].raw) != string(got[2].raw) || got[0].query.Encode() != got[1].query.Encode() {
		t.Errorf("duplicates are not the same bytes: %d arrived", len(got))
	}
	g.platform.seen = len(g.platform.got)
	g.platform.mu.Unlock()

	g.control("pushes", object{"component_appid": testComponent, "drop": 1})
	if p := g.pushState(g.control("pushes", info(1))["id"].(float64)); p["state"] != pushDropped {
		t.Errorf("push %v", p)
	}
	g.control("pushes", object{"component_appid": testComponent, "reorder": 3})
	for n := 2; n <= 4; n++ {
		g.control("pushes", info(n))
	}
	order := ""
	for range 3 {
		order += g.platform.wait("note")["N"]
	}
	if order != "432" {
		t.Errorf("order %s", order)
	}
	g.control("pushes", object{"component_appid": testComponent, "reorder": 5})
	g.control("pushes", info(5))
	g.control("pushes", object{"component_appid": testComponent, "reorder": 0}) // lets go what was collected
	if n := g.platform.wait("note")["N"]; n != "5" {
		t.Errorf("released %s", n)
	}
}

func TestTicketsComeEveryTenMinutesOneForALongJump(t *testing.T) {
	g := startRig(t, Options{})
	first := g.bind()
	tickets := func() float64 { return g.control("pushes?kind=component_verify_ticket", nil)["total"].(float64) }
	g.advance(599)
	if n := tickets(); n != 1 {
		t.Errorf("%v tickets before ten minutes", n)
	}
	g.advance(2)
	if n := tickets(); n != 2 {
		t.Errorf("%v tickets after ten minutes", n)
	}
	g.advance(7 * 24 * 3600)
	if n := tickets(); n != 3 {
		t.Errorf("%v tickets after a week in one jump", n)
	}
	g.control("components", object{"appid": testComponent, "ticket_stopped": true})
	g.advance(3600)
	if n := tickets(); n != 3 {
		t.Errorf("%v tickets although pushing has stopped", n)
	}
	g.ok("POST", "/cgi-bin/component/api_start_push_ticket", object{"component_appid": testComponent, "component_secret": testSecret})
	if n := tickets(); n != 4 {
		t.Errorf("%v tickets after start_push", n)
	}
	if again := g.platform.wait("component_verify_ticket")["ComponentVerifyTicket"]; again == first {
		t.Error("a ticket was pushed twice")
	}
}

func TestSignatureUsesWallTimeAndCreateTimeTheSimulatedClock(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	g.advance(30 * 24 * 3600)
	created, err := strconv.ParseInt(g.platform.wait("component_verify_ticket")["CreateTime"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	g.platform.mu.Lock()
	last := g.platform.got[len(g.platform.got)-1]
	g.platform.mu.Unlock()
	signed, err := strconv.ParseInt(last.query.Get("timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if now := time.Now().Unix(); now-signed > 60 || created-now < 29*24*3600 {
		t.Errorf("signed at %d, created at %d, wall %d", signed, created, now)
	}
	if q := last.query; q.Get("encrypt_type") != "aes" || q.Get("signature") != sign(testToken, q.Get("timestamp"), q.Get("nonce")) {
		t.Errorf("query %v", q)
	}
}

func TestPushWithoutConfigurationFailsWithAReason(t *testing.T) {
	g := startRig(t, Options{})
	g.control("components", object{"appid": testComponent, "token": testToken, "aes_key": keyV})
	p := g.pushState(g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})["id"].(float64))
	if reason := fmt.Sprint(p["attempts"]); p["state"] != pushFailed || !strings.Contains(reason, "URL") {
		t.Errorf("push %v", p)
	}
}

func TestBuildXMLKeepsTextThatLooksLikeMarkup(t *testing.T) {
	text, err := buildXML([]xmlField{{"Reason", "a]]>b<br>\x00c"}, {"N", "12"}, {"E", ""}})
	if err != nil || text != "<xml><Reason><![CDATA[a]]]]><![CDATA[>b<br>c]]></Reason><N>12</N><E><![CDATA[]]></E></xml>" {
		t.Errorf("%q, %v", text, err)
	}
	for _, name := range []string{"", "a b", "1a", "a>", strings.Repeat("a", 65)} {
		if _, err := buildXML([]xmlField{{name, "x"}}); err == nil {
			t.Errorf("element name %q was accepted", name)
		}
	}
	if masked := maskedXML("<xml><ComponentVerifyTicket>ticket@@@verysecretvalue</ComponentVerifyTicket><N>1</N></xml>"); strings.Contains(masked, "secretvalue") || !strings.Contains(masked, "<N>1</N>") {
		t.Errorf("masked %s", masked)
	}
}

func TestPushesCanBeDelayedAndFollowTheSimulatedClock(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	id := g.control("pushes", object{"kind": "info", "component_appid": testComponent, "xml": object{"InfoType": "late"}, "delay_seconds": 300})["id"].(float64)
	g.control("pushes", object{"kind": "info", "component_appid": testComponent, "xml": object{"InfoType": "early"}})
	g.platform.wait("early")
	if p := g.control(fmt.Sprintf("pushes?id=%.0f", id), nil)["items"].([]any)[0].(object); p["state"] != pushDelayed {
		t.Fatalf("push %v", p)
	}
	g.advance(301)
	g.platform.wait("late")
}

func TestWhatHappensToTheNextPushesOfAPlatform(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	info := object{"kind": "info", "component_appid": testComponent, "xml": object{"InfoType": "note"}}
	g.control("pushes", object{"component_appid": testComponent, "next": 1, "corrupt": "truncated"})
	if p := g.pushState(g.control("pushes", info)["id"].(float64)); p["state"] == pushOK && p["corrupt"] == "" {
		t.Errorf("the next push is good: %v", p)
	}
	second := g.pushState(g.control("pushes", info)["id"].(float64))
	if second["corrupt"] != "" || second["state"] != pushOK {
		t.Errorf("the plan was for one push, the second is %v", second)
	}
	before := g.platform.count()
	again := g.pushState(g.control("pushes", object{"again": second["id"], "duplicate": 1})["id"].(float64))
	if again["xml"] != second["xml"] || again["state"] != pushOK || g.platform.count() != before+2 {
		t.Errorf("sent again as %v, %d arrived", again, g.platform.count()-before)
	}
	g.controlRefused(404, "again", "POST", "pushes", object{"again": 99999999})
	g.controlRefused(400, "next", "POST", "pushes", object{"component_appid": testComponent, "next": 1})
	g.controlRefused(400, "delay_seconds", "POST", "pushes", object{"component_appid": testComponent, "kind": "ticket", "delay_seconds": -1})
}

func TestHowPushesAreRepeatedIsASetting(t *testing.T) {
	for _, c := range []struct {
		name, signature string
		retries         int
		same            bool
	}{{"the same bytes again", "same", 2, true}, {"signed anew", "fresh", 1, false}, {"never", "fresh", 0, false}} {
		t.Run(c.name, func(t *testing.T) {
			g := startRig(t, Options{})
			g.bind()
			g.control("settings", object{"ticket_push_retries": c.retries, "push_retry_signature": c.signature})
			start := g.platform.count()
			g.platform.mu.Lock()
			g.platform.answer = func(int, received) (int, string) { return http.StatusOK, "fail" }
			g.platform.mu.Unlock()
			p := g.pushState(g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})["id"].(float64))
			g.platform.mu.Lock()
			defer g.platform.mu.Unlock()
			got := g.platform.got[start:]
			if p["state"] != pushFailed || len(got) != c.retries+1 {
				t.Fatalf("push %v, %d arrived", p["state"], len(got))
			}
			if c.retries > 0 && (got[0].query.Get("nonce") == got[1].query.Get("nonce")) != c.same {
				t.Errorf("signed %v and %v", got[0].query, got[1].query)
			}
		})
	}
}
