package trail

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names of people and spaces are not part of what is sealed: an entry holds a reference to the account or space, and the
// name stands in trail_name, where it can be taken out when the account is closed without breaking the chain.

// The two control characters that enclose an id in a stored text. They are taken out of whatever else is stored.
const refBegin, refEnd = "\x02", "\x03"

var (
	refForm  = regexp.MustCompile(refBegin + `([0-9]{1,19})` + refEnd)
	refMarks = strings.NewReplacer(refBegin, "", refEnd, "")
)

// Ref names an account or a space within the Object or Detail of an entry whose Names has it; it is read as the name.
func Ref(id int64) string { return refBegin + strconv.FormatInt(id, 10) + refEnd }

// referring puts references where names of people and spaces stand, and gives the names that they stand for.
func (e *Entry) referring() map[int64]string {
	names := map[int64]string{}
	maps.Copy(names, e.Names)
	e.Object, e.Detail = onlyRefs(e.Object, names), onlyRefs(e.Detail, names)
	e.Actor, e.Behalf = refMarks.Replace(e.Actor), refMarks.Replace(e.Behalf)
	if e.AccountID > 0 && e.Actor != "" && !e.Office {
		names[e.AccountID] = e.Actor
		e.Actor = Ref(e.AccountID)
	}
	if e.BehalfSpaceID > 0 && e.Behalf != "" {
		names[e.BehalfSpaceID] = e.Behalf
		e.Behalf = Ref(e.BehalfSpaceID)
	}
	return names
}

// onlyRefs takes out the marks that are not references of these names: a text that somebody typed never becomes one.
func onlyRefs(text string, names map[int64]string) string {
	if !strings.ContainsAny(text, refBegin+refEnd) {
		return text
	}
	var b strings.Builder
	at := 0
	for _, m := range refForm.FindAllStringSubmatchIndex(text, -1) {
		id, err := strconv.ParseInt(text[m[2]:m[3]], 10, 64)
		if _, known := names[id]; err != nil || !known {
			continue
		}
		b.WriteString(refMarks.Replace(text[at:m[0]]))
		b.WriteString(text[m[0]:m[1]])
		at = m[1]
	}
	b.WriteString(refMarks.Replace(text[at:]))
	return b.String()
}

// keepNames notes the names of today. However many are known, they cost one read and no write, and nothing at all when they
// are those that this process noted before: a name that is gone, or newer, is not touched by that either.
func (l *Log) keepNames(ctx context.Context, names map[int64]string) error {
	ids := l.noted.unknown(names)
	if len(ids) == 0 {
		return nil
	}
	type row struct {
		ID   int64
		Name string
		Gone int
	}
	var rows []row
	if err := l.db.All(ctx, &rows, "SELECT id, name, gone FROM trail_name WHERE id IN (?)", ids); err != nil {
		return err
	}
	known := map[int64]row{}
	for _, r := range rows {
		known[r.ID] = r
	}
	for _, id := range ids {
		name := cut(names[id], 120)
		row, found := known[id]
		switch {
		case !found:
			if _, err := l.db.InsertIgnore(ctx, "trail_name", map[string]any{"id": id, "ref": Ref(id), "name": name, "gone": 0}); err != nil {
				return err
			}
		case row.Name != name && row.Gone == 0:
			if _, err := l.db.Exec(ctx, "UPDATE trail_name SET name=? WHERE id=? AND gone=0", name, id); err != nil {
				return err
			}
		}
	}
	if !l.db.InTx(ctx) { // what a transaction notes may be taken back with it
		l.noted.keep(ids, names)
	}
	return nil
}

// A process remembers so many names that it has noted, for so long: whoever changes a name and changes it back may do so on
// two replicas.
const (
	notedMost = 20_000
	notedFor  = 5 * time.Minute // wall time
)

// noted remembers which names stand in trail_name.
type noted struct {
	mu    sync.Mutex
	names map[int64]string
	since time.Time
}

// unknown gives the ids whose names were not noted, in order.
func (n *noted) unknown(names map[int64]string) []int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); now.Sub(n.since) > notedFor || len(n.names) > notedMost {
		n.names, n.since = map[int64]string{}, now
	}
	var ids []int64
	for id, name := range names {
		if known, ok := n.names[id]; !ok || known != name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (n *noted) keep(ids []int64, names map[int64]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range ids {
		n.names[id] = names[id]
	}
}

// Forget puts other words where the name of a closed account or space stood, for good: entries stay as they were sealed.
func (l *Log) Forget(ctx context.Context, id int64, words string) error {
	err := l.db.Upsert(ctx, "trail_name", map[string]any{"id": id, "ref": Ref(id), "name": cut(words, 120), "gone": 1}, "id")
	if err != nil {
		return fmt.Errorf("trail: forget: %w", err)
	}
	return nil
}

// named puts the names of today where references stand.
func (l *Log) named(ctx context.Context, entries []Entry) error {
	var refs []string
	for _, e := range entries {
		for _, text := range []string{e.Actor, e.Behalf, e.Object, e.Detail} {
			refs = append(refs, refForm.FindAllString(text, -1)...)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	known := map[string]string{}
	for some := range slices.Chunk(refs, 500) {
		var rows []struct{ Ref, Name string }
		if err := l.db.All(ctx, &rows, "SELECT ref, name FROM trail_name WHERE ref IN (?)", some); err != nil {
			return fmt.Errorf("trail: names: %w", err)
		}
		for _, r := range rows {
			known[r.Ref] = r.Name
		}
	}
	read := func(text string) string {
		return refForm.ReplaceAllStringFunc(text, func(ref string) string {
			if name, ok := known[ref]; ok {
				return name
			}
			return "#" + refMarks.Replace(ref) // nobody noted the name: the id at least
		})
	}
	for i := range entries {
		e := &entries[i]
		e.Actor, e.Behalf, e.Object, e.Detail = read(e.Actor), read(e.Behalf), read(e.Object), read(e.Detail)
	}
	return nil
}
