package wechattest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// Replay plays WeChat from golden files: it notes what does not look like the golden request, and gives the golden
// answer or the one put in its place.
type Replay struct {
	URL string

	mu      sync.Mutex
	golden  Golden
	answer  []byte
	calls   int
	strange []string
}

// NewReplay starts it and ends it with the test.
func NewReplay(t testing.TB) *Replay {
	t.Helper()
	r := &Replay{}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}

// Play says which request comes next and, unless answer is nil, with what it is answered instead.
func (r *Replay) Play(g Golden, answer []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.golden, r.answer, r.calls, r.strange = g, answer, 0, nil
	if answer == nil {
		r.answer = g.Response
	}
}

// Strange is what the requests since Play had that the golden one has not, or the reverse.
func (r *Replay) Strange() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls != 1 {
		return append(r.strange, fmt.Sprintf("%d requests instead of one", r.calls))
	}
	return r.strange
}

func (r *Replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.look(req)
	if r.answer == nil && r.golden.Image != "" {
		w.Header().Set("Content-Type", r.golden.Image)
		r.write(w, picture)
		return
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	r.write(w, r.answer)
}

// picture is what an image endpoint answers here.
var picture = []byte("\x89PNG golden picture")

func (r *Replay) write(w io.Writer, body []byte) {
	if _, err := w.Write(body); err != nil {
		r.strange = append(r.strange, err.Error())
	}
}

func (r *Replay) note(format string, args ...any) {
	r.strange = append(r.strange, fmt.Sprintf(format, args...))
}

func (r *Replay) look(req *http.Request) {
	g := r.golden
	if req.Method != g.Method || req.URL.Path != g.Path {
		r.note("%s %s instead of %s %s", req.Method, req.URL.Path, g.Method, g.Path)
	}
	query := req.URL.Query()
	parameter := g.Endpoint().TokenQuery
	if parameter == "" {
		parameter = "access_token"
	}
	if has := query.Has(parameter); has != (g.Token != "none") {
		r.note("token in %s: %v", parameter, has)
	}
	query.Del(parameter)
	want := url.Values{}
	for k, v := range g.Query {
		want.Set(k, v)
	}
	if query.Encode() != want.Encode() {
		r.note("query %s instead of %s", query.Encode(), want.Encode())
	}
	if g.File != nil {
		r.lookAtForm(req)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.note("body: %v", err)
	}
	if g.Method == http.MethodGet {
		if len(body) > 0 {
			r.note("a GET with the body %s", body)
		}
		return
	}
	if bytes.Contains(body, []byte(`\u`)) {
		r.note("escaped characters: WeChat counts and shows them as they stand: %s", body)
	}
	if !sameJSON(body, g.Request) {
		r.note("body %s instead of %s", body, g.Request)
	}
}

func (r *Replay) lookAtForm(req *http.Request) {
	g := r.golden
	if err := req.ParseMultipartForm(1 << 20); err != nil {
		r.note("form: %v", err)
		return
	}
	files := req.MultipartForm.File[g.File.Field]
	if len(files) != 1 || files[0].Filename != g.File.Name || files[0].Header.Get("Content-Type") != g.File.Type {
		r.note("file part: %+v", files)
	}
	texts := map[string]string{}
	for name, values := range req.MultipartForm.Value {
		texts[name] = strings.Join(values, ",")
	}
	encoded, err := json.Marshal(texts)
	if err != nil {
		r.note("form: %v", err)
	}
	want := g.Request
	if want == nil {
		want = json.RawMessage(`{}`)
	}
	if !sameJSON(encoded, want) {
		r.note("form %s instead of %s", encoded, want)
	}
}

func sameJSON(a, b []byte) bool {
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// parse reads JSON with numbers as they are written, but 0.0 and 0 alike.
func parse(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}
