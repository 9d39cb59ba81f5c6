package market

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"minifleet/plugins/sdk"
)

// Bounds of a template's configuration.
const (
	mostSettings = 40
	longestValue = 500
)

// Schema is the configuration a template asks of whoever installs it.
type Schema []Setting

// Setting is one question of a Schema; its answer becomes a member of ext in ext_json.
type Setting struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Default  string `json:"default"`
	Required bool   `json:"required"`
	Help     string `json:"help"`
}

// Title is what a person reads.
func (s Setting) Title() string {
	if s.Label != "" {
		return s.Label
	}
	return s.Name
}

// parseSchema reads plugin version's ext_schema: a list of settings, an object with such a list under "fields", the
// same as text, or nothing.
func parseSchema(raw json.RawMessage) (Schema, error) {
	raw = bytes.TrimSpace(raw)
	var text string
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("read ext schema: %w", err)
		}
		raw = bytes.TrimSpace([]byte(text))
	}
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return Schema{}, nil
	}
	wrapped := struct{ Fields Schema }{}
	target := any(&wrapped)
	if raw[0] == '[' {
		target = &wrapped.Fields
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return nil, fmt.Errorf("read ext schema: %w", err)
	}
	schema := Schema{}
	for _, setting := range wrapped.Fields {
		if setting.Name != "" && len(schema) < mostSettings {
			schema = append(schema, setting)
		}
	}
	return schema, nil
}

// settingField is the form field of a setting.
func settingField(name string) string { return "config." + name }

// check trims the given values, fills in defaults and blames what is missing, too long or unknown.
func (s Schema) check(given map[string]string) (map[string]string, error) {
	values := make(map[string]string, len(s))
	failure := sdk.Fail("market.bad_config", "模板配置有误，请按提示修改")
	for _, setting := range s {
		value, said := given[setting.Name]
		value = strings.TrimSpace(value)
		if !said {
			value = setting.Default
		}
		if value == "" && setting.Required {
			failure = failure.On(settingField(setting.Name), "请填写"+setting.Title())
		}
		if utf8.RuneCountInString(value) > longestValue {
			failure = failure.On(settingField(setting.Name), fmt.Sprintf("%s最多 %d 个字", setting.Title(), longestValue))
		}
		values[setting.Name] = value
	}
	for name := range given {
		if _, known := values[name]; !known {
			failure = failure.On(settingField(name), "这个模板没有这项配置，请删除")
		}
	}
	if len(failure.Fields) > 0 {
		return nil, failure
	}
	return values, nil
}

// extJSON is the ext_json of a commit: only ext, which normal and standard templates both allow. Empty without settings.
func (s Schema) extJSON(values map[string]string) (string, error) {
	if len(s) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a mini program would show \u escapes as they stand
	if err := encoder.Encode(map[string]any{"ext": values}); err != nil {
		return "", fmt.Errorf("make ext_json: %w", err)
	}
	return strings.TrimSpace(out.String()), nil
}
