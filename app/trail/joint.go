package trail

import (
	"context"
	"maps"
	"strings"
	"sync"
)

// jointMost is how many entries share one statement.
const jointMost = 64

// joint lets entries that are recorded at the same time share one statement, and with it one sync of the disk: calls to
// WeChat come by the hundred, and each has its entry on the disk before its caller goes on. Whoever finds nobody writing
// writes at once; who comes meanwhile waits, and the first of them writes for all.
type joint struct {
	mu      sync.Mutex
	writing bool
	waiting []*pending
}

// pending is an entry on its way to the disk.
type pending struct {
	row   map[string]any
	names map[int64]string
	turn  chan []*pending // gets who writes next, and for whom; closed when another has written
	err   error
}

// together writes the entry, alone or with others, and returns when it is durable.
func (l *Log) together(ctx context.Context, row map[string]any, names map[int64]string) error {
	ctx = context.WithoutCancel(ctx) // others may depend on this write
	p := &pending{row: row, names: names, turn: make(chan []*pending, 1)}
	l.joint.mu.Lock()
	if l.joint.writing {
		l.joint.waiting = append(l.joint.waiting, p)
		l.joint.mu.Unlock()
		group, mine := <-p.turn
		if !mine {
			return p.err
		}
		l.writeGroup(ctx, group)
		return p.err
	}
	l.joint.writing = true
	l.joint.mu.Unlock()
	l.writeGroup(ctx, []*pending{p})
	return p.err
}

// writeGroup writes for all of group, tells the others, and hands the pen to the first of those who came meanwhile.
func (l *Log) writeGroup(ctx context.Context, group []*pending) {
	defer func() {
		l.joint.mu.Lock()
		n := min(len(l.joint.waiting), jointMost)
		next := l.joint.waiting[:n:n]
		l.joint.waiting = l.joint.waiting[n:]
		l.joint.writing = n > 0
		l.joint.mu.Unlock()
		if n > 0 {
			next[0].turn <- next
		}
		for _, p := range group[1:] {
			close(p.turn)
		}
	}()
	if len(group) > 1 && l.insertAll(ctx, group) == nil {
		return
	}
	// One that cannot be written must not take the others' entries with it.
	for _, p := range group {
		if p.err = l.keepNames(ctx, p.names); p.err == nil {
			p.err = l.db.Insert(ctx, "trail", p.row)
		}
	}
}

// insertAll writes a group with one statement.
func (l *Log) insertAll(ctx context.Context, group []*pending) error {
	names := map[int64]string{}
	for _, p := range group {
		maps.Copy(names, p.names)
	}
	if err := l.keepNames(ctx, names); err != nil {
		return err
	}
	columns := trailColumns()
	args := make([]any, 0, len(group)*len(columns))
	for _, p := range group {
		for _, c := range columns {
			args = append(args, p.row[c])
		}
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + "),"
	_, err := l.db.Exec(ctx, "INSERT INTO trail ("+strings.Join(columns, ",")+") VALUES "+strings.TrimSuffix(strings.Repeat(row, len(group)), ","), args...)
	return err
}

// trailColumns are those that an entry is born with.
func trailColumns() []string {
	return []string{
		"id", "at", "account_id", "space_id", "actor", "plugin", "component", "appid", "act", "object", "outcome", "errcode",
		"rid", "request_id", "detail", "duration_ms", "via", "via_id", "via_name", "behalf", "behalf_space_id", "changes",
	}
}
