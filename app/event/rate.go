package event

import (
	"context"
	"fmt"
	"time"
)

// RateBucket is the length of one bucket of Rates.
const RateBucket = 15 * time.Minute

// settle is how long after its end a bucket is counted: pushes are unpacked a little after they were received.
const settle = 30 * time.Second

// rateReach is how far back buckets are counted that were missed, for example while the platform was down.
const rateReach = 26 * time.Hour

// Rate is how many events were received from At on for RateBucket. At is Unix milliseconds.
type Rate struct {
	At int64
	N  int64
}

func bucketOf(ms int64) int64 {
	width := RateBucket.Milliseconds()
	return ms - ms%width
}

// CountRates counts the buckets that have closed since the last call; a core job calls it. Each event is read once in
// its life for it, and two replicas at once come to the same rows.
func (l *Log) CountRates(ctx context.Context) (int, error) {
	now := l.opts.Clock.Now()
	end := bucketOf(now.Add(-settle).UnixMilli())
	from := bucketOf(now.Add(-rateReach).UnixMilli())
	last, err := l.opts.DB.Int(ctx, "SELECT COALESCE(MAX(bucket),0) FROM event_rate WHERE bucket<?", end)
	if err != nil {
		return 0, fmt.Errorf("event: rates: %w", err)
	}
	if last > 0 {
		from = max(from, last+RateBucket.Milliseconds())
	} else {
		// Before the first event nobody knows: nothing is counted as nought.
		first, err := l.opts.DB.Int(ctx, "SELECT received_at FROM event_log ORDER BY id LIMIT 1")
		if err != nil || first == 0 {
			return 0, err
		}
		from = max(from, bucketOf(first))
	}
	counted := 0
	for at := from; at < end; at += RateBucket.Milliseconds() {
		n, err := l.Count(ctx, Filter{From: at, To: at + RateBucket.Milliseconds()})
		if err != nil {
			return counted, err
		}
		if _, err := l.opts.DB.InsertIgnore(ctx, "event_rate", map[string]any{"bucket": at, "n": n}); err != nil {
			return counted, fmt.Errorf("event: rates: %w", err)
		}
		counted++
	}
	return counted, nil
}

// Count tells how many events a list with this filter shows, over all its pages. It reads them, so the filter must be
// narrow: a short time, for example.
func (l *Log) Count(ctx context.Context, f Filter) (int64, error) {
	where, args, err := l.where(ctx, f, idle)
	if err != nil {
		return 0, fmt.Errorf("event: count: %w", err)
	}
	var n int64
	if err := l.opts.DB.Reader().QueryRowContext(ctx, "SELECT COUNT(*) FROM event_log WHERE "+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("event: count: %w", err)
	}
	return n, nil
}

// Rates gives the counted buckets since a moment, oldest first. What is not counted yet is missing, never 0.
func (l *Log) Rates(ctx context.Context, since time.Time) ([]Rate, error) {
	var rows []struct{ Bucket, N int64 }
	if err := l.opts.DB.All(ctx, &rows, "SELECT bucket, n FROM event_rate WHERE bucket>=? ORDER BY bucket", bucketOf(since.UnixMilli())); err != nil {
		return nil, fmt.Errorf("event: rates: %w", err)
	}
	out := make([]Rate, 0, len(rows))
	for _, r := range rows {
		out = append(out, Rate{At: r.Bucket, N: r.N})
	}
	return out, nil
}

// PruneRates forgets buckets older than a moment.
func (l *Log) PruneRates(ctx context.Context, before time.Time) (int64, error) {
	return l.opts.DB.Exec(ctx, "DELETE FROM event_rate WHERE bucket<?", before.UnixMilli())
}
