package command_test

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shownFigure is a figure of the 工作台 as REST tells it.
type shownFigure struct {
	Key    string
	Title  string
	Value  *int64
	More   bool
	Text   string
	Reason string
	Href   string
	Note   string
}

type shownBoard struct {
	Kind  string
	Cards []struct {
		Key, Plugin, Unavailable string
		Figures                  []shownFigure
		Chart                    *struct {
			Title  string
			Points []struct {
				Label string
				Value float64
				Href  string
			}
		}
	}
	Todo []shownFigure
}

var (
	listTotal   = regexp.MustCompile(`共 ([\d,]+\+?) 条`)
	sampleWords = regexp.MustCompile(`样本 (\d+) 次`)
	quotaWords  = regexp.MustCompile(`data-quota="([a-z]+)">(\d+)<`)
)

// TestEveryFigureOfTheWorkBenchEqualsItsList reads the figures of a merchant, an operator and a user, goes to the list
// behind each, and compares the number with 共 N 条 there.
func TestEveryFigureOfTheWorkBenchEqualsItsList(t *testing.T) {
	d := startDemo(t, binary(t))
	story(t, d)
	for who, atLeast := range map[string]map[string]int64{
		"merchant@example.test": {"components": 1, "miniprograms": 2, "audit_rejected": 1, "decided": 1, "templates": 1, "listing_listed": 1, "installation_done": 1, "drafts": 1},
		"operator@example.test": {"components": 1, "miniprograms": 2, "plugins": 3, "jobs": 5, "events": 5, "event_peak": 1, "errors": 1, "space_merchant": 2, "applications": 1},
		"user@example.test":     {"miniprograms": 1, "installation_done": 1},
	} {
		t.Run(who, func(t *testing.T) { followFigures(t, d, d.login(who), atLeast) })
	}
}

// story makes something of everything that is counted: an installation and a review that was refused, a mini program that
// was taken back, a merchant's application that waits, an act that WeChat refuses, and hours in which events came.
func story(t *testing.T, d *running) {
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	u := client{d, d.login("user@example.test")}
	install(d, u)
	u.submitted(d)
	d.control("/control/audits/"+walkShop, map[string]any{"result": "reject", "reason": "1:缺少协议"}, nil)
	u.until("rejected")
	const second = "wx00000000000000c2"
	d.control("/control/miniprograms", map[string]any{"appid": second, "nick_name": "青禾茶铺", "admin": "zhaoliu"}, nil)
	m := client{d, d.login("merchant@example.test")}
	var bound struct{ Items []struct{ AppID string } }
	m.must(http.StatusOK, http.MethodGet, "/components", nil, &bound)
	authorise(d, m, bound.Items[0].AppID, second)
	d.control("/control/unauthorize", map[string]any{"component_appid": bound.Items[0].AppID, "appid": second}, nil)
	// What WeChat has not passed it does not release: one of its own refusals.
	if status := d.call(http.MethodPost, d.base+"/api/v1/version/miniprograms/"+walkShop+"/release", u.token, map[string]any{}, nil); status < 400 {
		t.Fatalf("a rejected version was released: %d", status)
	}
	applicant(t, d)
	d.control("/control/clock", map[string]any{"advance_seconds": 2400}, nil)
	op := client{d, d.login("operator@example.test")}
	for _, job := range []string{"events.rates", "version.read-quotas"} {
		op.must(http.StatusAccepted, http.MethodPost, "/jobs/"+job+"/run", map[string]any{}, nil)
	}
	d.eventually("counted events", func() bool { f, ok := readBoard(d, op.token).figure("events"); return ok && f.Value != nil })
}

func (b shownBoard) figure(key string) (shownFigure, bool) {
	for _, c := range b.Cards {
		for _, f := range c.Figures {
			if f.Key == key {
				return f, true
			}
		}
	}
	return shownFigure{}, false
}

func readBoard(d *running, token string) shownBoard {
	d.t.Helper()
	var b shownBoard
	client{d, token}.must(http.StatusOK, http.MethodGet, "/dashboard", nil, &b)
	return b
}

// authorise lets the administrator of a mini program say yes, as the merchant's own.
func authorise(d *running, m client, component, appid string) {
	d.t.Helper()
	var ticket struct {
		ID string `json:"ticket"`
	}
	m.must(http.StatusCreated, http.MethodPost, "/components/"+component+"/authorizations", map[string]any{}, &ticket)
	status, page := click(d.t, d, m.token, "/auth/"+ticket.ID+"/open", url.Values{"via": {"h5"}})
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(d.sim) + `/[^"]+)"`).FindStringSubmatch(page)
	if status != http.StatusOK || link == nil {
		d.t.Fatalf("open the landing page: %d %.600s", status, page)
	}
	var scan struct {
		RedirectTo string `json:"redirect_to"`
	}
	d.control("/control/scan", map[string]any{"url": html.UnescapeString(link[1]), "appid": appid}, &scan)
	res, err := http.Get(scan.RedirectTo)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	d.eventually("the authorisation", func() bool {
		return d.call(http.MethodGet, d.base+"/api/v1/miniprograms/"+appid, m.token, nil, nil) == http.StatusOK
	})
}

// applicant is a new merchant whose papers wait for the operator.
func applicant(t *testing.T, d *running) {
	t.Helper()
	const login = "new-merchant@example.test"
	var sent struct {
		Code string `json:"demo_code"`
	}
	d.call(http.MethodPost, d.base+"/api/v1/codes", "", map[string]any{"login": login, "purpose": "register"}, &sent)
	var made struct{ Token string }
	if status := d.call(http.MethodPost, d.base+"/api/v1/accounts", "", map[string]any{"login": login, "password": demoPassword, "kind": "merchant", "space_name": "青禾软件", "agreed": true, "code": sent.Code}, &made); status != http.StatusCreated {
		t.Fatalf("register: %d", status)
	}
	c := client{d, made.Token}
	c.must(http.StatusOK, http.MethodPut, "/applications/mine", map[string]any{
		"company": "青禾软件有限公司", "credit_code": "91110000MA0000001L", "legal_person": "赵青", "contact": "赵青", "phone": "13800008001", "email": login, "category": "软件服务",
	}, nil)
	var paper bytes.Buffer
	if err := png.Encode(&paper, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPut, d.base+"/api/v1/applications/mine/files/license", &paper)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+made.Token)
	req.Header.Set("Content-Type", "image/png")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("upload: %d", res.StatusCode)
	}
	c.must(http.StatusOK, http.MethodPost, "/applications/mine/submit", map[string]any{}, nil)
}

// followFigures reads the board and goes to the list behind each figure and each point of a chart. Where somebody else,
// such as a job of the demo, changed the number meanwhile, both are read once more.
func followFigures(t *testing.T, d *running, token string, atLeast map[string]int64) {
	var wrong []string
	for range 3 {
		if wrong = compareFigures(t, d, token, atLeast); len(wrong) == 0 {
			return
		}
		time.Sleep(6 * time.Second) // a board is shown again for five seconds
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

func compareFigures(t *testing.T, d *running, token string, atLeast map[string]int64) (wrong []string) {
	t.Helper()
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	board := readBoard(d, token)
	_, home := visit(t, d, token, "/admin")
	home = html.UnescapeString(home)
	for key, least := range atLeast {
		f, ok := board.figure(key)
		if !ok {
			f, ok = board.todo(key)
		}
		if !ok || f.Value == nil || *f.Value < least {
			complain("%s is %+v, want at least %d", key, f, least)
		}
	}
	follow := func(name, want, href string) {
		status, page := visit(t, d, token, href)
		if status != http.StatusOK {
			complain("%s leads to %s: %d", name, href, status)
			return
		}
		for _, m := range quotaWords.FindAllStringSubmatch(page, -1) {
			if strings.HasPrefix(name, map[string]string{"audit": "quota_", "speedup": "speedup_"}[m[1]]) {
				if m[2] != want {
					complain("%s is %s, %s says %s", name, want, href, m[2])
				}
				return
			}
		}
		total := listTotal.FindStringSubmatch(page)
		switch {
		case total == nil && want == "0" && strings.Contains(page, `class="mf-empty`) && !strings.Contains(page, "<tbody"): // an empty list says so instead
		case total == nil:
			complain("%s is %s, %s has no total", name, want, href)
		case total[1] != want:
			complain("%s is %s, %s says %s", name, want, href, total[1])
		}
	}
	followed := 0
	for _, c := range board.Cards {
		if c.Unavailable != "" {
			complain("card %s: %s", c.Key, c.Unavailable)
		}
		for _, f := range c.Figures {
			if f.Value == nil {
				if f.Reason == "" {
					complain("%s is unknown without a reason", f.Key)
				}
				continue
			}
			if f.Href == "" {
				if board.Kind != "personal" {
					complain("%s is %d and leads nowhere", f.Key, *f.Value)
				}
				continue
			}
			want := comma(*f.Value)
			if f.More {
				want += "+"
			}
			if board.Kind != "personal" && f.Text == "" && !strings.Contains(home, fmt.Sprintf(`href="%s" data-figure="%s">%s</a>`, f.Href, f.Key, want)) {
				complain("%s is %s, the page shows another", f.Key, want)
			}
			if sample := sampleWords.FindStringSubmatch(f.Note); f.Text != "" && sample != nil { // a time: its list is what it was computed of
				want = sample[1]
			}
			follow(f.Key, want, f.Href)
			followed++
		}
		if c.Chart == nil {
			continue
		}
		for _, p := range c.Chart.Points {
			if p.Href == "" {
				complain("%s of %s leads nowhere", p.Label, c.Key)
				continue
			}
			follow(c.Key+" "+p.Label, comma(int64(p.Value)), p.Href)
		}
	}
	for _, f := range board.Todo {
		follow("to do: "+f.Key, comma(*f.Value), f.Href)
	}
	if followed < 3 && board.Kind != "personal" {
		complain("only %d figures were followed", followed)
	}
	return wrong
}

func (b shownBoard) todo(key string) (shownFigure, bool) {
	for _, f := range b.Todo {
		if f.Key == key {
			return f, true
		}
	}
	return shownFigure{}, false
}

// comma writes a number as the screens do.
func comma(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
