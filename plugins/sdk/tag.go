package sdk

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// shapeOf reads the tags of T and tells every mistake in them; with mistakes the shape is not to be used.
func shapeOf(typ reflect.Type) (shape, []error) {
	found := shape{typ: typ, fields: map[string][]int{}}
	if typ.Kind() != reflect.Struct {
		return found, []error{&Mistake{typeName(typ), "a row's type must be a struct"}}
	}
	var mistakes []error
	mistaken := func(where, format string, args ...any) {
		mistakes = append(mistakes, &Mistake{where, fmt.Sprintf(format, args...)})
	}
	base, ok := typ.FieldByName("Row")
	if !ok || base.Type != rowType || !base.Anonymous || throughPointer(typ, base.Index) {
		mistaken(typeName(typ), "does not embed sdk.Row (as the struct itself, not a pointer)")
	} else {
		for i, name := range []string{ColumnID, ColumnVersion, ColumnSpace, ColumnCreatedAt, ColumnUpdatedAt} {
			found.fields[name] = append(slices.Clone(base.Index), i)
		}
	}
	tagged := false
	for _, field := range reflect.VisibleFields(typ) {
		tag, has := field.Tag.Lookup("col")
		if !has {
			continue
		}
		tagged = true
		where := typeName(typ) + "." + field.Name
		column, reasons := parseColumn(tag)
		for _, reason := range append(reasons, fieldMistakes(typ, field, column)...) {
			mistaken(where, "%s", reason)
		}
		if slices.Contains([]string{ColumnID, ColumnVersion, ColumnSpace, ColumnCreatedAt, ColumnUpdatedAt}, column.Name) {
			mistaken(where, "column name %q is one that every row has already", column.Name)
		} else if _, twice := found.fields[column.Name]; twice && column.Name != "" {
			mistaken(where, "there are two columns %q", column.Name)
		}
		found.fields[column.Name] = field.Index
		found.columns = append(found.columns, column)
	}
	if !tagged {
		mistaken(typeName(typ), "has no field with a col tag")
	}
	return found, mistakes
}

// parseColumn reads one tag and gives the reasons for which it is none.
func parseColumn(tag string) (Column, []string) {
	parts := strings.Split(tag, ",")
	if len(parts) < 3 {
		return Column{}, []string{fmt.Sprintf("tag col:%q is not name,标题,type,flags…", tag)}
	}
	var reasons []string
	column := Column{Name: strings.TrimSpace(parts[0]), Title: strings.TrimSpace(parts[1]), Type: strings.TrimSpace(parts[2])}
	if !nameShape.MatchString(column.Name) {
		reasons = append(reasons, fmt.Sprintf("column name %q is not [a-z][a-z0-9_]{0,39}", column.Name))
	}
	if column.Title == "" {
		reasons = append(reasons, "the title is empty")
	}
	if !slices.Contains([]string{"text", "longtext", "int", "bool", "time", "json"}, column.Type) {
		reasons = append(reasons, fmt.Sprintf("unknown column type %q; there are text, longtext, int, bool, time and json", column.Type))
	}
	for _, flag := range parts[3:] {
		if reason := column.flag(strings.TrimSpace(flag)); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return column, append(reasons, column.misfits()...)
}

// flag takes one flag of a tag; the reason says why it is none.
func (c *Column) flag(flag string) (reason string) {
	key, value, valued := strings.Cut(flag, ":")
	needs := slices.Contains([]string{"help", "size", "filter", "options"}, key)
	if needs != (valued && value != "") {
		if needs {
			return fmt.Sprintf("flag %q needs a value (%s:…)", flag, key)
		}
		if valued {
			return fmt.Sprintf("unknown flag %q", flag)
		}
	}
	switch key {
	case "required":
		c.Required = true
	case "search":
		c.Search = true
	case "list":
		c.List = true
	case "form":
		c.Form = true
	case "sort":
		c.Sort = true
	case "readonly":
		c.readonly = true
	case "hidden":
		c.hidden = true
	case "help":
		c.Help = value
	case "size":
		size, err := strconv.Atoi(value)
		if err != nil || size < 1 || size > 1024 {
			return fmt.Sprintf("size %q is not 1…1024", value)
		}
		c.Size = size
	case "filter":
		if value != "eq" && value != "like" {
			return fmt.Sprintf("filter %q is neither eq nor like", value)
		}
		c.Filter = value
	case "options":
		return c.choices(value)
	default:
		return fmt.Sprintf("unknown flag %q", flag)
	}
	return ""
}

func (c *Column) choices(text string) (reason string) {
	for _, option := range strings.Split(text, ";") {
		stored, label, labelled := strings.Cut(option, "=")
		label, color, _ := strings.Cut(label, "|")
		if !labelled || label == "" {
			return fmt.Sprintf("option %q is not value=标签 or value=标签|colour", option)
		}
		if !slices.Contains([]string{"", "green", "blue", "orange", "red", "grey"}, color) {
			return fmt.Sprintf("option %q: colour %q is none of green, blue, orange, red, grey", option, color)
		}
		if slices.ContainsFunc(c.Options, func(o Option) bool { return o.Value == stored }) {
			return fmt.Sprintf("option %q is there twice", stored)
		}
		c.Options = append(c.Options, Option{stored, label, color})
	}
	return ""
}

// misfits are flags that say nothing about a column of this type.
func (c *Column) misfits() []string {
	var reasons []string
	text := c.Type == "text" || c.Type == "longtext"
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	refuse(c.Size > 0 && c.Type != "text", "size is for text, not %s", c.Type)
	refuse(c.Filter == "like" && !text, "filter:like is for text, not %s", c.Type)
	refuse(c.Filter != "" && c.Type == "json", "json cannot be filtered")
	refuse(c.Search && !text, "search is for text, not %s", c.Type)
	refuse(c.Sort && (c.Type == "longtext" || c.Type == "json"), "%s cannot be sorted", c.Type)
	refuse(len(c.Options) > 0 && c.Type != "text" && c.Type != "int", "options are for text and int, not %s", c.Type)
	refuse(c.Required && c.Type == "bool", "a required bool could only be true")
	refuse(c.hidden && (c.List || c.Form || c.readonly), "hidden contradicts list, form and readonly")
	refuse(c.readonly && c.Form, "readonly contradicts form")
	if c.Type == "int" {
		for _, option := range c.Options {
			_, err := strconv.ParseInt(option.Value, 10, 64)
			refuse(err != nil, "option %q of an int is no number", option.Value)
		}
	}
	return reasons
}

// fieldMistakes holds a Go field to its column.
func fieldMistakes(typ reflect.Type, field reflect.StructField, column Column) []string {
	if !field.IsExported() {
		return []string{"the field is not exported, so nothing can be read into it"}
	}
	if throughPointer(typ, field.Index) {
		return []string{"the field is embedded by pointer; embed the struct itself"}
	}
	fits := true
	switch column.Type {
	case "text", "longtext":
		fits = field.Type.Kind() == reflect.String
	case "int", "time":
		fits = field.Type.Kind() == reflect.Int64 || field.Type.Kind() == reflect.Int
	case "bool":
		fits = field.Type.Kind() == reflect.Bool
	case "json":
		if at, reason := notJSON(field.Type, field.Name, map[reflect.Type]bool{}); reason != "" {
			return []string{at + " " + reason}
		}
		return nil
	default:
		return nil // the type is a mistake already
	}
	if !fits {
		return []string{fmt.Sprintf("Go type %s does not fit column type %s (%s)", field.Type, column.Type, goTypes(column.Type))}
	}
	if pointer := reflect.PointerTo(field.Type); pointer.Implements(marshals) || pointer.Implements(unmarshals) || pointer.Implements(spells) {
		return []string{fmt.Sprintf("Go type %s has a JSON of its own; a column of type %s needs a plain one", field.Type, column.Type)}
	}
	return nil
}

func goTypes(column string) string {
	switch column {
	case "int", "time":
		return "int64 or int"
	case "bool":
		return "bool"
	}
	return "string"
}
