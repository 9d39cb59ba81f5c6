package command_test

import (
	"database/sql"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTheMainJobByREST goes the user's way by REST and landing page, on both databases, and counts at WeChat that
// clicks which come many times take effect once.
func TestTheMainJobByREST(t *testing.T) {
	exe := binary(t)
	t.Run("sqlite", func(t *testing.T) { mainJob(t, startDemo(t, exe)) })
	t.Run("mysql", func(t *testing.T) {
		server := os.Getenv("MINIFLEET_TEST_MYSQL")
		if server == "" {
			t.Fatal("MINIFLEET_TEST_MYSQL is not set; `make test` starts a private MariaDB")
		}
		mainJob(t, startDemo(t, exe, "MINIFLEET_DATABASE_TYPE=mysql", "MINIFLEET_DATABASE_DSNFILE="+freshDatabase(t, server)))
	})
}

// freshDatabase makes an empty database and a file that holds its dsn.
func freshDatabase(t *testing.T, server string) string {
	t.Helper()
	db, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("mf_walk_%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	file := t.TempDir() + "/dsn"
	if err := os.WriteFile(file, []byte(strings.TrimSuffix(server, "/")+"/"+name), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// client is one person's REST session.
type client struct {
	*running
	token string
}

func (c client) must(status int, method, path string, in, out any) {
	c.t.Helper()
	var raw any
	if out == nil {
		out = &raw
	}
	if got := c.call(method, c.base+"/api/v1"+path, c.token, in, out); got != status {
		c.t.Fatalf("%s %s: %d, want %d: %+v", method, path, got, status, out)
	}
}

// times sends the same call from many places at once and gives how many were accepted.
func (c client) times(n int, path string, in any) int64 {
	c.t.Helper()
	var good atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			var answer any
			if status := c.call(http.MethodPost, c.base+"/api/v1"+path, c.token, in, &answer); status < 300 {
				good.Add(1)
			} else if status >= 500 {
				c.t.Errorf("%s: %d %v", path, status, answer)
			}
		})
	}
	wg.Wait()
	return good.Load()
}

func (d *running) wechatCalls(path, appid string) int {
	d.t.Helper()
	var out struct{ Total int }
	d.control("/control/calls?limit=1&errcode=0&path="+url.QueryEscape(path)+"&appid="+appid, nil, &out)
	return out.Total
}

type installation struct {
	ID, State, AppID, Ticket, URL, Failure string
	Steps                                  []struct{ Name, State string }
}

type lanes struct {
	Trial, Online *struct{ Version string }
	Audit         *struct {
		State  string
		Reason []string
	}
}

func mainJob(t *testing.T, d *running) {
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	u := client{d, d.login("user@example.test")}
	install(d, u)
	u.submitted(d)
	d.control("/control/audits/"+walkShop, map[string]any{"result": "reject", "reason": "1:缺少协议<br>2:<b>类目</b>不符"}, nil)
	u.until("rejected")
	u.submitted(d)
	d.control("/control/audits/"+walkShop, map[string]any{"result": "pass"}, nil)
	u.until("passed")
	if n := u.times(6, "/version/miniprograms/"+walkShop+"/release", map[string]any{}); n < 1 {
		t.Fatalf("%d of six releases were accepted", n)
	}
	if n := d.wechatCalls("/wxa/release", walkShop); n != 1 {
		t.Fatalf("released %d times", n)
	}
	d.eventually("the version online", func() bool { l := u.lanes(); return l.Online != nil && l.Online.Version == "1.0.0" })
	tenancy(d)
	badInput(d, u)
}

// authorised begins an installation and authorises it over the landing page; start is what its start sends.
func authorised(d *running, u client) (i installation, start map[string]any) {
	d.t.Helper()
	var market struct{ Items []struct{ Slug string } }
	u.must(http.StatusOK, http.MethodGet, "/market/listings", nil, &market)
	u.must(http.StatusCreated, http.MethodPost, "/market/installations", map[string]any{"listing": market.Items[0].Slug}, &i)
	u.authorise(i.Ticket, walkShop)
	return i, map[string]any{"appid": walkShop, "config": map[string]string{"shop_name": "青禾一号店"}}
}

// authorise opens the landing page of a ticket and lets the administrator of a mini program scan its code.
func (c client) authorise(ticket, appid string) {
	d := c.running
	d.t.Helper()
	status, page := click(d.t, d, c.token, "/auth/"+ticket+"/open", url.Values{"via": {"h5"}})
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(d.sim) + `/[^"]+)"`).FindStringSubmatch(page)
	if status != http.StatusOK || link == nil {
		d.t.Fatalf("open the landing page: %d %.600s", status, page)
	}
	var scan struct {
		RedirectTo string `json:"redirect_to"`
	}
	d.control("/control/scan", map[string]any{"url": html.UnescapeString(link[1]), "appid": appid}, &scan)
	// The phone's browser is nobody's session here: the signed ticket in the address is what binds the return.
	res, err := http.Get(scan.RedirectTo)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("return: %d", res.StatusCode)
	}
}

// install runs an installation from its authorisation to its end.
func install(d *running, u client) {
	d.t.Helper()
	i, start := authorised(d, u)
	u.must(http.StatusOK, http.MethodPost, "/market/installations/"+i.ID+"/start", start, nil)
	u.times(4, "/market/installations/"+i.ID+"/start", start)
	d.eventually("the installation's end", func() bool {
		u.must(http.StatusOK, http.MethodGet, "/market/installations/"+i.ID, nil, &i)
		if i.State == "failed" {
			d.t.Fatalf("%+v", i)
		}
		return i.State == "done"
	})
	if n := d.wechatCalls("/wxa/commit", walkShop); n != 1 || len(i.Steps) != 4 {
		d.t.Fatalf("%d commits, steps %+v", n, i.Steps)
	}
}

func (c client) lanes() lanes {
	c.t.Helper()
	var l lanes
	c.must(http.StatusOK, http.MethodGet, "/version/miniprograms/"+walkShop, nil, &l)
	return l
}

func (c client) until(state string) {
	c.t.Helper()
	c.eventually("audit "+state, func() bool { l := c.lanes(); return l.Audit != nil && l.Audit.State == state })
}

// submitted presses 提交审核 six times at once, when the code scan is over, and expects one submit at WeChat.
func (c client) submitted(d *running) {
	c.t.Helper()
	before := d.wechatCalls("/wxa/submit_audit", walkShop)
	d.control("/control/clock", map[string]any{"advance_seconds": 60}, nil)
	c.must(http.StatusOK, http.MethodPost, "/version/miniprograms/"+walkShop+"/sync", map[string]any{}, nil)
	in := map[string]any{"item_list": []map[string]any{{"first_class": "商家自营", "second_class": "食品饮料", "first_id": 304, "second_id": 325}}, "version_desc": "首版"}
	if n := c.times(6, "/version/miniprograms/"+walkShop+"/audit", in); n != 1 {
		c.t.Fatalf("%d of six submits were accepted", n)
	}
	if n := d.wechatCalls("/wxa/submit_audit", walkShop); n != before+1 {
		c.t.Fatalf("WeChat took %d submits", n-before)
	}
}

// tenancy: a stranger finds nothing of it.
func tenancy(d *running) {
	d.t.Helper()
	var stranger struct{ Token string }
	var sent struct {
		Code string `json:"demo_code"`
	}
	d.call(http.MethodPost, d.base+"/api/v1/codes", "", map[string]any{"login": "stranger@example.test", "purpose": "register"}, &sent)
	if status := d.call(http.MethodPost, d.base+"/api/v1/accounts", "", map[string]any{"login": "stranger@example.test", "password": demoPassword, "kind": "personal", "agreed": true, "code": sent.Code}, &stranger); status != http.StatusCreated {
		d.t.Fatalf("register with the code %q: %d", sent.Code, status)
	}
	x := client{d, stranger.Token}
	for _, c := range [][2]string{
		{http.MethodGet, "/miniprograms/" + walkShop}, {http.MethodPost, "/miniprograms/" + walkShop + "/sync"}, {http.MethodGet, "/miniprograms/" + walkShop + "/grants"},
		{http.MethodGet, "/version/miniprograms/" + walkShop}, {http.MethodPost, "/version/miniprograms/" + walkShop + "/release"}, {http.MethodPost, "/version/miniprograms/" + walkShop + "/sync"},
		{http.MethodGet, "/version/miniprograms/" + walkShop + "/trial-qrcode"}, {http.MethodGet, "/hosting/miniprograms/" + walkShop + "/grants"}, {http.MethodGet, "/trail?appid=" + walkShop},
	} {
		if status := d.call(c[0], d.base+"/api/v1"+c[1], x.token, nil, nil); status != http.StatusNotFound {
			d.t.Errorf("a stranger's %s %s: %d", c[0], c[1], status)
		}
	}
	if status, _ := visit(d.t, d, x.token, "/p/version/miniprograms/"+walkShop); status != http.StatusNotFound {
		d.t.Errorf("a stranger's lane page: %d", status)
	}
}

// badInput: what cannot be right never reaches WeChat, and the answer names the field.
func badInput(d *running, u client) {
	d.t.Helper()
	type refusal struct {
		Error struct {
			Code   string
			Fields []struct{ Name, Message string }
		}
	}
	before := d.wechatCalls("/wxa/commit", walkShop)
	for _, c := range []struct {
		path, field string
		in          map[string]any
	}{
		{"/version/miniprograms/" + walkShop + "/commit", "ext_json", map[string]any{"ext_json": "{not json", "user_version": "9", "user_desc": "x"}},
		{"/version/miniprograms/" + walkShop + "/audit", "nonsense", map[string]any{"nonsense": 1}},
		{"/components", "surprise", map[string]any{"surprise": true}},
	} {
		var r refusal
		status := d.call(http.MethodPost, d.base+"/api/v1"+c.path, u.token, c.in, &r)
		named := false
		for _, f := range r.Error.Fields {
			named = named || f.Name == c.field && f.Message != ""
		}
		if status != http.StatusBadRequest || !named {
			d.t.Errorf("%s %v: %d %+v, want field %s", c.path, c.in, status, r, c.field)
		}
	}
	if n := d.wechatCalls("/wxa/commit", walkShop); n != before {
		d.t.Errorf("bad ext_json reached WeChat")
	}
}
