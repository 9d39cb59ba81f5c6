package store

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// scanner reads rows into structs by the names of their columns. It keeps what it has found out about a type.
type scanner struct {
	fields sync.Map // reflect.Type → map[string][]int: where a column's field is, by its plain name
}

// plain makes app_id, AppID and appid the same name.
func plain(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// of tells where the fields of a struct type are. A field's column is its `orm` tag, or its `json` tag or its own name;
// the fields of an embedded struct count as the outer one's.
func (s *scanner) of(t reflect.Type) map[string][]int {
	if known, ok := s.fields.Load(t); ok {
		return known.(map[string][]int)
	}
	found := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("orm"), ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" {
			continue
		}
		if tag != "" {
			found[plain(tag)] = f.Index
			continue
		}
		for _, name := range []string{f.Name, strings.Split(f.Tag.Get("json"), ",")[0]} {
			if _, taken := found[plain(name)]; !taken && name != "" && name != "-" {
				found[plain(name)] = f.Index
			}
		}
	}
	s.fields.Store(t, found)
	return found
}

// slots prepares a row's destinations; point aims them at a struct.
func (s *scanner) slots(rows Rows, t reflect.Type) (into []any, point func(reflect.Value), err error) {
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("rows cannot be read into %s", t)
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, nil, err
	}
	fields := s.of(t)
	cells := make([]cell, len(columns))
	into = make([]any, len(columns))
	paths := make([][]int, len(columns))
	for i, c := range columns {
		cells[i].column = c
		into[i], paths[i] = &cells[i], fields[plain(c)]
	}
	return into, func(v reflect.Value) {
		for i, path := range paths {
			if path != nil {
				cells[i].to = v.FieldByIndex(path)
			}
		}
	}, nil
}

// all reads every row into the slice that dest points to, which stays as it is when there is none.
func (s *scanner) all(rows Rows, dest any) error {
	slice := reflect.ValueOf(dest)
	if slice.Kind() != reflect.Pointer || slice.Elem().Kind() != reflect.Slice {
		return fmt.Errorf("rows cannot be read into %T", dest)
	}
	slice = slice.Elem()
	into, point, err := s.slots(rows, slice.Type().Elem())
	if err != nil {
		return err
	}
	zero := reflect.Zero(slice.Type().Elem())
	list := reflect.MakeSlice(slice.Type(), 0, 16)
	for rows.Next() {
		list = reflect.Append(list, zero)
		point(list.Index(list.Len() - 1))
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil || list.Len() == 0 {
		return err
	}
	slice.Set(list)
	return nil
}

// one reads the first row into the struct that dest points to.
func (s *scanner) one(rows Rows, dest any) (bool, error) {
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer {
		return false, fmt.Errorf("a row cannot be read into %T", dest)
	}
	into, point, err := s.slots(rows, v.Type().Elem())
	if err != nil || !rows.Next() {
		if err == nil {
			err = rows.Err()
		}
		return false, err
	}
	point(v.Elem())
	return true, rows.Scan(into...)
}

// cell takes one column of a row. A NULL leaves the zero value; a column without a field goes nowhere.
type cell struct {
	column string
	to     reflect.Value
}

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	if !c.to.IsValid() {
		return nil
	}
	if err := assign(c.to, src); err != nil {
		return fmt.Errorf("column %s: %w", c.column, err)
	}
	return nil
}

// fromLite is Scan without a value in between.
func (c *cell) fromLite(s *sqlite.Stmt, i int, kind sqlite.ColumnType) error {
	if !c.to.IsValid() {
		return nil
	}
	switch {
	case kind == sqlite.TypeText && c.to.Kind() == reflect.String:
		c.to.SetString(s.ColumnText(i))
		return nil
	case kind == sqlite.TypeInteger && c.to.Kind() == reflect.Int64:
		c.to.SetInt(s.ColumnInt64(i))
		return nil
	}
	return c.Scan(liteValue(s, i, kind))
}

// assign converts what either driver gives (MySQL's text protocol gives digits) into a field.
func assign(to reflect.Value, src any) error {
	if src == nil {
		to.SetZero()
		return nil
	}
	if to.Kind() == reflect.Pointer {
		v := reflect.New(to.Type().Elem())
		if err := assign(v.Elem(), src); err != nil {
			return err
		}
		to.Set(v)
		return nil
	}
	switch to.Kind() {
	case reflect.String:
		to.SetString(text(src))
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := integer(src)
		if err == nil && to.OverflowInt(n) {
			err = strconv.ErrRange
		}
		if err != nil {
			return fmt.Errorf("%v is no %s: %w", text(src), to.Type(), err)
		}
		to.SetInt(n)
		return nil
	case reflect.Bool:
		n, err := integer(src)
		if err != nil {
			return fmt.Errorf("%v is no %s: %w", text(src), to.Type(), err)
		}
		to.SetBool(n != 0)
		return nil
	case reflect.Float64:
		f, err := strconv.ParseFloat(text(src), 64)
		if err != nil {
			return err
		}
		to.SetFloat(f)
		return nil
	case reflect.Slice:
		if to.Type().Elem().Kind() == reflect.Uint8 {
			if b, ok := src.([]byte); ok {
				to.SetBytes(bytes.Clone(b)) // the driver's own is overwritten by the next row
			} else {
				to.SetBytes([]byte(text(src)))
			}
			return nil
		}
	}
	return fmt.Errorf("a %T cannot be read into a %s", src, to.Type())
}

func integer(src any) (int64, error) {
	switch v := src.(type) {
	case int64:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case float64: // SUM of MySQL's, and arithmetic of SQLite's
		if n := int64(v); float64(n) == v {
			return n, nil
		}
	}
	return strconv.ParseInt(text(src), 10, 64)
}

func text(src any) string {
	switch v := src.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(src)
}
