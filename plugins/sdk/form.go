package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// cells are the declared columns' values by name.
func (s shape) cells(row reflect.Value) map[string]any {
	cells := make(map[string]any, len(s.columns))
	for _, column := range s.columns {
		cells[column.Name] = row.FieldByIndex(s.fields[column.Name]).Interface()
	}
	return cells
}

func badInput() *Error { return Fail("invalid_input", "请检查填写的内容") }

// orNil is nil while no field was refused.
func (e *Error) orNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// fromText fills the form's columns from a form, whose values are text, and names those that were given.
func (s shape) fromText(row reflect.Value, values map[string]string) (map[string]bool, error) {
	refused, given := badInput(), map[string]bool{}
	for _, column := range s.columns {
		text, has := values[column.Name]
		if !has || !column.Form {
			continue
		}
		given[column.Name] = true
		if reason := textInto(column, row.FieldByIndex(s.fields[column.Name]), text); reason != "" {
			refused = refused.On(column.Name, reason)
		}
	}
	return given, refused.orNil()
}

func textInto(column Column, field reflect.Value, text string) (reason string) {
	switch column.Type {
	case "int":
		if text == "" {
			text = "0"
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "应为整数"
		}
		field.SetInt(n)
	case "time":
		at, ok := timeFrom(text)
		if !ok {
			return "应为日期时间，如 2026-11-23 18:00:00"
		}
		field.SetInt(at)
	case "bool":
		field.SetBool(text == "true" || text == "1" || text == "on")
	case "json":
		field.SetZero()
		if text == "" {
			return ""
		}
		if err := json.Unmarshal([]byte(text), field.Addr().Interface()); err != nil {
			return "不是有效的 JSON"
		}
	default:
		field.SetString(text)
	}
	return ""
}

// timeFrom reads what forms send: Unix milliseconds, or a date of Shanghai.
func timeFrom(text string) (int64, bool) {
	if text == "" {
		return 0, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.FixedZone("Asia/Shanghai", 8*3600)); err == nil {
			return at.UnixMilli(), true
		}
	}
	return 0, false
}

// fromJSON fills the form's columns from a JSON object and names those that were given. Keys in beside are not columns.
func (s shape) fromJSON(row reflect.Value, cells map[string]json.RawMessage, beside ...string) (map[string]bool, error) {
	refused, given := badInput(), map[string]bool{}
	for _, column := range s.columns {
		cell, has := cells[column.Name]
		if !has || !column.Form {
			continue
		}
		given[column.Name] = true
		field := row.FieldByIndex(s.fields[column.Name])
		if bytes.Equal(cell, []byte("null")) && column.Type != "json" {
			refused = refused.On(column.Name, "不能是 null")
			continue
		}
		field.SetZero()
		if err := json.Unmarshal(cell, field.Addr().Interface()); err != nil {
			refused = refused.On(column.Name, "类型不正确")
		}
	}
	for name := range cells {
		if !given[name] && !slices.Contains(beside, name) {
			refused = refused.On(name, "不认识的字段")
		}
	}
	return given, refused.orNil()
}

// fits holds a row to the flags of its columns.
func (s shape) fits(row reflect.Value, given map[string]bool, fresh bool) error {
	refused := badInput()
	for _, column := range s.columns {
		if !column.Form {
			continue
		}
		value := row.FieldByIndex(s.fields[column.Name])
		if reason := misfit(column, value, given[column.Name], fresh); reason != "" {
			refused = refused.On(column.Name, reason)
		}
	}
	return refused.orNil()
}

func misfit(column Column, value reflect.Value, given, fresh bool) string {
	if column.Required {
		blank := fresh && !given
		switch value.Kind() {
		case reflect.String:
			blank = strings.TrimSpace(value.String()) == ""
		case reflect.Int, reflect.Int64:
			blank = blank || column.Type == "time" && value.Int() == 0
		}
		if blank {
			return "必填"
		}
	}
	text := fmt.Sprint(value.Interface())
	if len(column.Options) > 0 && given && text != "" && !slices.ContainsFunc(column.Options, func(o Option) bool { return o.Value == text }) {
		return "请从列表中选择"
	}
	if most := column.sizeOrDefault(); column.Type == "text" && utf8.RuneCountInString(text) > most {
		return fmt.Sprintf("最多 %d 个字", most)
	}
	return ""
}

// sizeOrDefault is how many characters a text may have.
func (c Column) sizeOrDefault() int {
	if c.Size == 0 {
		return 255
	}
	return c.Size
}
