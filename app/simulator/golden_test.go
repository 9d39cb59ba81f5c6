package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	stdimage "image"
)

// The platform and the mini program the golden files speak of.
const (
	goldenComponent = "wx3c0ffee000000001"
	goldenProgram   = "wxa1b2c3d4e5f60001"
	goldenSecret    = "s3cr3t-for-golden"
)

// goldenRig is a simulator without network whose platform holds the wanted permission sets.
type goldenRig struct {
	sim     *Simulator
	handler http.Handler
	ct, at  string
}

func newGoldenRig(t testing.TB, sets []int) *goldenRig {
	t.Helper()
	return startGolden(t, Options{Seed: 3}, sets)
}

// newGoldenRigWith is a rig with every permission set.
func newGoldenRigWith(t testing.TB, opt Options) *goldenRig {
	t.Helper()
	return startGolden(t, opt, allSets())
}

func startGolden(t testing.TB, opt Options, sets []int) *goldenRig {
	t.Helper()
	if opt.PublicURL == "" {
		opt.PublicURL = "http://sim.example.test"
	}
	sim, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenRig{sim: sim, handler: sim.Handler()}
	g.begin(t, sets)
	return g
}

// begin gives the simulator a new world in which the platform holds the wanted permission sets.
func (g *goldenRig) begin(t testing.TB, sets []int) {
	t.Helper()
	g.sim.mu.Lock()
	g.sim.loaded = false
	g.sim.mu.Unlock()
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		c := &component{AppID: goldenComponent, Secret: goldenSecret, Token: testToken, AESKey: keyV, AuditQuota: 100, SpeedupQuota: 5,
			PermissionSets: defaultPermissionSets(), Domains: []string{"api.example.com"}, NextDraftID: 1, NextTemplateID: 1}
		w.components.put(c.AppID, c)
		m := w.newMiniProgram(goldenProgram, now)
		m.Admin = w.person("zhangsan").WechatID
		w.miniPrograms.put(m.AppID, m)
		if _, err := w.grant(c, m.AppID, sets, "", now); err != nil {
			return err
		}
		g.ct, g.at = w.issueComponentToken(c, now).Value, w.issueAuthorizerToken(w.authorizationOf(c.AppID, m.AppID), now).Value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// request builds the HTTP request of an entry with a token.
func (e golden) request(t testing.TB, token string) *http.Request {
	t.Helper()
	q := url.Values{}
	for key, value := range e.Query {
		q.Set(key, value)
	}
	if token != "" {
		q.Set("access_token", token)
	}
	body, kind := bytes.NewReader(e.Request), "application/json"
	if e.File != nil {
		body, kind = e.form(t)
	}
	r := httptest.NewRequest(e.Method, e.Path+"?"+q.Encode(), body)
	r.Header.Set("Content-Type", kind)
	return r
}

// form is the multipart body of an entry: its request's fields and a real file of its type.
func (e golden) form(t testing.TB) (*bytes.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	fields := map[string]any{}
	if len(e.Request) > 0 {
		if err := json.Unmarshal(e.Request, &fields); err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range fields {
		if err := form.WriteField(key, fmt.Sprint(value)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(e.File.Field, e.File.Name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(fileOfType(t, e.File.Type)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes()), form.FormDataContentType()
}

func fileOfType(t testing.TB, kind string) []byte {
	if raw, ok := strings.CutPrefix(kind, "raw:"); ok {
		return []byte(raw)
	}
	if kind != "image/png" {
		return []byte("我们如何使用你的信息\n")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, stdimage.NewGray(stdimage.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// do calls and gives the errcode, and the content type of a picture.
func (g *goldenRig) do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(rec, r)
	kind := rec.Header().Get("Content-Type")
	if strings.HasPrefix(kind, "image/") {
		return 0, kind
	}
	out := object{}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d %s", r.Method, r.URL.Path, rec.Code, rec.Body)
	}
	return errcode(out), ""
}

// token is the one the entry asks for.
func (g *goldenRig) token(e golden) string {
	return map[string]string{"component": g.ct, "authorizer": g.at}[e.Token]
}

// name is one unique test name per entry.
func (e golden) name() string { return strings.TrimSuffix(e.Name+" "+e.Variant, " ") }

func allGolden(t testing.TB) []golden {
	t.Helper()
	all, err := loadGolden()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryGoldenRequestIsAccepted(t *testing.T) {
	g := newGoldenRig(t, nil)
	for _, e := range allGolden(t) {
		t.Run(e.name(), func(t *testing.T) {
			g.begin(t, e.Sets)
			g.seedMedia(t, e)
			g.seedWorld(t, e)
			code, kind := g.do(t, e.request(t, g.token(e)))
			if code != 0 && !slices.Contains(e.States, code) {
				t.Errorf("%s %s answers %d, which is not one of %v", e.Method, e.Path, code, e.States)
			}
			if e.Image != "" && code == 0 && kind != e.Image {
				t.Errorf("%s answers %q, want %s", e.Path, kind, e.Image)
			}
		})
	}
}

// seedMedia uploads what the request names, for the interface that will ask for it.
func (g *goldenRig) seedMedia(t testing.TB, e golden) {
	t.Helper()
	use := useTemp
	switch {
	case strings.Contains(e.Path, "/icp"):
		use = useICP
	case strings.HasPrefix(e.Path, "/wxa/sec/"):
		use = useCertify
	case strings.HasSuffix(e.Path, "privacysetting"):
		use = usePrivacy
	case e.Path == "/wxa/submit_audit":
		use = useAudit
	}
	text := string(e.Request)
	err := g.sim.update(t.Context(), func(w *world, _ int64) error {
		for {
			at := strings.Index(text, "media-golden-")
			if at < 0 {
				return nil
			}
			text = text[at:]
			id := text[:strings.IndexAny(text, `"|`)]
			w.media.put(id, &medium{ID: id, AppID: goldenProgram, Use: use, Type: "image", SHA256: strings.Repeat("0", 64)})
			text = text[len(id):]
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seedWorld adds what the golden files speak of beside the mini program: its official account, and that it is a trial one.
func (g *goldenRig) seedWorld(t testing.TB, e golden) {
	t.Helper()
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		m, official := w.miniPrograms.get(goldenProgram), w.newMiniProgram("wxa1b2c3d4e5f60009", now)
		official.Official, official.PrincipalName, official.Admin = true, m.PrincipalName, m.Admin
		w.miniPrograms.put(official.AppID, official)
		if strings.Contains(e.Path, "betaweapp") || e.Path == "/wxa/getmpadminauth" {
			m.ServiceType = trialService
		}
		if e.Path == "/wxa/genwxashortlink" || e.Path == "/wxa/getwxacode" { // their entries name no errcode of a mini program that is not online
			m.publish(build{Component: goldenComponent, Pages: []string{"pages/home/home"}}, now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// One rig, every interface: the checks before an endpoint's own work are the same for state machines and golden answers.
func TestEveryInterfaceChecksVerbTokenSetAndBody(t *testing.T) {
	g, bare := newGoldenRig(t, allSets()), newGoldenRig(t, []int{57})
	for _, e := range allGolden(t) {
		if e.Variant != "" {
			continue
		}
		ep := endpointOf(t, g, e.Path)
		t.Run(e.name(), func(t *testing.T) {
			want := func(why string, rig *goldenRig, code int, r *http.Request) {
				t.Helper()
				if got, _ := rig.do(t, r); got != code {
					t.Errorf("%s: errcode %d, want %d", why, got, code)
				}
			}
			wrong := e.request(t, g.token(e))
			if !ep.either {
				wrong.Method = map[string]string{"GET": "POST", "POST": "GET"}[e.Method]
				want("wrong verb", g, map[string]int{"GET": 43001, "POST": 43002}[e.Method], wrong)
			}
			if e.Method == http.MethodPost && e.File == nil {
				none, broken := e, e
				none.Request, broken.Request = nil, json.RawMessage(`{"a":`)
				want("no body", g, 44002, none.request(t, g.token(e)))
				want("broken body", g, 47001, broken.request(t, g.token(e)))
			}
			if e.File != nil {
				r := httptest.NewRequest("POST", e.Path+"?access_token="+g.at, strings.NewReader(`{}`))
				want("no file", g, 41005, r)
			}
			if ep.token == noToken {
				return
			}
			want("no token", g, 41001, e.request(t, ""))
			want("token of nobody", g, 40001, e.request(t, "62_nobody"))
			switch ep.token {
			case componentToken:
				want("authorizer token", g, 61014, e.request(t, g.at))
			case authorizerToken:
				want("component token", g, 61015, e.request(t, g.ct))
			}
			if ep.token == authorizerToken && len(ep.sets) > 0 {
				want("set not granted", bare, 61007, e.request(t, bare.at))
			}
		})
	}
}

func TestCallsFromAnAddressThatIsNotListedAreRefused(t *testing.T) {
	g := newGoldenRig(t, allSets())
	err := g.sim.update(t.Context(), func(w *world, _ int64) error {
		w.components.get(goldenComponent).IPList = []string{"203.0.113.7"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range allGolden(t) {
		if e.Variant != "" {
			continue
		}
		t.Run(e.name(), func(t *testing.T) {
			if code, _ := g.do(t, e.request(t, g.token(e))); code != 61004 {
				t.Errorf("errcode %d, want 61004", code)
			}
		})
	}
	e := allGolden(t)[slices.IndexFunc(allGolden(t), func(e golden) bool { return e.Name == "template.drafts" })]
	r := e.request(t, g.ct)
	r.RemoteAddr = "203.0.113.7:4711"
	if code, _ := g.do(t, r); code != 0 {
		t.Errorf("a listed address gets %d", code)
	}
}

func allSets() []int {
	out := []int{}
	for id := range permissionSets {
		out = append(out, id)
	}
	return sortedSet(out)
}

func endpointOf(t testing.TB, g *goldenRig, path string) endpoint {
	t.Helper()
	all := g.sim.endpoints
	i := slices.IndexFunc(all, func(ep endpoint) bool { return ep.path == path })
	if i < 0 {
		t.Fatalf("no endpoint for %s", path)
	}
	return all[i]
}
