package transfer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// numbers is a list of n rows that only the account 1 of space 10 may read, until barred says otherwise.
type numbers struct {
	mu     sync.Mutex
	n      int
	barred bool
	page   int
	paged  func(cursor string) // called before each page
}

func (l *numbers) bar() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.barred = true
}

func (l *numbers) Sheet(_ context.Context, who account.Actor, list string, q Query) (Sheet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if list != "numbers" {
		return Sheet{}, errNoList
	}
	if l.barred || who.SpaceID != 10 {
		return Sheet{}, fault.New(fault.Forbidden, "forbidden", "你没有查看这个列表的权限")
	}
	sheet := Sheet{Title: "数字", Filter: q.Values.Get("q"), Columns: []Column{{Name: "id", Title: "编号"}, {Name: "name", Title: "名称"}}}
	sheet.Count = func(context.Context) (int64, error) { return int64(l.n), nil }
	sheet.Page = func(ctx context.Context, cursor string) ([][]string, string, error) {
		if l.paged != nil {
			l.paged(cursor)
		}
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		if q.Picked() {
			var rows [][]string
			for _, id := range q.IDs {
				rows = append(rows, []string{id, "=" + id})
			}
			return rows, "", nil
		}
		at, _ := strconv.Atoi(cursor)
		var rows [][]string
		for ; len(rows) < l.page && at < l.n; at++ {
			rows = append(rows, []string{strconv.Itoa(at), "=" + strconv.Itoa(at)})
		}
		if at == l.n {
			return rows, "", nil
		}
		return rows, strconv.Itoa(at), nil
	}
	return sheet, nil
}

// people knows who is in which space.
type people struct {
	mu   sync.Mutex
	gone bool
}

func (p *people) Actor(_ context.Context, id, space int64) (account.Actor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return account.Actor{}, fault.New(fault.NotFound, "member_not_found", "这个成员已不在该空间")
	}
	return account.Actor{AccountID: id, SpaceID: space, Name: fmt.Sprint("person ", id), Role: account.RoleOwner, SpaceKind: account.Merchant}, nil
}

type room struct {
	*Service
	db     *store.DB
	list   *numbers
	people *people
	mu     sync.Mutex
	ended  []Ended
	target *shelf
}

func (r *room) news() []Ended {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Ended(nil), r.ended...)
}

var now = time.UnixMilli(1795339800000)

func newRoom(t *testing.T, db *store.DB, change ...func(*Options)) *room {
	t.Helper()
	r := &room{db: db, list: &numbers{n: 20, page: 7}, people: &people{}, target: &shelf{db: db}}
	o := Options{DB: db, Clock: clock.Fixed(now), Trail: trail.New(db, clock.Fixed(now)), Actors: r.people, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Sources: map[string]Source{"numbers": r.list}, Targets: map[string]Target{"shelf": r.target}, TempDir: t.TempDir(), Inline: 50, Poll: 5 * time.Millisecond, Lease: 2 * time.Second,
		Ended: func(_ context.Context, n Ended) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ended = append(r.ended, n)
			return nil
		}}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Service = s
	return r
}

// run lets the background work until the test ends, or the function it gives is called.
func (r *room) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return end
}

func me() account.Actor {
	return account.Actor{AccountID: 1, SpaceID: 10, Name: "我", Role: account.RoleOwner, SpaceKind: account.Merchant}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never came: " + what)
}
