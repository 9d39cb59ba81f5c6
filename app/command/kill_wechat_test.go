package command_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/wechat"
)

// kill ends the demo with -9 and starts it again on the same data.
func (d *running) kill(exe string) {
	d.t.Helper()
	kids := children(d.t, d.cmd.Process.Pid)
	if err := d.cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	_ = d.cmd.Wait() // "signal: killed" is what was asked for
	d.eventually("every child gone", func() bool {
		for _, pid := range kids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
	d.start(exe)
}

// inBackground makes a call whose answer nobody waits for; the channel closes when it is over, however it ended.
func inBackground(req *http.Request, token string) <-chan struct{} {
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	return done
}

// hook is somebody's server that can hold what it is told.
type hook struct {
	mu   sync.Mutex
	held chan struct{} // answers once it is closed; set before anything arrives
	got  []string      // ids of events, as they arrived
	body []string
}

func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var told struct {
		ID     string
		Fields map[string]string
	}
	_ = json.Unmarshal(raw, &told) // what is no JSON has no id, which the test sees
	h.mu.Lock()
	h.got, h.body = append(h.got, told.ID), append(h.body, told.Fields["n"])
	h.mu.Unlock()
	select {
	case <-h.held:
	case <-r.Context().Done():
	}
}

func (h *hook) told() (ids, bodies []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.got...), append([]string(nil), h.body...)
}

// forwarded binds a platform app and has its pushes told to a server.
func forwarded(t *testing.T, d *running, merchant string, to http.Handler) (send func(n string) int) {
	t.Helper()
	const token, key = "sf_demo_token_01", "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	if status := d.call(http.MethodPost, d.base+"/api/v1/components", merchant, map[string]any{"appid": walkApp, "secret": walkSecret, "token": token, "aes_key": key, "name": "Crash"}, nil); status != http.StatusCreated {
		t.Fatalf("bind: %d", status)
	}
	if to != nil {
		srv := httptest.NewServer(to)
		t.Cleanup(srv.Close)
		if status := d.call(http.MethodPost, d.base+"/api/v1/forwards", merchant, map[string]any{"component": walkApp, "name": "Orders", "url": srv.URL, "form": "json", "types": []string{"*"}}, nil); status != http.StatusCreated {
			t.Fatalf("forward: %d", status)
		}
	}
	c, err := wechat.NewCrypter(walkApp, []string{token}, []string{key})
	if err != nil {
		t.Fatal(err)
	}
	return func(n string) int {
		return push(t, d, c, token, fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>notify_load</InfoType><n>%s</n></xml>", walkApp, time.Now().Unix(), n))
	}
}

// noneStuck waits until nothing waits for anybody, and nobody has given up.
func noneStuck(d *running, operator string) {
	d.t.Helper()
	var waiting, dead struct{ Total *int64 }
	d.eventually("every queue empty", func() bool {
		d.call(http.MethodGet, d.base+"/api/v1/events?state=waiting", operator, nil, &waiting)
		return waiting.Total != nil && *waiting.Total == 0
	})
	d.call(http.MethodGet, d.base+"/api/v1/dead-letters", operator, nil, &dead)
	if dead.Total == nil || *dead.Total != 0 {
		d.t.Errorf("dead letters after the crash: %v", dead.Total)
	}
}

// TestAForwardThatWasUnderWayIsToldAgainAfterAKill kills the platform while a receiver holds a delivery.
func TestAForwardThatWasUnderWayIsToldAgainAfterAKill(t *testing.T) {
	exe := binary(t)
	d := startDemo(t, exe)
	merchant, operator := d.login("merchant@example.test"), d.login("operator@example.test")
	to := &hook{held: make(chan struct{})}
	send := forwarded(t, d, merchant, to)
	for i := range 5 {
		if status := send(fmt.Sprint("before-", i)); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	d.eventually("a delivery under way", func() bool { ids, _ := to.told(); return len(ids) == 1 })
	d.kill(exe)
	close(to.held)
	if status := send("after"); status != http.StatusOK {
		t.Fatal(status)
	}
	d.eventually("everything told", func() bool {
		_, bodies := to.told()
		return len(bodies) > 0 && bodies[len(bodies)-1] == "after"
	})
	// At least once, in order, and the same event keeps its number.
	ids, bodies := to.told()
	number, newest := map[string]string{}, -1
	order := []string{"before-0", "before-1", "before-2", "before-3", "before-4", "after"}
	for i, b := range bodies {
		if known, again := number[b]; again && known != ids[i] {
			t.Errorf("%s was told as %s and as %s", b, known, ids[i])
		}
		number[b] = ids[i]
		for at, want := range order {
			if b == want {
				if at > newest+1 {
					t.Errorf("%s came before what it follows: %q", b, bodies)
				}
				newest = max(newest, at)
			}
		}
	}
	if len(bodies) < 2 || bodies[0] != bodies[1] {
		t.Errorf("the delivery that was never answered was not told again first: %q", bodies)
	}
	if len(number) != len(order) {
		t.Errorf("told %q, want each of %q", bodies, order)
	}
	noneStuck(d, operator)
}

// TestAKillDuringARotationLeavesTheOldKeysOrBoth kills the platform at any moment of starting and ending a rotation: the
// keys that WeChat may still use must stay good, and the rotation is under way or it is not.
func TestAKillDuringARotationLeavesTheOldKeysOrBoth(t *testing.T) {
	exe := binary(t)
	d := startDemo(t, exe)
	merchant := d.login("merchant@example.test")
	forwarded(t, d, merchant, nil)
	keys := []string{"Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}
	tokens := []string{"sf_demo_token_01", "next_token"}
	taken := func(i int) bool {
		c, err := wechat.NewCrypter(walkApp, []string{tokens[i]}, []string{keys[i]})
		if err != nil {
			t.Fatal(err)
		}
		return push(t, d, c, tokens[i], fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>notify_load</InfoType><n>%d</n></xml>", walkApp, time.Now().Unix(), rand.Int64())) == http.StatusOK
	}
	// meanwhile makes the call and kills the platform a moment later, whatever has become of the call by then.
	meanwhile := func(method, path string, body string) {
		req, err := http.NewRequest(method, d.base+"/api/v1/components/"+walkApp+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		done := inBackground(req, merchant)
		time.Sleep(rand.N(12 * time.Millisecond))
		d.kill(exe)
		<-done
	}
	turning := func() bool {
		var c struct {
			RotatedAt int64 `json:"rotated_at"`
		}
		if status := d.call(http.MethodGet, d.base+"/api/v1/components/"+walkApp, merchant, nil, &c); status != http.StatusOK {
			t.Fatal(status)
		}
		return c.RotatedAt > 0
	}
	next := fmt.Sprintf(`{"token":%q,"aes_key":%q}`, tokens[1], keys[1])
	for round := range 3 {
		meanwhile(http.MethodPost, "/keys", next)
		under := turning()
		if !taken(0) || taken(1) != under {
			t.Fatalf("round %d: under way %t, and the keys do not fit", round, under)
		}
		if under {
			break
		}
	}
	if !turning() {
		if status := d.call(http.MethodPost, d.base+"/api/v1/components/"+walkApp+"/keys", merchant, json.RawMessage(next), nil); status != http.StatusOK {
			t.Fatalf("the rotation cannot be started after the kills: %d", status)
		}
	}
	for round := range 3 {
		meanwhile(http.MethodDelete, "/keys/previous", "")
		under := turning()
		if !taken(1) || taken(0) != under {
			t.Fatalf("end, round %d: under way %t, and the keys do not fit", round, under)
		}
		if !under {
			break
		}
	}
}

// TestAKillDuringAReplayOfManyLeavesNothingStuck kills the platform while hundreds of events are replayed.
func TestAKillDuringAReplayOfManyLeavesNothingStuck(t *testing.T) {
	exe := binary(t)
	d := startDemo(t, exe)
	merchant, operator := d.login("merchant@example.test"), d.login("operator@example.test")
	to := &hook{held: make(chan struct{})}
	close(to.held)
	send := forwarded(t, d, merchant, to)
	const many = 400
	for i := range many {
		if status := send(fmt.Sprint(i)); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	every := func(times int) func() bool {
		return func() bool {
			_, bodies := to.told()
			seen := map[string]int{}
			for _, b := range bodies {
				seen[b]++
			}
			for i := range many {
				if seen[fmt.Sprint(i)] < times {
					return false
				}
			}
			return true
		}
	}
	d.eventually("every push told", every(1))
	replay := map[string]any{"component": walkApp, "type": "notify_load", "expect": many}
	body, err := json.Marshal(replay)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, d.base+"/api/v1/events/replay", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	done := inBackground(req, operator)
	d.eventually("the replay under way", func() bool { ids, _ := to.told(); return len(ids) > many })
	d.kill(exe)
	<-done
	noneStuck(d, operator)
	// What the kill has cut off is asked for again, and all of it comes.
	var again struct{ Done, Skipped int }
	if status := d.call(http.MethodPost, d.base+"/api/v1/events/replay", operator, replay, &again); status != http.StatusAccepted || again.Done != many || again.Skipped != 0 {
		t.Fatalf("replay after the kill: %d %+v", status, again)
	}
	d.eventually("every push told again", every(2))
	noneStuck(d, operator)
}

// TestAKillDuringAMarkedCallIsFoundAndSettled kills the platform while WeChat has a submit for review in its hands: the
// mark says so, nothing is sent a second time, and what WeChat knows is adopted.
func TestAKillDuringAMarkedCallIsFoundAndSettled(t *testing.T) {
	exe := binary(t)
	d := startDemo(t, exe)
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	u, operator := client{d, d.login("user@example.test")}, d.login("operator@example.test")
	install(d, u)
	d.control("/control/clock", map[string]any{"advance_seconds": 60}, nil)
	u.must(http.StatusOK, http.MethodPost, "/version/miniprograms/"+walkShop+"/sync", map[string]any{}, nil)
	d.control("/control/faults", map[string]any{"path": "/wxa/submit_audit", "delay_ms": 20000, "times": 1}, nil)
	submit := `{"item_list":[{"first_class":"商家自营","second_class":"食品饮料","first_id":304,"second_id":325}],"version_desc":"首版"}`
	req, err := http.NewRequest(http.MethodPost, d.base+"/api/v1/version/miniprograms/"+walkShop+"/audit", strings.NewReader(submit))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	req.Header.Set("Content-Type", "application/json")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	d.eventually("the submit in WeChat's hands", func() bool {
		var faults struct {
			Items []struct {
				Path  string
				Times int
			}
		}
		d.control("/control/faults", nil, &faults)
		for _, f := range faults.Items {
			if f.Path == "/wxa/submit_audit" && f.Times > 0 {
				return false
			}
		}
		return true
	})
	d.kill(exe)
	<-done
	// From the moment on when no call of that length can still be under way, the mark is in the list of what is unknown,
	// until somebody has read WeChat: the job that looks after reviews may be faster than this test.
	d.control("/control/clock", map[string]any{"advance_seconds": 600}, nil)
	type unknown struct {
		Items []struct{ Endpoint, AppID, Outcome string }
	}
	looked := func() (open unknown) {
		d.call(http.MethodGet, d.base+"/api/v1/wechat/unsettled", operator, nil, &open)
		return open
	}
	d.eventually("the mark found, or settled by the job", func() bool {
		open := looked()
		if len(open.Items) == 1 {
			if o := open.Items[0]; o.Endpoint != wechat.EndpointSubmitAudit || o.AppID != walkShop || o.Outcome != "sending" {
				t.Fatalf("%+v", o)
			}
			return true
		}
		return d.wechatCalls("/wxa/get_latest_auditstatus", walkShop) > 0
	})
	// Who presses again does not send blindly: WeChat is read first, and the mark is settled by what it says.
	status := d.call(http.MethodPost, d.base+"/api/v1/version/miniprograms/"+walkShop+"/audit", u.token, json.RawMessage(submit), nil)
	if status != http.StatusOK && status != http.StatusCreated && status != http.StatusAccepted {
		t.Fatalf("pressed again: %d", status)
	}
	d.eventually("nothing unknown", func() bool { return len(looked().Items) == 0 })
	u.until("running")
	if n := d.wechatCalls("/wxa/submit_audit", walkShop); n != 1 {
		t.Errorf("WeChat took %d submits", n)
	}
}
