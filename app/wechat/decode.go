package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// encode gives JSON with raw UTF-8: WeChat counts and shows \u escapes as they stand (02 §0).
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("wechat: encode body: %w", err)
	}
	return unescape(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// unescape writes the line and paragraph separators as they are: encoding/json escapes these two always.
func unescape(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`\u202`)) {
		return doc
	}
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); i++ {
		if doc[i] != '\\' {
			out = append(out, doc[i])
			continue
		}
		switch {
		case bytes.HasPrefix(doc[i:], []byte(`\u2028`)):
			out, i = append(out, "\u2028"...), i+5
		case bytes.HasPrefix(doc[i:], []byte(`\u2029`)):
			out, i = append(out, "\u2029"...), i+5
		default: // an escape keeps the character after it, so that \\u2028 stays a backslash and four letters
			out = append(out, doc[i], doc[i+1])
			i++
		}
	}
	return out
}

func errcode(raw json.RawMessage) (int, error) {
	s := strings.Trim(string(raw), `"`)
	if s == "" || s == "null" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, errors.New("errcode is no number")
	}
	return n, nil
}

// decode fills out, a pointer to a struct, from a JSON answer. It forgives what WeChat's answers are known to do:
// numbers as strings and the reverse, 0/1 for booleans, null or "" or nothing for lists and objects, an object where
// its one-element list belongs, and other capitals in a key. What cannot be read as its field's kind is an error.
func decode(body []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("wechat: decode answer: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("wechat: decode answer: data after the JSON")
	}
	if err := assign(reflect.ValueOf(out).Elem(), v); err != nil {
		return fmt.Errorf("wechat: decode answer: %w", err)
	}
	return nil
}

func assign(dst reflect.Value, v any) error {
	if v == nil {
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		if v == "" {
			return nil
		}
		p := reflect.New(dst.Type().Elem())
		if err := assign(p.Elem(), v); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	case reflect.Struct:
		return assignStruct(dst, v)
	case reflect.Slice:
		return assignSlice(dst, v)
	case reflect.String:
		s, err := asText(v)
		dst.SetString(s)
		return err
	case reflect.Int, reflect.Int64:
		n, err := asInt(v)
		dst.SetInt(n)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(numeral(v), 64)
		dst.SetFloat(f)
		return err
	case reflect.Bool:
		b, err := asBool(v)
		dst.SetBool(b)
		return err
	default:
		return fmt.Errorf("no rule for %s", dst.Type())
	}
}

func assignStruct(dst reflect.Value, v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		if v == "" {
			return nil
		}
		if list, isList := v.([]any); isList && len(list) == 0 {
			return nil // PHP-born answers write an empty object as []
		}
		return fmt.Errorf("%s is no object", dst.Type().Name())
	}
	for i := range dst.NumField() {
		name, _, _ := strings.Cut(dst.Type().Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		value, found := object[name]
		if !found {
			for key, candidate := range object {
				if strings.EqualFold(key, name) {
					value = candidate
				}
			}
		}
		if err := assign(dst.Field(i), value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func assignSlice(dst reflect.Value, v any) error {
	list, ok := v.([]any)
	if !ok {
		if v == "" {
			return nil
		}
		list = []any{v}
	}
	s := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, item := range list {
		if err := assign(s.Index(i), item); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	dst.Set(s)
	return nil
}

func numeral(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return strings.TrimSpace(v)
	default:
		return fmt.Sprintf("%T", v)
	}
}

func asText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	default:
		return "", fmt.Errorf("%T is no text", v)
	}
}

func asInt(v any) (int64, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case string:
		if strings.TrimSpace(v) == "" {
			return 0, nil
		}
	}
	s := numeral(v)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) {
		return 0, fmt.Errorf("%q is no whole number", s)
	}
	return int64(f), nil
}

func asBool(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case json.Number, string:
		switch strings.ToLower(numeral(v)) {
		case "1", "true":
			return true, nil
		case "0", "false", "":
			return false, nil
		}
	}
	return false, fmt.Errorf("%v is no yes or no", v)
}
