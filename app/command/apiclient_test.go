package command_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestAClientMadeOfTheDocumentDoesTheMainJob makes Go code of /api.json and nothing else, compiles it with a program that
// binds a platform app, lists a template, installs it, submits, releases and looks at the trail, and lets every request
// and answer pass a door that holds them against the document's schemas.
func TestAClientMadeOfTheDocumentDoesTheMainJob(t *testing.T) {
	d := startDemo(t, binary(t))
	doc := apiDocument(t, d)
	dir := t.TempDir()
	job, err := os.ReadFile("testdata/job/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"go.mod": []byte("module job\n\ngo 1.26\n"), "main.go": job, "client.go": generateClient(t, doc)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "job", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the generated client does not compile: %v\n%s", err, out)
	}
	door := newDoor(t, d.base, doc)
	run := exec.Command(filepath.Join(dir, "job"), door.url, d.base, d.sim, demoPassword)
	if out, err := run.CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "done") {
		t.Fatalf("%v\n%s", err, out)
	}
	door.mu.Lock()
	defer door.mu.Unlock()
	if len(door.seen) < 25 {
		t.Errorf("only %d operations were used: %v", len(door.seen), door.seen)
	}
}

func apiDocument(t *testing.T, d *running) map[string]any {
	t.Helper()
	var doc map[string]any
	if status := d.call(http.MethodGet, d.base+"/api.json", "", nil, &doc); status != http.StatusOK {
		t.Fatalf("api.json: %d", status)
	}
	return doc
}

// door stands between client and platform and knows the document only.
type door struct {
	t       *testing.T
	url     string
	schemas *jsonschema.Compiler
	paths   map[string]any
	mu      sync.Mutex
	seen    map[string]int
}

func newDoor(t *testing.T, base string, doc map[string]any) *door {
	t.Helper()
	d := &door{t: t, paths: doc["paths"].(map[string]any), seen: map[string]int{}, schemas: jsonschema.NewCompiler()}
	strict := closed(clone(t, doc))
	d.schemas.DefaultDraft(jsonschema.Draft2020)
	if err := d.schemas.AddResource("mem:///api.json", strict); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Accept-Encoding") // the door's own transport asks for gzip and unpacks it, so that it can read
		},
		ModifyResponse: d.check,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		if path, op := d.operation(r.Method, r.URL.Path); op != nil && len(raw) > 0 {
			d.validate("request "+r.Method+" "+path, pointer("paths", path, strings.ToLower(r.Method), "requestBody", "content", "application/json", "schema"), raw)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func clone(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// closed refuses what the document does not name: an answer with a field more than it tells is a document with one less.
func closed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, object := v["properties"].(map[string]any); object && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closed(x)
		}
	case []any:
		for _, x := range v {
			closed(x)
		}
	}
	return v
}

// operation finds the path template that an address fits, one without variables first.
func (d *door) operation(method, path string) (string, map[string]any) {
	parts := strings.Split(path, "/")
	best, vars := "", 100
	for template, item := range d.paths {
		want := strings.Split(template, "/")
		if len(want) != len(parts) || item.(map[string]any)[strings.ToLower(method)] == nil {
			continue
		}
		n, fits := 0, true
		for i := range want {
			if strings.HasPrefix(want[i], "{") {
				n++
			} else if want[i] != parts[i] {
				fits = false
			}
		}
		if fits && n < vars {
			best, vars = template, n
		}
	}
	if best == "" {
		return "", nil
	}
	return best, d.paths[best].(map[string]any)[strings.ToLower(method)].(map[string]any)
}

func pointer(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return "mem:///api.json#/" + strings.Join(parts, "/")
}

func (d *door) check(res *http.Response) error {
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(raw))
	method, path := res.Request.Method, res.Request.URL.Path
	template, op := d.operation(method, path)
	if op == nil {
		d.t.Errorf("%s %s is not in the document", method, path)
		return nil
	}
	d.mu.Lock()
	d.seen[op["operationId"].(string)]++
	d.mu.Unlock()
	status := strconv.Itoa(res.StatusCode)
	answer, _ := op["responses"].(map[string]any)[status].(map[string]any)
	at := pointer("paths", template, strings.ToLower(method), "responses", status, "content", "application/json", "schema")
	switch {
	case answer == nil:
		d.t.Errorf("%s %s answered %s, which the document does not tell of: %.300s", method, template, status, raw)
		return nil
	case answer["$ref"] != nil:
		at = pointer("components", "schemas", "ErrorBody")
	}
	d.validate(status+" of "+method+" "+template, at, raw)
	return nil
}

func (d *door) validate(what, at string, raw []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	schema, err := d.schemas.Compile(at)
	if err != nil {
		d.t.Errorf("%s: %v", what, err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		d.t.Errorf("%s is no JSON: %.300s", what, raw)
		return
	}
	if err := schema.Validate(value); err != nil {
		d.t.Errorf("%s does not fit the document: %v\n%.600s", what, err, raw)
	}
}
