package notice

import (
	"context"
	"fmt"
	"strconv"

	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Item is a notice as its reader sees it. Times are Unix milliseconds.
type Item struct {
	ID        int64  `json:"id,string"`
	Event     string `json:"event"`
	SpaceID   int64  `json:"space_id,string"`
	Title     string `json:"title"`
	Text      string `json:"text" orm:"body"`
	Link      string `json:"link,omitempty"`
	AppID     string `json:"appid,omitempty" orm:"appid"`
	Batch     string `json:"batch,omitempty"`
	OK        int64  `json:"ok" orm:"ok"`
	Failed    int64  `json:"failed"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"`
	ReadAt    int64  `json:"read_at"` // 0: unread
	Seq       int64  `json:"-"`
}

// EventTitle is the name of the kind of news.
func (i Item) EventTitle() string { return TitleOf(i.Event) }

// Query narrows a list.
type Query struct {
	Unread bool
	Event  string
	Space  int64 // only what happened there; 0 = everywhere
	Cursor int64 // what the page before gave as next
	Limit  int   // 1…100, default 20
}

// List gives the person's notices, newest news first, and the cursor of the next page (0 at the end).
func (s *Service) List(ctx context.Context, accountID int64, q Query) ([]Item, int64, error) {
	if q.Limit < 1 || q.Limit > 100 {
		q.Limit = 20
	}
	where, args := "r.account_id=?", []any{accountID}
	if q.Unread {
		where += " AND r.read_at=0"
	}
	if q.Event != "" {
		where, args = where+" AND n.event=?", append(args, q.Event)
	}
	if q.Space != 0 {
		where, args = where+" AND r.space_id=?", append(args, q.Space)
	}
	if q.Cursor > 0 {
		where, args = where+" AND r.seq<?", append(args, q.Cursor)
	}
	var rows []Item
	err := s.o.DB.All(ctx, &rows, "SELECT n.id, n.event, n.space_id, n.title, n.body, n.link, n.appid, n.batch, n.ok, n.failed, n.created_at, n.updated_at, r.read_at, r.seq "+
		"FROM notice_recipient r JOIN notice n ON n.id=r.notice_id WHERE "+where+" ORDER BY r.seq DESC LIMIT ?", append(args, q.Limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("notice: list: %w", err)
	}
	if len(rows) <= q.Limit {
		return rows, 0, nil
	}
	return rows[:q.Limit], rows[q.Limit-1].Seq, nil
}

// Count tells how many notices the person has in all.
func (s *Service) Count(ctx context.Context, accountID int64, q Query) (int64, error) {
	where, args := "r.account_id=?", []any{accountID}
	if q.Unread {
		where += " AND r.read_at=0"
	}
	if q.Event != "" {
		where, args = where+" AND r.notice_id IN (SELECT id FROM notice WHERE event=?)", append(args, q.Event)
	}
	if q.Space != 0 {
		where, args = where+" AND r.space_id=?", append(args, q.Space)
	}
	n, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM notice_recipient r WHERE "+where, args...)
	if err != nil {
		return 0, fmt.Errorf("notice: count: %w", err)
	}
	return n, nil
}

// unreadMost is where counting stops: a bell that says 99+ needs no exact number.
const unreadMost = 100

// Unread counts what the person has not read, at most 100.
func (s *Service) Unread(ctx context.Context, accountID int64) (int64, error) {
	return s.UnreadIn(ctx, accountID, 0)
}

// UnreadIn counts what the person has not read of one space; 0 for all.
func (s *Service) UnreadIn(ctx context.Context, accountID, spaceID int64) (int64, error) {
	where, args := "account_id=? AND read_at=0", []any{accountID}
	if spaceID != 0 {
		where, args = where+" AND space_id=?", append(args, spaceID)
	}
	n, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM notice_recipient WHERE "+where+" LIMIT "+strconv.Itoa(unreadMost)+") unread", args...)
	if err != nil {
		return 0, fmt.Errorf("notice: unread: %w", err)
	}
	return n, nil
}

var errNoNotice = fault.New(fault.NotFound, "notice_not_found", "没有找到这条消息")

// Open finds one of the person's notices and marks it read.
func (s *Service) Open(ctx context.Context, accountID, id int64) (Item, error) {
	var row Item
	found, err := s.o.DB.One(ctx, &row, "SELECT n.id, n.event, n.space_id, n.title, n.body, n.link, n.appid, n.batch, n.ok, n.failed, n.created_at, n.updated_at, r.read_at, r.seq "+
		"FROM notice_recipient r JOIN notice n ON n.id=r.notice_id WHERE r.account_id=? AND r.notice_id=?", accountID, id)
	if err != nil {
		return Item{}, fmt.Errorf("notice: open: %w", err)
	}
	if !found {
		return Item{}, errNoNotice
	}
	return row, s.MarkRead(ctx, accountID, id)
}

// MarkRead marks notices of the person's as read; ids of others' change nothing and are NotFound.
func (s *Service) MarkRead(ctx context.Context, accountID int64, ids ...int64) error {
	if len(ids) == 0 || len(ids) > 100 {
		return fault.InvalidInput().On("ids", "请选择 1 到 100 条消息")
	}
	n, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM notice_recipient WHERE account_id=? AND notice_id IN (?)", accountID, ids)
	if err != nil {
		return fmt.Errorf("notice: mark read: %w", err)
	}
	if n == 0 {
		return errNoNotice
	}
	_, err = s.o.DB.Exec(ctx, "UPDATE notice_recipient SET read_at=? WHERE account_id=? AND read_at=0 AND notice_id IN (?)", clock.Millis(s.o.Clock.Now()), accountID, ids)
	if err != nil {
		return fmt.Errorf("notice: mark read: %w", err)
	}
	return nil
}

// MarkAllRead marks everything read that the person had when asking, and tells how much that was.
func (s *Service) MarkAllRead(ctx context.Context, accountID int64) (int64, error) {
	n, err := s.o.DB.Exec(ctx, "UPDATE notice_recipient SET read_at=? WHERE account_id=? AND read_at=0", clock.Millis(s.o.Clock.Now()), accountID)
	if err != nil {
		return 0, fmt.Errorf("notice: mark all read: %w", err)
	}
	return n, nil
}
