package sdk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// setText reads an address parameter into a field.
func setText(field reflect.Value, text string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Int, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(text, 10, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("parse %q: %w", text, err)
		}
		field.SetInt(number)
	case reflect.Bool:
		truth, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("parse %q: %w", text, err)
		}
		field.SetBool(truth)
	default:
		return fmt.Errorf("parameters cannot be %s", field.Type())
	}
	return nil
}

// inputName is the name a person knows a field by.
func inputName(field reflect.StructField) string {
	for _, tag := range []string{"path", "query"} {
		if name := field.Tag.Get(tag); name != "" {
			return name
		}
	}
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "" {
		return field.Name
	}
	return name
}

// check applies the check tags of a struct.
func check(value reflect.Value) error {
	if value.Kind() != reflect.Struct {
		return nil
	}
	failure := Fail("invalid_input", "请求参数有误，请按提示修改")
	for _, field := range reflect.VisibleFields(value.Type()) {
		for _, rule := range strings.Split(field.Tag.Get("check"), ",") {
			if complaint := violates(rule, value.FieldByIndex(field.Index)); complaint != "" {
				failure = failure.On(inputName(field), complaint)
				break
			}
		}
	}
	if len(failure.Fields) == 0 {
		return nil
	}
	return failure
}

func violates(rule string, value reflect.Value) string {
	name, argument, _ := strings.Cut(rule, "=")
	switch name {
	case "required":
		if value.IsZero() || value.Kind() == reflect.String && strings.TrimSpace(value.String()) == "" {
			return "必填"
		}
	case "max":
		most, err := strconv.Atoi(argument)
		if err == nil && value.Kind() == reflect.String && utf8.RuneCountInString(value.String()) > most {
			return "最多 " + argument + " 个字"
		}
	}
	return ""
}

// inputSchema is the JSON Schema of a call's body. What comes from the query
// stands in "x-query" beside it, address parameters are in the pattern. Nil
// when a call without body takes nothing from the query.
func inputSchema(typ reflect.Type, body bool) []byte {
	schema := map[string]any{}
	if body {
		schema = schemaOf(typ, true, 0)
	}
	query := map[string]any{}
	if typ.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(typ) {
			if name := field.Tag.Get("query"); name != "" {
				query[name] = schemaOf(field.Type, true, 1)
			}
		}
	}
	if len(query) > 0 {
		schema["x-query"] = query
	} else if !body {
		return nil
	}
	return mustJSON(typ, schema)
}

// outputSchema is the JSON Schema of a call's answer, with its status in
// "x-status" when that is not 200.
func outputSchema(typ reflect.Type, status int) []byte {
	schema := schemaOf(typ, false, 0)
	if status != http.StatusOK {
		schema["x-status"] = status
	}
	return mustJSON(typ, schema)
}

func mustJSON(typ reflect.Type, schema map[string]any) []byte {
	encoded, err := json.Marshal(schema)
	if err != nil {
		panic(fmt.Sprintf("sdk: schema of %s: %v", typ, err))
	}
	return encoded
}

const schemaDepth = 8

var rawJSON = reflect.TypeFor[json.RawMessage]()

func schemaOf(typ reflect.Type, input bool, depth int) map[string]any {
	if typ == rawJSON || depth > schemaDepth {
		return map[string]any{}
	}
	if own, ok := reflect.Zero(typ).Interface().(interface {
		schema(depth int) map[string]any
	}); ok && typ.Kind() == reflect.Struct {
		return own.schema(depth)
	}
	switch typ.Kind() {
	case reflect.Pointer:
		schema := schemaOf(typ.Elem(), input, depth)
		if kind, ok := schema["type"].(string); ok && !input {
			schema["type"] = []string{kind, "null"}
		}
		return schema
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice, reflect.Array:
		if typ.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "format": "byte"}
		}
		kind := any("array")
		if !input && typ.Kind() == reflect.Slice { // a nil slice is null on the wire
			kind = []string{"array", "null"}
		}
		return map[string]any{"type": kind, "items": schemaOf(typ.Elem(), input, depth+1)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(typ.Elem(), input, depth+1)}
	case reflect.Struct:
		return structSchema(typ, input, depth)
	default:
		return map[string]any{}
	}
}

func structSchema(typ reflect.Type, input bool, depth int) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, field := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || field.Anonymous && name == "" || name == "-" {
			continue
		}
		if input && (field.Tag.Get("path") != "" || field.Tag.Get("query") != "") {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if strings.Contains(options, "string") {
			properties[name] = map[string]any{"type": "string", "pattern": "^-?[0-9]+$"}
		} else {
			properties[name] = schemaOf(field.Type, input, depth+1)
		}
		omitted := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if input && strings.Contains(field.Tag.Get("check"), "required") || !input && !omitted {
			required = append(required, name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties}
	if input {
		schema["additionalProperties"] = false
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}
