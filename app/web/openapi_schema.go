package web

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// object is a piece of the OpenAPI document.
type object = map[string]any

// schemas makes JSON Schemas of Go types by the rules of encoding/json, so that the document says what really goes over
// the wire. Named structs become components that others refer to.
type schemas struct {
	named map[string]object
	types map[string]reflect.Type
}

func newSchemas() *schemas {
	return &schemas{named: map[string]object{}, types: map[string]reflect.Type{}}
}

var (
	marshaler = reflect.TypeFor[json.Marshaler]()
	anyJSON   = reflect.TypeFor[json.RawMessage]()
)

// of is the schema of a type in an answer.
func (s *schemas) of(typ reflect.Type) object {
	if typ == anyJSON || typ.Implements(marshaler) || reflect.PointerTo(typ).Implements(marshaler) {
		return object{}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return nullable(s.of(typ.Elem()))
	case reflect.String:
		return stringSchema(typ)
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int64, reflect.Uint64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return object{"type": "integer"}
	case reflect.Slice, reflect.Array:
		if typ.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.of(typ.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(typ.Elem())}
	case reflect.Struct:
		return s.structure(typ)
	default:
		return object{}
	}
}

// stringSchema adds the values of a string type of ours that has only a few.
func stringSchema(typ reflect.Type) object {
	if values := enumOf(typ); values != nil {
		return object{"type": "string", "enum": values}
	}
	return object{"type": "string"}
}

func nullable(schema object) object {
	if name, ok := schema["type"].(string); ok && schema["enum"] == nil {
		schema["type"] = []string{name, "null"}
		return schema
	}
	if len(schema) == 0 {
		return schema
	}
	return object{"anyOf": []any{schema, object{"type": "null"}}}
}

// structure gives a named struct as a reference to its component, an unnamed one in place.
func (s *schemas) structure(typ reflect.Type) object {
	name := s.name(typ)
	if name == "" {
		return s.fields(typ)
	}
	if _, known := s.named[name]; !known {
		s.named[name] = object{} // a type that holds itself ends here
		s.types[name] = typ
		s.named[name] = s.fields(typ)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// name is a component's name: the type's own without words of ours, with the room in front where two rooms use one name.
func (s *schemas) name(typ reflect.Type) string {
	name := typ.Name()
	if name == "" {
		return ""
	}
	if base, arg, generic := strings.Cut(strings.TrimSuffix(name, "]"), "["); generic {
		name = arg[strings.LastIndexAny(arg, "./")+1:] + strings.ToUpper(base[:1]) + base[1:]
	}
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	name = strings.TrimSuffix(string(runes), "Out")
	if other, taken := s.types[name]; taken && other != typ {
		room := typ.PkgPath()[strings.LastIndex(typ.PkgPath(), "/")+1:]
		name = strings.ToUpper(room[:1]) + room[1:] + name
	}
	return name
}

// property is a field as encoding/json sees it.
type property struct {
	name     string
	field    reflect.StructField
	omitted  bool // when empty
	asString bool
}

// properties lists the fields of a struct, those of embedded structs among them.
func properties(typ reflect.Type) []property {
	var out []property
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() || f.Anonymous && name == "" || promotedFromNamed(typ, f) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out = append(out, property{name, f, strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero"), strings.Contains(options, "string")})
	}
	return out
}

// promotedFromNamed reports whether the field belongs to an embedded struct that has a JSON name of its own, so that it
// is nested there, or to GoFrame's Meta.
func promotedFromNamed(typ reflect.Type, f reflect.StructField) bool {
	for i := range len(f.Index) - 1 {
		parent := typ.FieldByIndex(f.Index[:i+1])
		if name, _, _ := strings.Cut(parent.Tag.Get("json"), ","); name != "" {
			return true
		}
	}
	return false
}

func (s *schemas) fields(typ reflect.Type) object {
	props, required := object{}, []string{}
	for _, p := range properties(typ) {
		var schema object
		switch {
		case p.asString:
			schema = object{"type": "string", "pattern": "^-?[0-9]+$"}
		case p.omitted && p.field.Type.Kind() == reflect.Pointer:
			schema = s.of(p.field.Type.Elem())
		default:
			schema = s.of(p.field.Type)
		}
		props[p.name] = describe(schema, p)
		if !p.omitted {
			required = append(required, p.name)
		}
	}
	out := object{"type": "object", "properties": props}
	if len(required) > 0 {
		slices.Sort(required)
		out["required"] = required
	}
	return out
}

// describe adds what a field means: its own tag, or the house's dictionary of field names.
func describe(schema object, p property) object {
	w := words(p.name)
	if tag := p.field.Tag.Get("dc"); tag != "" {
		w.text = tag
	}
	if values := p.field.Tag.Get("enum"); values != "" {
		schema["enum"] = strings.Split(values, ",")
	}
	return w.onto(schema)
}

// onto puts meaning and example on a schema. In 3.1 a reference may have a description beside it.
func (w word) onto(schema object) object {
	if w.text != "" && schema["description"] == nil {
		schema["description"] = w.text
	}
	if w.example != nil && schema["examples"] == nil && fits(schema, w.example) {
		schema["examples"] = []any{w.example}
	}
	return schema
}

// fits reports whether an example has the schema's type, since one name may mean a number here and a text there.
func fits(schema object, example any) bool {
	kinds, _ := schema["type"].([]string)
	if one, ok := schema["type"].(string); ok {
		kinds = []string{one}
	}
	if schema["enum"] != nil {
		return false
	}
	switch v := example.(type) {
	case string:
		return slices.Contains(kinds, "string") && (schema["pattern"] == nil || strings.Trim(v, "0123456789") == "")
	case int:
		return slices.Contains(kinds, "integer")
	case bool:
		return slices.Contains(kinds, "boolean")
	default:
		return false
	}
}

// input is the schema of a request's body: only the named properties, and those required that the tag says.
func (s *schemas) input(typ reflect.Type, in []property) object {
	props, required := object{}, []string{}
	for _, p := range in {
		schema := s.of(p.field.Type)
		if p.field.Type.Kind() == reflect.Pointer {
			schema = s.of(p.field.Type.Elem())
		}
		props[p.name] = describe(schema, p)
		if p.field.Tag.Get("required") == "true" {
			required = append(required, p.name)
		}
	}
	out := object{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}
