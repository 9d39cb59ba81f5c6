package sdk

import (
	"context"
	"encoding/json"
	"fmt"
)

// Groups is how many rows hold each value of a column, the most frequent first.
type Groups struct {
	Groups  []Group `json:"groups"`
	Others  int64   `json:"others"`  // rows whose values are not among Groups
	Partial bool    `json:"partial"` // there are more rows than the host counts (10,000)
}

// Group is one value and its rows.
type Group struct {
	Value json.RawMessage `json:"value"`
	Count int64           `json:"count"`
}

// Text is a text column's value.
func (g Group) Text() string {
	var text string
	if json.Unmarshal(g.Value, &text) != nil {
		return string(g.Value)
	}
	return text
}

// CountBy counts the rows that the actor of this call may see by the values of a column; at most limit groups (1…200).
// It costs the same on a large table as on a small one: see Groups.Partial.
func (c *Collection[T]) CountBy(ctx context.Context, column string, limit int, where ...Where) (Groups, error) {
	type condition struct {
		Column string            `json:"column"`
		Op     string            `json:"op"`
		Values []json.RawMessage `json:"values"`
	}
	wired := []condition{}
	for _, w := range where {
		one := condition{Column: w.column, Op: w.op}
		for _, value := range w.values {
			encoded, err := json.Marshal(value)
			if err != nil {
				return Groups{}, fmt.Errorf("condition on %s: %w", w.column, err)
			}
			one.Values = append(one.Values, encoded)
		}
		wired = append(wired, one)
	}
	var out Groups
	err := Call(ctx, "core.aggregate", map[string]any{"collection": c.name, "by": column, "where": wired, "limit": limit}, &out)
	return out, err
}
