package sdk

import (
	"encoding/json"
	"fmt"
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

// mustSchema makes the JSON Schema of a type. Address parameters are left out
// of an input's schema; the host adds them from the pattern.
func mustSchema(typ reflect.Type, input bool) []byte {
	encoded, err := json.Marshal(schemaOf(typ, input, 0))
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
	switch typ.Kind() {
	case reflect.Pointer:
		return schemaOf(typ.Elem(), input, depth)
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
		return map[string]any{"type": "array", "items": schemaOf(typ.Elem(), input, depth+1)}
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
			properties[name] = map[string]any{"type": "string"}
		} else {
			properties[name] = schemaOf(field.Type, input, depth+1)
		}
		if strings.Contains(field.Tag.Get("check"), "required") {
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
