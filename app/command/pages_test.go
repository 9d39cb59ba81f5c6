package command_test

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"minifleet/app/lang"
)

// maxPages bounds how many pages one role is shown: more than there are, and an end to a maze.
const maxPages = 120

// TestEveryPage follows every link that each role sees on its pages, and looks at every kind of page it finds: no error,
// no serious complaint of axe-core in light and dark, nothing wider than the screen, no Chinese left in English, and a
// picture of each at both widths, in both languages and both themes (.artifacts/pages).
func TestEveryPage(t *testing.T) {
	d := startDemo(t, binary(t))
	mainJob(t, d)
	axe := string(readAll(t, filepath.Join("..", "..", "resource", "web", "node_modules", "axe-core", "axe.min.js")))
	browser := startBrowser(t)
	for _, who := range []struct {
		name  string
		roots []string
	}{
		{"visitor", []string{"/", "/login", "/register", "/reset", "/no/such/page"}},
		{"user", []string{"/", "/my/miniprograms", "/my/security", "/my/notices", "/admin"}},
		{"merchant", []string{"/admin", "/", "/my/security"}},
		{"operator", []string{"/admin", "/", "/my/security"}},
	} {
		token := ""
		if who.name != "visitor" {
			token = d.login(who.name + "@example.test")
		}
		pages := crawl(d, token, who.roots)
		if len(pages) < 4 {
			t.Errorf("%s: only %d pages found: %v", who.name, len(pages), pages)
		}
		p := sit(t, browser, who.name, 1366, d.base, d.listen, d.simAt)
		p.shots = filepath.Join("..", "..", ".artifacts", "pages")
		if err := os.MkdirAll(p.shots, 0o755); err != nil {
			t.Fatal(err)
		}
		p.open("/login") // a cookie can only be set on a page
		if token != "" {
			p.login(who.name+"@example.test", "/")
		}
		gripes := map[string][]string{}
		for _, address := range pages {
			for _, gripe := range p.inspect(address, axe) {
				gripes[gripe] = append(gripes[gripe], address)
			}
		}
		for _, gripe := range slices.Sorted(maps.Keys(gripes)) {
			on := slices.Compact(gripes[gripe])
			t.Errorf("%s: %s, on %d pages, first %s", who.name, gripe, len(on), on[0])
		}
		p.content()
	}
	// Minutes have gone by, and nobody has ended or restarted anything: what fell, fell by itself.
	var plugins struct {
		Items []struct {
			ID       string `json:"id"`
			Restarts int    `json:"restarts"`
			Error    string `json:"last_error"`
		} `json:"items"`
	}
	if status := d.call(http.MethodGet, d.base+"/api/v1/plugins", d.login("operator@example.test"), nil, &plugins); status != http.StatusOK || len(plugins.Items) == 0 {
		t.Fatalf("the plugins answer %d: %+v", status, plugins)
	}
	for _, one := range plugins.Items {
		if one.Restarts != 0 {
			t.Errorf("plugin %s fell %d times: %s", one.ID, one.Restarts, one.Error)
		}
	}
}

var (
	href   = regexp.MustCompile(`<a [^>]*?href="(/[^"#]*)`)
	number = regexp.MustCompile(`^([0-9]+|wx[0-9a-f]{16}|[0-9A-Z]{20,}|[0-9a-f]{16,})$`)
)

// away are addresses that are no pages of ours, or end the visit.
var away = []string{"/assets/", "/api", "/swagger", "/logout", "/auth/return"}

// shape is what makes two addresses the same kind of page: the path without ids, and which tab of it is open.
func shape(u *url.URL) string {
	parts := strings.Split(u.Path, "/")
	for i, p := range parts {
		if number.MatchString(p) {
			parts[i] = "*"
		}
	}
	s := strings.Join(parts, "/")
	for _, name := range []string{"tab", "step", "view"} {
		if v := u.Query().Get(name); v != "" {
			s += "?" + name + "=" + v
		}
	}
	return s
}

// crawl gives one address of every kind of page that can be reached from roots. A link that leads to an error is one.
func crawl(d *running, token string, roots []string) []string {
	d.t.Helper()
	var found []string
	seen := map[string]bool{}
	from := map[string]string{}
	queue := slices.Clone(roots)
	for len(queue) > 0 && len(found) < maxPages {
		address := queue[0]
		queue = queue[1:]
		u, err := url.Parse(address)
		if err != nil {
			d.t.Errorf("%s links to %q: %v", from[address], address, err)
			continue
		}
		if s := shape(u); seen[s] {
			continue
		} else {
			seen[s] = true
		}
		status, page := visit(d.t, d, token, address)
		linked := from[address] != ""
		switch {
		case status >= http.StatusInternalServerError, linked && status >= http.StatusBadRequest:
			d.t.Errorf("%s, linked from %q, answers %d", address, from[address], status)
			continue
		case status >= 300 && status < 400:
			continue
		}
		if !strings.HasPrefix(strings.ToLower(page), "<!doctype html") {
			continue // a file
		}
		found = append(found, address)
		for _, m := range href.FindAllStringSubmatch(page, -1) {
			next := html.UnescapeString(m[1])
			if slices.ContainsFunc(away, func(s string) bool { return strings.Contains(next, s) }) {
				continue
			}
			from[next] = cmp.Or(from[next], address)
			queue = append(queue, next)
		}
	}
	return found
}

// looks are the ways a page is looked at after it was loaded in a language.
var looks = []struct {
	theme string
	width int64
	axe   bool
}{{"light", 1366, true}, {"dark", 1366, true}, {"light", 360, true}, {"dark", 360, false}}

var unsafeName = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// inspect looks at one page in every way and gives what is wrong with it.
func (p *person) inspect(address, axe string) (gripes []string) {
	p.t.Helper()
	name := strings.Trim(unsafeName.ReplaceAllString(address, "-"), "-")
	if len(name) > 80 {
		name = name[:80]
	}
	for _, language := range []string{"zh", "en"} {
		ask[string](p, fmt.Sprintf(`document.cookie="%s=%s;path=/"`, lang.Cookie, language))
		p.open(address)
		// A load event that comes late may be the page's in the other language.
		p.wait("read "+address+" in "+language, fmt.Sprintf(`document.readyState==="complete" && document.documentElement.lang.startsWith(%q)`, language))
		for _, l := range looks {
			ask[bool](p, fmt.Sprintf(`(()=>{document.documentElement.dataset.mfTheme=%q; return true})()`, l.theme))
			p.do("look at "+address, chromedp.EmulateViewport(l.width, 900))
			ask[bool](p, `(()=>{document.getAnimations().forEach(a=>{try{a.finish()}catch{a.cancel()}}); return true})()`)
			p.picture(fmt.Sprintf("%s-%s-%s-%s-%d", p.name, name, language, l.theme, l.width))
			over := ask[float64](p, `document.documentElement.scrollWidth - window.innerWidth`)
			if over > 1 {
				gripes = append(gripes, fmt.Sprintf("wider than the screen of %d px (%s)", l.width, language))
			}
			if l.axe && language == "zh" {
				gripes = append(gripes, p.complaints(l.theme, axe)...)
			}
		}
		if language == "en" {
			for _, left := range ask[[]string](p, chineseLeft) {
				if said.MatchString(left) {
					continue
				}
				gripes = append(gripes, "still Chinese: "+left)
			}
		}
	}
	ask[string](p, fmt.Sprintf(`document.cookie="%s=zh;path=/"`, lang.Cookie))
	return gripes
}

// said is what people of the demo wrote, and WeChat's own names: no page translates it.
var said = regexp.MustCompile(`晨光|扫码点餐|李小店|陈晨|青禾|街角|示例商贸|堂食|会员积分|店铺名称|后厨|用微信就能办事|商家自营|食品饮料|餐饮|缺少协议|类目不符|首版|张三|系统管理|小王|点餐开发号|预约|MiniFleet 平台|个体户|星河|^.$|^(alt|title)=.?$`)

// chineseLeft gathers what is Chinese on an English page and not the text of a user.
const chineseLeft = `(()=>{
  const out=new Set(), han=/\p{Script=Han}/u;
  const own=e=>e.closest('[translate=no],script,style,textarea,code,pre,svg,canvas,input,[lang="zh-CN"]');
  const walk=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT);
  for(let n;n=walk.nextNode();) if(han.test(n.data)&&n.parentElement&&!own(n.parentElement)) out.add(n.data.trim().slice(0,80));
  for(const e of document.querySelectorAll('[placeholder],[title],[aria-label],[alt]'))
    for(const a of ['placeholder','title','aria-label','alt']) { const v=e.getAttribute(a); if(v&&han.test(v)&&!e.closest('[translate=no]')) out.add(a+'='+v.slice(0,80)); }
  return [...out].slice(0,12);
})()`

// complaints asks axe-core for what is seriously wrong for people who cannot see, or use no mouse.
func (p *person) complaints(theme, axe string) (found []string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe+`;true`)); err != nil {
		p.lost("load axe-core", err)
	}
	const run = `axe.run(document,{resultTypes:["violations"]}).then(r=>r.violations.filter(v=>v.impact==="serious"||v.impact==="critical").map(v=>v.id+" ("+v.impact+") "+v.nodes.slice(0,3).map(n=>n.target.join(" ").replace(/\[[^\]]*\]/g,"[…]")+" "+((n.any[0]||n.all[0]||n.none[0]||{}).message||"")).join(" | ")))`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		p.lost("run axe-core", err)
	}
	for i := range found {
		found[i] = theme + " " + found[i]
	}
	return found
}

func (p *person) picture(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.shots, name+".jpg"), png, 0o644)
	}
	if err != nil {
		p.t.Errorf("picture %s: %v", name, err)
	}
}
