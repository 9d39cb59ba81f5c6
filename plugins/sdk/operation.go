package sdk

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// OperationOption says more about an operation.
type OperationOption func(*pluginpb.Operation)

// OperationTitle is its Chinese name, for operators and the reference.
func OperationTitle(title string) OperationOption {
	return func(o *pluginpb.Operation) { o.Title = title }
}

// hostOnly keeps an operation from other plugins: the SDK declares it for the
// host's own questions.
func hostOnly(o *pluginpb.Operation) { o.Internal = true }

// Operation declares what other plugins may Call as "<plugin>.<name>". The
// JSON Schemas of input and answer are made from the types: the host refuses a
// caller's input that does not fit, naming the fields, and an answer that does
// not.
func (p *Plugin) Operation(name string, handler Handler, options ...OperationOption) {
	where := fmt.Sprintf("operation %q", name)
	if !nameShape.MatchString(name) {
		p.mistaken(where, "the name is not [a-z][a-z0-9_]{0,39}")
	}
	if _, twice := p.operations[name]; twice {
		p.mistaken(where, "declared twice")
	}
	declared := &pluginpb.Operation{Name: name}
	for _, option := range options {
		option(declared)
	}
	if p.typed(where, handler, "", true) {
		declared.InputSchema = mustJSON(handler.input, wireSchema(handler.input, true, 0))
		declared.OutputSchema = mustJSON(handler.output, wireSchema(handler.output, false, 0))
	}
	p.operations[name] = handler
	p.manifest.Operations = append(p.manifest.Operations, declared)
}

var (
	ownJSON = reflect.TypeFor[json.Marshaler]()
	ownText = reflect.TypeFor[encoding.TextMarshaler]()
)

// wireSchema is the schema of a Go value as encoding/json writes it: what is
// nil in Go is null there. Types that write themselves fit everything.
func wireSchema(typ reflect.Type, input bool, depth int) map[string]any {
	if depth > schemaDepth || typ.Kind() == reflect.Interface || typ.Implements(ownJSON) || reflect.PointerTo(typ).Implements(ownJSON) {
		return map[string]any{}
	}
	if typ.Implements(ownText) || reflect.PointerTo(typ).Implements(ownText) {
		return map[string]any{"type": []string{"string", "null"}}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return nullable(wireSchema(typ.Elem(), input, depth))
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": []string{"string", "null"}}
		}
		return map[string]any{"type": []string{"array", "null"}, "items": wireSchema(typ.Elem(), input, depth+1)}
	case reflect.Array:
		return map[string]any{"type": "array", "items": wireSchema(typ.Elem(), input, depth+1)}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": wireSchema(typ.Elem(), input, depth+1)}
	case reflect.Struct:
		return wireStruct(typ, input, depth)
	default:
		return schemaOf(typ, input, depth)
	}
}

func nullable(schema map[string]any) map[string]any {
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []string{kind, "null"}
	}
	return schema
}

func wireStruct(typ reflect.Type, input bool, depth int) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, field := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || field.Anonymous && name == "" || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		properties[name] = wireSchema(field.Type, input, depth+1)
		if strings.Contains(options, "string") {
			properties[name] = map[string]any{"type": []string{"string", "null"}, "pattern": "^(-?[0-9]+(\\.[0-9]+)?|true|false|\".*\")$"}
		}
		if input && strings.Contains(field.Tag.Get("check"), "required") || !input && !strings.Contains(options, "omit") && len(field.Index) == 1 {
			required = append(required, name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties}
	if input {
		schema["additionalProperties"] = false // which the callee refuses too
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}
