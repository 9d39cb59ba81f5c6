package grant

import (
	"context"
	"fmt"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/miniprogram"
)

// tallyMost is how many mini programs of one actor are counted by state at once.
const tallyMost = 10_000

// Tally is how many mini programs the actor's list shows. Total, and each of States, by the state of an authorisation as
// the list filters it, are exact to 10,000 and -1 beyond.
type Tally struct {
	Total  int64
	States map[string]int64
}

// Tally counts what MiniPrograms lists. Its cost is bounded, however many mini programs there are.
func (s *Service) Tally(ctx context.Context, who account.Actor) (Tally, error) {
	page, err := s.MiniPrograms(ctx, who, miniprogram.Filter{Limit: 1})
	if err != nil {
		return Tally{}, err
	}
	t := Tally{Total: page.Total, States: map[string]int64{}}
	if page.Total < 0 { // each state as its own list counts it
		for _, state := range []string{miniprogram.Active, miniprogram.NeedsReauth, miniprogram.Revoked} {
			of, err := s.MiniPrograms(ctx, who, miniprogram.Filter{State: state, Limit: 1})
			if err != nil {
				return Tally{}, err
			}
			t.States[state] = of.Total
		}
		return t, nil
	}
	cond, args := s.Visible(who)
	var rows []struct {
		State string
		N     int64
	}
	err = s.db.All(ctx, &rows, fmt.Sprintf("SELECT x.state AS state, COUNT(DISTINCT x.appid) AS n FROM (SELECT m.appid FROM mini_program m WHERE %s LIMIT %d) v JOIN authorization x ON x.appid=v.appid GROUP BY x.state", cond, tallyMost+1), args...)
	if err != nil {
		return Tally{}, fmt.Errorf("grant: tally: %w", err)
	}
	for _, r := range rows {
		t.States[r.State] = r.N
	}
	return t, nil
}

// Entrusted counts the mini programs of the actor's own space on which somebody else may submit reviews now (托管).
func (s *Service) Entrusted(ctx context.Context, who account.Actor) (int64, error) {
	var rows []struct{ AppID, Scopes string }
	err := s.db.All(ctx, &rows, "SELECT g.appid AS app_id, g.scopes AS scopes FROM access_grant g JOIN mini_program m ON m.appid=g.appid WHERE m.owner_space_id=? AND g.space_id<>m.owner_space_id AND g.revoked_at=0 AND (g.until_at=0 OR g.until_at>?) LIMIT 1000",
		who.SpaceID, clock.Millis(s.clk.Now()))
	if err != nil {
		return 0, fmt.Errorf("grant: entrusted: %w", err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		for _, scope := range strings.Fields(r.Scopes) {
			if scope == "code.audit" {
				seen[r.AppID] = true
			}
		}
	}
	return int64(len(seen)), nil
}
