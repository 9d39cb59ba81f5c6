package plugin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

// get asks for a page or raw address in the portal.
func (h *house) get(t testing.TB, actor account.Actor, path string) (plugin.Response, error) {
	t.Helper()
	below, query, _ := strings.Cut(path, "?")
	return h.Serve(t.Context(), actor, plugin.Request{Plugin: "notes", Frame: plugin.FramePortal, Method: http.MethodGet, Path: below, Query: query})
}

// do runs one REST call of the tests' plugin.
func (h *house) do(t testing.TB, actor account.Actor, in command) (outcome, error) {
	t.Helper()
	return h.post(t, actor, "notes", "/do", in)
}

func (h *house) post(t testing.TB, actor account.Actor, id, path string, in any) (outcome, error) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	response, err := h.Serve(ctx, actor, plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: http.MethodPost, Path: path, Body: body})
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	if err := json.Unmarshal(response.Body, &out); err != nil {
		t.Fatalf("answer %s: %v", response.Body, err)
	}
	return out, nil
}

func (h *house) must(t testing.TB, actor account.Actor, in command) outcome {
	t.Helper()
	out, err := h.do(t, actor, in)
	if err != nil {
		t.Fatalf("%s: %v", in.Do, err)
	}
	return out
}

func wantKind(t testing.TB, err error, kind fault.Kind) *fault.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want kind %d", kind)
	}
	failure := fault.From(err)
	if failure.Kind != kind {
		t.Fatalf("error %v is of kind %d, want %d", err, failure.Kind, kind)
	}
	return failure
}

func TestPagesComeBackAsFragmentsForTheFrame(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	visitor := account.Actor{}

	response, err := h.get(t, visitor, "/hello/小<b>?q=1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(response.Body), "<p>小&lt;b&gt; 1 portal /p/notes/x</p>"; got != want || response.View.GetTitle() != "你好" {
		t.Errorf("page %q with title %q, want %q", got, response.View.GetTitle(), want)
	}
	response, err = h.Serve(t.Context(), visitor, plugin.Request{Plugin: "notes", Frame: plugin.FrameAdmin, Method: "GET", Path: "/hello/x"})
	if err != nil || !strings.Contains(string(response.Body), "admin /admin/p/notes/x") {
		t.Errorf("back office page %q, %v", response.Body, err)
	}
	form := plugin.Request{Plugin: "notes", Frame: plugin.FramePortal, Prefix: "/notes", Method: "POST", Path: "/form", Body: []byte("a=1%262"),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"secret=1"}}}
	response, err = h.Serve(t.Context(), ada, form)
	if err != nil || response.View.GetRedirect() != "/notes/hello/x" || response.View.GetFlash() != "已保存 1&2" || response.Status != http.StatusSeeOther {
		t.Errorf("form answered %+v, %v", response, err)
	}
	for _, to := range []string{"https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"} {
		form.Body = []byte("to=" + to)
		_, err := h.Serve(t.Context(), ada, form)
		wantKind(t, err, fault.Internal)
	}
}

func TestRoutesAdmitOnlyWhomTheyName(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	form := plugin.Request{Plugin: "notes", Frame: plugin.FramePortal, Method: "POST", Path: "/form"}
	cases := map[string]struct {
		actor   account.Actor
		request plugin.Request
		kind    fault.Kind
	}{
		"visitor at a page behind login":   {account.Actor{}, form, fault.Unauthenticated},
		"wrong kind of space":              {eve, form, fault.Forbidden},
		"page that does not exist":         {ada, plugin.Request{Plugin: "notes", Frame: "portal", Method: "GET", Path: "/nowhere"}, fault.NotFound},
		"REST call through a frame":        {ada, plugin.Request{Plugin: "notes", Frame: "portal", Method: "POST", Path: "/do"}, fault.NotFound},
		"page through REST":                {ada, plugin.Request{Plugin: "notes", Frame: "api", Method: "GET", Path: "/hello/x"}, fault.NotFound},
		"plugin that does not exist":       {ada, plugin.Request{Plugin: "nobody", Frame: "portal", Method: "GET", Path: "/"}, fault.NotFound},
		"body over 8 MiB":                  {ada, plugin.Request{Plugin: "notes", Frame: "api", Method: "POST", Path: "/do", Body: make([]byte, 8<<20+1)}, fault.Invalid},
		"unknown JSON key":                 {ada, plugin.Request{Plugin: "notes", Frame: "api", Method: "POST", Path: "/do", Body: []byte(`{"dont":1}`)}, fault.Invalid},
		"refusal with a field by the page": {ada, plugin.Request{Plugin: "notes", Frame: "portal", Method: "GET", Path: "/refused"}, fault.Invalid},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := h.Serve(t.Context(), test.actor, test.request)
			failure := wantKind(t, err, test.kind)
			if !strings.ContainsFunc(failure.Message, func(r rune) bool { return r > 0x4e00 }) {
				t.Errorf("message %q is not Chinese", failure.Message)
			}
			switch name {
			case "unknown JSON key":
				if len(failure.Fields) != 1 || failure.Fields[0].Name != "dont" {
					t.Errorf("fields %+v do not name the key", failure.Fields)
				}
			case "refusal with a field by the page":
				if len(failure.Fields) != 1 || failure.Fields[0].Message != "太短" || failure.Code != "notes.bad" {
					t.Errorf("refusal arrived as %+v", failure)
				}
			}
		})
	}
}

func TestRawAnswersAreHarmlessAndBounded(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	image, err := h.get(t, ada, "/image?type=image/png")
	if err != nil || image.Header.Get("Content-Type") != "image/png" || image.View != nil || image.Header.Get("Content-Disposition") != "" {
		t.Errorf("image answered %+v, %v", image, err)
	}
	page, err := h.get(t, ada, "/image?type=text/html")
	if err != nil || page.Header.Get("Content-Type") != "application/octet-stream" || page.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("raw HTML answered %+v, %v: it would run in our origin", page.Header, err)
	}
	largest, err := h.get(t, ada, "/largest")
	if err != nil || len(largest.Body) != 8<<20 {
		t.Errorf("8 MiB answered %d bytes, %v", len(largest.Body), err)
	}
	_, err = h.get(t, ada, "/large")
	wantKind(t, err, fault.Internal)
}

func TestAPanicInAHandlerLeavesTheProcessServing(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	before := h.Status()[0]
	_, err := h.get(t, ada, "/panic")
	wantKind(t, err, fault.Internal)
	if _, err := h.get(t, ada, "/hello/x"); err != nil {
		t.Errorf("after the panic: %v", err)
	}
	if after := h.Status()[0]; after.PID != before.PID || after.Restarts != 0 {
		t.Errorf("process changed from %d to %d after a panic", before.PID, after.PID)
	}
}
