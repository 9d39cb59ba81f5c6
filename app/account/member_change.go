package account

import (
	"context"
	"strings"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// ChangeMember gives a member another role and limit. Nobody changes their own; an owner is changed by handing over.
func (s *Spaces) ChangeMember(ctx context.Context, who Actor, id int64, role RoleChoice, limit Limit) (Member, error) {
	var changed Member
	err := s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		m, err := s.changeable(ctx, who, id)
		if err != nil {
			return err
		}
		if m.Role == RoleOwner {
			if err := s.keepAnOwner(ctx, who.SpaceID); err != nil {
				return err
			}
		}
		chosen, err := s.choose(ctx, who, role)
		if err != nil {
			return err
		}
		if err := limit.check(who); err != nil {
			return err
		}
		limited, appids := limit.columns()
		if _, err := s.db.Exec(ctx, "UPDATE member SET role=?, role_id=?, limited=?, appids=? WHERE id=? AND space_id=?", chosen.Key, chosen.ID, limited, appids, id, who.SpaceID); err != nil {
			return err
		}
		// What the member has offered others was offered with the role that is gone.
		if err := s.endInvitationsOf(ctx, who.SpaceID, m.AccountID); err != nil {
			return err
		}
		before := Limit{m.Limited, strings.Fields(m.AppIDs)}.words(m.RoleTitle)
		if err := s.about(ctx, who, "member.change", m.AccountID, m.Name, before+" → "+limit.words(chosen.Title)); err != nil {
			return err
		}
		changed, err = s.member(ctx, who, id)
		return err
	})
	if err != nil {
		return Member{}, wrapped("change member", err)
	}
	return changed, s.tell(ctx, Message{Event: "space.member_changed", SpaceID: who.SpaceID, AccountIDs: []int64{changed.AccountID}, Title: "你的角色已调整为" + changed.RoleTitle, Text: "空间：" + who.Space, Link: "/my/spaces"})
}

// changeable reads a member whom the actor may change or remove.
func (s *Spaces) changeable(ctx context.Context, who Actor, id int64) (Member, error) {
	m, err := s.member(ctx, who, id)
	switch {
	case err != nil:
		return m, err
	case m.Self:
		return m, fault.New(fault.Forbidden, "own_membership", "不能修改自己的角色，请联系"+who.givers()+"；要离开空间请用“退出空间”")
	case !m.Changeable:
		return m, fault.New(fault.Forbidden, "beyond_own_role", "这位成员的权限比你大，请联系"+who.givers())
	}
	return m, nil
}

// keepAnOwner refuses when the space has one owner only. The space's lock is held.
func (s *Spaces) keepAnOwner(ctx context.Context, spaceID int64) error {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member WHERE space_id=? AND role=?", spaceID, RoleOwner)
	if err != nil {
		return err
	}
	if n < 2 {
		return fault.New(fault.Conflict, "last_owner", "空间至少要有一位所有者，请先把空间转让给其他成员")
	}
	return nil
}

// RemoveMember takes somebody out of the space at once: their sessions fall to another of their spaces or end.
func (s *Spaces) RemoveMember(ctx context.Context, who Actor, id int64) error {
	var gone Member
	err := s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		m, err := s.changeable(ctx, who, id)
		if err != nil {
			return err
		}
		if m.Role == RoleOwner {
			if err := s.keepAnOwner(ctx, who.SpaceID); err != nil {
				return err
			}
		}
		if err := s.takeOut(ctx, who.SpaceID, m); err != nil {
			return err
		}
		gone = m
		return s.about(ctx, who, "member.remove", m.AccountID, m.Name, m.RoleTitle)
	})
	if err != nil {
		return wrapped("remove member", err)
	}
	return s.tell(ctx, Message{Event: "space.member_changed", SpaceID: who.SpaceID, AccountIDs: []int64{gone.AccountID}, Title: "你已被移出空间“" + who.Space + "”", Text: "操作人：" + who.Name, Link: "/my/spaces"})
}

// Leave takes the actor out of their current space. The last owner cannot.
func (s *Spaces) Leave(ctx context.Context, who Actor) error {
	if who.Nobody() || who.Scopes != nil {
		return errLoginOnly
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockSpace(ctx, who.SpaceID); err != nil {
			return err
		}
		now, err := s.current(ctx, who)
		if err != nil {
			return err
		}
		if now.Role == RoleOwner {
			if err := s.keepAnOwner(ctx, who.SpaceID); err != nil {
				return err
			}
		}
		if err := s.takeOut(ctx, who.SpaceID, Member{ID: now.MemberID, AccountID: now.AccountID}); err != nil {
			return err
		}
		return s.about(ctx, now, "member.leave", now.AccountID, now.Name, "")
	})
	return wrapped("leave space", err)
}

// takeOut deletes a membership with what hangs on it.
func (s *Spaces) takeOut(ctx context.Context, spaceID int64, m Member) error {
	if err := s.endInvitationsOf(ctx, spaceID, m.AccountID); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM member WHERE id=? AND space_id=?", m.ID, spaceID); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM api_token WHERE member_id=?", m.ID); err != nil {
		return err
	}
	if s.o.Parted != nil {
		if err := s.o.Parted(ctx, m.ID); err != nil {
			return err
		}
	}
	next, err := s.db.Int(ctx, "SELECT COALESCE(MIN(id),0) FROM member WHERE account_id=?", m.AccountID)
	if err != nil {
		return err
	}
	if next == 0 {
		_, err = s.db.Exec(ctx, "DELETE FROM login_session WHERE member_id=?", m.ID)
		return err
	}
	_, err = s.db.Exec(ctx, "UPDATE login_session SET member_id=? WHERE member_id=?", next, m.ID)
	return err
}

// HandOver makes another member the owner and the actor an administrator. The password is asked for again.
func (s *Spaces) HandOver(ctx context.Context, who Actor, id int64, password string) error {
	if who.Nobody() || who.Scopes != nil {
		return errLoginOnly
	}
	if who.Role != RoleOwner {
		return fault.New(fault.Forbidden, "owner_only", "只有所有者可以转让空间，请联系"+who.givers())
	}
	if _, err := s.member(ctx, who, id); err != nil { // before the password: a wrong id costs no attempt
		return wrapped("hand over", err)
	}
	if err := s.confirm(ctx, who, password); err != nil {
		return err
	}
	var heir Member
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockSpace(ctx, who.SpaceID); err != nil {
			return err
		}
		now, err := s.current(ctx, who)
		if err != nil {
			return err
		}
		if now.Role != RoleOwner {
			return fault.New(fault.Conflict, "not_owner_now", "你已不是这个空间的所有者，请刷新页面")
		}
		if heir, err = s.member(ctx, now, id); err != nil {
			return err
		}
		if heir.Self {
			return fault.New(fault.Invalid, "handover_self", "请选择另一位成员")
		}
		if _, err := s.db.Exec(ctx, "UPDATE member SET role=?, role_id=0, limited=0, appids='' WHERE id=? AND space_id=?", RoleOwner, id, who.SpaceID); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "UPDATE member SET role=? WHERE id=? AND space_id=?", RoleAdmin, now.MemberID, who.SpaceID); err != nil {
			return err
		}
		return s.about(ctx, now, "space.handover", heir.AccountID, heir.Name, trail.Ref(now.AccountID)+" → "+trail.Ref(heir.AccountID))
	})
	if err != nil {
		return wrapped("hand over", err)
	}
	return s.tell(ctx, Message{Event: "space.member_changed", SpaceID: who.SpaceID, AccountIDs: []int64{heir.AccountID}, Title: "你已成为空间“" + who.Space + "”的所有者", Text: "转让人：" + who.Name, Link: "/my/spaces"})
}

// confirm asks for the person's password again; wrong ones count like those of a login.
func (s *Spaces) confirm(ctx context.Context, who Actor, password string) error {
	return s.o.Accounts.checkOwnPassword(ctx, who, "password", password)
}

// endInvitationsOf cancels what the account has offered in the space and nobody has accepted yet.
func (s *Spaces) endInvitationsOf(ctx context.Context, spaceID, accountID int64) error {
	_, err := s.db.Exec(ctx, "UPDATE invitation SET state=?, ended_at=? WHERE space_id=? AND invited_by=? AND state=?", InvitationCancelled, clock.Millis(s.clk.Now()), spaceID, accountID, InvitationOpen)
	return err
}
