package portal_test

import (
	"context"
	_ "embed"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"minifleet/app/account"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/plugin"
	"minifleet/resource"
)

// blocks shows every block of the design system once.
//
//go:embed testdata/blocks.html
var blocks string

// chrome is one tab that reports everything the browser complains about.
type chrome struct {
	h   *house
	ctx context.Context
	mu  sync.Mutex
	bad []string

	started bool
}

// needs ends a test that cannot run here; where all tests must run, it fails.
func needs(t *testing.T, have bool, what string) {
	t.Helper()
	switch {
	case have:
	case os.Getenv("CI") != "":
		t.Fatal(what)
	default:
		t.Skip(what)
	}
}

func (h *house) chrome(wide, high int) *chrome {
	h.t.Helper()
	if testing.Short() {
		h.t.Skip("a browser: part of `make test`, not of `make check`")
	}
	path, err := exec.LookPath("chromium")
	needs(h.t, err == nil, "Chromium is missing: apt-get install chromium")
	assets, err := resource.Load()
	needs(h.t, err == nil && !assets.Missing(), "the pages were not built: run make pages")
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-networking", true))...)
	ctx, cancel := chromedp.NewContext(allocator)
	h.t.Cleanup(func() { cancel(); stop() })
	c := &chrome{h: h, ctx: ctx}
	c.do(chromedp.EmulateViewport(int64(wide), int64(high), chromedp.EmulateMobile))
	err = chromedp.Listen(ctx, func(event any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := event.(type) {
		case *cdplog.EventEntryAdded:
			c.bad = append(c.bad, e.Entry.Text+" "+e.Entry.URL)
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme != "data" && u.Hostname() != "127.0.0.1" {
				c.bad = append(c.bad, "request to another site: "+e.Request.URL)
			}
		}
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// do runs steps in at most 20 s; the first starts the browser, which must outlive it.
func (c *chrome) do(steps ...chromedp.Action[chromedp.Void]) {
	c.h.t.Helper()
	ctx := c.ctx
	if c.started {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
	}
	c.started = true
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, readErr := chromedp.Run(c.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
		c.h.t.Fatalf("%v; the page is %s (%v); complaints %q", err, text, readErr, c.bad)
	}
}

// ask runs a step that answers something.
func ask[T any](c *chrome, step chromedp.Action[T]) T {
	c.h.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		c.h.t.Fatal(err)
	}
	return value
}

// login gives the tab the session of another browser.
func (c *chrome) login(b *browser) {
	c.h.t.Helper()
	u, err := url.Parse(c.h.server.URL)
	if err != nil {
		c.h.t.Fatal(err)
	}
	for _, cookie := range b.client.Jar.Cookies(u) {
		if _, err := chromedp.Call(c.ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: c.h.server.URL}); err != nil {
			c.h.t.Fatal(err)
		}
	}
}

// look opens a page, takes its picture and checks that it fits the width and that the browser has nothing to complain of.
func (c *chrome) look(path, name string) {
	c.h.t.Helper()
	c.do(chromedp.Navigate(c.h.server.URL+path), chromedp.WaitReady("main"))
	over := ask(c, chromedp.Evaluate[int64](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	wide := ask(c, chromedp.Evaluate[string](`[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 5).join(' ')`))
	if over > 0 {
		c.h.t.Errorf("%s is %d px too wide: %s", path, over, wide)
	}
	c.shot(name)
	c.calm(path)
}

// calm reports what the browser complained of.
func (c *chrome) calm(where string) {
	c.h.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, words := range c.bad {
		c.h.t.Errorf("%s: %s", where, words)
	}
	c.bad = nil
}

// shot keeps a picture in the ignored folder.
func (c *chrome) shot(name string) {
	c.h.t.Helper()
	picture := ask(c, chromedp.FullScreenshot(100))
	folder := filepath.Join("..", "..", "..", ".artifacts", "portal")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		c.h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		c.h.t.Fatal(err)
	}
}

func TestPagesFitPhoneAndDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser: part of `make test`, not of `make check`")
	}
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	h.authorised(me, authtest.ShopID, 30)
	h.authorised(me, authtest.CafeID)
	h.plugins.menu = []plugin.MenuItem{{Title: "我的安装", Path: "/market/installations"}}
	h.plugins.answer = func(account.Actor, plugin.Request) (plugin.Response, error) {
		answer := pageOf("APP Store", blocks)
		answer.View.Subtitle = "找到适合你的小程序模板，一键安装"
		return answer, nil
	}
	ticket := h.Ticket(me)
	ended, err := h.Apps.Cancel(t.Context(), me, h.Ticket(me).ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string][2]int{"360": {360, 740}, "1366": {1366, 800}} {
		t.Run(name, func(t *testing.T) {
			c := h.chrome(size[0], size[1])
			c.look("/login?return=/market", "login-"+name)
			c.look("/register", "register-"+name)
			c.login(b)
			c.look("/market", "market-"+name)
			c.look("/auth/"+ticket.ID, "landing-"+name)
			c.look("/auth/"+ended.ID, "landing-ended-"+name)
			c.look("/my/miniprograms", "list-"+name)
			c.look("/my/miniprograms/"+authtest.ShopID, "program-"+name)
			c.look("/my/miniprograms/"+authtest.ShopID+"?tab=trail", "trail-"+name)
			c.look("/account", "account-"+name)
		})
	}
}

func TestAPersonAuthorisesInTheBrowser(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ticket := h.Ticket(me)
	c := h.chrome(360, 740)
	c.login(b)
	c.look("/auth/"+ticket.ID, "authorise-360")
	// WeChat's page refuses whoever comes without the Referer of this domain: arriving at it proves the click.
	c.do(chromedp.Click(`[data-test="open-h5"]`), chromedp.WaitVisible(`[data-test="person-zhangsan"]`))
	c.do(chromedp.Click(`[data-test="person-zhangsan"]`), chromedp.WaitVisible(`[data-test="program-`+authtest.ShopID+`"]`), chromedp.Click(`[data-test="program-`+authtest.ShopID+`"]`),
		chromedp.WaitVisible(`[data-test="authorize-confirm"]`), chromedp.Click(`[data-test="authorize-confirm"]`),
		chromedp.WaitVisible(`[data-test="ticket-state"][data-state="authorized"]`))
	c.shot("authorised-360")
	c.do(chromedp.WaitVisible(`tr[data-appid="` + authtest.ShopID + `"]`)) // it went on by itself
	c.calm("the way to WeChat and back")
}

func TestLandingPageFollowsByItself(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ticket := h.Ticket(me)
	c := h.chrome(1366, 800)
	c.login(b)
	c.look("/auth/"+ticket.ID, "following-1366")
	if got, err := h.ComeBack(h.Scan(ticket, authtest.ShopID)); err != nil || got.State != miniprogram.Authorized {
		t.Fatalf("%+v %v", got, err)
	}
	c.do(chromedp.WaitVisible(`[data-test="ticket-state"][data-state="authorized"]`), chromedp.WaitVisible(`tr[data-appid="`+authtest.ShopID+`"]`))
	c.calm("the landing page")
}

func TestConfirmationAsksFirst(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ticket := h.Ticket(me)
	c := h.chrome(1366, 800)
	c.login(b)
	c.look("/auth/"+ticket.ID, "confirm-1366")
	c.do(chromedp.Click(`[data-test="cancel"]`), chromedp.WaitVisible(`[data-test="confirm-no"]`))
	c.shot("confirm-open-1366")
	c.do(chromedp.Click(`[data-test="confirm-no"]`), chromedp.WaitNotPresent(`[data-test="confirm"]`))
	if h.State(ticket.ID).State != miniprogram.Waiting {
		t.Fatal("cancelled without consent")
	}
	c.do(chromedp.Click(`[data-test="cancel"]`), chromedp.WaitVisible(`[data-test="confirm-yes"]`), chromedp.Click(`[data-test="confirm-yes"]`), chromedp.WaitVisible(`[data-state="cancelled"]`))
	if h.State(ticket.ID).State != miniprogram.Cancelled {
		t.Fatal("not cancelled")
	}
	c.calm("the confirmation")
}
