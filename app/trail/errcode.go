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
	Code int64 `json:"errcode"`
	N    int64 `json:"count"`
	More bool  `json:"more"`
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
