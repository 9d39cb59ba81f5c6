package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Filter narrows a listing; zero fields do not.
type Filter struct {
	SpaceID   int64    // acts of members of this space
	AppIDs    []string // or acts on these mini programs, whoever acted
	AccountID int64    // acts of this account
	Actor     string   // acts of whom this text names in part
	AppID     string
	Act       string // exact, or a family that ends in a dot: wechat.
	Object    string // part of the object
	Outcome   string // OK or Failed
	RID       string
	RequestID string
	From, To  int64 // Unix milliseconds; To not included
	Cursor    int64 // entries older than this id
	Limit     int   // 1…100, default 20
}

// row is an entry as the database gives it.
type row struct {
	Entry
	ChangesText string
}

const columns = "id, at, account_id, space_id, actor, plugin, component, appid, act, object, outcome, errcode, rid, request_id, detail, duration_ms, via, via_id, via_name, " +
	"behalf, behalf_space_id, COALESCE(changes,'') AS changes_text, COALESCE(seq,0) AS seq, COALESCE(hash,'') AS hash"

func (r row) entry() (Entry, error) {
	if r.ChangesText != "" {
		if err := json.Unmarshal([]byte(r.ChangesText), &r.Changes); err != nil {
			return r.Entry, fmt.Errorf("trail: changes of %d: %w", r.ID, err)
		}
	}
	return r.Entry, nil
}

// where writes the filter as SQL.
func (f Filter) where() (string, []any) {
	parts, args := []string{"1=1"}, []any{}
	add := func(cond string, a ...any) { parts, args = append(parts, cond), append(args, a...) }
	switch {
	case f.SpaceID != 0 && len(f.AppIDs) > 0:
		add("(space_id=? OR appid IN (?))", f.SpaceID, f.AppIDs)
	case f.SpaceID != 0:
		add("space_id=?", f.SpaceID)
	}
	for _, c := range []struct{ column, value string }{
		{"appid", f.AppID}, {"outcome", f.Outcome}, {"rid", f.RID}, {"request_id", f.RequestID},
	} {
		if c.value != "" {
			add(c.column+"=?", c.value)
		}
	}
	if f.AccountID != 0 {
		add("account_id=?", f.AccountID)
	}
	if strings.HasSuffix(f.Act, ".") {
		add("act>=? AND act<?", f.Act, strings.TrimSuffix(f.Act, ".")+"/") // '/' follows '.'
	} else if f.Act != "" {
		add("act=?", f.Act)
	}
	// INSTR looks for text as it stands: nothing in it is a pattern.
	if f.Actor != "" {
		add("INSTR(actor,?)>0", f.Actor)
	}
	if f.Object != "" {
		add("INSTR(object,?)>0", f.Object)
	}
	if f.From != 0 {
		add("at>=?", f.From)
	}
	if f.To != 0 {
		add("at<?", f.To)
	}
	if f.Cursor > 0 {
		add("id<?", f.Cursor)
	}
	return strings.Join(parts, " AND "), args
}

// List gives entries, newest first, and the cursor of the next page (0 at the end).
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, int64, error) {
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	out, err := l.page(ctx, f, f.Limit+1)
	if err != nil || len(out) <= f.Limit {
		return out, 0, err
	}
	return out[:f.Limit], out[f.Limit-1].ID, nil
}

func (l *Log) page(ctx context.Context, f Filter, limit int) ([]Entry, error) {
	where, args := f.where()
	var rows []row
	if err := l.db.All(ctx, &rows, "SELECT "+columns+" FROM trail WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...); err != nil {
		return nil, fmt.Errorf("trail: list: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.entry(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// listedMost is where counting stops: beyond it a screen says 10,000+.
const listedMost = 10001

// Count tells how many entries fit, at most 10,001.
func (l *Log) Count(ctx context.Context, f Filter) (int64, error) {
	f.Cursor = 0
	where, args := f.where()
	n, err := l.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE "+where+" LIMIT ?) found", append(args, listedMost)...)
	if err != nil {
		return 0, fmt.Errorf("trail: count: %w", err)
	}
	return n, nil
}

// Get finds one entry among those the filter allows.
func (l *Log) Get(ctx context.Context, f Filter, id int64) (Entry, error) {
	where, args := f.where()
	var r row
	found, err := l.db.One(ctx, &r, "SELECT "+columns+" FROM trail WHERE id=? AND "+where, append([]any{id}, args...)...)
	if err != nil {
		return Entry{}, fmt.Errorf("trail: get %d: %w", id, err)
	}
	if !found {
		return Entry{}, fault.New(fault.NotFound, "entry_not_found", "没有找到这条操作记录")
	}
	return r.entry()
}

// scanPage is how many entries a Scan holds at once.
const scanPage = 500

// Scan calls each for every entry that fits, newest first, in pages, so that an export of any length needs little memory.
// An error of each ends it and comes back.
func (l *Log) Scan(ctx context.Context, f Filter, each func(Entry) error) error {
	for {
		entries, err := l.page(ctx, f, scanPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := each(e); err != nil {
				return err
			}
		}
		if len(entries) < scanPage {
			return nil
		}
		f.Cursor = entries[scanPage-1].ID
	}
}

// millis is the present in the database's form.
func (l *Log) millis() int64 { return clock.Millis(l.clk.Now()) }
