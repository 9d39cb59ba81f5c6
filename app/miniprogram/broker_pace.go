package miniprogram

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"minifleet/app/fault"
)

// brokerPerMinute bounds how many tokens of one mini program one API token is given in a minute of wall time, over all
// replicas: the count stands in the database. Replicas whose clocks differ agree on the later minute, so one that is behind
// refuses until it has caught up, and none gives more.
const brokerPerMinute = 30

// keepPace counts one token that is to be handed out, or refuses it with the seconds to wait.
func (s *Service) keepPace(ctx context.Context, tokenID int64, appid string) error {
	name, now := strconv.FormatInt(tokenID, 10)+"/"+appid, s.o.Wall()
	minute := now.Unix() / 60
	for range 2 { // another replica may have been the first of the minute
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{"UPDATE token_pace SET calls=calls+1 WHERE name=? AND minute=? AND calls<?", []any{name, minute, brokerPerMinute}},
			{"UPDATE token_pace SET minute=?, calls=1 WHERE name=? AND minute<?", []any{minute, name, minute}},
		} {
			n, err := s.db.Exec(ctx, q.sql, q.args...)
			if err != nil {
				return fmt.Errorf("miniprogram: pace of %s: %w", appid, err)
			}
			if n > 0 {
				return nil
			}
		}
		added, err := s.db.InsertIgnore(ctx, "token_pace", map[string]any{"name": name, "minute": minute, "calls": 1})
		if err != nil {
			return fmt.Errorf("miniprogram: pace of %s: %w", appid, err)
		}
		if added {
			return nil
		}
	}
	wait := time.Duration(60-now.Unix()%60) * time.Second
	return fault.Newf(fault.TooMany, "too_many_requests", "取得太频繁，请缓存 access_token，%d 秒后再试", int(wait.Seconds())).Later(wait)
}

// PrunePace forgets the counts of minutes before t.
func (s *Service) PrunePace(ctx context.Context, t time.Time) (int64, error) {
	n, err := s.db.Exec(ctx, "DELETE FROM token_pace WHERE minute<?", t.Unix()/60)
	if err != nil {
		return 0, fmt.Errorf("miniprogram: prune: %w", err)
	}
	return n, nil
}
