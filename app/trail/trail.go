// Package trail is the operation log: who did what on whose behalf, to what, and what WeChat answered.
// It is append-only and decides nothing. Rooms that act record here; the owner of a mini program reads here.
package trail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
)

// Outcomes of an act.
const (
	OK     = "ok"
	Failed = "failed"
)

// Entry is one act. Texts are cut to the column's width; Detail is free text without secrets.
type Entry struct {
	ID         int64  `json:"id,string"`
	At         int64  `json:"at"` // Unix milliseconds, platform time
	AccountID  int64  `json:"account_id,string"`
	SpaceID    int64  `json:"space_id,string"`
	Actor      string `json:"actor"`
	Plugin     string `json:"plugin,omitempty"`
	Component  string `json:"component,omitempty"`
	AppID      string `json:"appid,omitempty" orm:"appid"`
	Act        string `json:"act"`
	Object     string `json:"object,omitempty"`
	Outcome    string `json:"outcome"`
	ErrCode    int    `json:"errcode,omitempty" orm:"errcode"`
	RID        string `json:"rid,omitempty" orm:"rid"`
	RequestID  string `json:"request_id,omitempty"`
	Detail     string `json:"detail,omitempty"`
	DurationMS int64  `json:"duration_ms" orm:"duration_ms"`
}

// Log writes and reads the trail.
type Log struct {
	db  *store.DB
	clk clock.Clock
}

// New makes a Log; nothing is written yet.
func New(db *store.DB, clk clock.Clock) *Log { return &Log{db: db, clk: clk} }

// Record appends an entry. ID and At are set here when zero. Inside a transaction it stands or falls with it.
func (l *Log) Record(ctx context.Context, e Entry) error {
	if e.ID == 0 {
		e.ID = l.db.NewID()
	}
	if e.At == 0 {
		e.At = clock.Millis(l.clk.Now())
	}
	if e.Outcome == "" {
		e.Outcome = OK
	}
	if e.RequestID == "" {
		e.RequestID = RequestID(ctx)
	}
	err := l.db.Insert(ctx, "trail", map[string]any{
		"id": e.ID, "at": e.At, "account_id": e.AccountID, "space_id": e.SpaceID,
		"actor": cut(e.Actor, 120), "plugin": cut(e.Plugin, 64), "component": cut(e.Component, 32), "appid": cut(e.AppID, 32),
		"act": cut(e.Act, 96), "object": cut(e.Object, 190), "outcome": e.Outcome, "errcode": e.ErrCode,
		"rid": cut(e.RID, 64), "request_id": cut(e.RequestID, 64), "detail": cut(e.Detail, 4000), "duration_ms": e.DurationMS,
	})
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return nil
}

// Filter narrows a listing; zero fields do not.
type Filter struct {
	SpaceID int64    // acts of members of this space
	AppIDs  []string // or acts on these mini programs, whoever acted
	AppID   string
	Act     string
	Outcome string
	Cursor  int64 // entries older than this id
	Limit   int   // 1…100, default 20
}

// List gives entries, newest first, and the cursor of the next page (0 at the end).
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, int64, error) {
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	where, args := []string{"1=1"}, []any{}
	add := func(cond string, a ...any) { where, args = append(where, cond), append(args, a...) }
	switch {
	case f.SpaceID != 0 && len(f.AppIDs) > 0:
		add("(space_id=? OR appid IN (?))", f.SpaceID, f.AppIDs)
	case f.SpaceID != 0:
		add("space_id=?", f.SpaceID)
	}
	if f.AppID != "" {
		add("appid=?", f.AppID)
	}
	if f.Act != "" {
		add("act=?", f.Act)
	}
	if f.Outcome != "" {
		add("outcome=?", f.Outcome)
	}
	if f.Cursor > 0 {
		add("id<?", f.Cursor)
	}
	var rows []Entry
	err := l.db.All(ctx, &rows, "SELECT * FROM trail WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("trail: list: %w", err)
	}
	if len(rows) <= f.Limit {
		return rows, 0, nil
	}
	rows = rows[:f.Limit]
	return rows, rows[f.Limit-1].ID, nil
}

// Prune removes entries older than before. The operator chooses how long to keep them.
func (l *Log) Prune(ctx context.Context, before time.Time) (int64, error) {
	return l.db.Exec(ctx, "DELETE FROM trail WHERE at<?", clock.Millis(before))
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

type requestKey struct{}

// WithRequestID notes the id of the HTTP request that an act belongs to.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id noted by WithRequestID, or empty.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
