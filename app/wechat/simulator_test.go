package wechat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"minifleet/app/simulator"
	"minifleet/app/wechat"
	"minifleet/app/wechat/wechattest"
)

// simulated is a simulator with one platform and one mini program that authorised it, and the tokens of both.
type simulated struct {
	t       *testing.T
	url     string
	tokens  map[wechat.Token]string
	granted []int
	last    []byte // the last answer's body
}

func newSimulated(t *testing.T, wanted []int) *simulated {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Seed: 11, PublicURL: "http://simulator.test"})
	if err != nil {
		t.Fatal(err)
	}
	s := &simulated{t: t, tokens: map[wechat.Token]string{}}
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		srv.Close()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	s.url = srv.URL
	s.control("/control/miniprograms", map[string]any{"appid": wechattest.AppID, "nick_name": "晨光文具铺", "admin": "zhangsan"})
	s.control("/control/components", map[string]any{
		"appid": wechattest.PlatformID, "name": "对照平台", "secret": "s3cr3t-for-golden", "token": simulatedToken, "aes_key": simulatedKey,
		"ticket_url": "http://simulator.test/ticket", "message_url": "http://simulator.test/message/$APPID$", "auth_domain": "simulator.test",
	})
	for _, set := range wanted { // the simulator knows sets of mini programs only
		if s.try("/control/authorizations", s.authorization([]int{set})) == nil {
			s.granted = append(s.granted, set)
		}
	}
	s.control("/control/authorizations", s.authorization(s.granted))
	s.tokens[wechat.TokenComponent] = s.token("")
	s.tokens[wechat.TokenAuthorizer] = s.token(wechattest.AppID)
	return s
}

const (
	simulatedToken = "sf_demo_token_01"
	simulatedKey   = "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
)

func (s *simulated) authorization(sets []int) map[string]any {
	return map[string]any{"component_appid": wechattest.PlatformID, "appid": wechattest.AppID, "permission_sets": sets, "push": false}
}

func (s *simulated) token(appid string) string {
	var out struct {
		Token string `json:"access_token"`
	}
	answer := s.control("/control/tokens", map[string]any{"component_appid": wechattest.PlatformID, "appid": appid})
	if err := json.Unmarshal(answer, &out); err != nil || out.Token == "" {
		s.t.Fatalf("no token of %q: %s %v", appid, answer, err)
	}
	return out.Token
}

func (s *simulated) control(path string, body map[string]any) []byte {
	s.t.Helper()
	if err := s.try(path, body); err != nil {
		s.t.Fatal(err)
	}
	return s.last
}

func (s *simulated) try(path string, body map[string]any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	res, err := http.Post(s.url+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if s.last, err = io.ReadAll(res.Body); err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s: %d %s", path, res.StatusCode, s.last)
	}
	return nil
}

// Do sends over HTTPS with the token that the endpoint wants.
func (s *simulated) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	e, _ := wechat.LookupEndpoint(req.Endpoint)
	res, err := (&wechat.Client{BaseURL: s.url}).Send(ctx, e, s.tokens[e.Token], req)
	s.last = res.Body
	return res, err
}

// TestTypedCallsUnderstandTheSimulator makes every golden request as a typed call to the simulator: the answer is a
// success that decodes, with no field that the facts do not show, or one of the refusals the golden file expects.
func TestTypedCallsUnderstandTheSimulator(t *testing.T) {
	all := goldens(t)
	var wanted []int
	shown := map[string]map[string]bool{} // fields of the golden answers, by path and verb of the endpoint
	for _, g := range all {
		for _, set := range g.Sets {
			if !slices.Contains(wanted, set) {
				wanted = append(wanted, set)
			}
		}
		if shown[g.Path] == nil {
			shown[g.Path] = map[string]bool{"errcode": true, "errmsg": true}
		}
		if g.Response != nil {
			fieldPaths(t, g.Response, shown[g.Path])
		}
	}
	s := newSimulated(t, wanted)
	cases := wechattest.Cases()
	by := wechattest.Callers{
		App:      wechat.MiniProgram{Transport: s, AppID: wechattest.AppID},
		Platform: wechat.Component{Transport: s, AppID: wechattest.PlatformID},
	}
	fine, refused := 0, 0
	for _, g := range all {
		if cases[g.Name] == nil || wechattest.Direct(g.Name) {
			continue
		}
		t.Run(g.Title(), func(t *testing.T) {
			s.last = nil
			_, err := cases[g.Name](t.Context(), by, g)
			if err == nil {
				fine++
				if g.Image == "" && len(s.last) > 0 { // empty after a refusal that the call takes for an answer, such as no audit yet
					strange(t, s.last, shown[g.Path])
				}
				return
			}
			refused++
			var e *wechat.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			unheld := e.Code == wechat.CodeMissingSet && !slices.ContainsFunc(g.Sets, func(set int) bool { return slices.Contains(s.granted, set) })
			if !slices.Contains(g.States, e.Code) && !unheld {
				t.Error(err)
			}
			if e.RID == "" {
				t.Errorf("no rid: %s", e.Body)
			}
		})
	}
	t.Logf("%d succeeded, %d were refused as the state of a new world asks", fine, refused)
	if fine < 80 {
		t.Errorf("only %d typed calls succeeded", fine)
	}
}

// strange reports fields of an answer that no golden file has.
func strange(t *testing.T, answer []byte, known map[string]bool) {
	t.Helper()
	fields := map[string]bool{}
	fieldPaths(t, answer, fields)
	for path := range fields {
		if !known[path] {
			t.Errorf("the answer has %s, which no golden file shows", path)
		}
	}
}

// fieldPaths collects the paths of all members, with lists passed over.
func fieldPaths(t *testing.T, raw []byte, into map[string]bool) {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, kid := range v {
				path := strings.TrimPrefix(prefix+"."+name, ".")
				into[path] = true
				walk(path, kid)
			}
		case []any:
			for _, kid := range v {
				walk(prefix, kid)
			}
		}
	}
	walk("", v)
}
