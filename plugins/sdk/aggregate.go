package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"minifleet/plugins/sdk/pluginpb"
)

// Measure is one figure of an aggregate. Make it with Count, Sum, Least or Greatest.
type Measure struct{ function, column string }

// Count is how many rows there are.
func Count() Measure { return Measure{"count", ""} }

// Sum adds an int column up; 0 where there is no row. A sum that no int64 holds fails the call.
func Sum(column string) Measure { return Measure{"sum", column} }

// Least is the smallest value of an int, time or text column.
func Least(column string) Measure { return Measure{"min", column} }

// Greatest is the largest value of an int, time or text column.
func Greatest(column string) Measure { return Measure{"max", column} }

// Figures asks for measures of a collection's rows.
type Figures struct {
	Where    []Where
	Search   string    // words that must occur in the columns flagged search
	By       []string  // one group for each combination of these columns' values; at most 3, none: one group of all rows
	Measures []Measure // at most 8; none: Count
	Limit    int       // groups, 1…1000, default 100
}

// Groups are the groups with the largest first measure first; equal ones stand in the order of their columns' values.
type Groups struct {
	Groups []Group `json:"groups"`
	Others int64   `json:"others"` // rows in groups beyond the limit
	// Partial says that there are more rows than the host looks at: 10,000, or 100,000 where one index of the collection
	// holds every column of the question. The figures are then of those it looked at.
	Partial bool `json:"partial"`
}

// Group is one combination of values and its figures, in the order of Figures.Measures.
type Group struct {
	By     map[string]json.RawMessage `json:"by"`
	Values []json.RawMessage          `json:"values"`
}

// Text is what the rows of this group hold in a column.
func (g Group) Text(column string) string { return cellText(g.By[column]) }

// Int is that of an int or time column; 0 for any other.
func (g Group) Int(column string) int64 { return cellInt(g.By[column]) }

// Figure is the measure at this place, 0 where there was no row to take it of.
func (g Group) Figure(place int) int64 {
	if place < 0 || place >= len(g.Values) {
		return 0
	}
	return cellInt(g.Values[place])
}

// Word is Figure for the Least or Greatest of a text column.
func (g Group) Word(place int) string {
	if place < 0 || place >= len(g.Values) {
		return ""
	}
	return cellText(g.Values[place])
}

func cellText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

func cellInt(raw json.RawMessage) int64 {
	var number int64
	if json.Unmarshal(raw, &number) != nil {
		return 0
	}
	return number
}

// Aggregate counts, sums and compares the rows that the actor of this call may see. It costs the same on a large table as
// on a small one: see Groups.Partial.
func (c *Collection[T]) Aggregate(ctx context.Context, figures Figures) (Groups, error) {
	var out Groups
	if err := c.checkFigures(figures); err != nil {
		return out, err
	}
	request := &pluginpb.AggregateRequest{Collection: c.name, GroupBy: figures.By, Limit: int32(figures.Limit), Search: figures.Search}
	for _, measure := range figures.Measures {
		request.Measures = append(request.Measures, &pluginpb.Measure{Func: measure.function, Column: measure.column})
	}
	var err error
	if request.Where, err = wireWhere(figures.Where); err != nil {
		return out, err
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return out, err
	}
	answer, err := host.Aggregate(ctx, request)
	if err != nil {
		return out, fmt.Errorf("aggregate %s: %w", c.name, DecodeError(err))
	}
	out = Groups{Groups: make([]Group, len(answer.GetGroups())), Others: answer.GetOthers(), Partial: answer.GetPartial()}
	for i, raw := range answer.GetGroups() {
		if err := json.Unmarshal(raw, &out.Groups[i]); err != nil {
			return out, fmt.Errorf("aggregate %s: %w", c.name, err)
		}
	}
	return out, nil
}

// Count is how many rows fit. It stops at 10,000, or at 100,000 where one index holds every column asked for: partial says
// that there are more.
func (c *Collection[T]) Count(ctx context.Context, where ...Where) (rows int64, partial bool, err error) {
	groups, err := c.Aggregate(ctx, Figures{Where: where})
	if err != nil || len(groups.Groups) == 0 {
		return 0, false, err
	}
	return groups.Groups[0].Figure(0), groups.Partial, nil
}

// checkFigures finds an author's mistake before it goes to the host.
func (c *Collection[T]) checkFigures(figures Figures) error {
	if err := c.checkQuery(Query{Where: figures.Where, Search: figures.Search}); err != nil {
		return err
	}
	if len(figures.By) > 3 || len(figures.Measures) > 8 {
		return authorMistake("aggregate %s: %d columns and %d measures", c.name, len(figures.By), len(figures.Measures))
	}
	for _, name := range figures.By {
		if kind := c.shape.kind(name); kind == "" || kind == "json" || kind == "longtext" {
			return authorMistake("aggregate %s: column %q of type %q cannot make groups", c.name, name, kind)
		}
	}
	for _, measure := range figures.Measures {
		fits := measure.function == "count"
		switch kind := c.shape.kind(measure.column); measure.function {
		case "sum":
			fits = kind == "int"
		case "min", "max":
			fits = slices.Contains([]string{"int", "time", "text"}, kind)
		}
		if !fits {
			return authorMistake("aggregate %s: no %s of column %q", c.name, measure.function, measure.column)
		}
	}
	return nil
}
