package trail

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Change is one field of what was acted on, before and after. Of a secret it says only that it changed.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// hidden stands for a secret's value.
const hidden = "******"

// changeMost bounds a value, in characters.
const changeMost = 400

// Secret is the change of a field whose value nobody may read.
func Secret(field string) Change { return Change{Field: field, Before: hidden, After: hidden} }

// secretWords are parts of field names whose values are never written down, whatever a caller forgets to say.
var secretWords = [...]string{"secret", "password", "passwd", "token", "aes_key", "aeskey", "ticket", "private", "credential", "cookie", "authorization_code", "recovery"}

func secretField(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// Diff compares two values of one struct type field by field, named by their json tags; fields without one, or tagged
// trail:"-", do not count. A field tagged trail:"secret", or named like one, shows no value.
func Diff(before, after any) []Change {
	b, a := reflect.Indirect(reflect.ValueOf(before)), reflect.Indirect(reflect.ValueOf(after))
	if !b.IsValid() || !a.IsValid() || b.Kind() != reflect.Struct || b.Type() != a.Type() {
		return nil
	}
	var out []Change
	for i := range b.NumField() {
		f := b.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" || f.Tag.Get("trail") == "-" {
			continue
		}
		x, y := b.Field(i).Interface(), a.Field(i).Interface()
		if reflect.DeepEqual(x, y) {
			continue
		}
		c := Change{Field: name, Before: shown(x), After: shown(y)}
		if f.Tag.Get("trail") == "secret" {
			c = Secret(name)
		}
		out = append(out, c)
	}
	return out
}

// shown writes a value for a person.
func shown(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []string:
		return strings.Join(x, " ")
	default:
		return fmt.Sprint(x)
	}
}

// encode writes changes for the database; secrets by name are blotted out here at the latest.
func encode(changes []Change) (string, error) {
	if len(changes) == 0 {
		return "", nil
	}
	out := make([]Change, 0, min(len(changes), 100))
	for _, c := range changes {
		if len(out) == cap(out) {
			break
		}
		if secretField(c.Field) {
			c = Secret(c.Field)
		}
		out = append(out, Change{cut(c.Field, 96), cut(c.Before, changeMost), cut(c.After, changeMost)})
	}
	raw, err := json.Marshal(out)
	return string(raw), err
}
