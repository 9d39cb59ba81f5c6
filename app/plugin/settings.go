package plugin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of what a plugin may ask a space to fill in.
const (
	maxSettings      = 40
	maxSettingsBytes = 64 << 10 // of the schema
	maxValuesBytes   = 16 << 10 // of what is filled in
)

// Kinds of a setting: how it is drawn and what it takes.
const (
	SettingText     = "text"
	SettingArea     = "textarea"
	SettingURL      = "uri"
	SettingEmail    = "email"
	SettingPassword = "password" // sealed, masked, kept when left empty
	SettingInteger  = "integer"
	SettingNumber   = "number"
	SettingBoolean  = "boolean"
	SettingChoice   = "choice"
)

// Setting is one field of a plugin's settings, read from its JSON Schema.
type Setting struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Help     string   `json:"help,omitempty" dc:"填写说明"`
	Kind     string   `json:"kind" dc:"怎样填写：text、textarea、uri、email、password、integer、number、boolean 或 choice"` // one of the Setting… words
	Required bool     `json:"required"`
	Secret   bool     `json:"secret" dc:"密钥：加密保存，不回显，留空不变"`
	Default  any      `json:"default,omitempty" dc:"默认值"` // JSON scalar, nil for none
	Choices  []Choice `json:"choices,omitempty" dc:"只能选其中一个"`
	// Least and Most bound a number; for text they count characters. Nil is unbounded.
	Least *float64 `json:"least,omitempty" dc:"最小值，或最少几个字"`
	Most  *float64 `json:"most,omitempty" dc:"最大值，或最多几个字"`
}

// Choice is one value of a closed choice. All values of a choice are text or all are numbers.
type Choice struct {
	Value any    `json:"value" dc:"选项的值"`
	Title string `json:"title"`
}

// settingsSchema is a JSON Schema of the subset that forms are drawn from.
type settingsSchema struct {
	fields   []Setting // in the order of the document
	hash     string
	compiled *jsonschema.Schema
}

// fieldWords are the keywords a field may have; what is not among them is refused, since nobody would see it on the form.
var fieldWords = []string{
	"type", "title", "description", "default", "format", "enum", "oneOf", "minimum", "maximum", "minLength", "maxLength", "x-secret", "x-enum-titles",
}

var rootWords = []string{"$schema", "type", "title", "description", "properties", "required", "additionalProperties"}

// parseSettings reads and checks the schema of a manifest; nil for none. The error names the field and what is wrong.
func parseSettings(raw []byte) (*settingsSchema, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	if len(raw) > maxSettingsBytes {
		return nil, fmt.Errorf("settings: the schema is larger than %d KiB", maxSettingsBytes>>10)
	}
	var root struct {
		Type       string          `json:"type"`
		Properties json.RawMessage `json:"properties"`
		Required   []string        `json:"required"`
		Additional *bool           `json:"additionalProperties"`
	}
	if err := knownWords(raw, rootWords); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if err := json.Unmarshal(raw, &root); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if root.Type != "object" {
		return nil, fmt.Errorf("settings: the schema's type is %q, not object", root.Type)
	}
	if root.Additional != nil && *root.Additional {
		return nil, errors.New("settings: additionalProperties cannot be drawn")
	}
	s := &settingsSchema{}
	names, err := orderedKeys(root.Properties)
	if err != nil {
		return nil, fmt.Errorf("settings: properties: %w", err)
	}
	if len(names) == 0 || len(names) > maxSettings {
		return nil, fmt.Errorf("settings: %d properties, not 1 to %d", len(names), maxSettings)
	}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(root.Properties, &properties); err != nil {
		return nil, fmt.Errorf("settings: properties: %w", err)
	}
	for _, name := range names {
		field, err := parseSetting(name, properties[name])
		if err != nil {
			return nil, fmt.Errorf("settings: %s: %w", name, err)
		}
		field.Required = slices.Contains(root.Required, name)
		s.fields = append(s.fields, field)
	}
	for _, name := range root.Required {
		if _, ok := properties[name]; !ok {
			return nil, fmt.Errorf("settings: required names %q, which is no property", name)
		}
	}
	if s.compiled, err = compileSettings(raw); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	sum := sha256.Sum256(raw)
	s.hash = hex.EncodeToString(sum[:])
	return s, s.checkDefaults()
}

// knownWords refuses keywords that are not among the known ones.
func knownWords(raw []byte, known []string) error {
	names, err := orderedKeys(raw)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("the form does not know the keyword %q", name)
		}
	}
	return nil
}

// orderedKeys are the keys of a JSON object in the order of the text; a key that comes twice is refused.
func orderedKeys(raw []byte) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	open, err := decoder.Token()
	if err != nil || open != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var names []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("%q comes twice", name)
		}
		names = append(names, name)
		var skipped json.RawMessage
		if err := decoder.Decode(&skipped); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return names, nil
}

// property is a field's schema as it stands in the document.
type property struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Default     any      `json:"default"`
	Format      string   `json:"format"`
	Enum        []any    `json:"enum"`
	Titles      []string `json:"x-enum-titles"`
	OneOf       []choice `json:"oneOf"`
	Secret      bool     `json:"x-secret"`
	Minimum     *float64 `json:"minimum"`
	Maximum     *float64 `json:"maximum"`
	MinLength   *float64 `json:"minLength"`
	MaxLength   *float64 `json:"maxLength"`
}

type choice struct {
	Const any    `json:"const"`
	Title string `json:"title"`
}

func parseSetting(name string, raw json.RawMessage) (Setting, error) {
	if !nameShape.MatchString(name) {
		return Setting{}, errors.New("the name is not [a-z][a-z0-9_]{0,39}")
	}
	if err := knownWords(raw, fieldWords); err != nil {
		return Setting{}, err
	}
	var p property
	if err := json.Unmarshal(raw, &p); err != nil {
		return Setting{}, err
	}
	if strings.TrimSpace(p.Title) == "" {
		return Setting{}, errors.New("it has no title")
	}
	f := Setting{Name: name, Title: p.Title, Help: p.Description, Default: p.Default, Secret: p.Secret || p.Format == "password"}
	var err error
	if f.Kind, err = p.kind(); err != nil {
		return Setting{}, err
	}
	if f.Kind == SettingText && f.Secret {
		f.Kind = SettingPassword
	}
	if f.Secret && f.Kind != SettingPassword {
		return Setting{}, fmt.Errorf("a %s cannot be secret", f.Kind)
	}
	if f.Secret && f.Default != nil {
		return Setting{}, errors.New("a secret has no default")
	}
	f.Least, f.Most = p.Minimum, p.Maximum
	if p.Type == "string" {
		f.Least, f.Most = p.MinLength, p.MaxLength
		if p.Minimum != nil || p.Maximum != nil {
			return Setting{}, errors.New("minimum and maximum are for numbers")
		}
	} else if p.MinLength != nil || p.MaxLength != nil {
		return Setting{}, errors.New("minLength and maxLength are for text")
	}
	if f.Least != nil && f.Most != nil && *f.Least > *f.Most {
		return Setting{}, errors.New("its least is above its most")
	}
	f.Choices, err = p.choices()
	return f, err
}

// kind is how the property is drawn.
func (p property) kind() (string, error) {
	closed := len(p.Enum) > 0 || len(p.OneOf) > 0
	if closed && (p.Format != "" || p.Type == "boolean") {
		return "", errors.New("a choice has a plain type and no format")
	}
	switch p.Type {
	case "string", "integer", "number":
		if closed {
			return SettingChoice, nil
		}
	}
	switch p.Type + " " + p.Format {
	case "string ":
		return SettingText, nil
	case "string uri", "string email", "string textarea", "string password":
		return p.Format, nil
	case "integer ", "number ", "boolean ":
		return p.Type, nil
	}
	if p.Format != "" {
		return "", fmt.Errorf("the form does not draw type %q with format %q", p.Type, p.Format)
	}
	return "", fmt.Errorf("the form does not draw type %q", p.Type)
}

func (p property) choices() ([]Choice, error) {
	if len(p.Enum) > 0 && len(p.OneOf) > 0 {
		return nil, errors.New("it has both enum and oneOf")
	}
	if len(p.Titles) > 0 && len(p.Titles) != len(p.Enum) {
		return nil, errors.New("x-enum-titles and enum are not of one length")
	}
	var all []Choice
	for i, value := range p.Enum {
		title := fmt.Sprint(value)
		if len(p.Titles) > 0 {
			title = p.Titles[i]
		}
		all = append(all, Choice{value, title})
	}
	for _, one := range p.OneOf {
		all = append(all, Choice{one.Const, one.Title})
	}
	for _, c := range all {
		number, isNumber := c.Value.(float64)
		_, isText := c.Value.(string)
		switch {
		case p.Type == "string" && !isText, p.Type != "string" && !isNumber, p.Type == "integer" && number != math.Trunc(number):
			return nil, fmt.Errorf("the choice %v is no %s", c.Value, p.Type)
		case strings.TrimSpace(c.Title) == "":
			return nil, fmt.Errorf("the choice %v has no title", c.Value)
		}
	}
	return all, nil
}

// compileSettings makes the validator of a schema whose words are known: there is no reference in it, and none is followed.
func compileSettings(raw []byte) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	object, _ := document.(map[string]any)
	object["additionalProperties"] = false
	delete(object, "$schema")
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: webAddress})
	const name = "settings.json"
	if err := c.AddResource(name, object); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// webAddress holds an address that a plugin may be told to call: http or https with a host.
func webAddress(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return err
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return errors.New("not an http or https address")
	}
	return nil
}

// checkDefaults refuses a default that the schema itself would not take.
func (s *settingsSchema) checkDefaults() error {
	for _, f := range s.fields {
		if f.Default == nil {
			continue
		}
		problem := s.check(map[string]any{f.Name: f.Default})
		if problem == nil {
			continue
		}
		for _, field := range problem.Fields {
			if field.Name == f.Name {
				return fmt.Errorf("settings: %s: the default %v does not fit", f.Name, f.Default)
			}
		}
	}
	return nil
}
