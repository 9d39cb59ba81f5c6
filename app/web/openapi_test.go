package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document reads /api.json as a client would.
func (h *house) document() map[string]any {
	h.t.Helper()
	a := h.do("GET", "/api.json", "")
	if a.status != 200 {
		h.t.Fatalf("api.json: %d", a.status)
	}
	return a.json(h.t)
}

func eachOperation(doc map[string]any, f func(where string, op map[string]any)) {
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			f(strings.ToUpper(method)+" "+path, op.(map[string]any))
		}
	}
}

func TestTheDocumentHasEveryRouteOfTheRouter(t *testing.T) {
	h := newHouse(t)
	have := map[string]bool{}
	eachOperation(h.document(), func(where string, _ map[string]any) { have[where] = true })
	for _, r := range h.server.frame.GetRoutes() {
		if strings.HasPrefix(r.Route, "/api/v1/") && !have[r.Method+" "+r.Route] {
			t.Errorf("%s %s is not in the document", r.Method, r.Route)
		}
	}
	if len(have) < 25 {
		t.Errorf("only %d operations", len(have))
	}
}

func TestEveryOperationSaysWhatItDoesAndWhoMay(t *testing.T) {
	h := newHouse(t)
	names := map[string]string{}
	eachOperation(h.document(), func(where string, op map[string]any) {
		id, _ := op["operationId"].(string)
		if id == "" || names[id] != "" {
			t.Errorf("%s: operationId %q is also that of %q", where, id, names[id])
		}
		names[id] = where
		for _, text := range append(op["tags"].([]any), op["summary"]) {
			if s, _ := text.(string); !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: %q is not Chinese", where, text)
			}
		}
		responses := op["responses"].(map[string]any)
		for _, status := range []string{"400", "401", "403", "404", "409", "429", "500"} {
			if responses[status] == nil {
				t.Errorf("%s does not tell of %s", where, status)
			}
		}
		if _, closed := op["security"]; !closed && op["x-permission"] == nil {
			t.Errorf("%s says neither who may call it nor which permission a token needs", where)
		}
		for _, p := range strings.Split(where, "/") {
			if strings.HasPrefix(p, "{") && !strings.Contains(text(op["parameters"]), `"name":"`+strings.Trim(p, "{}")+`"`) {
				t.Errorf("%s: %s is no parameter", where, p)
			}
		}
	})
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func TestEverySchemaOfTheDocumentCompilesAndItsExamplesFit(t *testing.T) {
	h := newHouse(t)
	doc := h.document()
	raw := text(doc)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mem:///api.json", parsed); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if examples, ok := v["examples"].([]any); ok {
				schema, err := c.Compile("mem:///api.json#" + at)
				if err != nil {
					t.Errorf("%s: %v", at, err)
					return
				}
				for _, e := range examples {
					if err := schema.Validate(e); err != nil {
						t.Errorf("%s: the example %v does not fit: %v", at, e, err)
					}
				}
			}
			for k, x := range v {
				walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "{", "%7B", "}", "%7D").Replace(k), x)
			}
		case []any:
			for i, x := range v {
				walk(at+"/"+text(i), x)
			}
		}
	}
	walk("", doc)
	for name := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		if _, err := c.Compile("mem:///api.json#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryFieldOfTheDocumentIsExplained(t *testing.T) {
	h := newHouse(t)
	doc := h.document()
	fields := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			props, _ := v["properties"].(map[string]any)
			for name, raw := range props {
				fields++
				p, _ := raw.(map[string]any)
				if d, _ := p["description"].(string); d == "" && p["$ref"] == nil {
					t.Errorf("%s: %s has no meaning: add it to openapi_words.go, or a dc tag to the field", at, name)
				}
			}
			for k, x := range v {
				walk(at+"/"+k, x)
			}
		case []any:
			for i, x := range v {
				walk(at+"/"+text(i), x)
			}
		}
	}
	walk("schemas", doc["components"].(map[string]any)["schemas"])
	eachOperation(doc, func(where string, op map[string]any) {
		walk(where, op)
		parameters, _ := op["parameters"].([]any)
		for _, raw := range parameters {
			fields++
			p := raw.(map[string]any)
			if d, _ := p["description"].(string); d == "" && p["$ref"] == nil {
				t.Errorf("%s: the parameter %v has no meaning", where, p["name"])
			}
		}
	})
	if fields < 300 {
		t.Errorf("only %d fields were looked at", fields)
	}
}
