package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/schema"
)

// check validates complete values; the fault names each field that does not fit, in Chinese. Nil is fine.
func (s *settingsSchema) check(values map[string]any) *fault.Error {
	encoded, err := json.Marshal(values)
	if err != nil {
		return fault.InvalidInput().Because(err)
	}
	bad := fault.InvalidInput()
	if len(encoded) > maxValuesBytes {
		return fault.New(fault.Invalid, "plugin.settings_long", fmt.Sprintf("设置的内容一共最多 %d KB，请删减后再保存", maxValuesBytes>>10))
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		return bad.Because(err)
	}
	// A text of nothing is nothing that was filled in.
	for _, f := range s.fields {
		if text, isText := values[f.Name].(string); f.Required && isText && text == "" {
			bad.On(f.Name, "必填")
		}
	}
	err = s.compiled.Validate(instance)
	var wrong *jsonschema.ValidationError
	if errors.As(err, &wrong) {
		s.explain(wrong, bad)
	} else if err != nil {
		return bad.Because(err)
	}
	if len(bad.Fields) == 0 {
		if err != nil {
			return bad.Because(err)
		}
		return nil
	}
	return bad
}

// explain puts a refusal on its fields, one sentence each.
func (s *settingsSchema) explain(wrong *jsonschema.ValidationError, bad *fault.Error) {
	if len(wrong.Causes) > 0 && len(wrong.InstanceLocation) == 0 {
		for _, cause := range wrong.Causes {
			s.explain(cause, bad)
		}
		return
	}
	on := func(name, text string) {
		if !slices.ContainsFunc(bad.Fields, func(f fault.Field) bool { return f.Name == name }) {
			bad.On(name, text)
		}
	}
	switch k := wrong.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			on(name, "必填")
		}
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			on(name, "没有这个设置")
		}
		return
	}
	if len(wrong.InstanceLocation) > 0 {
		on(wrong.InstanceLocation[0], schema.Sentence(wrong.ErrorKind))
	}
}

// field finds a setting by its name.
func (s *settingsSchema) field(name string) (Setting, bool) {
	i := slices.IndexFunc(s.fields, func(f Setting) bool { return f.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return s.fields[i], true
}

// complete adds the defaults of what was not filled in.
func (s *settingsSchema) complete(stored map[string]any) map[string]any {
	values := make(map[string]any, len(s.fields))
	for _, f := range s.fields {
		if v, ok := stored[f.Name]; ok {
			values[f.Name] = v
		} else if f.Default != nil {
			values[f.Name] = f.Default
		}
	}
	return values
}

// merge is what will be stored when given is saved over stored: a secret that is left out or empty stays, JSON null takes
// any field away, an empty text is not filled in.
func (s *settingsSchema) merge(stored, given map[string]any) (map[string]any, error) {
	values, bad := map[string]any{}, fault.InvalidInput()
	for name := range given {
		if _, known := s.field(name); !known {
			bad.On(name, "没有这个设置")
		}
	}
	for _, f := range s.fields {
		v, told := given[f.Name]
		text, isText := v.(string)
		empty := !told || isText && text == ""
		switch old, has := stored[f.Name]; {
		case told && v == nil:
		case f.Secret && empty:
			if has {
				values[f.Name] = old
			}
		case !empty:
			values[f.Name] = v
		}
	}
	return values, bad.OrNil()
}

// fromForm reads what a browser sent: one text for each field, a box that is not ticked not at all. A box next to a
// secret takes it away.
func (s *settingsSchema) fromForm(text func(name string) string, remove func(name string) bool) (map[string]any, error) {
	given, bad := map[string]any{}, fault.InvalidInput()
	for _, f := range s.fields {
		typed := text(f.Name)
		if f.Kind != SettingPassword && f.Kind != SettingArea {
			typed = strings.TrimSpace(typed)
		}
		switch {
		case f.Kind == SettingBoolean:
			given[f.Name] = typed == "true"
		case typed == "" && remove(f.Name):
			given[f.Name] = nil
		case typed == "":
		default:
			v, problem := f.read(typed)
			if problem != "" {
				bad.On(f.Name, problem)
			}
			given[f.Name] = v
		}
	}
	return given, bad.OrNil()
}

// read turns typed text into the field's JSON value, or says what is wrong with it.
func (f Setting) read(typed string) (any, string) {
	switch f.Kind {
	case SettingInteger:
		n, err := strconv.ParseInt(typed, 10, 64)
		if err != nil {
			return nil, "应为整数"
		}
		return n, ""
	case SettingNumber:
		n, err := strconv.ParseFloat(typed, 64)
		if err != nil || n != n || n > 1e308 || n < -1e308 {
			return nil, "应为数字"
		}
		return n, ""
	case SettingChoice:
		for _, c := range f.Choices {
			if Shown(c.Value) == typed {
				return c.Value, ""
			}
		}
		return nil, "请从列表中选择"
	default:
		return typed, ""
	}
}

// Shown writes a JSON scalar as a form shows it.
func Shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
