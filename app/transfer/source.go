package transfer

import (
	"context"
	"net/url"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// Query is which rows of a list are wanted: those of IDs, or all that the list's own filters leave.
type Query struct {
	Values url.Values `json:"values,omitempty"` // the list's query, as its page reads it
	IDs    []string   `json:"ids,omitempty"`    // only these rows; nil for all
}

// Picked reports whether only chosen rows are wanted.
func (q Query) Picked() bool { return q.IDs != nil }

// Sheet is a list that a person was admitted to.
type Sheet struct {
	Title   string // Chinese, also the file's name
	Filter  string // what narrows it, in few words, for the file's name; "" for nothing
	Columns []Column
	// Page reads the rows behind a cursor, "" for the first, in the list's own order: by key, never by offset. A row has
	// one raw text for each column. Next is "" at the end.
	Page func(ctx context.Context, cursor string) (rows [][]string, next string, err error)
	// Count tells how many rows there are, for the percentage of a long export; nil, or -1 as its answer: unknown.
	Count func(ctx context.Context) (int64, error)
}

// Source is a list that can be exported.
type Source interface {
	// Sheet admits the person with the rights of this moment: Forbidden or NotFound otherwise. A long export asks again
	// and again, so that a right that is taken away ends it.
	Sheet(ctx context.Context, who account.Actor, list string, q Query) (Sheet, error)
}

// SourceFunc is a Source that is one function.
type SourceFunc func(ctx context.Context, who account.Actor, list string, q Query) (Sheet, error)

// Sheet calls f.
func (f SourceFunc) Sheet(ctx context.Context, who account.Actor, list string, q Query) (Sheet, error) {
	return f(ctx, who, list, q)
}

var errNoList = fault.New(fault.NotFound, "list_not_found", "没有这个列表，或者你所在的空间看不到它")

// source finds the list of a name: one of the core's, or a plugin's table.
func (s *Service) source(list string) (Source, error) {
	if src := s.o.Sources[list]; src != nil {
		return src, nil
	}
	if s.o.Tables == nil {
		return nil, errNoList
	}
	return s.o.Tables, nil
}
