package web

import (
	"encoding/json"
	"regexp"
	"strings"

	"minifleet/app/plugin"
)

var pathParameter = regexp.MustCompile(`\{([a-z_]+)(\.\.\.)?\}`)

// addPluginPaths adds a plugin's REST routes to the OpenAPI document.
func addPluginPaths(paths map[string]any, m *plugin.Manifest) {
	for _, route := range m.GetRoutes() {
		if route.GetType() != "api" {
			continue
		}
		path := "/api/v1/" + m.GetId() + pathParameter.ReplaceAllString(route.GetPattern(), "{$1}")
		operation := map[string]any{"tags": []string{m.GetTitle()}, "summary": route.GetSummary(), "responses": map[string]any{"200": answer(route.GetOutputSchema())}}
		var parameters []any
		for _, p := range pathParameter.FindAllStringSubmatch(route.GetPattern(), -1) {
			parameters = append(parameters, map[string]any{"name": p[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
		if parameters != nil {
			operation["parameters"] = parameters
		}
		if in := schema(route.GetInputSchema()); in != nil && route.GetMethod() != "GET" {
			operation["requestBody"] = map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": in}}}
		}
		entry, _ := paths[path].(map[string]any)
		if entry == nil {
			entry = map[string]any{}
			paths[path] = entry
		}
		entry[strings.ToLower(route.GetMethod())] = operation
	}
}

func answer(raw []byte) map[string]any {
	a := map[string]any{"description": "OK"}
	if s := schema(raw); s != nil {
		a["content"] = map[string]any{"application/json": map[string]any{"schema": s}}
	}
	return a
}

func schema(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	var s any
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil
	}
	return s
}
