package account

import (
	"context"
	"fmt"
	"slices"

	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Givable are those of the roles that somebody may give: none that holds more than they do, and never the owner's.
func Givable(who Actor, roles []Role) []Role {
	return slices.DeleteFunc(slices.Clone(roles), func(r Role) bool { return r.Key == RoleOwner || who.mayGive(r.Permissions) != nil })
}

// CheckInvitation tells whether Invite would be taken as things stand, and changes nothing.
func (s *Spaces) CheckInvitation(ctx context.Context, who Actor, f InvitationForm) error {
	return wrapped("check invitation", s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		_, err := s.admitted(ctx, who, &f)
		return err
	}))
}

// admitted puts the form into its plain shape and finds its role, if all of it may be: for Invite and for the look ahead.
func (s *Spaces) admitted(ctx context.Context, who Actor, f *InvitationForm) (Role, error) {
	f.Login = NormalLogin(f.Login)
	if len(f.Login) > 190 || !emailForm.MatchString(f.Login) && !phoneForm.MatchString(f.Login) {
		return Role{}, fault.InvalidInput().On("login", "请填写对方的邮箱或 11 位手机号")
	}
	role, err := s.choose(ctx, who, f.Role)
	if err != nil {
		return role, err
	}
	if err := f.Limit.check(who); err != nil {
		return role, err
	}
	return role, s.invitable(ctx, who.SpaceID, f.Login, clock.Millis(s.clk.Now()))
}

// InvitationsLeft is how many more invitations may be open in the actor's space.
func (s *Spaces) InvitationsLeft(ctx context.Context, who Actor) (int64, error) {
	if err := Require(who, "space.member"); err != nil {
		return 0, err
	}
	left, err := s.invitationsLeft(ctx, who.SpaceID, clock.Millis(s.clk.Now()))
	if err != nil {
		return 0, fmt.Errorf("account: open invitations: %w", err)
	}
	return left, nil
}
