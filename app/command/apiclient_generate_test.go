package command_test

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

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
