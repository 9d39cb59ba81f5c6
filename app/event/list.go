package event

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// States of an event as a whole, for lists and filters.
const (
	StateWaiting = "waiting" // not yet delivered to everybody
	StateDone    = "done"    // delivered to everybody who takes it
	StateDead    = "dead"    // somebody gave up on it
	StateInert   = "inert"   // stored without effect
)

// Filter narrows List. Zero fields do not narrow.
type Filter struct {
	Component  string
	AppID      string
	Type       string   // exact, or a prefix followed by '*'
	Source     string   // exact
	State      string   // State…
	From, To   int64    // received_at in unix milliseconds, From included, To not
	Components []string // only events of these components; nil = all, empty = none. What a space may see goes here
	Oldest     bool     // oldest first: the walk from the end of the list
	Cursor     string   // "" for the first page, else what List gave as next, in the same order
	Limit      int      // 1 to 200, default 50
}

// Row is one event in a list, without payload.
type Row struct {
	ID         int64
	Type       string
	Source     string
	Component  string
	AppID      string
	SpaceID    int64
	Subject    string
	URLKind    string
	CreateTime int64  // unix seconds
	ReceivedAt int64  // unix milliseconds
	State      string // State…
	Waiting    int    // deliveries still to be made
	Done       int
	Dead       int
}

// Detail is one event with its payload in clear: show Mask(Payload), never Payload.
type Detail struct {
	Row
	Payload    []byte
	Raw        []byte // as it was received: query, line break, cipher text; nil for what never was encrypted
	Deliveries []Delivery
}

// Delivery tells how one subscriber fares with an event.
type Delivery struct {
	Subscriber string
	State      string // StateWaiting, StateDone or StateDead
	Attempts   int
	LastError  string
	UpdatedAt  int64 // unix milliseconds, wall time
}

// ErrCursor says that a cursor was not made by List.
var ErrCursor = errors.New("event: bad cursor")

// normal brings a filter into the one form that List and Total read. None says that nothing can be found.
func (f Filter) normal() (_ Filter, none bool) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	if f.Components != nil && f.Component != "" {
		if !slices.Contains(f.Components, f.Component) {
			return f, true
		}
		f.Components = nil
	}
	if f.Components != nil {
		mine := slices.DeleteFunc(slices.Clone(f.Components), func(c string) bool { return c == "" }) // events of no component belong to the platform
		slices.Sort(mine)
		if f.Components = slices.Compact(mine); len(f.Components) == 0 {
			return f, true
		}
	}
	return f, false
}

// List gives a page of events, newest first unless f.Oldest, and the cursor of the next page, "" at the end.
func (l *Log) List(ctx context.Context, f Filter) (rows []Row, next string, err error) {
	f, none := f.normal()
	beyond := idle
	if f.Oldest {
		beyond = 0
	}
	if f.Cursor != "" {
		if beyond, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil || beyond <= 0 {
			return nil, "", ErrCursor
		}
	}
	switch {
	case none:
		return nil, "", nil
	case f.Components == nil:
		rows, err = l.page(ctx, f, beyond)
	default:
		rows, err = l.mergedPage(ctx, f, beyond)
	}
	if err != nil {
		return nil, "", fmt.Errorf("event: list: %w", err)
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	return rows, next, l.countDeliveries(ctx, rows)
}

// TotalMost is up to which number Total is exact.
const TotalMost = 10_000

// Total tells how many events List would give in all; -1 means more than TotalMost.
func (l *Log) Total(ctx context.Context, f Filter) (int64, error) {
	f, none := f.normal()
	if none {
		return 0, nil
	}
	f.Oldest = false
	where, args, err := l.where(ctx, f, idle)
	if err != nil {
		return 0, fmt.Errorf("event: total: %w", err)
	}
	if f.Components != nil {
		where, args = where+" AND component IN (?)", append(args, f.Components)
	}
	n, err := l.opts.DB.CountUpTo(ctx, "", TotalMost, "event_log WHERE "+where, args...)
	if err != nil {
		return 0, fmt.Errorf("event: total: %w", err)
	}
	return n, nil
}

// mergedPage asks once per component, so that each question walks one index from its end, and merges the answers.
func (l *Log) mergedPage(ctx context.Context, f Filter, beyond int64) ([]Row, error) {
	var all []Row
	for _, c := range f.Components {
		one := f
		one.Component = c
		rows, err := l.page(ctx, one, beyond)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b Row) int {
		if f.Oldest {
			return cmp.Compare(a.ID, b.ID)
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return all[:min(len(all), f.Limit+1)], nil
}

// page reads up to Limit+1 rows below the id beyond, or above it when the oldest come first.
func (l *Log) page(ctx context.Context, f Filter, beyond int64) ([]Row, error) {
	order := " ORDER BY id DESC LIMIT ?"
	if f.Oldest {
		order = " ORDER BY id LIMIT ?"
	}
	where, args, err := l.where(ctx, f, beyond)
	if err != nil {
		return nil, err
	}
	res, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT id,type,source,component,appid,space_id,subject,url_kind,create_time,received_at,fanned_out FROM event_log WHERE "+
		where+order, append(args, f.Limit+1)...)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var rows []Row
	for res.Next() {
		r, err := scanRow(res.Scan)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, res.Err()
}

func scanRow(scan func(...any) error, more ...any) (Row, error) {
	var r Row
	var fannedOut int
	err := scan(append([]any{&r.ID, &r.Type, &r.Source, &r.Component, &r.AppID, &r.SpaceID, &r.Subject, &r.URLKind, &r.CreateTime, &r.ReceivedAt, &fannedOut}, more...)...)
	switch fannedOut {
	case fanWaiting:
		r.State = StateWaiting
	case fanNever:
		r.State = StateInert
	default:
		r.State = StateDone
	}
	return r, err
}

func (l *Log) where(ctx context.Context, f Filter, beyond int64) (string, []any, error) {
	parts, args := []string{"id<?"}, []any{beyond}
	if f.Oldest {
		parts[0] = "id>?"
	}
	add := func(sql string, a ...any) { parts = append(parts, sql); args = append(args, a...) }
	if f.Component != "" {
		add("component=?", f.Component)
	}
	if f.AppID != "" {
		add("appid=?", f.AppID)
	}
	if f.Source != "" {
		add("source=?", f.Source)
	}
	if prefix, any := strings.CutSuffix(f.Type, "*"); any {
		add("type>=? AND type<?", prefix, prefix+"\U0010FFFF")
	} else if f.Type != "" {
		add("type=?", f.Type)
	}
	if f.From != 0 {
		id, err := l.firstSince(ctx, f.From)
		if err != nil {
			return "", nil, err
		}
		add("id>=? AND received_at>=?", id, f.From)
	}
	if f.To != 0 {
		id, err := l.firstSince(ctx, f.To)
		if err != nil {
			return "", nil, err
		}
		add("id<?", id)
	}
	switch f.State {
	case "":
	case StateInert:
		add("fanned_out=2")
	case StateDead:
		add("id IN (SELECT event_id FROM event_delivery WHERE state=2)")
	case StateWaiting:
		add("(fanned_out=0 OR id IN (SELECT event_id FROM event_delivery WHERE state=0))")
	case StateDone:
		add("fanned_out=1 AND id NOT IN (SELECT event_id FROM event_delivery WHERE state=0 OR state=2)")
	default:
		return "", nil, fmt.Errorf("unknown state %q", f.State)
	}
	return strings.Join(parts, " AND "), args, nil
}

// firstSince finds by bisection the smallest id received at or after t. Ids and arrival both grow, so 62 looks into the
// primary key are enough however many events there are.
func (l *Log) firstSince(ctx context.Context, t int64) (int64, error) {
	low, high := int64(0), idle // the answer lies in (low, high]
	for low < high {
		middle := low + (high-low)/2
		var id, at int64
		err := l.opts.DB.Reader().QueryRowContext(ctx, "SELECT id,received_at FROM event_log WHERE id>=? ORDER BY id LIMIT 1", middle).Scan(&id, &at)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && at >= t:
			high = middle
		case err != nil:
			return 0, err
		default:
			low = id + 1
		}
	}
	return low, nil
}

// countDeliveries fills the counters and the final state of a page with one question.
func (l *Log) countDeliveries(ctx context.Context, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	index, args := map[int64]int{}, make([]any, len(rows))
	for i, r := range rows {
		index[r.ID], args[i] = i, r.ID
	}
	res, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT event_id,state,COUNT(*) FROM event_delivery WHERE event_id IN ("+marks(len(args))+") GROUP BY event_id,state", args...)
	if err != nil {
		return fmt.Errorf("event: count deliveries: %w", err)
	}
	defer res.Close()
	for res.Next() {
		var id int64
		var state, n int
		if err := res.Scan(&id, &state, &n); err != nil {
			return fmt.Errorf("event: count deliveries: %w", err)
		}
		r := &rows[index[id]]
		switch state {
		case statePending:
			r.Waiting = n
		case stateDone:
			r.Done = n
		case stateDead:
			r.Dead = n
		}
	}
	for i := range rows {
		switch r := &rows[i]; {
		case r.Dead > 0:
			r.State = StateDead
		case r.Waiting > 0:
			r.State = StateWaiting
		}
	}
	return res.Err()
}

// Get gives one event with its opened payload and its deliveries. Error: ErrNotFound.
func (l *Log) Get(ctx context.Context, id int64) (Detail, error) {
	var d Detail
	var sealed []byte
	r, err := scanRow(l.opts.DB.Reader().QueryRowContext(ctx,
		"SELECT id,type,source,component,appid,space_id,subject,url_kind,create_time,received_at,fanned_out,payload,raw FROM event_log WHERE id=?", id).Scan, &sealed, &d.Raw)
	if errors.Is(err, sql.ErrNoRows) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, fmt.Errorf("event: get %d: %w", id, err)
	}
	one := []Row{r}
	if err := l.countDeliveries(ctx, one); err != nil {
		return d, err
	}
	d.Row = one[0]
	if d.Payload, err = l.opts.Sealer.Open(purpose, sealed); err != nil {
		return d, fmt.Errorf("event: open payload of %d: %w", id, err)
	}
	d.Deliveries, err = l.Deliveries(ctx, id)
	return d, err
}

// Deliveries tells how every subscriber fares with an event, by name.
func (l *Log) Deliveries(ctx context.Context, id int64) ([]Delivery, error) {
	res, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT subscriber,state,attempts,last_error,updated_at FROM event_delivery WHERE event_id=? ORDER BY subscriber", id)
	if err != nil {
		return nil, fmt.Errorf("event: deliveries of %d: %w", id, err)
	}
	defer res.Close()
	var list []Delivery
	for res.Next() {
		var d Delivery
		var state int
		if err := res.Scan(&d.Subscriber, &state, &d.Attempts, &d.LastError, &d.UpdatedAt); err != nil {
			return nil, fmt.Errorf("event: deliveries of %d: %w", id, err)
		}
		d.State = [...]string{statePending: StateWaiting, stateDone: StateDone, stateDead: StateDead}[state]
		list = append(list, d)
	}
	return list, res.Err()
}
