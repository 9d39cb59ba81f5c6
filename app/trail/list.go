package trail

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Filter narrows a listing; zero fields do not.
type Filter struct {
	SpaceID   int64    // acts of members of this space
	Behalf    bool     // and what other spaces' members did for it
	Only      []string // only these mini programs, and acts on none; nil = all
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
	Oldest    bool  // from the other end: the oldest first, and Cursor is what they are newer than
	Limit     int   // 1…100, default 20

	behalfOf int64 // the second half of Behalf
}

// halves splits what a space did from what was done for it: each is a walk along one index, however many entries there
// are. No entry is in both, since Record notes a behalf only when it is another space.
func (f Filter) halves() []Filter {
	if f.SpaceID == 0 || !f.Behalf {
		return []Filter{f}
	}
	own, done := f, f
	own.Behalf, done.Behalf = false, false
	done.SpaceID, done.behalfOf = 0, f.SpaceID
	return []Filter{own, done}
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

// textOrName looks for a text as it stands, and for names that are referred to.
func textOrName(column string) string {
	return "(" + column + " NOT LIKE '" + refBegin + "%' AND INSTR(" + column + ",?)>0 OR " + column + " IN (SELECT ref FROM trail_name WHERE INSTR(name,?)>0))"
}

// where writes the filter as SQL.
func (f Filter) where() (string, []any) {
	parts, args := []string{"1=1"}, []any{}
	add := func(cond string, a ...any) { parts, args = append(parts, cond), append(args, a...) }
	switch {
	case f.SpaceID != 0 && f.Behalf:
		add("(space_id=? OR behalf_space_id=?)", f.SpaceID, f.SpaceID)
	case f.SpaceID != 0:
		add("space_id=?", f.SpaceID)
	case f.behalfOf != 0:
		add("behalf_space_id=?", f.behalfOf)
	}
	if f.Only != nil {
		add("appid IN (?)", append([]string{""}, f.Only...))
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
		add(textOrName("actor"), f.Actor, f.Actor)
	}
	if f.Object != "" {
		add(textOrName("object"), f.Object, f.Object)
	}
	if f.From != 0 {
		add("at>=?", f.From)
	}
	if f.To != 0 {
		add("at<?", f.To)
	}
	if f.Cursor > 0 && f.Oldest {
		add("id>?", f.Cursor)
	} else if f.Cursor > 0 {
		add("id<?", f.Cursor)
	}
	return strings.Join(parts, " AND "), args
}

// List gives entries, newest first unless the filter says otherwise, and the cursor of the next page (0 at the end).
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

// page reads the first entries that fit, from the end that the filter names.
func (l *Log) page(ctx context.Context, f Filter, limit int) ([]Entry, error) {
	var all []Entry
	for _, half := range f.halves() {
		some, err := l.half(ctx, half, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Entry) int {
		if f.Oldest {
			a, b = b, a
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return all[:min(len(all), limit)], nil
}

func (l *Log) half(ctx context.Context, f Filter, limit int) ([]Entry, error) {
	where, args := f.where()
	order := " ORDER BY id DESC LIMIT ?"
	if f.Oldest {
		order = " ORDER BY id LIMIT ?"
	}
	var rows []row
	if err := l.db.All(ctx, &rows, "SELECT "+columns+" FROM trail WHERE "+where+order, append(args, limit)...); err != nil {
		return nil, fmt.Errorf("trail: list: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.entry(); err != nil {
			return nil, err
		}
	}
	return out, l.named(ctx, out)
}

// listedMost is where counting stops: beyond it a screen says 10,000+.
const listedMost = 10001

// Count tells how many entries fit, at most 10,001.
func (l *Log) Count(ctx context.Context, f Filter) (int64, error) {
	f.Cursor = 0
	var total int64
	for _, half := range f.halves() {
		where, args := half.where()
		n, err := l.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE "+where+" LIMIT ?) found", append(args, listedMost)...)
		if err != nil {
			return 0, fmt.Errorf("trail: count: %w", err)
		}
		total += n
	}
	return min(total, listedMost), nil
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
	one := make([]Entry, 1)
	if one[0], err = r.entry(); err != nil {
		return Entry{}, err
	}
	return one[0], l.named(ctx, one)
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
