package store

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// SQLite's reads outside a transaction go through connections of their own that keep their statements prepared: the driver
// that GoFrame brings parses each statement anew, which was a quarter of a list page's CPU.

// maxPrepared bounds the statements that one connection keeps; queries made of a person's conditions come in many shapes.
const maxPrepared = 100

// errReaderClosed answers reads after Close.
var errReaderClosed = errors.New("the database is closed")

// lite is a pool of reading connections, the one used last first, so that few of them know most statements.
type lite struct {
	path  string
	slots chan struct{}

	mu     sync.Mutex
	idle   []*liteConn
	closed bool
}

func newLite(path string, readers int) *lite {
	return &lite{path: path, slots: make(chan struct{}, readers)}
}

// take waits for a free connection, or for ctx.
func (l *lite) take(ctx context.Context) (*liteConn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.slots
		return nil, errReaderClosed
	}
	if n := len(l.idle); n > 0 {
		c := l.idle[n-1]
		l.idle = l.idle[:n-1]
		l.mu.Unlock()
		return c, nil
	}
	l.mu.Unlock()
	c, err := openLite(l.path)
	if err != nil {
		<-l.slots
	}
	return c, err
}

// put gives a connection back; one that a closed pool gets back is closed.
func (l *lite) put(c *liteConn) error {
	defer func() { <-l.slots }()
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.idle = append(l.idle, c)
	}
	l.mu.Unlock()
	if closed {
		return c.close()
	}
	return nil
}

func (l *lite) close() error {
	l.mu.Lock()
	idle := l.idle
	l.idle, l.closed = nil, true
	l.mu.Unlock()
	var err error
	for _, c := range idle {
		err = errors.Join(err, c.close())
	}
	return err
}

// liteConn is one connection with the statements it has prepared, the one used last in front.
type liteConn struct {
	conn  *sqlite.Conn
	known map[string]*list.Element // of *liteStmt
	order *list.List
}

type liteStmt struct {
	query   string
	stmt    *sqlite.Stmt
	columns []string
	once    bool // not kept
}

func openLite(path string) (*liteConn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(15 * time.Second)
	c := &liteConn{conn: conn, known: map[string]*list.Element{}, order: list.New()}
	s, err := c.prepare("PRAGMA query_only=1")
	if err == nil {
		_, err = s.stmt.Step()
	}
	if err == nil {
		err = s.stmt.Reset()
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *liteConn) prepare(query string) (*liteStmt, error) {
	once := starred(query)
	if once {
		if err := c.refresh(); err != nil {
			return nil, err
		}
	}
	if e, ok := c.known[query]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*liteStmt), nil
	}
	stmt, trailing, err := c.conn.PrepareTransient(query)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(query[len(query)-trailing:]) != "" {
		return nil, errors.Join(errors.New("more than one statement"), stmt.Finalize())
	}
	s := &liteStmt{query: query, stmt: stmt, columns: make([]string, stmt.ColumnCount()), once: once}
	for i := range s.columns {
		s.columns[i] = stmt.ColumnName(i)
	}
	if once {
		return s, nil
	}
	c.known[query] = c.order.PushFront(s)
	if c.order.Len() > maxPrepared {
		oldest := c.order.Remove(c.order.Back()).(*liteStmt)
		delete(c.known, oldest.query)
		if err := oldest.stmt.Finalize(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// starred reports whether a query may ask for all columns. What those are changes with the table, while a kept statement
// names those of before.
func starred(query string) bool {
	for i := range len(query) {
		if query[i] == '*' && (i == 0 || query[i-1] != '(') {
			return true
		}
	}
	return false
}

// refresh makes the connection see the tables as they are now: SQLite looks for a change only when a statement runs, after
// its columns were named.
func (c *liteConn) refresh() error {
	s, err := c.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")
	if err != nil {
		return err
	}
	_, err = s.stmt.Step()
	return errors.Join(err, s.stmt.Reset())
}

func (c *liteConn) close() error {
	var err error
	for e := c.order.Front(); e != nil; e = e.Next() {
		err = errors.Join(err, e.Value.(*liteStmt).stmt.Finalize())
	}
	return errors.Join(err, c.conn.Close())
}

// bounded writes a bound at the end of a query into it: SQLite plans a statement anew at each run when its LIMIT is a mark,
// because a mark's value decides the plan.
func bounded(query string, args []any) (string, []any) {
	head, found := strings.CutSuffix(query, " LIMIT ?")
	if !found || len(args) == 0 {
		return query, args
	}
	switch n := args[len(args)-1].(type) {
	case int:
		return head + " LIMIT " + strconv.Itoa(n), args[:len(args)-1]
	case int64:
		return head + " LIMIT " + strconv.FormatInt(n, 10), args[:len(args)-1]
	}
	return query, args
}

// query runs one statement. Its rows hold the connection until they are closed.
func (l *lite) query(ctx context.Context, query string, args []any) (Rows, error) {
	query, args = bounded(query, args)
	c, err := l.take(ctx)
	if err != nil {
		return nil, err
	}
	c.conn.SetInterrupt(ctx.Done())
	r := &liteRows{pool: l, conn: c, ctx: ctx}
	r.stmt, err = c.prepare(query)
	if err == nil && r.stmt.stmt.BindParamCount() != len(args) {
		err = fmt.Errorf("%d arguments for %d marks", len(args), r.stmt.stmt.BindParamCount())
	}
	for i := 0; err == nil && i < len(args); i++ {
		err = bind(r.stmt.stmt, i+1, args[i])
	}
	if err != nil {
		return nil, errors.Join(r.explain(err), r.Close())
	}
	return r, nil
}

// bind sets one mark as database/sql would.
func bind(s *sqlite.Stmt, at int, arg any) error {
	v, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		s.BindNull(at)
	case int64:
		s.BindInt64(at, v)
	case float64:
		s.BindFloat(at, v)
	case bool:
		s.BindBool(at, v)
	case string:
		s.BindText(at, v)
	case []byte:
		s.BindBytes(at, v)
	default:
		return fmt.Errorf("a %T cannot be an argument", arg)
	}
	return nil
}

// liteRows walks what a statement gives.
type liteRows struct {
	pool *lite
	conn *liteConn
	stmt *liteStmt
	ctx  context.Context
	// ended says that there is no other row.
	ended bool
	err   error
}

func (r *liteRows) Columns() ([]string, error) { return r.stmt.columns, nil }

func (r *liteRows) Next() bool {
	if r.ended || r.conn == nil {
		return false
	}
	more, err := r.stmt.stmt.Step()
	r.err = r.explain(err)
	r.ended = !more || err != nil
	return !r.ended
}

// explain tells an interruption by the reason of ctx.
func (r *liteRows) explain(err error) error {
	if err != nil && r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return err
}

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Scan(into ...any) error {
	if len(into) != len(r.stmt.columns) {
		return fmt.Errorf("%d destinations for %d columns", len(into), len(r.stmt.columns))
	}
	for i, to := range into {
		if err := r.scan(i, to); err != nil {
			return err
		}
	}
	return nil
}

func (r *liteRows) scan(i int, to any) error {
	s := r.stmt.stmt
	kind := s.ColumnType(i)
	switch to := to.(type) {
	case *cell:
		return to.fromLite(s, i, kind)
	case *sql.NullString:
		to.Valid = kind != sqlite.TypeNull
		to.String = s.ColumnText(i)
		return nil
	case *sql.NullInt64:
		if kind == sqlite.TypeInteger || kind == sqlite.TypeNull {
			to.Valid, to.Int64 = kind != sqlite.TypeNull, s.ColumnInt64(i)
			return nil
		}
		return to.Scan(liteValue(s, i, kind))
	case *string:
		*to = s.ColumnText(i)
		return nil
	case *int64:
		n, err := integer(liteValue(s, i, kind))
		*to = n
		return err
	case sql.Scanner:
		return to.Scan(liteValue(s, i, kind))
	default:
		return fmt.Errorf("column %s cannot be read into a %T", r.stmt.columns[i], to)
	}
}

// liteValue is a column as database/sql's drivers give it.
func liteValue(s *sqlite.Stmt, i int, kind sqlite.ColumnType) any {
	switch kind {
	case sqlite.TypeInteger:
		return s.ColumnInt64(i)
	case sqlite.TypeFloat:
		return s.ColumnFloat(i)
	case sqlite.TypeText:
		return s.ColumnText(i)
	case sqlite.TypeBlob:
		var b []byte // nil when it is empty, as the driver gives it
		if n := s.ColumnLen(i); n > 0 {
			b = make([]byte, n)
			s.ColumnBytes(i, b)
		}
		return b
	default:
		return nil
	}
}

// Close resets the statement and gives the connection back.
func (r *liteRows) Close() error {
	if r.conn == nil {
		return nil
	}
	c := r.conn
	r.conn = nil
	var err error
	if r.stmt != nil {
		// Both repeat the error of the last step, which Err has told.
		if r.stmt.once {
			_ = r.stmt.stmt.Finalize()
		} else {
			_ = r.stmt.stmt.Reset()
			err = r.stmt.stmt.ClearBindings()
		}
	}
	c.conn.SetInterrupt(nil)
	return errors.Join(err, r.pool.put(c))
}
