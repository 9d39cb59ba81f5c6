package wechattest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// change is one answer made of a golden one by changing one place.
type change struct {
	path string
	body []byte
}

// changed gives, for every leaf of a golden answer but errcode and errmsg, the answer with another value there.
func changed(raw []byte) ([]change, error) {
	return alter(raw, func(v any) (any, bool) {
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				f, _ := v.Float64()
				return json.Number(strconv.FormatFloat(f+0.5, 'f', -1, 64)), true
			}
			if n == 0 { // a zero may stand for nothing
				return json.Number("1"), true
			}
			return json.Number(strconv.FormatInt(n-1, 10)), true
		case string:
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				return strconv.FormatInt(n+1, 10), true
			}
			switch v {
			case "true":
				return "false", true
			case "false":
				return "true", true
			}
			return v + "9", true
		case bool:
			return !v, true
		}
		return nil, false
	})
}

// restyled gives the answer with one number written as text, or one text of digits as a number.
func restyled(raw []byte) ([]change, error) {
	return alter(raw, func(v any) (any, bool) {
		if n, ok := v.(json.Number); ok {
			return n.String(), true
		}
		if s, ok := v.(string); ok {
			n, err := strconv.ParseInt(s, 10, 64)
			return json.Number(s), err == nil && strconv.FormatInt(n, 10) == s
		}
		return nil, false
	})
}

// emptied gives the answer with one list, object or value gone, or null.
func emptied(raw []byte) ([]change, error) {
	nulls, err := alter(raw, func(v any) (any, bool) {
		switch v.(type) {
		case map[string]any, []any, string:
			return nil, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	gone, err := alter(raw, func(any) (any, bool) { return missing{}, true })
	return append(nulls, gone...), err
}

type missing struct{}

// alter walks raw and gives one copy for every place where to gives another value.
func alter(raw []byte, to func(any) (any, bool)) ([]change, error) {
	root, err := parse(raw)
	if err != nil {
		return nil, err
	}
	var all []change
	var failure error
	emit := func(path string) {
		body, err := json.Marshal(root)
		if err != nil {
			failure = err
			return
		}
		all = append(all, change{path, body})
	}
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		if other, ok := to(v); ok && path != "" {
			set(other)
			emit(path)
			set(v)
		}
		switch v := v.(type) {
		case map[string]any:
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				if path == "" && (name == "errcode" || name == "errmsg") {
					continue
				}
				at := name
				if path != "" {
					at = path + "." + name
				}
				walk(at, v[name], func(other any) {
					if _, gone := other.(missing); gone {
						delete(v, name)
						return
					}
					v[name] = other
				})
			}
		case []any:
			for i := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), v[i], func(other any) {
					if _, gone := other.(missing); gone {
						other = nil
					}
					v[i] = other
				})
			}
		}
	}
	walk("", root, func(any) {})
	return all, failure
}
