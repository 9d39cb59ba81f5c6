package plugin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/store/storetest"
)

// packExample builds an example as its author would.
func packExample(t *testing.T, name string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("builds plugins")
	}
	work := t.TempDir()
	binary := filepath.Join(work, archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH)))
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Dir, build.Env = filepath.Join("..", "..", "plugins", "examples", name), append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	said, err := exec.CommandContext(t.Context(), binary, "describe").Output()
	if err != nil {
		t.Fatal(err)
	}
	manifest := &plugin.Manifest{}
	if err := protojson.Unmarshal(said, manifest); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := archive.Pack(&out, plugin.SpecOf(manifest), os.DirFS(work)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// newGallery is an estate whose extensions reach what a guarded client reaches.
func newGallery(t *testing.T, outside plugin.Outside) *estate {
	t.Helper()
	e := newEstate(t, storetest.Open(t))
	options := e.hostOptions()
	options.Catalog, options.Cache, options.Follow, options.Outside = e.catalog, e.cache, 50*time.Millisecond, outside
	options.UIDBase = 300_000 + os.Getpid()%1_000*100
	var err error
	if e.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	e.run(t)
	return e
}

// show installs an example for everybody.
func (e *estate) show(t *testing.T, name string) plugin.Status {
	t.Helper()
	a := e.submit(t, ada, packExample(t, name))
	e.approve(t, a)
	status := e.serving(t, name, "1.0.0")
	if _, err := e.SetReach(t.Context(), olga, name, plugin.ReachForm{Reach: plugin.ReachAll}); err != nil {
		t.Fatal(err)
	}
	return status
}

// rest makes a REST call of an extension.
func (e *estate) rest(t *testing.T, who account.Actor, id, method, address string, in, out any) error {
	t.Helper()
	path, query, _ := strings.Cut(address, "?")
	request := plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: method, Path: path, Query: query, Header: http.Header{"Content-Type": {"application/json"}}}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		request.Body = body
	}
	answer, err := e.Serve(t.Context(), who, request)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer.Body, out)
}

// couponRow is a coupon as REST shows it.
type couponRow struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Stock   int64  `json:"stock"`
	Stopped bool   `json:"stopped"`
}

func TestTheCouponExampleServesFromItsArchive(t *testing.T) {
	e := newGallery(t, plugin.Outside{})
	e.core.right("wx1", ada.SpaceID, "*")
	e.show(t, "coupon")
	if err := e.rest(t, ada, "coupon", "GET", "/coupons", nil, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before the space switched it on: %v", err)
	}
	for _, who := range []account.Actor{ada, bob} {
		if _, err := e.SwitchOn(t.Context(), who, "coupon"); err != nil {
			t.Fatal(err)
		}
	}
	until := e.clock.Now().Add(time.Hour).UnixMilli()
	body := func(name string) map[string]any {
		return map[string]any{"appid": "wx1", "name": name, "stock": 5, "until": until}
	}
	var made couponRow
	if err := e.rest(t, ada, "coupon", "POST", "/coupons", body("抢券"), &made); err != nil || made.Stock != 5 {
		t.Fatalf("made %+v, %v", made, err)
	}
	if err := e.rest(t, bob, "coupon", "POST", "/coupons", body("偷"), nil); err == nil {
		t.Error("a coupon on another's mini program was kept")
	}
	var bad *fault.Error
	if err := e.rest(t, ada, "coupon", "POST", "/coupons", map[string]any{"appid": "wx1", "name": "x", "stock": -1, "until": 1}, nil); !errors.As(err, &bad) || len(bad.Fields) != 2 {
		t.Errorf("a wrong coupon gave %v", err)
	}
	e.core.right("wx2", ada.SpaceID, "*")
	if err := e.rest(t, ada, "coupon", "PATCH", "/coupons/"+made.ID, map[string]any{"appid": "wx2"}, nil); !errors.As(err, &bad) || len(bad.Fields) != 1 || bad.Fields[0].Name != "appid" {
		t.Errorf("moving it to another mini program gave %v", err)
	}
	e.rush(t, made.ID)
	e.expire(t, until)
	page, err := e.Rows(t.Context(), ada, "coupon", "coupons", plugin.TableQuery{Filters: map[string]string{"name": "券", "stopped": "true"}})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Text("name") != "抢券" {
		t.Errorf("the list shows %+v, %v", page, err)
	}
	if page, err := e.Rows(t.Context(), bob, "coupon", "coupons", plugin.TableQuery{}); err != nil || len(page.Rows) != 0 {
		t.Errorf("another space sees %+v, %v", page, err)
	}
	if status, _ := e.status("coupon"); status.MemoryBytes > 20<<20 {
		t.Errorf("it takes %.1f MiB, at most 20", float64(status.MemoryBytes)/(1<<20))
	} else {
		t.Logf("it takes %.1f MiB", float64(status.MemoryBytes)/(1<<20))
	}
}

// rush has many take a coupon of which there are five.
func (e *estate) rush(t *testing.T, id string) {
	t.Helper()
	var got, gone atomic.Int64
	var takers sync.WaitGroup
	for range 12 {
		takers.Go(func() {
			err := e.rest(t, ada, "coupon", "POST", "/coupons/"+id+"/take", nil, nil)
			switch {
			case err == nil:
				got.Add(1)
			case fault.KindOf(err) == fault.Conflict:
				gone.Add(1)
			default:
				t.Errorf("taking gave %v", err)
			}
		})
	}
	takers.Wait()
	if got.Load() != 5 || gone.Load() != 7 {
		t.Errorf("%d got one of 5, %d came too late", got.Load(), gone.Load())
	}
}

// expire runs the job of each space after the coupons' time.
func (e *estate) expire(t *testing.T, until int64) {
	t.Helper()
	e.clock.Advance(time.UnixMilli(until).Sub(e.clock.Now()) + time.Minute)
	if note, err := e.job(t, "coupon.expire").Run(t.Context()); err != nil || !strings.Contains(note, "2 个空间") {
		t.Errorf("the job noted %q, %v", note, err)
	}
}

const rejectedPush = `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>1763000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[weapp_audit_fail]]></Event><Reason><![CDATA[1:页面内容不完整<br>2:类目不符]]></Reason><FailTime>1763000000</FailTime></xml>`

func TestTheNotifierExampleTellsTheRobotOfARejectedAudit(t *testing.T) {
	var mu sync.Mutex
	var got []string
	town := &streets{server: httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Host+r.URL.RequestURI()+" "+string(body))
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
	}))}
	t.Cleanup(town.server.Close)
	e := newGallery(t, plugin.Outside{Client: town.client(t)})
	for _, who := range []account.Actor{ada, bob} {
		e.core.right("wx-"+who.Name, who.SpaceID, "*")
	}
	e.show(t, "auditnotifier")
	if _, err := e.SwitchOn(t.Context(), ada, "auditnotifier"); err == nil {
		t.Error("it was switched on without the address it needs")
	}
	if _, err := e.SaveSettings(t.Context(), ada, "auditnotifier", plugin.SettingsForm{Values: map[string]any{"robot": "wecom", "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.SwitchOn(t.Context(), ada, "auditnotifier"); err != nil {
		t.Fatal(err)
	}
	for _, appid := range []string{"wx-bob", "wx-ada"} { // bob's space has it off
		err := e.events.Append(t.Context(), event.Record{
			Type: "weapp_audit_fail", Source: event.SourceWeChat, Component: "wxc", AppID: appid, URLKind: "message", CreateTime: 1763000000, Payload: []byte(rejectedPush),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the list has the message", time.Minute, func() bool {
		var page struct{ Items []struct{ Reason string } }
		return e.rest(t, ada, "auditnotifier", "GET", "/notices", nil, &page) == nil && len(page.Items) == 1 && strings.Contains(page.Items[0].Reason, "类目不符")
	})
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || !strings.HasPrefix(got[0], "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k ") || !strings.Contains(got[0], "「名wx-ada」审核被驳回") || !strings.Contains(got[0], `@all`) {
		t.Errorf("the robot got %v", got)
	}
}

// client is a guarded one whose every public address is the one local server.
func (s *streets) client(t *testing.T) *http.Client {
	t.Helper()
	client := notice.WebhookOptions{Resolver: s, Dial: s.dial}.Client()
	guarded, isOne := client.Transport.(*http.Transport)
	trusted, isToo := s.server.Client().Transport.(*http.Transport)
	if !isOne || !isToo {
		t.Fatal("the clients have no transports of net/http")
	}
	guarded.TLSClientConfig = trusted.TLSClientConfig.Clone()
	guarded.TLSClientConfig.ServerName = "example.com" // which its certificate names
	return client
}
