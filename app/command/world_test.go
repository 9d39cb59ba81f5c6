package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/config"
	"minifleet/app/notice"
	"minifleet/app/transfer"
)

// world is the platform with three plugins, a simulator and people: A binds and lists, U installs, B and P are others,
// R reads only in A's space.
type world struct {
	t      *testing.T
	p      *platform
	base   string
	sim    string
	tokens map[string]string // person → session
	ids    map[string]string
	sent   uint32 // requests so far
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := startWorld(t)
	const password = "walk-Passw0rd-1"
	if err := (&seeder{platform: w.p, simulator: w.sim, password: password}).all(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.people(password)
	w.things()
	return w
}

// startWorld is the platform with its plugins and the simulator, with nobody in it yet.
func startWorld(t *testing.T) *world {
	t.Helper()
	exe := executable(t)
	dir, listen, simulator := t.TempDir(), port(t), port(t)
	sim := "http://" + simulator
	cfg, err := config.Load("", []string{
		"MINIFLEET_SERVER_LISTEN=" + listen, "MINIFLEET_DATA_DIR=" + filepath.Join(dir, "data"), "MINIFLEET_WECHAT_BASEURL=" + sim,
		"MINIFLEET_WECHAT_PCAUTHURL=" + sim, "MINIFLEET_WECHAT_H5AUTHURL=" + sim, "MINIFLEET_WECHAT_CLOCKURL=" + sim + "/control/clock",
		"MINIFLEET_SERVER_TRUSTEDPROXIES=127.0.0.0/8", // each request of the walk comes from an address of its own, see send
	})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := startSimulator(t.Context(), Env{Executable: exe}, simulator, dir, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	p, err := build(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), exe, &demoMode{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- p.run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(time.Minute):
		t.Fatal("the platform is not ready")
	}
	return &world{t: t, p: p, base: "http://" + listen, sim: sim, tokens: map[string]string{}, ids: map[string]string{}}
}

func executable(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a whole platform with its plugins: part of `make test`, not of `make check`")
	}
	if path := os.Getenv("MINIFLEET_TEST_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "minifleet")
	cmd := exec.Command("go", "build", "-o", path, "../..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func port(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// people opens the others and logs everybody in.
func (w *world) people(password string) {
	w.t.Helper()
	ctx := w.t.Context()
	session := func(name string, who account.Actor) {
		s, err := w.p.accounts.SessionFor(ctx, who, "127.0.0.1", "test")
		if err != nil {
			w.t.Fatal(err)
		}
		w.tokens[name] = s.Token
	}
	seed := func(name string, kind account.Kind, login string) account.Actor {
		who, err := w.p.accounts.Seed(ctx, account.Registration{Login: login, Password: password, Name: name, Kind: kind, SpaceName: "空间" + name, Agreed: true})
		if err != nil {
			w.t.Fatal(err)
		}
		session(name, who)
		return who
	}
	a := seed("A", account.Merchant, "merchant@example.test")
	u := seed("U", account.Personal, "user@example.test")
	o := seed("O", account.Platform, "operator@example.test")
	b := seed("B", account.Merchant, "other@example.test")
	// B may do all that A may: what B is refused is refused for whose it is.
	if err := (&seeder{platform: w.p}).approveMerchant(ctx, b, o); err != nil {
		w.t.Fatal(err)
	}
	seed("P", account.Personal, "passer@example.test")
	r := seed("R", account.Personal, "reader@example.test")
	w.ids["space"], w.ids["space-u"], w.ids["account"], w.ids["member"] = text(a.SpaceID), text(u.SpaceID), text(a.AccountID), text(a.MemberID)
	member := w.p.db.NewID()
	w.plant("member", map[string]any{"id": member, "account_id": r.AccountID, "space_id": a.SpaceID, "role": account.RoleReadOnly})
	w.ids["reader"] = text(member)
	reader, err := w.p.accounts.Actor(ctx, r.AccountID, a.SpaceID)
	if err != nil {
		w.t.Fatal(err)
	}
	session("R", reader)
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// plant puts a row into a table as a room would: what is not given is empty. It answers the row's id.
func (w *world) plant(table string, given map[string]any) string {
	w.t.Helper()
	columns, err := w.p.db.Maps(w.t.Context(), "PRAGMA table_info("+table+")")
	if err != nil || len(columns) == 0 {
		w.t.Fatalf("%s: %d columns, %v", table, len(columns), err)
	}
	space, _ := strconv.ParseInt(w.ids["space"], 10, 64)
	who, _ := strconv.ParseInt(w.ids["account"], 10, 64)
	member, _ := strconv.ParseInt(w.ids["member"], 10, 64)
	id := w.p.db.NewID()
	usual := map[string]any{"id": id, "space_id": space, "account_id": who, "member_id": member, "created_by": who, "created_at": 1, "state": "waiting", "name": "planted"}
	row := map[string]any{}
	for _, c := range columns {
		name := fmt.Sprint(c["name"])
		value, known := given[name]
		if !known {
			value, known = usual[name]
		}
		if !known && strings.Contains(strings.ToUpper(fmt.Sprint(c["type"])), "INT") {
			value = 0
		} else if !known && fmt.Sprint(c["notnull"]) == "1" {
			value = fmt.Sprint(id, name)[:min(len(fmt.Sprint(id, name)), 16)]
		} else if !known {
			continue
		}
		row[name] = value
	}
	if err := w.p.db.Insert(w.t.Context(), table, row); err != nil {
		w.t.Fatalf("%s: %v", table, err)
	}
	return fmt.Sprint(row["id"])
}

const shop = "wx00000000000000d1"

// things makes what A and U have: by REST where a person would, planted where only the row matters.
func (w *world) things() {
	w.t.Helper()
	w.ids["shop"] = shop
	var components struct{ Items []struct{ AppID string } }
	w.rest("A", "GET", "/components", nil, &components)
	w.ids["component"] = components.Items[0].AppID
	var listings struct{ Items []struct{ ID, Slug string } }
	w.rest("A", "GET", "/market/listings", nil, &listings)
	w.ids["listing"], w.ids["slug"] = listings.Items[0].ID, listings.Items[0].Slug
	var templates struct{ Items []struct{ ID string } }
	w.rest("A", "GET", "/version/components/"+w.ids["component"]+"/templates", nil, &templates)
	w.ids["template"] = templates.Items[0].ID
	w.install()
	var token struct{ ID string }
	w.rest("A", "POST", "/tokens", map[string]any{"name": "CI", "scopes": []string{"trail.read"}, "days": 7}, &token)
	w.ids["token"] = token.ID
	var grants struct{ Items []struct{ ID string } }
	w.rest("U", "GET", "/miniprograms/"+shop+"/grants", nil, &grants)
	w.ids["grant"] = grants.Items[0].ID
	var events struct{ Items []struct{ ID string } }
	w.rest("O", "GET", "/events?component="+w.ids["component"], nil, &events)
	w.ids["event"] = events.Items[0].ID
	var ticket struct{ Ticket string }
	w.rest("A", "POST", "/components/"+w.ids["component"]+"/authorizations", map[string]any{}, &ticket)
	w.ids["waiting-ticket"] = ticket.Ticket
	var application struct{ ID string }
	w.rest("A", "GET", "/applications/mine", nil, &application)
	w.ids["merchant_application"] = application.ID
	var drafts struct {
		Items []struct {
			DraftID int64 `json:"draft_id"`
		}
	}
	w.rest("A", "GET", "/version/components/"+w.ids["component"]+"/drafts", nil, &drafts)
	w.ids["draft"] = text(drafts.Items[len(drafts.Items)-1].DraftID)
	w.export()
	var entries struct{ Items []struct{ ID string } }
	w.rest("A", "GET", "/trail", nil, &entries)
	w.ids["trail"] = entries.Items[0].ID
	var invited struct{ ID, Link string }
	w.rest("A", "POST", "/invitations", map[string]any{"login": "invited@example.test", "role": account.RoleReadOnly}, &invited)
	w.ids["invitation"], w.ids["invitation-token"] = invited.ID, path.Base(invited.Link)
	for _, table := range []string{"space_role", "webhook", "notice", "admin_list_view", "login_session"} {
		w.ids[table] = w.plant(table, nil)
	}
	w.ids["tester"] = w.plant("plugin_version_testers", map[string]any{"appid": shop, "name": "别家小馆", "version": 1})
	w.ids["forward_target"] = w.plant("forward_target", nil)
	w.ids["plugin_archive"] = w.plant("plugin_archive", map[string]any{"plugin": "planted", "state": "pending", "binaries": "[]", "spec": "id: planted\ntitle: 种下的插件\nversion: 1.0.0\nprotocol: 2\ncapabilities: {}\n"})
	w.ids["forward_attempt"] = w.plant("forward_attempt", map[string]any{"target_id": w.ids["forward_target"], "event_id": w.ids["event"], "request": "planted"})
	w.ids["transfer_import"] = w.plant("transfer_import", map[string]any{"target": "version_templates", "header": `["planted"]`, "mapping": "{}", "phase": transfer.PhaseMap, "state": transfer.Idle, "file_name": "planted.csv"})
	w.plant("notice_recipient", map[string]any{"notice_id": w.ids["notice"]})
	w.ids["notice_delivery"] = w.plant("notice_delivery", map[string]any{"notice_id": w.ids["notice"], "channel": notice.ChannelWebhook, "target": w.ids["webhook"], "state": 2, "request": "planted"})
}

// export makes a file of A's.
func (w *world) export() {
	w.t.Helper()
	var e struct{ ID, State string }
	w.rest("A", "POST", "/exports", map[string]any{"list": "members", "format": "csv"}, &e)
	w.ids["transfer_export"] = e.ID
	for end := time.Now().Add(20 * time.Second); e.State != transfer.Done; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("the export stays %+v", e)
		}
		w.rest("A", "GET", "/exports/"+e.ID, nil, &e)
	}
}

// install lets U install A's template into the shop.
func (w *world) install() {
	w.t.Helper()
	w.control("/control/miniprograms", map[string]any{"appid": shop, "nick_name": "别家小馆", "admin": "zhaoliu"}, nil)
	var i struct{ ID, Ticket, State string }
	w.rest("U", "POST", "/market/installations", map[string]any{"listing": w.ids["slug"]}, &i)
	w.ids["installation"], w.ids["ticket"] = i.ID, i.Ticket
	_, page, _ := w.send("U", "POST", "/auth/"+i.Ticket+"/open", "via=h5", true)
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(w.sim) + `/[^"]+)"`).FindStringSubmatch(page)
	if link == nil {
		w.t.Fatalf("landing page: %.600s", page)
	}
	var scan struct {
		RedirectTo string `json:"redirect_to"`
	}
	w.control("/control/scan", map[string]any{"url": html.UnescapeString(link[1]), "appid": shop}, &scan)
	res, err := http.Get(scan.RedirectTo)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	for end := time.Now().Add(40 * time.Second); i.State != "done"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("the installation stays %+v", i)
		}
		if i.State == "choosing" || i.State == "ready" {
			w.rest("U", "POST", "/market/installations/"+i.ID+"/start", map[string]any{"appid": shop, "config": map[string]string{"shop_name": "别家"}}, nil)
		}
		w.rest("U", "GET", "/market/installations/"+i.ID, nil, &i)
	}
}

// rest makes a REST call that must succeed.
func (w *world) rest(who, method, path string, in, out any) {
	w.t.Helper()
	body := ""
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = string(raw)
	}
	status, answer, _ := w.send(who, method, "/api/v1"+path, body, false)
	if status >= 300 {
		w.t.Fatalf("%s %s: %d %.400s", method, path, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			w.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

func (w *world) control(path string, in, out any) {
	w.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.sim+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		w.t.Fatalf("%s: %d", path, res.StatusCode)
	}
	if out != nil {
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			w.t.Fatal(err)
		}
	}
}

// send makes one request: REST by bearer token, pages by cookie from our own origin.
func (w *world) send(who, method, path, body string, page bool) (int, string, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	// REST is limited per address; a walk that ran into the limit would see 429 in place of what it asks for.
	w.sent++
	req.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{10, byte(w.sent >> 16), byte(w.sent >> 8), byte(w.sent)}).String())
	if page {
		req.Header.Set("Origin", w.base)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token := w.tokens[who]; token != "" && page {
		req.AddCookie(&http.Cookie{Name: account.Cookie, Value: token})
	} else if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode == http.StatusTooManyRequests {
		w.t.Fatalf("%s %s %s ran into a limit, so it shows nothing: %.300s", who, method, path, raw)
	}
	return res.StatusCode, string(raw), res.Header
}

// short is enough of an answer to tell a person what came.
func short(answer string) string {
	if _, rest, page := strings.Cut(answer, "<title>"); page {
		answer, _, _ = strings.Cut(rest, "</title>")
	}
	return answer[:min(len(answer), 300)]
}
