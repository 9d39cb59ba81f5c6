package plugin

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of a read.
const (
	defaultLimit = 20
	maxLimit     = 200
	maxIn        = 500
	countUpTo    = 10_000
)

// data reads and writes the rows of collections under the rules of visibility.
type data struct {
	db   *store.DB
	apps MiniPrograms
}

// found is one page: rows as JSON objects, and a total of -1 when it is unknown.
type found struct {
	rows  [][]byte
	next  string
	total int64
}

// find reads one page of the rows that the authority may see, by key and never by offset.
func (d data) find(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest) (found, error) {
	var page found
	var err error
	page.next, page.total, err = d.each(ctx, a, c, request, func(s *scanner) { page.rows = append(page.rows, s.json()) })
	return page, err
}

// source is where the rows of a question come from: what stands behind FROM and WHERE.
type source struct {
	from  string
	where predicate
	id    string // what holds the rows' ids there, for an order that an index gives; "": their own column
}

func (s source) sql() string { return s.from + " WHERE " + s.where.sql }

// rows are those that the authority may see, that fit the conditions and hold the words of the search.
func (d data) rows(ctx context.Context, a authority, c *collection, conditions []*pluginpb.Where, search string, byID bool) (source, error) {
	where := visible(a, c, d.apps, false)
	for _, condition := range conditions {
		wanted, err := c.condition(condition)
		if err != nil {
			return source{}, err
		}
		where = where.and(wanted)
	}
	if search = strings.TrimSpace(search); search == "" {
		return source{from: "`" + c.table + "`", where: where}, nil
	}
	return d.searched(ctx, c, where, search, byID)
}

// each hands the rows of one page to take. The total is -1 when it is unknown.
func (d data) each(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest, take func(*scanner)) (next string, total int64, err error) {
	total = -1
	limit := int(request.GetLimit())
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	order, err := c.order(request.GetSort())
	if err != nil {
		return "", total, err
	}
	columns, err := c.projection(request.GetColumns(), order.column)
	if err != nil {
		return "", total, err
	}
	from, err := d.rows(ctx, a, c, request.GetWhere(), request.GetSearch(), order.column == "id")
	if err != nil {
		return "", total, err
	}
	if request.GetCount() {
		if total, err = d.count(ctx, c, from); err != nil {
			return "", total, err
		}
	}
	if from.id != "" && order.column == "id" {
		order.id = from.id
	}
	if request.GetCursor() != "" {
		after, err := order.after(request.GetCursor())
		if err != nil {
			return "", total, err
		}
		from.where = from.where.and(after)
	}
	query := "SELECT " + quoteAll(columns) + " FROM " + from.sql() + " ORDER BY " + order.sql() + " LIMIT " + strconv.Itoa(limit+1)
	rows, err := d.db.Query(ctx, query, from.where.args...)
	if err != nil {
		return "", total, fmt.Errorf("find in %s: %w", c.table, err)
	}
	defer func() { _ = rows.Close() }() // Err below reports what matters
	scanner := newScanner(columns)
	for taken := 0; rows.Next(); taken++ {
		if taken == limit {
			next = order.cursor(scanner)
			break
		}
		if err := rows.Scan(scanner.targets...); err != nil {
			return "", total, fmt.Errorf("find in %s: %w", c.table, err)
		}
		take(scanner)
	}
	if err := rows.Err(); err != nil {
		return "", total, fmt.Errorf("find in %s: %w", c.table, err)
	}
	return next, total, nil
}

// count is exact up to countUpTo and -1 beyond, so that it costs the same on any table.
func (d data) count(ctx context.Context, c *collection, from source) (int64, error) {
	total, err := d.db.CountUpTo(ctx, "", countUpTo, from.sql(), from.where.args...)
	if err != nil {
		return -1, fmt.Errorf("count %s: %w", c.table, err)
	}
	return total, nil
}

func quoteAll(columns []*Column) string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = "`" + column.GetName() + "`"
	}
	return strings.Join(names, ",")
}

func mistake(format string, args ...any) error {
	return fault.New(fault.Invalid, "plugin.query", "插件的查询有误，请联系插件作者").Because(fmt.Errorf(format, args...))
}

// projection is the wanted columns; id and the sort column always come along, for the cursor.
func (c *collection) projection(names []string, sortColumn string) ([]*Column, error) {
	if len(names) == 0 {
		return c.columns, nil
	}
	wanted := map[string]bool{"id": true, sortColumn: true}
	for _, name := range names {
		if !c.has(name) {
			return nil, mistake("no column %q in %s", name, c.name)
		}
		wanted[name] = true
	}
	var columns []*Column
	for _, column := range c.columns {
		if wanted[column.GetName()] {
			columns = append(columns, column)
		}
	}
	return columns, nil
}

// search is find for a table on a screen, with the text of its search box.
func (d data) search(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest, text string) (TablePage, error) {
	request.Search = text
	page := TablePage{Rows: make([]Row, 0, defaultLimit)}
	var columns []string
	var err error
	page.Next, page.Total, err = d.each(ctx, a, c, request, func(s *scanner) {
		if columns == nil {
			columns = s.names()
		}
		page.Rows = append(page.Rows, Row{columns, s.cells()})
	})
	return page, err
}
