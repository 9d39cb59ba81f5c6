package sdk

import (
	"context"
	"encoding/json"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// Query asks for one page.
type Query struct {
	Where  []Where // all must hold
	Search string  // core views only: one box over name, AppID and 主体
	Sort   string  // column, "-" in front for descending; default "-id"
	Limit  int     // 1…200, default 20
	Cursor string  // Rows.Next of the page before
	Count  bool    // ask for Total
}

// Where is one condition. Make it with Eq, In, Like and the rest.
type Where struct {
	column, op string
	values     []any
}

// Eq holds when the column equals value.
func Eq(column string, value any) Where { return Where{column, "eq", []any{value}} }

// Ne holds when the column differs from value.
func Ne(column string, value any) Where { return Where{column, "ne", []any{value}} }

// Lt holds when the column is less than value.
func Lt(column string, value any) Where { return Where{column, "lt", []any{value}} }

// Le holds when the column is at most value.
func Le(column string, value any) Where { return Where{column, "le", []any{value}} }

// Gt holds when the column is greater than value.
func Gt(column string, value any) Where { return Where{column, "gt", []any{value}} }

// Ge holds when the column is at least value.
func Ge(column string, value any) Where { return Where{column, "ge", []any{value}} }

// Like holds when the text column contains part, wildcards taken literally.
func Like(column, part string) Where { return Where{column, "like", []any{part}} }

// In holds when the column is one of values (at most 500); never with none.
func In[V any](column string, values ...V) Where {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = value
	}
	return Where{column, "in", list}
}

func (q Query) wire(collection string) (*pluginpb.FindRequest, error) {
	request := &pluginpb.FindRequest{
		Collection: collection, Sort: q.Sort, Limit: int32(q.Limit), Cursor: q.Cursor, Count: q.Count, Search: q.Search,
	}
	for _, condition := range q.Where {
		wired := &pluginpb.Where{Column: condition.column, Op: condition.op}
		for _, value := range condition.values {
			encoded, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("condition on %s: %w", condition.column, err)
			}
			wired.Values = append(wired.Values, encoded)
		}
		request.Where = append(request.Where, wired)
	}
	return request, nil
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
