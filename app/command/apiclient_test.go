package command_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

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

// generator writes Go code of a document.
type generator struct {
	t     *testing.T
	types map[string]string // name → declaration
	calls []string
}

const clientHead = `package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

type Client struct{ Base, Token string }

type APIError struct {
	Status int
	Body   ErrorBody
}

func (e *APIError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Body.Error.Code, e.Body.Error.Message) }

func (c *Client) do(ctx context.Context, method, path string, query url.Values, header map[string]string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
	}
	for k, v := range header {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		e := &APIError{Status: res.StatusCode}
		if err := json.Unmarshal(raw, &e.Body); err != nil {
			return fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, raw)
		}
		return e
	}
	return json.Unmarshal(raw, out)
}

var _ = url.PathEscape
`

func generateClient(t *testing.T, doc map[string]any) []byte {
	t.Helper()
	g := &generator{t: t, types: map[string]string{}}
	components := doc["components"].(map[string]any)
	for name, schema := range components["schemas"].(map[string]any) {
		g.structure(name, schema.(map[string]any))
	}
	parameters := components["parameters"].(map[string]any)
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			g.call(path, strings.ToUpper(method), op.(map[string]any), parameters)
		}
	}
	var out strings.Builder
	out.WriteString(clientHead)
	names := make([]string, 0, len(g.types))
	for name := range g.types {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out.WriteString("\ntype " + name + " " + g.types[name] + "\n")
	}
	slices.Sort(g.calls)
	out.WriteString(strings.Join(g.calls, "\n"))
	code, err := format.Source([]byte(out.String()))
	if err != nil {
		t.Fatalf("generated code: %v", err)
	}
	return code
}

// exported makes a Go name: version_post_miniprograms → VersionPostMiniprograms.
func exported(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		up = false
		b.WriteRune(r)
	}
	return b.String()
}

func (g *generator) structure(name string, schema map[string]any) {
	if g.types[name] != "" {
		return
	}
	props, ok := schema["properties"].(map[string]any)
	if !ok {
		g.types[name] = g.goType(name+"Value", schema)
		return
	}
	g.types[name] = "struct{}"
	required, _ := schema["required"].([]any)
	names := make([]string, 0, len(props))
	for p := range props {
		names = append(names, p)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("struct {\n")
	for _, p := range names {
		typ, options := g.goType(name+exported(p), props[p].(map[string]any)), ""
		if !slices.Contains(required, any(p)) {
			options = ",omitempty"
		}
		fmt.Fprintf(&b, "\t%s %s `json:\"%s%s\"`\n", exported(p), typ, p, options)
	}
	b.WriteString("}")
	g.types[name] = b.String()
}

func (g *generator) goType(name string, schema map[string]any) string {
	if ref, ok := schema["$ref"].(string); ok {
		return ref[strings.LastIndex(ref, "/")+1:]
	}
	if either, ok := schema["anyOf"].([]any); ok {
		return "*" + g.goType(name, either[0].(map[string]any))
	}
	kind, _ := schema["type"].(string)
	pointer := ""
	if kinds, ok := schema["type"].([]any); ok {
		kind = kinds[0].(string)
		if kind != "array" {
			pointer = "*"
		}
	}
	switch kind {
	case "string":
		return pointer + "string"
	case "integer":
		return pointer + "int64"
	case "number":
		return pointer + "float64"
	case "boolean":
		return pointer + "bool"
	case "array":
		return "[]" + g.goType(name+"Item", schema["items"].(map[string]any))
	case "object":
		if _, ok := schema["properties"]; ok {
			g.structure(name, schema)
			return pointer + name
		}
		if of, ok := schema["additionalProperties"].(map[string]any); ok {
			return "map[string]" + g.goType(name+"Value", of)
		}
	}
	return "json.RawMessage"
}

// call writes one method: path parameters as arguments, the rest in an input struct.
func (g *generator) call(path, method string, op, shared map[string]any) {
	name := exported(op["operationId"].(string))
	var fields, args, set strings.Builder
	target := strconv.Quote(path)
	parameters, _ := op["parameters"].([]any)
	for _, raw := range parameters {
		p := raw.(map[string]any)
		if ref, ok := p["$ref"].(string); ok {
			p = shared[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
		}
		pname := p["name"].(string)
		switch p["in"] {
		case "path":
			fmt.Fprintf(&args, ", %s string", "p"+exported(pname))
			target = strings.ReplaceAll(target, "{"+pname+"}", `"+url.PathEscape(p`+exported(pname)+`)+"`)
		case "query":
			fmt.Fprintf(&fields, "\t%s string\n", exported(pname))
			fmt.Fprintf(&set, "\tif in.%[1]s != \"\" {\n\t\tquery.Set(%[2]q, in.%[1]s)\n\t}\n", exported(pname), pname)
		case "header":
			fmt.Fprintf(&fields, "\t%s string\n", exported(pname))
			fmt.Fprintf(&set, "\theader[%q] = in.%s\n", pname, exported(pname))
		}
	}
	body := "nil"
	if rb, ok := op["requestBody"].(map[string]any); ok {
		fmt.Fprintf(&fields, "\tBody %s\n", g.goType(name+"Body", jsonSchema(rb)))
		body = "in.Body"
	}
	g.types[name+"Input"] = "struct {\n" + fields.String() + "}"
	out := "json.RawMessage"
	for status, answer := range op["responses"].(map[string]any) {
		if strings.HasPrefix(status, "2") {
			out = g.goType(name+"Output", jsonSchema(answer.(map[string]any)))
		}
	}
	g.calls = append(g.calls, fmt.Sprintf(`
func (c *Client) %s(ctx context.Context%s, in %sInput) (out %s, err error) {
	query, header := url.Values{}, map[string]string{}
%s	err = c.do(ctx, %q, %s, query, header, %s, &out)
	return out, err
}
`, name, args.String(), name, out, set.String(), method, target, body))
}

func jsonSchema(v map[string]any) map[string]any {
	content, _ := v["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	schema, _ := media["schema"].(map[string]any)
	return schema
}
