package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// UseSettings declares what each space fills in before it uses the plugin. The
// host draws the form, checks and keeps the values; Settings reads them. T is a
// struct whose fields carry tags:
//
//	setting:"name,标题,type,flags…"
//
// type is text, textarea, uri (http or https), email or password for a string;
// int for an int or int64; number for a float64; bool. Flags: required ·
// secret (text: sealed, masked on screen) · default:… · min:N and max:N (a
// number's bounds, or a text's characters) · options:value=标签;value=标签 · help:…
// A password is secret by itself.
func UseSettings[T any](p *Plugin) {
	typ := reflect.TypeFor[T]()
	if len(p.manifest.GetSettingsSchema()) > 0 {
		p.mistaken(typeName(typ), "the plugin has settings already: UseSettings may be called once")
		return
	}
	fields, mistakes := settingsOf(typ)
	p.mistakes = append(p.mistakes, mistakes...)
	if len(mistakes) == 0 {
		p.manifest.SettingsSchema = settingsSchema(fields)
	}
}

// Settings reads what the space of this call has filled in: the person's space
// on a page, the space that an event or a job runs for. What was not filled in
// has its default; a call for no space (a visitor, a platform job) gets the
// defaults.
func Settings[T any](ctx context.Context) (T, error) {
	var filled T
	fields, mistakes := settingsOf(reflect.TypeFor[T]())
	if len(mistakes) > 0 {
		return filled, mistakes[0]
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return filled, err
	}
	answer, err := host.Settings(ctx, &pluginpb.SettingsRequest{})
	if err != nil {
		return filled, DecodeError(err)
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(answer.GetValues(), &values); err != nil {
		return filled, fmt.Errorf("decode settings: %w", err)
	}
	into := reflect.ValueOf(&filled).Elem()
	for _, f := range fields {
		raw, told := values[f.name]
		if !told && f.fallback != nil {
			raw = f.fallback
		}
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, into.FieldByIndex(f.index).Addr().Interface()); err != nil {
			return filled, fmt.Errorf("decode setting %s: %w", f.name, err)
		}
	}
	return filled, nil
}

// setting is one tagged field.
type setting struct {
	name, title, kind, help string
	index                   []int
	required, secret        bool
	fallback                json.RawMessage // the default, nil for none
	least, most             string          // as JSON numbers, "" for none
	options                 []Option
}

// settingTypes pairs the words of a tag with JSON Schema's and with Go's.
var settingTypes = map[string]struct {
	schema, format string
	kinds          []reflect.Kind
}{
	"text":     {"string", "", []reflect.Kind{reflect.String}},
	"textarea": {"string", "textarea", []reflect.Kind{reflect.String}},
	"uri":      {"string", "uri", []reflect.Kind{reflect.String}},
	"email":    {"string", "email", []reflect.Kind{reflect.String}},
	"password": {"string", "password", []reflect.Kind{reflect.String}},
	"int":      {"integer", "", []reflect.Kind{reflect.Int, reflect.Int64}},
	"number":   {"number", "", []reflect.Kind{reflect.Float64}},
	"bool":     {"boolean", "", []reflect.Kind{reflect.Bool}},
}

// settingsOf reads the tags of T and tells every mistake in them.
func settingsOf(typ reflect.Type) ([]setting, []error) {
	if typ.Kind() != reflect.Struct {
		return nil, []error{&Mistake{typeName(typ), "settings are a struct"}}
	}
	var fields []setting
	var mistakes []error
	for _, field := range reflect.VisibleFields(typ) {
		tag, has := field.Tag.Lookup("setting")
		if !has {
			continue
		}
		where := typeName(typ) + "." + field.Name
		f, reasons := parseSetting(tag)
		f.index = field.Index
		if !field.IsExported() || throughPointer(typ, field.Index) {
			reasons = append(reasons, "the field is not exported or embedded by pointer")
		}
		if known, ok := settingTypes[f.kind]; ok && !slices.Contains(known.kinds, field.Type.Kind()) {
			reasons = append(reasons, fmt.Sprintf("Go type %s does not fit the setting's type %s", field.Type, f.kind))
		}
		if slices.ContainsFunc(fields, func(other setting) bool { return other.name == f.name }) {
			reasons = append(reasons, fmt.Sprintf("there are two settings %q", f.name))
		}
		for _, reason := range reasons {
			mistakes = append(mistakes, &Mistake{where, reason})
		}
		fields = append(fields, f)
	}
	if len(fields) == 0 {
		mistakes = append(mistakes, &Mistake{typeName(typ), "has no field with a setting tag"})
	}
	return fields, mistakes
}

// parseSetting reads one tag and gives the reasons for which it is none.
func parseSetting(tag string) (setting, []string) {
	parts := strings.Split(tag, ",")
	if len(parts) < 3 {
		return setting{}, []string{fmt.Sprintf("tag setting:%q is not name,标题,type,flags…", tag)}
	}
	f := setting{name: strings.TrimSpace(parts[0]), title: strings.TrimSpace(parts[1]), kind: strings.TrimSpace(parts[2])}
	var reasons []string
	if !nameShape.MatchString(f.name) {
		reasons = append(reasons, fmt.Sprintf("setting name %q is not [a-z][a-z0-9_]{0,39}", f.name))
	}
	if f.title == "" {
		reasons = append(reasons, "the title is empty")
	}
	if _, known := settingTypes[f.kind]; !known {
		return f, append(reasons, fmt.Sprintf("unknown setting type %q; there are text, textarea, uri, email, password, int, number and bool", f.kind))
	}
	f.secret = f.kind == "password"
	var standard string
	for _, flag := range parts[3:] {
		key, value, valued := strings.Cut(strings.TrimSpace(flag), ":")
		if needs := key != "required" && key != "secret"; needs && value == "" || !needs && valued {
			reasons = append(reasons, fmt.Sprintf("flag %q is not complete", flag))
			continue
		}
		switch key {
		case "default":
			standard = value
		default:
			if reason := f.flag(key, value); reason != "" {
				reasons = append(reasons, reason)
			}
		}
	}
	reasons = append(reasons, f.misfits()...)
	if standard != "" {
		var reason string
		if f.fallback, reason = f.value(standard); reason != "" {
			reasons = append(reasons, "default: "+reason)
		} else if f.secret {
			reasons = append(reasons, "a secret has no default")
		}
	}
	return f, reasons
}

func (f *setting) flag(key, value string) (reason string) {
	switch key {
	case "required":
		f.required = true
	case "secret":
		f.secret = true
	case "help":
		f.help = value
	case "min", "max":
		if _, err := strconv.ParseFloat(value, 64); err != nil || f.kind == "bool" {
			return fmt.Sprintf("%s:%s is no bound of a %s", key, value, f.kind)
		}
		if key == "min" {
			f.least = value
		} else {
			f.most = value
		}
	case "options":
		for _, option := range strings.Split(value, ";") {
			stored, label, ok := strings.Cut(option, "=")
			if !ok || stored == "" || label == "" {
				return fmt.Sprintf("option %q is not value=标签", option)
			}
			if _, bad := f.value(stored); bad != "" {
				return fmt.Sprintf("option %q: %s", option, bad)
			}
			f.options = append(f.options, Option{Value: stored, Label: label})
		}
	default:
		return fmt.Sprintf("unknown flag %q", key)
	}
	return ""
}

// misfits are flags that do not go together.
func (f *setting) misfits() (reasons []string) {
	plain := f.kind == "text" || f.kind == "int" || f.kind == "number"
	if len(f.options) > 0 && (!plain || f.secret) {
		reasons = append(reasons, "options are for a plain text, int or number")
	}
	if f.secret && f.kind != "text" && f.kind != "password" {
		reasons = append(reasons, fmt.Sprintf("a %s cannot be secret", f.kind))
	}
	least, _ := strconv.ParseFloat(f.least, 64) // both were parsed before
	most, _ := strconv.ParseFloat(f.most, 64)
	if f.least != "" && f.most != "" && least > most {
		reasons = append(reasons, fmt.Sprintf("min:%s is above max:%s", f.least, f.most))
	}
	return reasons
}

// value turns a tag's text into JSON of the setting's type.
func (f *setting) value(text string) (json.RawMessage, string) {
	var value any = text
	var err error
	switch settingTypes[f.kind].schema {
	case "integer":
		value, err = strconv.ParseInt(text, 10, 64)
	case "number":
		value, err = strconv.ParseFloat(text, 64)
	case "boolean":
		value, err = strconv.ParseBool(text)
	}
	if err != nil {
		return nil, fmt.Sprintf("%q is no %s", text, f.kind)
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err.Error()
	}
	return raw, ""
}

// settingsSchema writes the JSON Schema that the host draws the form from; its order is that of the fields.
func settingsSchema(fields []setting) []byte {
	var b bytes.Buffer
	required := []string{}
	b.WriteString(`{"type":"object","properties":{`)
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quoted(f.name))
		b.WriteByte(':')
		b.Write(f.schema())
		if f.required {
			required = append(required, f.name)
		}
	}
	b.WriteByte('}')
	if len(required) > 0 {
		b.WriteString(`,"required":`)
		b.Write(quoted(required))
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (f *setting) schema() []byte {
	known := settingTypes[f.kind]
	s := map[string]any{"type": known.schema, "title": f.title}
	if known.format != "" {
		s["format"] = known.format
	}
	if f.help != "" {
		s["description"] = f.help
	}
	if f.fallback != nil {
		s["default"] = f.fallback
	}
	if f.secret && f.kind != "password" {
		s["x-secret"] = true
	}
	least, most := "minimum", "maximum"
	if known.schema == "string" {
		least, most = "minLength", "maxLength"
	}
	if f.least != "" {
		s[least] = json.Number(f.least)
	}
	if f.most != "" {
		s[most] = json.Number(f.most)
	}
	var choices []any
	for _, option := range f.options {
		raw, _ := f.value(option.Value) // looked at when the tag was read
		choices = append(choices, map[string]any{"const": raw, "title": option.Label})
	}
	if choices != nil {
		s["oneOf"] = choices
	}
	return quoted(s)
}

// quoted is JSON of texts, lists and maps of them, which always encodes; if it did not, the host would refuse the schema.
func quoted(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return raw
}
