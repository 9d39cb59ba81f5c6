package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/gogf/gf/v2/database/gdb"
)

// Reading goes past gdb: it makes a map of variants of every row before it fills a struct, which costs
// more than the query itself.

// Rows are what a query gives, as *sql.Rows has them. They hold a connection until they are closed.
type Rows interface {
	Columns() ([]string, error)
	Next() bool
	Scan(into ...any) error
	Err() error
	Close() error
}

// Query asks the transaction that ctx carries, or else the pool of readers. An argument that is a slice stands for a list:
// `IN (?)`. Destinations of Scan are pointers to string or int64, or what implements sql.Scanner.
func (d *DB) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	query, args = spread(query, args)
	if tx := gdb.TXFromCtx(ctx, d.g.GetGroup()); tx != nil {
		return tx.GetSqlTX().QueryContext(ctx, query, args...)
	}
	if d.lite != nil {
		return d.lite.query(ctx, query, args)
	}
	return d.reader.QueryContext(ctx, query, args...)
}

// All reads every row into the slice that dest points to, which stays as it is when there is none. Columns meet fields by
// their `orm` or `json` tag or their name; a column without a field is left out. An argument that is a slice stands for a
// list: `IN (?)`.
func (d *DB) All(ctx context.Context, dest any, query string, args ...any) error {
	rows, err := d.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer rows.Close()
	if err := d.scan.all(rows, dest); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// One reads the first row into the struct that dest points to and reports whether there was one.
func (d *DB) One(ctx context.Context, dest any, query string, args ...any) (bool, error) {
	rows, err := d.Query(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	defer rows.Close()
	found, err := d.scan.one(rows, dest)
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	return found, nil
}

// Int reads one number, 0 when there is no row or it is NULL.
func (d *DB) Int(ctx context.Context, query string, args ...any) (int64, error) {
	rows, err := d.Query(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	defer rows.Close()
	var n int64
	if rows.Next() {
		err = rows.Scan(&cell{column: "number", to: reflect.ValueOf(&n).Elem()})
	} else {
		err = rows.Err()
	}
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	return n, nil
}

// spread writes one mark for each value of an argument that is a list. A list of none becomes NULL, which nothing is in.
func spread(query string, args []any) (string, []any) {
	lists := 0
	for _, a := range args {
		if isList(a) {
			lists++
		}
	}
	if lists == 0 {
		return query, args
	}
	var out strings.Builder
	var flat []any
	next, quote := 0, byte(0)
	for i := range len(query) {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '?' && next < len(args):
			a := args[next]
			next++
			if !isList(a) {
				flat = append(flat, a)
				break
			}
			v := reflect.ValueOf(a)
			if v.Len() == 0 {
				out.WriteString("NULL")
				continue
			}
			for k := range v.Len() {
				flat = append(flat, v.Index(k).Interface())
			}
			out.WriteString(strings.Repeat("?,", v.Len()-1))
		}
		out.WriteByte(c)
	}
	return out.String(), append(flat, args[next:]...)
}

func isList(a any) bool {
	if a == nil {
		return false
	}
	t := reflect.TypeOf(a)
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}
