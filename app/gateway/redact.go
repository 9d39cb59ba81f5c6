package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// blot stands for a secret's value.
const blot = "******"

// membersMost bounds how many members of a request the trail keeps.
const membersMost = 30

// asked is what a changing request asks for, as the trail keeps it: the members of its body and its query, without what the
// endpoint table calls secret. The trail blots out names that sound like a secret by itself.
func asked(e wechat.Endpoint, req wechat.Request) []trail.Change {
	if e.ReadOnly {
		return nil
	}
	var out []trail.Change
	keep := func(name, value string) {
		if value != "" && len(out) < membersMost {
			out = append(out, trail.Change{Field: name, After: value})
		}
	}
	for _, name := range sorted(req.Query) {
		keep(name, secretOr(e, name, strings.Join(req.Query[name], " ")))
	}
	if req.File != nil {
		keep("file", req.File.Name)
	}
	dec := json.NewDecoder(bytes.NewReader(req.Body))
	dec.UseNumber()
	var body map[string]any
	if len(req.Body) == 0 || dec.Decode(&body) != nil {
		return out // what is no object is refused by WeChat, and says nothing that may be shown
	}
	for _, name := range sorted(body) {
		text, ok := blotted(e, name, body[name]).(string)
		if !ok {
			raw, err := json.Marshal(blotted(e, name, body[name]))
			if err != nil {
				continue
			}
			text = string(raw)
		}
		keep(name, text)
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func secretOr(e wechat.Endpoint, name, value string) string {
	if slices.Contains(e.Secret, name) {
		return blot
	}
	return value
}

// blotted walks a value and blots the secret members at any depth.
func blotted(e wechat.Endpoint, name string, v any) any {
	if slices.Contains(e.Secret, name) {
		return blot
	}
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, inner := range x {
			out[k] = blotted(e, k, inner)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, inner := range x {
			out[i] = blotted(e, name, inner)
		}
		return out
	default:
		return v
	}
}
