package account

import (
	"context"
	"fmt"

	"minifleet/app/fault"
	"minifleet/app/trail"
)

// audienceMost bounds who is told something at once.
const audienceMost = 1000

// Audience lists the members of a space as the actors they would be there; space 0 means every space of the platform itself.
// An account that is in several of them comes once.
func (s *Service) Audience(ctx context.Context, spaceID int64) ([]Actor, error) {
	where, args := "m.space_id=?", []any{spaceID, audienceMost}
	if spaceID == 0 {
		where, args = "s.kind=?", []any{string(Platform), audienceMost}
	}
	var rows []struct{ AccountID, SpaceID int64 }
	err := s.db.All(ctx, &rows, "SELECT m.account_id, m.space_id FROM member m JOIN space s ON s.id=m.space_id WHERE "+where+" ORDER BY m.id LIMIT ?", args...)
	if err != nil {
		return nil, fmt.Errorf("account: audience: %w", err)
	}
	out, seen := make([]Actor, 0, len(rows)), map[int64]bool{}
	for _, r := range rows {
		if seen[r.AccountID] {
			continue
		}
		seen[r.AccountID] = true
		a, err := s.Actor(ctx, r.AccountID, r.SpaceID)
		if fault.KindOf(err) == fault.NotFound { // left meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// Trail is what of the operation log the actor may read: an operator everything, others what their space did and what
// was done for it; a member who is limited to some mini programs nothing of the others.
func (a Actor) Trail() trail.Filter {
	if a.Nobody() {
		return trail.Filter{SpaceID: -1}
	}
	f := trail.Filter{SpaceID: a.SpaceID, Behalf: true, Only: a.MiniPrograms}
	if a.Operator() {
		f.SpaceID, f.Behalf = 0, false
	}
	return f
}

// Someone finds an account outside of any space: its name and login. False when it is gone.
func (s *Service) Someone(ctx context.Context, accountID int64) (Actor, bool, error) {
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT id, login, name FROM account WHERE id=?", accountID)
	if err != nil {
		return Actor{}, false, fmt.Errorf("account: %w", err)
	}
	return Actor{AccountID: a.ID, Name: a.Name, Login: a.Login}, found, nil
}
