package plugin

import (
	"slices"

	"minifleet/app/fault"
)

// SettingField is a setting as a form shows it: with what was typed or is stored, and what is wrong with it.
type SettingField struct {
	Setting
	Text    string // what stands in the field; never a secret
	On      bool   // a box is ticked
	Filled  bool   // a secret is set
	Error   string
	Options []SettingOption
}

// SettingOption is one value of a choice on a form.
type SettingOption struct {
	Value, Title string
	On           bool
}

// Form gives the fields of the extension's settings as they are stored, or as they were typed when what was typed was
// refused.
func (x Extension) Form(typed func(name string) string, problem *fault.Error) []SettingField {
	var fields []SettingField
	for _, s := range x.Settings {
		f := SettingField{Setting: s, Filled: slices.Contains(x.Filled, s.Name)}
		switch {
		case s.Secret:
		case typed != nil:
			f.Text = typed(s.Name)
		default:
			f.Text = Shown(x.Values[s.Name])
		}
		f.On = f.Text == "true"
		if problem != nil {
			for _, wrong := range problem.Fields {
				if wrong.Name == s.Name {
					f.Error = wrong.Message
				}
			}
		}
		for _, c := range s.Choices {
			value := Shown(c.Value)
			f.Options = append(f.Options, SettingOption{value, c.Title, value == f.Text})
		}
		fields = append(fields, f)
	}
	return fields
}

// LeastText is the lower bound for the browser's own checks, "" for none.
func (s Setting) LeastText() string { return boundText(s.Least) }

// MostText is the other one.
func (s Setting) MostText() string { return boundText(s.Most) }

func boundText(bound *float64) string {
	if bound == nil {
		return ""
	}
	return Shown(*bound)
}

// InputType is the browser's word for a text field's kind.
func (s Setting) InputType() string {
	switch s.Kind {
	case SettingURL:
		return "url"
	case SettingEmail:
		return "email"
	case SettingPassword:
		return "password"
	default:
		return "text"
	}
}
