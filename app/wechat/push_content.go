package wechat

import (
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"
)

// Content reads what a push says into the struct that its type has in PushTypes (a pointer), and gives the fields that
// the struct does not know, by their paths. content is nil for a type that is not in the table: everything is unknown
// then. An error names a field that is no number where one belongs; the other fields are read nevertheless.
func (p Push) Content() (content any, unknown map[string]string, err error) {
	unknown = maps.Clone(p.Fields)
	for _, common := range []string{"AppId", "CreateTime", "InfoType", "ToUserName", "FromUserName", "MsgType", "Event"} {
		delete(unknown, common)
	}
	t, ok := lookupPush(p.Type())
	if !ok {
		return nil, unknown, nil
	}
	content = t.make()
	r := contentReader{fields: p.Fields, unknown: unknown}
	r.object(reflect.ValueOf(content).Elem(), "")
	return content, unknown, r.err
}

// contentReader fills structs whose fields carry `push:"Name"` from the flattened fields of a push.
type contentReader struct {
	fields  map[string]string
	unknown map[string]string
	err     error // the first
}

func (r *contentReader) object(dst reflect.Value, prefix string) {
	for i := range dst.NumField() {
		name := dst.Type().Field(i).Tag.Get("push")
		if name == "" {
			continue
		}
		r.value(dst.Field(i), prefix+name)
	}
}

func (r *contentReader) value(dst reflect.Value, path string) {
	switch dst.Kind() {
	case reflect.Struct:
		r.take(path) // an empty group is a leaf
		r.object(dst, path+".")
	case reflect.Slice:
		r.list(dst, path)
	case reflect.String:
		dst.SetString(r.take(path))
	default: // int, int64
		text := strings.TrimSpace(r.take(path))
		if text == "" {
			return
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			if r.err == nil {
				r.err = fmt.Errorf("wechat: push: %s is no whole number", path)
			}
			return
		}
		dst.SetInt(n)
	}
}

// list reads path, path[1], path[2], …: leaves into texts, groups into structs.
func (r *contentReader) list(dst reflect.Value, path string) {
	for n := 0; ; n++ {
		at := path
		if n > 0 {
			at += "[" + strconv.Itoa(n) + "]"
		}
		_, leaf := r.fields[at]
		if !leaf && !r.group(at+".") {
			return
		}
		if leaf && r.fields[at] == "" && dst.Type().Elem().Kind() == reflect.Struct {
			r.take(at)
			continue
		}
		item := reflect.New(dst.Type().Elem()).Elem()
		r.value(item, at)
		dst.Set(reflect.Append(dst, item))
	}
}

func (r *contentReader) group(prefix string) bool {
	for path := range r.fields {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func (r *contentReader) take(path string) string {
	delete(r.unknown, path)
	return r.fields[path]
}
