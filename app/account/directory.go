package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"minifleet/app/fault"
)

// directoryMost is how far spaces and accounts are counted.
const directoryMost = 10_000

// SpaceFilter narrows the directory of spaces; zero fields do not.
type SpaceFilter struct {
	Kind   Kind
	Query  string // part of the name
	Cursor int64  // spaces older than this id
	Limit  int    // 1…100, default 20
}

// SpaceEntry is one space in the directory.
type SpaceEntry struct {
	ID        int64  `json:"id,string"`
	Name      string `json:"name"`
	Kind      Kind   `json:"kind"`
	Members   int64  `json:"members" dc:"成员数"`
	CreatedAt int64  `json:"created_at"`
}

// Directory lists spaces for operators, newest first, with the cursor of the next page (0 at the end) and the total,
// which is exact to 10,000 and -1 beyond.
func (s *Service) Directory(ctx context.Context, who Actor, f SpaceFilter) (list []SpaceEntry, next, total int64, err error) {
	if !who.Operator() {
		return nil, 0, 0, fault.New(fault.Forbidden, "operators_only", "只有平台管理员可以查看")
	}
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	where, args := []string{"1=1"}, []any{}
	if slices.Contains([]Kind{Personal, Merchant, Platform}, f.Kind) {
		where, args = append(where, "s.kind=?"), append(args, string(f.Kind))
	}
	if q := strings.TrimSpace(f.Query); q != "" {
		where, args = append(where, "s.name LIKE ? ESCAPE '!'"), append(args, "%"+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q)+"%")
	}
	cond := strings.Join(where, " AND ")
	if total, err = s.bounded(ctx, "space s WHERE "+cond, args...); err != nil {
		return nil, 0, 0, err
	}
	if f.Cursor > 0 {
		cond, args = cond+" AND s.id<?", append(args, f.Cursor)
	}
	err = s.db.All(ctx, &list, "SELECT s.id, s.name, s.kind, s.created_at, (SELECT COUNT(*) FROM member m WHERE m.space_id=s.id) AS members FROM space s WHERE "+cond+" ORDER BY s.id DESC LIMIT ?", append(args, f.Limit+1)...)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("account: directory: %w", err)
	}
	if len(list) > f.Limit {
		list, next = list[:f.Limit], list[f.Limit-1].ID
	}
	return list, next, total, nil
}

// bounded counts rows up to directoryMost and gives -1 beyond.
func (s *Service) bounded(ctx context.Context, from string, args ...any) (int64, error) {
	n, err := s.db.Int(ctx, fmt.Sprintf("SELECT COUNT(*) FROM (SELECT 1 AS one FROM %s LIMIT %d) c", from, directoryMost+1), args...)
	if err != nil {
		return 0, fmt.Errorf("account: count: %w", err)
	}
	if n > directoryMost {
		return -1, nil
	}
	return n, nil
}
