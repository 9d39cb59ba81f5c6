package sdk

import (
	"context"
	"encoding/json"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// Query asks for one page.
type Query struct {
	Where []Where // all must hold
	// Search are words that must all occur: in the columns flagged search, in any case and any of them; in core views in
	// name, AppID and 主体.
	Search string
	Sort   string // column, "-" in front for descending; default "-id"
	Limit  int    // 1…200, default 20
	Cursor string // Rows.Next of the page before
	Count  bool   // ask for Total
	// Columns reads these only, and the id; the other fields of the rows stay as they are made. None: all.
	Columns []string
	// With adds columns of core views to each row: see With.
	With []Join
}

// Where is one condition. Make it with Eq, In, Like and the rest.
type Where struct {
	column, op string
	values     []any
	err        error
}

// Eq holds when the column equals value.
func Eq(column string, value any) Where { return Where{column: column, op: "eq", values: []any{value}} }

// Ne holds when the column differs from value.
func Ne(column string, value any) Where { return Where{column: column, op: "ne", values: []any{value}} }

// Lt holds when the column is less than value.
func Lt(column string, value any) Where { return Where{column: column, op: "lt", values: []any{value}} }

// Le holds when the column is at most value.
func Le(column string, value any) Where { return Where{column: column, op: "le", values: []any{value}} }

// Gt holds when the column is greater than value.
func Gt(column string, value any) Where { return Where{column: column, op: "gt", values: []any{value}} }

// Ge holds when the column is at least value.
func Ge(column string, value any) Where { return Where{column: column, op: "ge", values: []any{value}} }

// Like holds when the text column contains part, wildcards taken literally.
func Like(column, part string) Where { return Where{column: column, op: "like", values: []any{part}} }

// In holds when the column is one of values (at most 500); never with none.
func In[V any](column string, values ...V) Where {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = value
	}
	return Where{column: column, op: "in", values: list}
}

func (q Query) wire(collection string) (*pluginpb.FindRequest, error) {
	request := &pluginpb.FindRequest{
		Collection: collection, Sort: q.Sort, Limit: int32(q.Limit), Cursor: q.Cursor, Count: q.Count, Search: q.Search,
	}
	request.Columns = q.Columns
	for _, join := range q.With {
		request.Joins = append(request.Joins, &pluginpb.Join{Column: join.column, View: join.view, Columns: join.columns})
	}
	var err error
	request.Where, err = wireWhere(q.Where)
	return request, err
}

func wireWhere(conditions []Where) ([]*pluginpb.Where, error) {
	var list []*pluginpb.Where
	for _, condition := range conditions {
		if condition.err != nil {
			return nil, condition.err
		}
		wired := &pluginpb.Where{Column: condition.column, Op: condition.op}
		for _, value := range condition.values {
			encoded, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("condition on %s: %w", condition.column, err)
			}
			wired.Values = append(wired.Values, encoded)
		}
		list = append(list, wired)
	}
	return list, nil
}

// find runs a query and decodes each row.
func find[T any](ctx context.Context, collection string, query Query, decode func([]byte, *T) error) (Rows[T], error) {
	page := Rows[T]{Items: []T{}}
	request, err := query.wire(collection)
	if err != nil {
		return page, err
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return page, err
	}
	answer, err := host.Find(ctx, request)
	if err != nil {
		return page, fmt.Errorf("find %s: %w", collection, DecodeError(err))
	}
	page.Next = answer.GetNext()
	if total := answer.GetTotal(); query.Count && total >= 0 {
		page.Total = &total
	}
	page.Items = make([]T, len(answer.GetRows()))
	for i, raw := range answer.GetRows() {
		if err := decode(raw, &page.Items[i]); err != nil {
			return page, err
		}
	}
	return page, nil
}
