package store

import (
	"context"
	"fmt"
	"time"
)

// manyFor is how long "more than that" is remembered. What was beyond the bound a moment ago is taken to be so still;
// a number that is shown is always counted anew.
const manyFor = 30 * time.Second

// maxMany bounds the memory of CountUpTo.
const maxMany = 4096

// CountUpTo counts the rows of "FROM from" exactly up to most and gives -1 beyond, so that it costs the same on any table:
// that there are more is remembered for half a minute, by the key, or by query and args when it is "". from comes from the
// caller's code, never from a request; its values go through args.
func (d *DB) CountUpTo(ctx context.Context, key string, most int64, from string, args ...any) (int64, error) {
	query := fmt.Sprintf("SELECT COUNT(*) FROM (SELECT 1 AS one FROM %s LIMIT %d) counted", from, most+1)
	if key == "" {
		key = fmt.Sprint(args...)
	}
	key = fmt.Sprint(query, key)
	if !d.InTx(ctx) && d.many.fresh(key) {
		return -1, nil
	}
	n, err := d.Int(ctx, query, args...)
	if err != nil || n <= most {
		return n, err
	}
	if !d.InTx(ctx) {
		d.many.note(key)
	}
	return -1, nil
}
