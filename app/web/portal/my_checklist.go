package portal

import (
	"context"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/dashboard"
)

// Board is what the portal asks of the room dashboard: a person's own checklist.
type Board interface {
	Checklist(ctx context.Context, who account.Actor) (dashboard.Checklist, error)
	SetChecklist(ctx context.Context, who account.Actor, list, state string) error
}

// checklist is the person's steps above 我的小程序, nil when there is nothing to show. The page lives without it.
func (p *Portal) checklist(ctx context.Context, who account.Actor) *dashboard.Checklist {
	if p.o.Board == nil || who.SpaceKind != account.Personal {
		return nil
	}
	list, err := p.o.Board.Checklist(ctx, who)
	if err != nil {
		p.log.ErrorContext(ctx, "portal: the checklist could not be read", "error", err)
		return nil
	}
	if list.State == dashboard.ListOpen && list.Next() == nil {
		return nil // all done: nothing to tell any more
	}
	return &list
}

// setChecklist folds, opens or dismisses the person's own list.
func (p *Portal) setChecklist(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	if p.o.Board == nil {
		return p.nothing(w, r, v)
	}
	if err := p.o.Board.SetChecklist(r.Context(), v.actor, dashboard.ListStart, r.PostForm.Get("state")); err != nil {
		return err
	}
	redirect(w, r, "/my/miniprograms")
	return nil
}
