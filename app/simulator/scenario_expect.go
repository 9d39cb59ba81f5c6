package simulator

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// expand puts values in the place of ${names}. A text that is nothing but one name takes the value as it is, a number
// stays a number.
func expand(v any, vars map[string]any) any {
	switch v := v.(type) {
	case string:
		if m := varPattern.FindStringSubmatch(v); m != nil && m[0] == v {
			if value, ok := vars[m[1]]; ok {
				return value
			}
		}
		return expandText(v, vars)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[expandText(key, vars)] = expand(value, vars)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = expand(v[i], vars)
		}
		return out
	}
	return v
}

func expandText(text string, vars map[string]any) string {
	return varPattern.ReplaceAllStringFunc(text, func(use string) string {
		value, ok := vars[use[2:len(use)-1]]
		if !ok {
			return use
		}
		if n, isNumber := value.(float64); isNumber {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
		return fmt.Sprint(value)
	})
}

// pick finds what stands at a dotted path; numbers count list items from 0.
func pick(v any, path string) (any, bool) {
	for _, part := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			value, ok := at[part]
			if !ok {
				return nil, false
			}
			v = value
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	}
	return 0, false
}

// stepAnswer is what came back for a step.
type stepAnswer struct {
	status int // 0 when the connection was cut
	body   any // decoded JSON, or nil
	raw    string
}

// value is what an expectation or a save looks at.
func (a stepAnswer) value(path string) (any, bool) {
	switch path {
	case "status":
		return float64(a.status), true
	case "errcode":
		if v, ok := pick(a.body, "errcode"); ok {
			return v, true
		}
		_, isObject := a.body.(map[string]any)
		return float64(0), isObject // token interfaces leave it out when all is well
	}
	return pick(a.body, path)
}

// missing tells in Chinese what is not as expected, "" when it is.
func (e expectation) missing(a stepAnswer, vars map[string]any) string {
	got, found := a.value(e.Path)
	want := expand(e.Value, vars)
	switch e.Op {
	case "present", "absent":
		wanted := want != false
		if e.Op == "absent" {
			wanted = !wanted
		}
		switch {
		case found && !wanted:
			return fmt.Sprintf("%s 不应出现，得到 %s", e.Path, shown(e.Path, got))
		case !found && wanted:
			return fmt.Sprintf("应答中没有 %s", e.Path)
		}
		return ""
	}
	if !found {
		return fmt.Sprintf("应答中没有 %s，应为 %s", e.Path, shown(e.Path, want))
	}
	fits, words := false, "应为"
	switch e.Op {
	case "is":
		fits = sameValue(got, want)
	case "contains":
		fits, words = contains(got, want), "应包含"
	case "min", "max":
		n, ok1 := asNumber(got)
		m, ok2 := asNumber(want)
		fits, words = ok1 && ok2 && n >= m, "应不小于"
		if e.Op == "max" {
			fits, words = ok1 && ok2 && n <= m, "应不大于"
		}
	}
	if fits {
		return ""
	}
	return fmt.Sprintf("%s %s %s，得到 %s", e.Path, words, shown(e.Path, want), shown(e.Path, got))
}

func contains(got, want any) bool {
	if list, ok := got.([]any); ok {
		for _, item := range list {
			if sameValue(item, want) {
				return true
			}
		}
		return false
	}
	return strings.Contains(fmt.Sprint(got), fmt.Sprint(want))
}

// sameValue compares across YAML and JSON, which disagree on the types of numbers; "7" and 7 are different.
func sameValue(a, b any) bool {
	n, isN := asNumber(a)
	m, isM := asNumber(b)
	if isN || isM {
		return isN && isM && n == m
	}
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for key, value := range a {
			if again, has := other[key]; !has || !sameValue(value, again) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], other[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// shown is a value for a report, without secrets.
func shown(path string, v any) string {
	if secretKey(path[strings.LastIndexByte(path, '.')+1:]) {
		return "***"
	}
	raw, err := plainJSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return excerpt(redactJSON(raw), 300)
}
