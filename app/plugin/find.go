package plugin

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
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
	page.next, page.total, err = d.each(ctx, a, c, request, everything, func(s *scanner) error {
		page.rows = append(page.rows, s.json())
		return nil
	})
	return page, err
}

// each hands the rows of one page to take. The total is -1 when it is unknown.
func (d data) each(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest, and predicate, take func(*scanner) error) (next string, total int64, err error) {
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
	where := visible(a, c, d.apps, false).and(and)
	for _, condition := range request.GetWhere() {
		wanted, err := c.condition(condition)
		if err != nil {
			return "", total, err
		}
		where = where.and(wanted)
	}
	if request.GetCount() {
		if total, err = d.count(ctx, c, where); err != nil {
			return "", total, err
		}
	}
	if request.GetCursor() != "" {
		after, err := order.after(request.GetCursor())
		if err != nil {
			return "", total, err
		}
		where = where.and(after)
	}
	query := "SELECT " + quoteAll(columns) + " FROM `" + c.table + "` WHERE " + where.sql + " ORDER BY " + order.sql() + " LIMIT " + strconv.Itoa(limit+1)
	rows, err := d.db.Query(ctx, query, where.args...)
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
		if err := take(scanner); err != nil {
			return "", total, err
		}
	}
	if err := rows.Err(); err != nil {
		return "", total, fmt.Errorf("find in %s: %w", c.table, err)
	}
	return next, total, nil
}

// count is exact up to countUpTo and -1 beyond, so that it costs the same on any table.
func (d data) count(ctx context.Context, c *collection, where predicate) (int64, error) {
	total, err := d.db.CountUpTo(ctx, "", countUpTo, "`"+c.table+"` WHERE "+where.sql, where.args...)
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

var comparisons = map[string]string{"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

func (c *collection) condition(w *pluginpb.Where) (predicate, error) {
	column := c.byName[w.GetColumn()]
	if column == nil || column.GetType() == "json" {
		return nothing, mistake("no comparable column %q in %s", w.GetColumn(), c.name)
	}
	if len(w.GetValues()) > maxIn {
		return nothing, mistake("more than %d values for %s", maxIn, w.GetColumn())
	}
	free := &Column{Name: column.GetName(), Type: column.GetType(), Size: 1024}
	values := make([]any, len(w.GetValues()))
	for i, raw := range w.GetValues() {
		converted, err := value(free, raw)
		if err != nil {
			return nothing, mistake("value for %s: %v", w.GetColumn(), err)
		}
		values[i] = converted
	}
	name := "`" + column.GetName() + "`"
	if w.GetOp() == "in" {
		if len(values) == 0 {
			return nothing, nil
		}
		return predicate{name + " IN (" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")", values}, nil
	}
	if len(values) != 1 {
		return nothing, mistake("%s takes one value, got %d", w.GetOp(), len(values))
	}
	if sign, ok := comparisons[w.GetOp()]; ok {
		return predicate{name + sign + "?", values}, nil
	}
	if text, isText := values[0].(string); w.GetOp() == "like" && isText {
		return contains(column.GetName(), text), nil
	}
	return nothing, mistake("unknown comparison %q of %s", w.GetOp(), w.GetColumn())
}

// contains searches a part, with LIKE's wildcards taken literally.
func contains(column, part string) predicate {
	literal := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(part)
	return predicate{"`" + column + "` LIKE ? ESCAPE '!'", []any{"%" + literal + "%"}}
}

// order is a column and a direction; id breaks ties.
type order struct {
	column     string
	kind       string
	descending bool
	text       string // as asked, part of the cursor
}

func (c *collection) order(text string) (order, error) {
	if text == "" {
		text = "-id"
	}
	name, descending := strings.CutPrefix(text, "-")
	if !c.sortable[name] {
		return order{}, mistake("%s cannot be sorted by %q: declare an index", c.name, name)
	}
	if name == "created_at" { // ids grow with time
		name = "id"
	}
	return order{column: name, kind: c.byName[name].GetType(), descending: descending, text: text}, nil
}

func (o order) sql() string {
	direction := " ASC"
	if o.descending {
		direction = " DESC"
	}
	if o.column == "id" {
		return "`id`" + direction
	}
	return "`" + o.column + "`" + direction + ",`id`" + direction
}

type cursorKey struct {
	Sort  string `json:"s"`
	Text  string `json:"t,omitempty"`
	Value int64  `json:"v,omitempty"`
	ID    int64  `json:"i"`
}

// cursor points behind the row that scanner holds. It is not secret: visibility is checked again on the next page.
func (o order) cursor(s *scanner) string {
	key := cursorKey{Sort: o.text}
	for i, column := range s.columns {
		if column.GetName() == "id" {
			key.ID = s.numbers[i].Int64
		}
		if column.GetName() == o.column {
			key.Text, key.Value = s.texts[i].String, s.numbers[i].Int64
		}
	}
	encoded, err := json.Marshal(key)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func (o order) after(cursor string) (predicate, error) {
	var key cursorKey
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &key)
	}
	if err != nil || key.Sort != o.text {
		return nothing, fault.New(fault.Invalid, "plugin.cursor", "分页位置已失效，请从第一页重新开始").Because(err)
	}
	sign := ">"
	if o.descending {
		sign = "<"
	}
	if o.column == "id" {
		return predicate{"`id`" + sign + "?", []any{key.ID}}, nil
	}
	var at any = key.Value
	if o.kind == "text" {
		at = key.Text
	}
	name := "`" + o.column + "`"
	return predicate{name + sign + "=? AND (" + name + sign + "? OR `id`" + sign + "?)", []any{at, at, key.ID}}, nil
}

// scanner reads rows of known column types and writes them as JSON.
type scanner struct {
	columns []*Column
	texts   []sql.NullString
	numbers []sql.NullInt64
	targets []any
}

func newScanner(columns []*Column) *scanner {
	s := &scanner{
		columns: columns, texts: make([]sql.NullString, len(columns)), numbers: make([]sql.NullInt64, len(columns)),
		targets: make([]any, len(columns)),
	}
	for i, column := range columns {
		switch column.GetType() {
		case "text", "longtext", "json":
			s.targets[i] = &s.texts[i]
		default:
			s.targets[i] = &s.numbers[i]
		}
	}
	return s
}

func (s *scanner) json() []byte {
	var row bytes.Buffer
	row.WriteByte('{')
	for i, column := range s.columns {
		if i > 0 {
			row.WriteByte(',')
		}
		row.WriteString(`"` + column.GetName() + `":`)
		switch column.GetType() {
		case "text", "longtext":
			row.Write(jsonText(s.texts[i].String))
		case "json":
			if s.texts[i].String == "" {
				row.WriteString("null")
			} else {
				row.WriteString(s.texts[i].String)
			}
		case "bool":
			row.WriteString(strconv.FormatBool(s.numbers[i].Int64 != 0))
		default:
			row.WriteString(strconv.FormatInt(s.numbers[i].Int64, 10))
		}
	}
	row.WriteByte('}')
	return row.Bytes()
}

// values is the row that json writes, without the way through its text.
func (s *scanner) values() (map[string]any, error) {
	row := make(map[string]any, len(s.columns))
	for i, column := range s.columns {
		name := column.GetName()
		switch column.GetType() {
		case "text", "longtext":
			row[name] = s.texts[i].String
		case "json":
			value, err := decodeValue(s.texts[i].String)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
			row[name] = value
		case "bool":
			row[name] = s.numbers[i].Int64 != 0
		default:
			row[name] = json.Number(strconv.FormatInt(s.numbers[i].Int64, 10))
		}
	}
	return row, nil
}

func decodeValue(text string) (value any, err error) {
	if text == "" {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

func jsonText(text string) []byte {
	encoded, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`)
	}
	return encoded
}

// search is find for a table on a screen, with one more condition: a text that occurs in any of the columns flagged search.
func (d data) search(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest, text string) (TablePage, error) {
	where := everything
	if text = strings.TrimSpace(text); text != "" {
		where = nothing
		for _, column := range c.columns {
			if column.GetSearch() && (column.GetType() == "text" || column.GetType() == "longtext") {
				where = where.or(contains(column.GetName(), text))
			}
		}
	}
	page := TablePage{Rows: make([]map[string]any, 0, defaultLimit)}
	var err error
	page.Next, page.Total, err = d.each(ctx, a, c, request, where, func(s *scanner) error {
		row, err := s.values()
		page.Rows = append(page.Rows, row)
		return err
	})
	return page, err
}
