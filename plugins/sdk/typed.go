package sdk

import (
	"fmt"
	"reflect"
	"slices"
)

// TypedColumn is a column of a collection together with the Go type of its values: a condition with a value of another type does
// not compile. Make it with ColumnOf.
type TypedColumn[V any] struct {
	name string
	err  error
}

// ColumnOf names a column whose values are V: ColumnOf[int64](orders, "price"). Where the collection has no such column, or
// its field is of another type, every condition made of it fails its call with an error that says so.
func ColumnOf[V, T any](c *Collection[T], name string) TypedColumn[V] {
	index, known := c.shape.fields[name]
	if !known {
		return TypedColumn[V]{name, authorMistake("%s has no column %q", c.name, name)}
	}
	if held := c.shape.typ.FieldByIndex(index).Type; held != reflect.TypeFor[V]() {
		return TypedColumn[V]{name, authorMistake("%s.%s holds %s, not %s", c.name, name, held, reflect.TypeFor[V]())}
	}
	return TypedColumn[V]{name: name}
}

// Name is the column's.
func (f TypedColumn[V]) Name() string { return f.name }

func (f TypedColumn[V]) where(op string, values ...any) Where {
	return Where{f.name, op, values, f.err}
}

// Eq holds when the column equals value.
func (f TypedColumn[V]) Eq(value V) Where { return f.where("eq", value) }

// Ne holds when the column differs from value.
func (f TypedColumn[V]) Ne(value V) Where { return f.where("ne", value) }

// Lt holds when the column is less than value.
func (f TypedColumn[V]) Lt(value V) Where { return f.where("lt", value) }

// Le holds when the column is at most value.
func (f TypedColumn[V]) Le(value V) Where { return f.where("le", value) }

// Gt holds when the column is greater than value.
func (f TypedColumn[V]) Gt(value V) Where { return f.where("gt", value) }

// Ge holds when the column is at least value.
func (f TypedColumn[V]) Ge(value V) Where { return f.where("ge", value) }

// In holds when the column is one of values (at most 500); never with none.
func (f TypedColumn[V]) In(values ...V) Where {
	where := In(f.name, values...)
	where.err = f.err
	return where
}

// authorMistake is an error that no input of a person causes.
func authorMistake(format string, args ...any) error {
	return (&Error{Kind: KindInternal, Code: "sdk.query", Message: "插件的查询有误，请联系插件作者"}).Because(fmt.Errorf(format, args...))
}

// kind is the type of a column, "" when there is none of this name.
func (s shape) kind(name string) string {
	switch name {
	case ColumnID, ColumnVersion, ColumnSpace:
		return "int"
	case ColumnCreatedAt, ColumnUpdatedAt:
		return "time"
	}
	if at := slices.IndexFunc(s.columns, func(c Column) bool { return c.Name == name }); at >= 0 {
		return s.columns[at].Type
	}
	return ""
}

// checkQuery finds what the host would refuse before it goes to the host.
func (c *Collection[T]) checkQuery(query Query) error {
	for _, where := range query.Where {
		if err := c.checkWhere(where); err != nil {
			return err
		}
	}
	for _, name := range query.Columns {
		if c.shape.kind(name) == "" {
			return authorMistake("find %s: no column %q", c.name, name)
		}
	}
	if query.Search != "" && !slices.ContainsFunc(c.shape.columns, func(column Column) bool { return column.Search }) {
		return authorMistake("find %s: no column is flagged search", c.name)
	}
	if query.Limit < 0 || query.Limit > 200 {
		return authorMistake("find %s: limit %d is not 1…200", c.name, query.Limit)
	}
	return nil
}

func (c *Collection[T]) checkWhere(where Where) error {
	if where.err != nil {
		return where.err
	}
	kind := c.shape.kind(where.column)
	if kind == "" || kind == "json" {
		return authorMistake("find %s: no comparable column %q", c.name, where.column)
	}
	if len(where.values) > 500 {
		return authorMistake("find %s: %d values for %s", c.name, len(where.values), where.column)
	}
	if where.op == "like" && kind != "text" && kind != "longtext" {
		return authorMistake("find %s: column %s of type %s has no parts", c.name, where.column, kind)
	}
	for _, value := range where.values {
		if !compares(kind, value) {
			return authorMistake("find %s: %T does not compare with column %s of type %s", c.name, value, where.column, kind)
		}
	}
	return nil
}

// compares tells whether a Go value can be one of a column's.
func compares(kind string, value any) bool {
	held := reflect.ValueOf(value)
	switch kind {
	case "text", "longtext":
		return held.Kind() == reflect.String
	case "bool":
		return held.Kind() == reflect.Bool
	default:
		return held.CanInt() || held.CanUint()
	}
}
