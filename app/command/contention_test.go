package command_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/wechat"
)

// TestSavesInTheBackOfficeWhilePushesArrive: eight senders push as fast as they are answered while a merchant clicks
// through GoAdmin's tables and new merchants come in. Nobody meets "database is locked", and no push is lost.
func TestSavesInTheBackOfficeWhilePushesArrive(t *testing.T) {
	d := startDemo(t, binary(t), "MINIFLEET_ACCOUNT_VERIFYLOGINS=false") // twenty people register from one address
	token := d.login("merchant@example.test")
	const key, secret = "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM", "sf_demo_token_01"
	if status := d.call(http.MethodPost, d.base+"/api/v1/components", token, map[string]any{"appid": walkApp, "secret": walkSecret, "token": secret, "aes_key": key, "name": "压力平台"}, nil); status != http.StatusCreated {
		t.Fatalf("bind: %d", status)
	}
	crypter, err := wechat.NewCrypter(walkApp, []string{secret}, []string{key})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var pushed, refused atomic.Int64
	var senders sync.WaitGroup
	for sender := range 8 {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				// An information event that nobody subscribes to: its row is all that is asked for.
				if status := push(t, d, crypter, secret, fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>notify_load</InfoType><n>%d-%d</n></xml>", walkApp, time.Now().Unix(), sender, n)); status == http.StatusOK {
					pushed.Add(1)
				} else {
					refused.Add(1)
				}
			}
		})
	}
	var listings struct{ Items []struct{ ID string } }
	d.call(http.MethodGet, d.base+"/api/v1/market/listings", "", nil, &listings)
	if len(listings.Items) != 1 {
		t.Fatalf("the demo has %d listings", len(listings.Items))
	}
	for n := range 20 {
		action := []string{"delist", "list"}[n%2]
		if status, text := click(t, d, token, "/admin/info/market_listings/act/"+action, url.Values{"one": {listings.Items[0].ID}}); status >= 400 {
			t.Fatalf("%s: %d %.800s", action, status, text)
		}
		var fresh struct{ Token string }
		if status := d.call(http.MethodPost, d.base+"/api/v1/accounts", "", map[string]any{"login": fmt.Sprintf("shop%d@example.test", n), "password": demoPassword, "kind": "merchant", "space_name": "压力商户", "agreed": true}, &fresh); status != http.StatusCreated {
			t.Fatalf("register: %d", status)
		}
		if status, text := visit(t, d, fresh.Token, "/admin"); status != http.StatusOK {
			t.Fatalf("first visit of a new merchant: %d %.800s", status, text)
		}
	}
	close(stop)
	senders.Wait()
	if refused.Load() > 0 || pushed.Load() < 100 {
		t.Fatalf("%d pushes accepted, %d refused", pushed.Load(), refused.Load())
	}
	operator := d.login("operator@example.test")
	d.eventually("every accepted push in the event log", func() bool { return countEvents(d, operator, "notify_load") == pushed.Load() })
	d.stop()
	log, err := os.ReadFile(filepath.Join(d.dir, "data", "minifleet.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"database is locked", "SQLITE_BUSY", "level=ERROR"} {
		if at := strings.Index(string(log), bad); at >= 0 {
			t.Errorf("the log says %s: %.300s", bad, log[max(0, at-200):])
		}
	}
}

// push sends one encrypted push and gives the status; 200 counts only with the body `success`.
func push(t *testing.T, d *running, c *wechat.Crypter, secret, msg string) int {
	t.Helper()
	encrypted, err := c.Encrypt(rand.Reader, []byte(msg))
	if err != nil {
		t.Error(err)
		return 0
	}
	now, nonce := fmt.Sprint(time.Now().Unix()), rand.Text()[:10]
	q := url.Values{"timestamp": {now}, "nonce": {nonce}, "encrypt_type": {"aes"}, "msg_signature": {wechat.Signature(secret, now, nonce, encrypted)}}
	res, err := http.Post(d.base+"/wechat/"+walkApp+"/ticket?"+q.Encode(), "text/xml", strings.NewReader("<xml><AppId>"+walkApp+"</AppId><Encrypt>"+encrypted+"</Encrypt></xml>"))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusOK && string(body) != "success" {
		t.Errorf("answer %q %v", body, err)
	}
	return res.StatusCode
}

func countEvents(d *running, token, typ string) int64 {
	var n int64
	for cursor := ""; ; {
		var page struct {
			Items []struct{ ID string }
			Next  *string
		}
		d.call(http.MethodGet, d.base+"/api/v1/events?limit=200&type="+typ+"&cursor="+url.QueryEscape(cursor), token, nil, &page)
		n += int64(len(page.Items))
		if page.Next == nil {
			return n
		}
		cursor = *page.Next
	}
}

// visit opens a page as the holder of the session.
func visit(t *testing.T, d *running, session, path string) (int, string) {
	t.Helper()
	return send(t, d, session, http.MethodGet, path, nil)
}

// click posts a form as the holder of the session, from a page of this site.
func click(t *testing.T, d *running, session, path string, form url.Values) (int, string) {
	t.Helper()
	return send(t, d, session, http.MethodPost, path, form)
}

func send(t *testing.T, d *running, session, method, path string, form url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, d.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "minifleet_session", Value: session})
	req.Header.Set("Origin", d.base)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
