package wechat_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/app/wechat/wechattest"
)

const goldenDir = "../simulator/golden"

func goldens(t *testing.T) []wechattest.Golden {
	t.Helper()
	all, err := wechattest.Load(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGoldenFilesFitTheEndpointTable(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range goldens(t) {
		t.Run(g.Title(), func(t *testing.T) {
			if key := g.Name + "/" + g.Variant; seen[key] {
				t.Error("twice")
			} else {
				seen[key] = true
			}
			e, ok := wechat.LookupEndpoint(g.Name)
			if !ok {
				t.Fatal("no row of the endpoint table")
			}
			if !strings.HasPrefix(g.Name, g.Resource+".") {
				t.Errorf("stands in %s.json", g.Resource)
			}
			if g.Path != e.Path || g.Method != e.Method || g.Token != string(e.Token) {
				t.Errorf("%s %s with %s token; the row says %s %s, %s", g.Method, g.Path, g.Token, e.Method, e.Path, e.Token)
			}
			var sets []int
			for _, set := range []int{e.Set, e.AltSet} {
				if set != 0 {
					sets = append(sets, set)
				}
			}
			if !slices.Equal(sets, g.Sets) {
				t.Errorf("sets %v; the row says %v", g.Sets, sets)
			}
			if g.Source == "" || !regexp.MustCompile(`^0[12] [0A-N][A-Z0-9., ]*$`).MatchString(g.Source) {
				t.Errorf("source %q", g.Source)
			}
			checkRequest(t, g, e)
			checkAnswer(t, g, e)
		})
	}
	for _, e := range wechat.Endpoints() {
		if !seen[e.Name+"/"] {
			t.Errorf("%s has no golden file", e.Name)
		}
	}
}

func checkRequest(t *testing.T, g wechattest.Golden, e wechat.Endpoint) {
	if e.Fixed[0] != "" && g.Query[e.Fixed[0]] != e.Fixed[1] {
		t.Errorf("the query lacks %v", e.Fixed)
	}
	if (g.File != nil) != e.Upload {
		t.Errorf("file %v, upload %v", g.File, e.Upload)
	}
	if e.Method == http.MethodGet && g.Request != nil || e.Method == http.MethodPost && g.Request == nil && g.File == nil {
		t.Errorf("a %s with the body %s", e.Method, g.Request)
	}
	if string(g.Request) == "{}" && !e.EmptyBody && g.Variant == "" {
		t.Error("{} as body, but the row has no EmptyBody")
	}
	if g.Request != nil {
		var object map[string]any
		if err := json.Unmarshal(g.Request, &object); err != nil {
			t.Errorf("request: %v", err)
		}
		if e.Member[0] != "" && object[e.Member[0]] != e.Member[1] {
			t.Errorf("the request lacks %v", e.Member)
		}
	}
}

func checkAnswer(t *testing.T, g wechattest.Golden, e wechat.Endpoint) {
	if (g.Image == "") == (g.Response == nil) {
		t.Error("wants either a response or an image")
	}
	if g.Image != "" && e.Answer != wechat.AnswerImage || g.Variant == "" && g.Image == "" && e.Answer == wechat.AnswerImage {
		t.Errorf("image %q, the row answers %s", g.Image, e.Answer)
	}
	if g.Response != nil {
		var object map[string]any
		if err := json.Unmarshal(g.Response, &object); err != nil {
			t.Errorf("response: %v", err)
		}
	}
	if slices.Contains(g.States, 0) {
		t.Error("0 is success, no state")
	}
}

func TestGoldenFilesAreWrittenAsWeChatWantsIt(t *testing.T) {
	names, err := filepath.Glob(goldenDir + "/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte(`\u`)) {
			t.Errorf("%s escapes characters", name)
		}
	}
}

func TestSecretsOfTheTableExistOnTheWire(t *testing.T) {
	words := map[string]map[string]bool{}
	for _, g := range goldens(t) {
		if words[g.Name] == nil {
			words[g.Name] = map[string]bool{}
		}
		for _, raw := range []json.RawMessage{g.Request, g.Response} {
			if raw != nil {
				var v any
				if err := json.Unmarshal(raw, &v); err != nil {
					t.Fatal(g.Title(), err)
				}
				members(v, words[g.Name])
			}
		}
		for name := range g.Query {
			words[g.Name][name] = true
		}
	}
	// What is secret wherever it occurs; a row that has it must say so.
	always := regexp.MustCompile(`(?i)(secret|access_token|refresh_token|_ticket|^ticket|authorization_code|session_key|openid|idcard|phone|mobile|email)$`)
	harmless := []string{"template_id", "is_phone_configured", "is_email_configured"}
	for _, e := range wechat.Endpoints() {
		for _, name := range e.Secret {
			if !words[e.Name][name] {
				t.Errorf("%s: %s is secret but occurs in no golden file", e.Name, name)
			}
		}
		for name := range words[e.Name] {
			if always.MatchString(name) && !slices.Contains(e.Secret, name) && !slices.Contains(harmless, name) {
				t.Errorf("%s: %s is not marked as secret", e.Name, name)
			}
		}
	}
}

func members(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, kid := range v {
			into[name] = true
			members(kid, into)
		}
	case []any:
		for _, kid := range v {
			members(kid, into)
		}
	}
}
