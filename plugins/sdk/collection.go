package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"minifleet/plugins/sdk/pluginpb"
)

// VisibleKind says how the host decides who sees a row.
type VisibleKind string

// The kinds of visibility.
const (
	// Space: the space that inserted the row (Row.SpaceID).
	Space VisibleKind = "space"
	// Parties: two spaces, in the int columns Column and Other. Whoever inserts
	// must be one of them.
	Parties VisibleKind = "parties"
	// MiniProgram: the owner of the mini program in Column, and spaces that
	// hold a grant with Scope (to read) or Write (to write) on it.
	MiniProgram VisibleKind = "miniprogram"
	// Public: everybody, visitors too, reads rows whose column When equals
	// Equals; beyond that like Space.
	Public VisibleKind = "public"
)

// Visible states who reads and writes the rows of a collection. The host
// enforces it on every Find and Commit.
type Visible struct {
	Kind     VisibleKind
	Column   string // parties: first party; miniprogram: AppID column
	Other    string // parties: second party
	Scope    string // miniprogram: scope to read, default data.read
	Write    string // miniprogram: scope to write, default Scope
	When     string // public: deciding column
	Equals   string // public: its value
	Operator bool   // operators see and write every row
}

// CollectOption adds an index.
type CollectOption func(*pluginpb.Collection)

// Unique makes a unique index; a second row is refused with ErrConflict.
func Unique(columns ...string) CollectOption {
	return func(c *pluginpb.Collection) {
		c.Indexes = append(c.Indexes, &pluginpb.Index{Columns: columns, Unique: true})
	}
}

// Index makes an index for reading.
func Index(columns ...string) CollectOption {
	return func(c *pluginpb.Collection) {
		c.Indexes = append(c.Indexes, &pluginpb.Index{Columns: columns})
	}
}

// Collection is a typed table kept by the host. Make it with Collect. It holds
// no data and is safe for concurrent use.
type Collection[T any] struct {
	name     string
	shape    shape
	declared *pluginpb.Collection
}

// Collect declares a collection of p. T embeds Row and describes its columns
// with col tags (see Column).
func Collect[T any](p *Plugin, name string, visible Visible, options ...CollectOption) *Collection[T] {
	return collect[T](p, name, visible, func([]Column) {}, options)
}

// collect lets the caller change the columns' flags before they are declared.
func collect[T any](p *Plugin, name string, visible Visible, flag func([]Column), options []CollectOption) *Collection[T] {
	if visible.Kind == MiniProgram {
		if visible.Scope == "" {
			visible.Scope = "data.read"
		}
		if visible.Write == "" {
			visible.Write = visible.Scope
		}
	}
	found, mistakes := shapeOf(reflect.TypeFor[T]())
	p.mistakes = append(p.mistakes, mistakes...)
	flag(found.columns)
	collection := &Collection[T]{name: name, shape: found}
	collection.declared = &pluginpb.Collection{
		Name: name, Columns: wireColumns(collection.shape.columns),
		Visibility: &pluginpb.Visibility{
			Kind: string(visible.Kind), Column: visible.Column, Other: visible.Other, Scope: visible.Scope, Write: visible.Write,
			When: visible.When, Equals: visible.Equals, Operator: visible.Operator,
		},
	}
	for _, option := range options {
		option(collection.declared)
	}
	p.checkCollection(collection.declared, len(mistakes) == 0)
	p.manifest.Collections = append(p.manifest.Collections, collection.declared)
	return collection
}

// Rows is one page of a collection.
type Rows[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`  // cursor of the next page, "" at the end
	Total *int64 `json:"total"` // nil: not asked for, or more than 10,000
}

// schema says what MarshalJSON makes: always a list, next null at the end.
func (Rows[T]) schema(depth int) map[string]any {
	return map[string]any{
		"type": "object", "required": []string{"items", "next", "total"},
		"properties": map[string]any{
			"items": map[string]any{"type": "array", "items": schemaOf(reflect.TypeFor[T](), false, depth+1)},
			"next":  map[string]any{"type": []string{"string", "null"}},
			"total": map[string]any{"type": []string{"integer", "null"}},
		},
	}
}

// MarshalJSON gives REST's shape of a list: next is null at the end.
func (r Rows[T]) MarshalJSON() ([]byte, error) {
	shape := struct {
		Items []T     `json:"items"`
		Next  *string `json:"next"`
		Total *int64  `json:"total"`
	}{Items: r.Items, Total: r.Total}
	if shape.Items == nil {
		shape.Items = []T{}
	}
	if r.Next != "" {
		shape.Next = &r.Next
	}
	return json.Marshal(shape)
}

// Find reads one page of the rows that the actor of this call may see.
func (c *Collection[T]) Find(ctx context.Context, query Query) (Rows[T], error) {
	if err := c.checkQuery(query); err != nil {
		return Rows[T]{Items: []T{}}, err
	}
	joins, err := c.joined(query.With)
	if err != nil {
		return Rows[T]{Items: []T{}}, err
	}
	return find(ctx, c.name, query, func(raw []byte, row *T) error {
		value := reflect.ValueOf(row).Elem()
		if err := c.shape.decode(raw, value); err != nil {
			return err
		}
		return decodeJoined(raw, joins, value)
	})
}

// Get reads the row with this id: ErrNotFound when there is none or the actor
// may not see it.
func (c *Collection[T]) Get(ctx context.Context, id int64) (T, error) {
	row, found, err := c.First(ctx, Eq(ColumnID, id))
	if err == nil && !found {
		err = fmt.Errorf("%s %d: %w", c.name, id, ErrNotFound)
	}
	return row, err
}

// First reads the newest row that fits.
func (c *Collection[T]) First(ctx context.Context, where ...Where) (T, bool, error) {
	page, err := c.Find(ctx, Query{Where: where, Limit: 1})
	if err != nil || len(page.Items) == 0 {
		var none T
		return none, false, err
	}
	return page.Items[0], true, nil
}

// All reads every fitting row in pages and stops with an error after most
// rows, so that a mistake never reads a whole table. For jobs.
func (c *Collection[T]) All(ctx context.Context, query Query, most int) ([]T, error) {
	var rows []T
	query.Limit = 200
	for {
		page, err := c.Find(ctx, query)
		if err != nil {
			return nil, err
		}
		rows = append(rows, page.Items...)
		if page.Next == "" {
			return rows, nil
		}
		if len(rows) >= most {
			return nil, fmt.Errorf("read all of %s: more than %d rows", c.name, most)
		}
		query.Cursor = page.Next
	}
}

// Insert is the op that adds row. The host sets Row's fields; the new id is
// Committed.IDs at the op's position.
func (c *Collection[T]) Insert(row T) Op {
	encoded, err := c.shape.encode(reflect.ValueOf(row))
	return Op{wire: &pluginpb.Op{Kind: "insert", Collection: c.name, Row: encoded}, err: err}
}

// Set names the columns that an update changes.
type Set map[string]any

// Update is the op that changes columns of a row. With ifVersion other than 0
// Commit fails with ErrAborted if the row is at another version by then.
func (c *Collection[T]) Update(id, ifVersion int64, set Set) Op {
	for name := range set {
		if _, known := c.shape.fields[name]; !known {
			return Op{err: fmt.Errorf("update %s: no column %q", c.name, name)}
		}
	}
	encoded, err := json.Marshal(set)
	return Op{wire: &pluginpb.Op{Kind: "update", Collection: c.name, Id: id, IfVersion: ifVersion, Row: encoded}, err: err}
}

// Delete is the op that removes a row.
func (c *Collection[T]) Delete(id, ifVersion int64) Op {
	return Op{wire: &pluginpb.Op{Kind: "delete", Collection: c.name, Id: id, IfVersion: ifVersion}}
}

// Declared is what Table needs of a collection.
type Declared interface{ declaration() *pluginpb.Collection }

func (c *Collection[T]) declaration() *pluginpb.Collection { return c.declared }
