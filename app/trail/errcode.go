package trail

import (
	"context"
	"fmt"
	"math"
	"time"

	"minifleet/app/clock"
)

// errCodesMost bounds how many different codes are looked at; WeChat documents fewer than five hundred.
const errCodesMost = 1000

// countMost is how far entries are counted.
const countMost = 10_000

// ErrCount is how often WeChat answered a code. More says that there are more than N.
type ErrCount struct {
	Code int64 `json:"errcode" dc:"微信错误码"`
	N    int64 `json:"count" dc:"次数"`
	More bool  `json:"more" dc:"实际更多，没有继续数"`
}

// ErrCodes counts WeChat's refusals by code since a moment. It walks the index from code to code, so that its cost
// depends on how many codes there are and not on how many entries.
func (l *Log) ErrCodes(ctx context.Context, since time.Time) ([]ErrCount, error) {
	var out []ErrCount
	code := int64(math.MinInt64)
	for range errCodesMost {
		var next struct{ Errcode *int64 }
		if _, err := l.db.One(ctx, &next, "SELECT MIN(errcode) AS errcode FROM trail WHERE errcode>?", code); err != nil {
			return nil, fmt.Errorf("trail: errcodes: %w", err)
		}
		if next.Errcode == nil {
			break
		}
		if code = *next.Errcode; code == 0 {
			continue
		}
		n, err := l.db.Int(ctx, fmt.Sprintf("SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE errcode=? AND at>=? LIMIT %d) c", countMost+1), code, clock.Millis(since))
		if err != nil {
			return nil, fmt.Errorf("trail: errcodes: %w", err)
		}
		if n > 0 {
			out = append(out, ErrCount{Code: code, N: min(n, countMost), More: n > countMost})
		}
	}
	return out, nil
}

// Refusals lists the acts that WeChat answered with an error code since a moment, newest first, with the cursor of the
// next page (0 at the end) and how many there are: exact to 10,000 and -1 beyond.
func (l *Log) Refusals(ctx context.Context, since time.Time, code, cursor int64, limit int) (rows []Entry, next, total int64, err error) {
	if limit < 1 || limit > 100 {
		limit = 20
	}
	from := clock.Millis(since)
	total, err = l.db.Int(ctx, fmt.Sprintf("SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE errcode=? AND at>=? LIMIT %d) c", countMost+1), code, from)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("trail: refusals: %w", err)
	}
	if total > countMost {
		total = -1
	}
	query, args := "SELECT id, at, actor, plugin, component, appid, act, object, outcome, errcode, rid, detail FROM trail WHERE errcode=? AND at>=?", []any{code, from}
	if cursor > 0 {
		query, args = query+" AND id<?", append(args, cursor)
	}
	if err := l.db.All(ctx, &rows, query+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, 0, fmt.Errorf("trail: refusals: %w", err)
	}
	if len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].ID
	}
	return rows, next, total, l.named(ctx, rows)
}
