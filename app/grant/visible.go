package grant

import (
	"context"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/miniprogram"
)

// Visible is the condition, on the alias m of mini_program, under which the actor sees a mini program: it owns it,
// holds a live grant on it, owns the platform app to which an unclaimed one is authorised, or is the operator.
// A member who is limited to certain ones sees none beside them.
func (s *Service) Visible(who account.Actor) (string, []any) {
	cond, args := s.visibleToSpace(who)
	if who.MiniPrograms == nil {
		return cond, args
	}
	return cond + " AND m.appid IN (?)", append(args, append([]string{""}, who.MiniPrograms...))
}

func (s *Service) visibleToSpace(who account.Actor) (string, []any) {
	if who.Operator() {
		return "1=1", nil
	}
	return "(m.owner_space_id=? OR EXISTS (SELECT 1 FROM access_grant g WHERE g.appid=m.appid AND g.space_id=? AND g.revoked_at=0 AND (g.until_at=0 OR g.until_at>?))" +
			" OR (m.owner_space_id=0 AND EXISTS (SELECT 1 FROM authorization a JOIN component c ON c.appid=a.component WHERE a.appid=m.appid AND c.space_id=?)))",
		[]any{who.SpaceID, who.SpaceID, clock.Millis(s.clk.Now()), who.SpaceID}
}

// MiniPrograms lists those the actor sees.
func (s *Service) MiniPrograms(ctx context.Context, who account.Actor, f miniprogram.Filter) (miniprogram.Page, error) {
	f.Visible, f.Args = s.Visible(who)
	f.Viewer = fmt.Sprint(who.SpaceID, who.Operator(), who.MiniPrograms)
	return s.apps.List(ctx, f)
}

// MiniProgram reads one the actor sees; NotFound otherwise.
func (s *Service) MiniProgram(ctx context.Context, who account.Actor, appid string) (miniprogram.MiniProgram, error) {
	f := miniprogram.Filter{Limit: 1}
	cond, args := s.Visible(who)
	f.Visible, f.Args = cond+" AND m.appid=?", append(args, appid)
	p, err := s.apps.List(ctx, f)
	if err != nil {
		return miniprogram.MiniProgram{}, err
	}
	if len(p.Items) == 0 {
		return miniprogram.MiniProgram{}, miniprogram.ErrNotFound()
	}
	return p.Items[0], nil
}

// Sync refreshes a mini program's profile from WeChat for somebody who sees it.
func (s *Service) Sync(ctx context.Context, who account.Actor, appid string) (miniprogram.MiniProgram, error) {
	if _, err := s.MiniProgram(ctx, who, appid); err != nil {
		return miniprogram.MiniProgram{}, err
	}
	if err := account.Narrowed(who, "miniprogram.sync"); err != nil {
		return miniprogram.MiniProgram{}, err
	}
	if err := s.apps.Sync(ctx, who, appid); err != nil {
		return miniprogram.MiniProgram{}, err
	}
	return s.MiniProgram(ctx, who, appid)
}

// AppIDs is a SELECT of the AppIDs on which the space may act with the scope now, its own and the granted ones, for
// rooms that join it into a query of theirs.
func (s *Service) AppIDs(spaceID int64, scope string) (string, []any) {
	query := "SELECT m.appid FROM mini_program m WHERE m.owner_space_id=? AND m.owner_space_id<>0" +
		" UNION SELECT g.appid FROM access_grant g WHERE g.space_id=? AND g.revoked_at=0 AND (g.until_at=0 OR g.until_at>?)"
	args := []any{spaceID, spaceID, clock.Millis(s.clk.Now())}
	if scope == "" || scope == DataRead {
		return query, args
	}
	return query + " AND (g.scopes=? OR g.scopes LIKE ? OR g.scopes LIKE ? OR g.scopes LIKE ?)", append(args, scope, scope+" %", "% "+scope, "% "+scope+" %")
}

// All lists the live grants on a mini program for the system and for operators, whoever gave them.
func (s *Service) All(ctx context.Context, appid string) ([]Grant, error) {
	return s.live(ctx, "appid=?", appid)
}
