package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// Handler is a typed JSON function: a REST call or an operation. Make it with
// JSON.
type Handler struct {
	input, output reflect.Type
	status        int
	raw           RawHandler // of Bytes; run is nil then
	run           func(ctx context.Context, fill func(any) error) (any, error)
}

// JSON makes a Handler of a function. In is a struct (or struct{}): fields
// tagged `path:"appid"` and `query:"limit"` come from the address, the others
// from the JSON body by their json tags. Unknown keys in the body are refused.
// A tag `check:"required"`, `check:"max=200"` or both (comma) is checked
// first; failures name the field in Chinese.
func JSON[In, Out any](run func(context.Context, In) (Out, error)) Handler {
	if run == nil {
		return Handler{} // found when it is declared
	}
	return Handler{
		input: reflect.TypeFor[In](), output: reflect.TypeFor[Out](), status: http.StatusOK,
		run: func(ctx context.Context, fill func(any) error) (any, error) {
			var in In
			if err := fill(&in); err != nil {
				return nil, err
			}
			return run(ctx, in)
		},
	}
}

// Created makes a success answer 201 instead of 200.
func (h Handler) Created() Handler {
	h.status = http.StatusCreated
	return h
}

// API declares a REST call: p.API("POST /installations", JSON(f)) answers
// POST /api/v1/<plugin>/installations. Its JSON Schemas, made from the types,
// are part of the manifest. Lists answer Rows.
func (p *Plugin) API(pattern string, handler Handler, options ...RouteOption) {
	if handler.raw != nil {
		p.route("api", pattern, options, bytesRoute(handler))
		return
	}
	p.route("api", pattern, options, func(ctx context.Context, r *http.Request) (answer, error) {
		out, err := handler.run(ctx, func(in any) error { return fillRequest(r, in) })
		if err != nil {
			return answer{}, err
		}
		return jsonAnswer(handler.status, out)
	})
	declared := p.routes[len(p.routes)-1].declared
	body := declared.GetMethod() != http.MethodGet
	if !p.typed(routeName(declared), handler, declared.GetPattern(), body) {
		return
	}
	declared.InputSchema = inputSchema(handler.input, body)
	declared.OutputSchema = outputSchema(handler.output, handler.status)
}

// jsonAnswer is a value as the whole answer of a REST call.
func jsonAnswer(status int, value any) (answer, error) {
	body, err := encodeJSON(value)
	if err != nil {
		return answer{}, err
	}
	return answer{HTTPResponse: &pluginpb.HTTPResponse{
		Status: int32(status), Body: body,
		Headers: []*pluginpb.Header{{Name: "Content-Type", Values: []string{"application/json; charset=utf-8"}}},
	}}, nil
}

// typed looks at a handler's types before anybody calls it.
func (p *Plugin) typed(where string, handler Handler, pattern string, body bool) bool {
	if handler.run == nil {
		p.mistaken(where, "the handler is not made by sdk.JSON of a function")
		return false
	}
	before := len(p.mistakes)
	p.checkInput(where, handler.input, pattern, body)
	p.checkJSON(where, "answer", handler.output)
	return len(p.mistakes) == before
}

// Call runs an operation of another plugin ("version.install") as the actor of
// this call. out may be nil. A refusal arrives as *Error, with WeChat's own
// error inside where there was one.
func Call(ctx context.Context, operation string, in, out any) error {
	input, err := encodeJSON(in)
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return err
	}
	answer, err := host.Call(ctx, &pluginpb.CallRequest{Operation: operation, Input: input})
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, DecodeError(err))
	}
	if out == nil || len(answer.GetOutput()) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer.GetOutput(), out); err != nil {
		return fmt.Errorf("call %s: decode answer: %w", operation, err)
	}
	return nil
}

func (h Handler) operate(ctx context.Context, input []byte) ([]byte, error) {
	answer, err := h.run(ctx, func(in any) error {
		if err := strictJSON(bytes.NewReader(input), in); err != nil {
			return err
		}
		return check(reflect.ValueOf(in).Elem())
	})
	if err != nil {
		return nil, err
	}
	return encodeJSON(answer)
}

func encodeJSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}

// fillRequest reads body, path values and query into in, then checks it.
func fillRequest(r *http.Request, in any) error {
	if r.Method != http.MethodGet && r.Body != nil {
		if err := strictJSON(r.Body, in); err != nil {
			return err
		}
	}
	value := reflect.ValueOf(in).Elem()
	if value.Kind() != reflect.Struct {
		return nil
	}
	query := r.URL.Query()
	failure := Fail("invalid_input", "请求参数有误，请按提示修改")
	for _, field := range reflect.VisibleFields(value.Type()) {
		name, text := field.Tag.Get("path"), ""
		if name != "" {
			text = r.PathValue(name)
		} else if name = field.Tag.Get("query"); name != "" {
			text = query.Get(name)
		}
		if name == "" || text == "" {
			continue
		}
		if err := setText(value.FieldByIndex(field.Index), text); err != nil {
			failure = failure.On(name, "格式不正确")
		}
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return check(value)
}

// strictJSON refuses unknown keys, wrong types and trailing text by name. An
// empty body leaves in as it is.
func strictJSON(reader io.Reader, in any) error {
	decoder := json.NewDecoder(reader)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(in)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, extra := decoder.Token(); !errors.Is(extra, io.EOF) {
			return Fail("invalid_json", "请求正文不是一个完整的 JSON 对象，请检查格式")
		}
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return Fail("invalid_json", "请求参数有误，请按提示修改").On(wrongType.Field, "类型不正确").Because(err)
	}
	if _, name, found := strings.Cut(err.Error(), "unknown field "); found {
		name = strings.Trim(name, `"`)
		return Fail("unknown_field", "请求中有不认识的字段 "+name+"，请删除后重试").On(name, "不认识的字段").Because(err)
	}
	return Fail("invalid_json", "请求正文不是有效的 JSON，请检查格式").Because(err)
}
