package schema

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Most is the largest schema in bytes, mostWrong how many fields are named at once.
const (
	Most      = 64 << 10
	mostWrong = 20
)

// Schema is a compiled schema; everything that is JSON fits a nil one.
type Schema struct{ compiled *jsonschema.Schema }

// Wrong is one thing that does not fit: where, with dots between the steps ("" is the whole value), and the sentence for it.
type Wrong struct{ Name, Message string }

// Compile compiles once what every value is held to. A reference leads nowhere but into the schema itself: nothing is read
// from disk or net. No bytes are no schema.
func Compile(raw []byte) (*Schema, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // no schema: everything fits
	}
	if len(raw) > Most {
		return nil, fmt.Errorf("a schema of %d bytes is more than %d", len(raw), Most)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	const name = "minifleet:operation"
	if err := compiler.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, err
	}
	return &Schema{compiled}, nil
}

// Check holds a JSON value to the schema. The fields that do not fit come with the error; a value that is no JSON has none.
func (s *Schema) Check(raw []byte) ([]Wrong, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil || s == nil {
		return nil, err
	}
	err = s.compiled.Validate(value)
	var refusal *jsonschema.ValidationError
	if !errors.As(err, &refusal) {
		return nil, err
	}
	return blame(refusal, nil), err
}

// blame collects what the innermost refusals are about.
func blame(refusal *jsonschema.ValidationError, found []Wrong) []Wrong {
	for _, cause := range refusal.Causes {
		found = blame(cause, found)
	}
	if len(refusal.Causes) > 0 || len(found) >= mostWrong {
		return found
	}
	at := strings.Join(refusal.InstanceLocation, ".")
	inside := func(name, text string) {
		found = append(found, Wrong{strings.Join(append(slices.Clone(refusal.InstanceLocation), name), "."), text})
	}
	switch k := refusal.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			inside(name, "必填")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			inside(name, "没有这个字段")
		}
	case *kind.Type:
		found = append(found, Wrong{at, "类型不正确，应为 " + strings.Join(k.Want, " 或 ")})
	default:
		found = append(found, Wrong{at, Sentence(refusal.ErrorKind)})
	}
	return found
}

// Sentence says what a value should be, for people.
func Sentence(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "应为" + map[string]string{"string": "文字", "integer": "整数", "number": "数字", "boolean": "是或否"}[strings.Join(k.Want, "")]
	case *kind.Enum, *kind.OneOf, *kind.Const:
		return "请从列表中选择"
	case *kind.MinLength:
		return "至少 " + strconv.Itoa(k.Want) + " 个字"
	case *kind.MaxLength:
		return "最多 " + strconv.Itoa(k.Want) + " 个字"
	case *kind.Minimum:
		return "不能小于 " + number(k.Want)
	case *kind.Maximum:
		return "不能大于 " + number(k.Want)
	case *kind.Format:
		switch k.Want {
		case "uri":
			return "请填写完整的网址，例如 https://example.com/hook"
		case "email":
			return "请填写正确的邮箱地址"
		}
	}
	return "格式不正确"
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}
