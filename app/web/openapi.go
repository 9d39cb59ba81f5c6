package web

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/plugin"
)

// The OpenAPI document is made of the same types, tags and manifests that serve the calls. GoFrame's own generator is not
// used: it knows neither embedded structs nor generics nor numbers that travel as text.

const apiDescription = `小程序第三方平台管理系统的接口。

**登录**：POST /api/v1/sessions 得到 token，之后每个请求带 Authorization: Bearer <token>。程序请使用 API 令牌（页面“API 令牌”里新建，以 mft_ 开头），用法相同，但只能调用令牌权限之内的接口；每个接口需要的权限写在 x-permission，没有写的接口不接受令牌。

**空间**：一个人可以在多个空间。请求头 X-Space 选择空间编号，不带时为会话的当前空间。别的空间的东西一律回答 404。

**列表**：{"items":[],"next":"下一页的 cursor 或 null","total":总数或 null}。

**重试**：改动数据的请求可带 Idempotency-Key，24 小时内重复同一个键得到同一个回答，不会做第二次。

**限流**：超出频率回答 429，请按 Retry-After 等待。`

var pathParameter = regexp.MustCompile(`\{([a-z_]+)(\.\.\.)?\}`)

// document builds the whole description for the routes of the router and the manifests of the plugins that the reader meets.
func (s *Server) document(met []*plugin.Manifest) object {
	made := newSchemas()
	paths := object{}
	tags := []string{}
	for _, route := range s.frame.GetRoutes() {
		info := route.Handler.Info
		if !strings.HasPrefix(route.Route, "/api/v1/") || info.Type.NumIn() != 2 || info.Type.NumOut() != 2 {
			continue
		}
		in, out := info.Type.In(1).Elem(), info.Type.Out(0).Elem()
		operation := made.operation(in, out, route.Method)
		tags = append(tags, operation["tags"].([]string)...)
		entry(paths, route.Route)[strings.ToLower(route.Method)] = operation
	}
	for _, m := range met {
		addPluginPaths(paths, m)
		tags = append(tags, m.GetTitle())
	}
	made.of(reflect.TypeFor[errorBody]())
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "MiniFleet", "version": "v1", "description": apiDescription},
		"servers": []any{object{"url": s.o.PublicURL}}, "tags": tagList(tags), "paths": paths,
		"security": []any{object{"session": []string{}}, object{"token": []string{}}},
		"components": object{
			"schemas": made.named, "parameters": headerParameters(), "responses": errorAnswers(),
			"securitySchemes": object{
				"session": object{"type": "http", "scheme": "bearer", "description": "POST /api/v1/sessions 得到的 token"},
				"token":   object{"type": "http", "scheme": "bearer", "bearerFormat": "mft_…", "description": "API 令牌；只能调用 x-permission 在令牌权限之内的接口"},
			},
		},
	}
}

// entry is the path item of an address, made when it is new.
func entry(paths object, path string) object {
	item, _ := paths[path].(object)
	if item == nil {
		item = object{}
		paths[path] = item
	}
	return item
}

func tagList(names []string) []any {
	slices.Sort(names)
	out := []any{}
	for _, name := range slices.Compact(names) {
		out = append(out, object{"name": name})
	}
	return out
}

// headerParameters are the two headers that most calls take.
func headerParameters() object {
	return object{
		"Space":          object{"name": "X-Space", "in": "header", "description": "在哪个空间里操作；不带时为会话的当前空间", "schema": object{"type": "string", "pattern": "^[0-9]+$"}},
		"IdempotencyKey": object{"name": "Idempotency-Key", "in": "header", "description": "同一个键在 24 小时内只做一次", "schema": object{"type": "string", "maxLength": 200}},
	}
}

// refusals are the statuses of errors with their meaning.
func refusals() map[int]string {
	return map[int]string{
		400: "请求有误，fields 写明每个字段哪里不对", 401: "没有登录，或 token 已失效", 403: "登录了，但没有权限", 404: "没有找到，或不属于当前空间",
		409: "当前状态不允许", 429: "太频繁，请按 Retry-After 等待", 500: "系统出错，请把 request_id 发给管理员", 502: "微信没有接受，wechat 里是微信的原话", 503: "这部分暂时不可用，请稍后重试",
	}
}

func errorAnswers() object {
	out := object{}
	for status, text := range refusals() {
		code := strconv.Itoa(status)
		out["Error"+code] = object{"description": text, "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/ErrorBody"}}}}
	}
	return out
}

// answers are the responses of a call: the good one and every refusal.
func answers(status int, good object) object {
	out := object{strconv.Itoa(status): good}
	for code := range refusals() {
		out[strconv.Itoa(code)] = object{"$ref": "#/components/responses/Error" + strconv.Itoa(code)}
	}
	return out
}

func jsonContent(schema any) object { return object{"application/json": object{"schema": schema}} }

// operation describes one typed handler.
func (s *schemas) operation(in, out reflect.Type, method string) object {
	meta, _ := in.FieldByName("Meta")
	op := object{"operationId": strings.TrimSuffix(in.Name(), "In"), "tags": strings.Split(meta.Tag.Get("tags"), ","), "summary": meta.Tag.Get("summary")}
	var parameters []any
	var body []property
	for _, p := range properties(in) {
		where := p.field.Tag.Get("in")
		if where == "" {
			body = append(body, p)
			continue
		}
		schema := s.of(p.field.Type)
		if where == "path" && p.field.Type.Kind() == reflect.Int64 {
			schema = object{"type": "string", "pattern": "^[0-9]+$"}
		}
		w := words(p.name)
		parameter := object{"name": p.name, "in": where, "required": where == "path", "schema": word{"", w.example}.onto(schema)}
		if text := p.field.Tag.Get("dc"); text != "" {
			w.text = text
		}
		if w.text != "" {
			parameter["description"] = w.text
		}
		parameters = append(parameters, parameter)
	}
	value := reflect.New(in).Interface()
	if _, open := value.(anonymous); open {
		op["security"] = []any{}
	} else {
		parameters = append(parameters, reference("Space"))
		op["security"] = []any{object{"session": []string{}}}
		if want := needs(in); want != "" {
			op["x-permission"] = want
			op["security"] = []any{object{"session": []string{}}, object{"token": []string{}}}
		}
		if _, once := value.(unrepeatable); !once && method != http.MethodGet {
			parameters = append(parameters, reference("IdempotencyKey"))
		}
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if _, upload := value.(ownBody); upload {
		op["requestBody"] = object{"required": true, "content": object{
			"multipart/form-data":      object{"schema": object{"type": "object", "required": []string{"file"}, "properties": object{"file": object{"type": "string", "contentMediaType": "application/octet-stream", "description": "文件"}}}},
			"application/octet-stream": object{},
		}}
	} else if len(body) > 0 && method != http.MethodGet {
		op["requestBody"] = object{"required": true, "content": jsonContent(s.input(in, body))}
	}
	status := http.StatusOK
	if st, ok := reflect.New(out).Interface().(statuser); ok {
		status = st.HTTPStatus()
	}
	good := object{"description": http.StatusText(status), "content": jsonContent(object{})}
	if _, file := value.(streamed); file {
		good["content"] = object{"application/octet-stream": object{}}
	} else {
		good["content"] = jsonContent(s.of(out))
	}
	op["responses"] = answers(status, good)
	return op
}

func reference(name string) object { return object{"$ref": "#/components/parameters/" + name} }

// addPluginPaths adds a plugin's REST routes to the document, from the schemas in its manifest.
func addPluginPaths(paths object, m *plugin.Manifest) {
	for _, route := range m.GetRoutes() {
		if route.GetType() == "api" {
			path := "/api/v1/" + m.GetId() + pathParameter.ReplaceAllString(route.GetPattern(), "{$1}")
			entry(paths, path)[strings.ToLower(route.GetMethod())] = pluginOperation(m, route)
		}
	}
}

func pluginOperation(m *plugin.Manifest, route *plugin.Route) object {
	op := object{"operationId": operationName(m.GetId(), route), "tags": []string{m.GetTitle()}, "summary": route.GetSummary()}
	parameters := []any{}
	for _, p := range pathParameter.FindAllStringSubmatch(route.GetPattern(), -1) {
		w := pluginWord(p[1])
		parameters = append(parameters, object{"name": p[1], "in": "path", "required": true, "description": w.text, "schema": word{"", w.example}.onto(object{"type": "string"})})
	}
	in := schemaOf(route.GetInputSchema())
	query, _ := in["x-query"].(object)
	delete(in, "x-query")
	for _, name := range sortedKeys(query) {
		w := pluginWord(name)
		schema, _ := query[name].(object)
		parameters = append(parameters, object{"name": name, "in": "query", "description": w.text, "schema": word{"", w.example}.onto(schema)})
	}
	if in != nil && route.GetMethod() != http.MethodGet {
		op["requestBody"] = object{"content": jsonContent(explained(in))}
	}
	switch {
	case route.GetPublic():
		op["security"] = []any{object{}, object{"session": []string{}}}
	case route.GetPermission() != "":
		op["x-permission"] = route.GetPermission()
	default:
		op["security"] = []any{object{"session": []string{}}}
	}
	parameters = append(parameters, reference("Space"))
	if route.GetMethod() != http.MethodGet {
		parameters = append(parameters, reference("IdempotencyKey"))
	}
	op["parameters"] = parameters
	out, status := schemaOf(route.GetOutputSchema()), http.StatusOK
	if n, ok := out["x-status"].(float64); ok {
		status = int(n)
		delete(out, "x-status")
	}
	op["responses"] = answers(status, object{"description": http.StatusText(status), "content": jsonContent(explained(out))})
	return op
}

// operationName is a stable name for generated clients: version_post_miniprograms_appid_audit.
func operationName(id string, route *plugin.Route) string {
	name := strings.NewReplacer("{", "", "}", "", "...", "", "/", "_", "-", "_").Replace(route.GetPattern())
	return id + "_" + strings.ToLower(route.GetMethod()) + strings.TrimSuffix(name, "_")
}

func sortedKeys(m object) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// explained adds the house's words to the properties of a plugin's schema.
func explained(schema object) object {
	if schema == nil {
		return object{}
	}
	props, _ := schema["properties"].(object)
	for name, raw := range props {
		if p, ok := raw.(object); ok {
			props[name] = pluginWord(name).onto(explained(p))
		}
	}
	if items, ok := schema["items"].(object); ok {
		schema["items"] = explained(items)
	}
	return schema
}

// schemaOf reads a schema of a manifest; one that is none says nothing.
func schemaOf(raw []byte) object {
	var s object
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return nil
	}
	return s
}

// openAPI serves the document.
func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(r)
	if err != nil { // the document is open to everybody: an ended session reads what a visitor reads
		actor = account.Actor{}
	}
	met, err := s.o.Plugins.ManifestsFor(r.Context(), actor)
	if err != nil {
		fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, s.document(met))
}
