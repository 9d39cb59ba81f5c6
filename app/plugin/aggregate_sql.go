package plugin

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of an aggregate. It looks at countUpTo rows as a list's count does, and at coveredUpTo where one index holds
// everything it asks for, so that no row itself is read. Beyond that its figures are of the rows it did look at.
const (
	coveredUpTo   = 100_000
	maxGroupBy    = 3
	maxMeasures   = 8
	maxGroups     = 1000
	defaultGroups = 100
)

// figures are the answer of an aggregate: the largest first measure first, equal ones by the values of their columns.
type figures struct {
	groups  []figure
	others  int64 // rows in groups beyond the limit
	partial bool  // there are more rows than were looked at
}

type figure struct {
	by     []json.RawMessage // in the order of group_by
	values []json.RawMessage // in the order of the measures; null where there is nothing to take the least or greatest of
	rows   int64
}

// aggregation is a checked request.
type aggregation struct {
	by       []*Column
	measures []measure
	limit    int
}

type measure struct {
	function string  // COUNT SUM MIN MAX
	column   *Column // nil: count
}

func (c *collection) aggregation(request *pluginpb.AggregateRequest) (aggregation, error) {
	asked := aggregation{limit: int(request.GetLimit())}
	if asked.limit <= 0 {
		asked.limit = defaultGroups
	}
	asked.limit = min(asked.limit, maxGroups)
	if len(request.GetGroupBy()) > maxGroupBy || len(request.GetMeasures()) > maxMeasures {
		return asked, mistake("%d columns to group %s by and %d measures", len(request.GetGroupBy()), c.name, len(request.GetMeasures()))
	}
	for _, name := range request.GetGroupBy() {
		column := c.byName[name]
		if column == nil || column.GetType() == "json" || column.GetType() == "longtext" {
			return asked, mistake("no column %q to group %s by", name, c.name)
		}
		asked.by = append(asked.by, column)
	}
	for _, m := range request.GetMeasures() {
		checked, err := c.measure(m)
		if err != nil {
			return asked, err
		}
		asked.measures = append(asked.measures, checked)
	}
	if len(asked.measures) == 0 {
		asked.measures = []measure{{function: "COUNT"}}
	}
	return asked, nil
}

func (c *collection) measure(m *pluginpb.Measure) (measure, error) {
	column := c.byName[m.GetColumn()]
	fits := map[string][]string{"sum": {"int"}, "min": {"int", "time", "text"}, "max": {"int", "time", "text"}}
	switch kinds, known := fits[m.GetFunc()]; {
	case m.GetFunc() == "count" && m.GetColumn() == "":
		return measure{function: "COUNT"}, nil
	case known && column != nil && slices.Contains(kinds, column.GetType()):
		return measure{strings.ToUpper(m.GetFunc()), column}, nil
	default:
		return measure{}, mistake("no measure %s of column %q in %s", m.GetFunc(), m.GetColumn(), c.name)
	}
}

// columns are those whose values are looked at, each once.
func (g aggregation) columns() []*Column {
	wanted := slices.Clone(g.by)
	for _, m := range g.measures {
		if m.column != nil && !slices.Contains(wanted, m.column) {
			wanted = append(wanted, m.column)
		}
	}
	return wanted
}

// most is how many rows an aggregate may look at.
func (g aggregation) most(a authority, c *collection, request *pluginpb.AggregateRequest) int {
	used := c.decides(a)
	if used == nil || request.GetSearch() != "" {
		return countUpTo
	}
	for _, condition := range request.GetWhere() {
		used = append(used, condition.GetColumn())
	}
	for _, column := range g.columns() {
		used = append(used, column.GetName())
	}
	for _, index := range c.indexes {
		missing := slices.ContainsFunc(used, func(name string) bool { return name != "id" && !slices.Contains(index.GetColumns(), name) })
		if !missing && slices.Contains(used, index.GetColumns()[0]) {
			return coveredUpTo
		}
	}
	return countUpTo
}

// decides names the columns that decide whether the authority sees a row, nil where that is more than equal values of an
// index.
func (c *collection) decides(a authority) []string {
	if a.kind == byJob || c.visibility.GetOperator() && a.actor.Operator() {
		return []string{"id"}
	}
	if a.kind == byPerson && a.actor.MiniPrograms == nil && c.visibility.GetKind() == "space" {
		return []string{"space_id"}
	}
	return nil
}

// aggregate counts, sums and takes the least and the greatest of the rows that the authority may see.
func (d data) aggregate(ctx context.Context, a authority, c *collection, request *pluginpb.AggregateRequest) (figures, error) {
	asked, err := c.aggregation(request)
	if err != nil {
		return figures{}, err
	}
	from, err := d.rows(ctx, a, c, request.GetWhere(), request.GetSearch(), true)
	if err != nil {
		return figures{}, err
	}
	most := asked.most(a, c, request)
	rows, err := d.db.Query(ctx, asked.sql(from, most), from.where.args...)
	if err != nil {
		return figures{}, asked.failure(c, err)
	}
	defer func() { _ = rows.Close() }() // Err below reports what matters
	var out figures
	var total int64
	for rows.Next() {
		one, err := asked.scan(rows)
		if err != nil {
			return figures{}, asked.failure(c, err)
		}
		total += one.rows
		out.groups = append(out.groups, one)
	}
	if err := rows.Err(); err != nil {
		return figures{}, asked.failure(c, err)
	}
	out.partial = total > int64(most)
	asked.arrange(out.groups)
	if len(out.groups) > asked.limit {
		for _, one := range out.groups[asked.limit:] {
			out.others += one.rows
		}
		out.groups = out.groups[:asked.limit]
	}
	return out, nil
}

// sql groups no more rows than most and one, which tells that there are more.
func (g aggregation) sql(from source, most int) string {
	inner := "1 AS one"
	if columns := g.columns(); len(columns) > 0 {
		inner = quoteAll(columns)
	}
	outer := []string{"COUNT(*)"}
	for _, column := range g.by {
		outer = append(outer, "`"+column.GetName()+"`")
	}
	for _, m := range g.measures {
		if m.column != nil {
			outer = append(outer, m.function+"(`"+m.column.GetName()+"`)")
		}
	}
	query := "SELECT " + strings.Join(outer, ",") + " FROM (SELECT " + inner + " FROM " + from.sql() + " LIMIT " + strconv.Itoa(most+1) + ") looked"
	if len(g.by) > 0 {
		query += " GROUP BY " + quoteAll(g.by)
	}
	return query
}

func (g aggregation) scan(rows store.Rows) (one figure, err error) {
	cells := make([]sql.NullString, 1+len(g.by)+len(g.measures))
	into := []any{&one.rows}
	for i := range g.by {
		into = append(into, &cells[i])
	}
	for i, m := range g.measures {
		if m.column != nil {
			into = append(into, &cells[len(g.by)+i])
		}
	}
	if err := rows.Scan(into...); err != nil {
		return one, err
	}
	for i, column := range g.by {
		one.by = append(one.by, cellJSON(column, cells[i].String))
	}
	for i, m := range g.measures {
		value, err := m.value(one.rows, cells[len(g.by)+i])
		if err != nil {
			return one, err
		}
		one.values = append(one.values, value)
	}
	return one, nil
}

// value is a measure's figure as JSON. MySQL gives sums as decimals of any size.
func (m measure) value(rows int64, cell sql.NullString) (json.RawMessage, error) {
	switch {
	case m.column == nil:
		return strconv.AppendInt(nil, rows, 10), nil
	case m.function == "SUM" && !cell.Valid:
		return json.RawMessage("0"), nil
	case !cell.Valid:
		return json.RawMessage("null"), nil
	case m.function == "SUM":
		sum, ok := new(big.Int).SetString(cell.String, 10)
		if !ok || !sum.IsInt64() {
			return nil, errOverflow
		}
	}
	return cellJSON(m.column, cell.String), nil
}

var errOverflow = fmt.Errorf("integer overflow")

// failure tells a sum that no integer holds from what failed otherwise.
func (g aggregation) failure(c *collection, err error) error {
	if strings.Contains(err.Error(), "integer overflow") {
		return fault.New(fault.Invalid, "plugin.overflow", "合计超出了整数能表示的范围，请缩小统计的条件").Because(err)
	}
	return fmt.Errorf("aggregate %s: %w", c.table, err)
}

// cellJSON writes what a column's cell reads as.
func cellJSON(column *Column, text string) json.RawMessage {
	switch {
	case column.GetType() == "text":
		return jsonText(text)
	case text == "":
		return json.RawMessage("0")
	case column.GetType() == "bool":
		return strconv.AppendBool(nil, text != "0")
	default:
		return json.RawMessage(text)
	}
}

// arrange puts the largest first measure first, and equal ones by the values of their columns.
func (g aggregation) arrange(groups []figure) {
	first := &Column{Type: "int"}
	if m := g.measures[0]; m.column != nil {
		first = m.column
	}
	slices.SortStableFunc(groups, func(x, y figure) int {
		if by := compareCells(first, y.values[0], x.values[0]); by != 0 {
			return by
		}
		for i, column := range g.by {
			if by := compareCells(column, x.by[i], y.by[i]); by != 0 {
				return by
			}
		}
		return 0
	})
}

func compareCells(column *Column, x, y json.RawMessage) int {
	if column.GetType() == "text" {
		var one, other string
		if json.Unmarshal(x, &one) == nil && json.Unmarshal(y, &other) == nil {
			return strings.Compare(one, other)
		}
	}
	one, errOne := strconv.ParseInt(string(x), 10, 64)
	other, errOther := strconv.ParseInt(string(y), 10, 64)
	if errOne != nil || errOther != nil {
		return strings.Compare(string(x), string(y))
	}
	return cmp.Compare(one, other)
}

// encode is the answer on the wire.
func (f figures) encode(by []string) (*pluginpb.AggregateResponse, error) {
	answer := &pluginpb.AggregateResponse{Others: f.others, Partial: f.partial}
	for _, one := range f.groups {
		shape := struct {
			By     map[string]json.RawMessage `json:"by"`
			Values []json.RawMessage          `json:"values"`
		}{map[string]json.RawMessage{}, one.values}
		for i, name := range by {
			shape.By[name] = one.by[i]
		}
		encoded, err := json.Marshal(shape)
		if err != nil {
			return nil, fmt.Errorf("encode a group: %w", err)
		}
		answer.Groups = append(answer.Groups, encoded)
	}
	return answer, nil
}
