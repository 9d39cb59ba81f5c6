package command_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// chromium finds the browser; `make test` installs it.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium on this machine: run `make tools`")
	return ""
}

// startBrowser starts one headless browser; every person gets a profile of their own in it.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.DisableGPU}
	for _, f := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars", "disable-dev-shm-usage", "disable-default-apps", "no-default-browser-check"} {
		options = append(options, chromedp.Flag(f, true))
	}
	alloc, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}

// person is somebody at a screen. Every step waits up to stepTime and fails with what the page shows.
type person struct {
	t     *testing.T
	name  string
	base  string
	ctx   context.Context
	shots string
	n     int

	mu       sync.Mutex
	problems []string
}

const stepTime = 20 * time.Second

// step is one thing done to a page.
type step = chromedp.Action[chromedp.Void]

// sit gives a person a screen of the width. Requests to hosts other than the allowed ones, and what the content
// security policy blocks, are problems.
func sit(t *testing.T, browser context.Context, name string, width int64, base string, hosts ...string) *person {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	p := &person{t: t, name: name, base: base, ctx: ctx, shots: filepath.Join("..", "..", ".artifacts", "walk")}
	if err := os.MkdirAll(p.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(ev any) { p.watch(ev, hosts) }); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	p.do("sit down", chromedp.EmulateViewport(width, 900))
	return p
}

func (p *person) watch(ev any, hosts []string) {
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(ev.Request.URL)
		if err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
			p.problem("a request to another site: " + ev.Request.URL)
		}
	case *log.EventEntryAdded:
		if strings.Contains(ev.Entry.Text, "Content Security Policy") || strings.Contains(ev.Entry.Text, "Refused to") {
			p.problem(ev.Entry.Text + " " + ev.Entry.URL)
		}
	}
}

func (p *person) problem(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, text)
}

// content fails the test when anything was wrong behind the pages.
func (p *person) content() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.problems {
		p.t.Errorf("%s: %s", p.name, x)
	}
}

func (p *person) do(what string, steps ...step) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.lost(what, err)
	}
}

// ask reads something from the page.
func ask[T any](p *person, js string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		p.lost("read "+js, err)
	}
	return v
}

// lost ends the test with a picture and the text of the page.
func (p *person) lost(what string, err error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, e := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if e != nil {
		text = e.Error()
	}
	p.shot("lost")
	p.t.Fatalf("%s: %s: %v\nthe page:\n%.3000s", p.name, what, err, text)
}

func (p *person) open(path string) {
	p.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.base + path
	}
	p.do("open "+path, chromedp.Navigate(path), chromedp.WaitReady(chromedp.CSS("body")))
}

// css turns what a step names into JavaScript that finds the element: a CSS selector, or after "text:" the words of a
// button or link.
func css(what string) string {
	text, ok := strings.CutPrefix(what, "text:")
	if !ok {
		return fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e=>e.offsetParent!==null&&!e.disabled)`, what)
	}
	return fmt.Sprintf(`[...document.querySelectorAll("main a, main button, main label, .content a, .content button, .content-wrapper a, .content-wrapper button, a, button")].find(e=>e.offsetParent!==null&&!e.disabled&&e.innerText.replace(/\s+/g," ").includes(%q))`, text)
}

// mark finds the element, scrolls to it and gives it a mark to click on as a person would.
func (p *person) mark(what string) string {
	p.t.Helper()
	p.wait("find "+what, `(()=>{document.querySelectorAll("[data-walk]").forEach(e=>e.removeAttribute("data-walk")); const e=`+css(what)+`; if(!e) return false; e.setAttribute("data-walk","1"); e.scrollIntoView({block:"center"}); return true})()`)
	return `[data-walk="1"]`
}

// click clicks something that leads to no other page.
func (p *person) click(what string) {
	p.t.Helper()
	sel := p.mark(what)
	p.do("click "+what, chromedp.Click(chromedp.CSS(sel)))
}

// press clicks and waits until the page that follows has loaded.
func (p *person) press(what string) {
	p.t.Helper()
	sel := p.mark(what)
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(sel)))); err != nil {
		p.lost("press "+what, err)
	}
}

func (p *person) fill(what, value string) {
	p.t.Helper()
	sel := p.mark(what)
	ask[string](p, `(()=>{const e=document.querySelector("`+strings.ReplaceAll(sel, `"`, `'`)+`"); e.value=""; return e.value})()`)
	if value != "" {
		p.do("type into "+what, chromedp.SendKeys(chromedp.CSS(sel), value))
	}
}

func (p *person) tick(sel string) {
	p.t.Helper()
	if !ask[bool](p, fmt.Sprintf(`(()=>{const e=document.querySelector(%q); if(e&&!e.checked) e.click(); return !!e&&e.checked})()`, sel)) {
		p.lost("tick "+sel, errStep)
	}
}

func (p *person) choose(sel, value string) {
	p.t.Helper()
	if ask[string](p, fmt.Sprintf(`(()=>{const e=document.querySelector(%q); e.value=%q; e.dispatchEvent(new Event("change",{bubbles:true})); return e.value})()`, sel, value)) != value {
		p.lost("choose "+value+" in "+sel, errStep)
	}
}

// wait asks the page again and again; an error on the way is a page that is just being replaced by the next.
func (p *person) wait(what, js string) {
	p.t.Helper()
	err := errStep
	for deadline := time.Now().Add(stepTime); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
		ok, e := chromedp.Run(ctx, chromedp.Evaluate[bool](js))
		cancel()
		if ok && e == nil {
			return
		}
		if e != nil {
			err = e
		}
	}
	p.lost(what, err)
}

// see waits until the page shows the text.
func (p *person) see(text string) {
	p.t.Helper()
	p.wait("see "+text, fmt.Sprintf(`!!document.body && document.body.innerText.includes(%q)`, text))
}

// shows reports whether the page shows the text now.
func (p *person) shows(text string) bool {
	p.t.Helper()
	return ask[bool](p, fmt.Sprintf(`!!document.body && document.body.innerText.includes(%q)`, text))
}

// at waits until the address contains the text.
func (p *person) at(part string) {
	p.t.Helper()
	p.wait("be at "+part, fmt.Sprintf(`location.href.includes(%q) && document.readyState==="complete"`, part))
}

func (p *person) location() string {
	p.t.Helper()
	return ask[string](p, `location.href`)
}

// shot keeps a picture of the whole page. No page may be wider than the screen.
func (p *person) shot(name string) {
	p.t.Helper()
	p.n++
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Errorf("%s: picture %s: %v", p.name, name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(p.shots, fmt.Sprintf("%s-%02d-%s.png", p.name, p.n, name)), png, 0o644); err != nil {
		p.t.Error(err)
	}
	over, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth - window.innerWidth`))
	if err == nil && over > 1 && name != "lost" {
		p.problem(fmt.Sprintf("%s is %.0f px wider than the screen", name, over))
	}
}
