package account

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Member is somebody who works in a space.
type Member struct {
	ID           int64    `json:"id,string"`
	AccountID    int64    `json:"account_id,string"`
	Name         string   `json:"name"`
	Login        string   `json:"login"`
	Role         string   `json:"role"`
	RoleID       int64    `json:"role_id,string"`
	RoleTitle    string   `json:"role_title" orm:"role_title"`
	MiniPrograms []string `json:"miniprograms" orm:"-"` // when limited
	CreatedAt    int64    `json:"created_at"`
	Self         bool     `json:"self" orm:"-"`
	// Changeable: the actor may change the role and remove.
	Changeable bool `json:"changeable" orm:"-"`

	Limited     bool   `json:"limited" orm:"limited"`
	AppIDs      string `json:"-" orm:"appids"`
	Permissions string `json:"-" orm:"role_permissions"`
}

// permissions lists what the member's role includes; nil for an owner.
func (m Member) permissions(kind Kind) []string {
	switch m.Role {
	case RoleOwner:
		return nil
	case RoleCustom:
		return strings.Fields(m.Permissions)
	default:
		return builtinPermissions(m.Role, kind)
	}
}

const memberSQL = "SELECT m.id, m.account_id, a.name, a.login, m.role, m.role_id, m.limited, m.appids, m.created_at, COALESCE(r.name,'') AS role_title, COALESCE(r.permissions,'') AS role_permissions" +
	" FROM member m JOIN account a ON a.id=m.account_id LEFT JOIN space_role r ON r.id=m.role_id AND r.space_id=m.space_id WHERE m.space_id=?"

func (m *Member) finish(who Actor) {
	if m.Role != RoleCustom {
		m.RoleTitle = RoleTitle(m.Role)
	}
	if m.Limited {
		m.MiniPrograms = append([]string{}, strings.Fields(m.AppIDs)...)
	}
	m.Self = m.AccountID == who.AccountID
	m.Changeable = !m.Self && who.Can("space.member") && who.outranks(*m)
}

// outranks reports whether the actor may change a member: an owner anybody, others whom they hold at least as much as.
func (a Actor) outranks(m Member) bool {
	if a.Role == RoleOwner && a.Scopes == nil {
		return true
	}
	return m.Role != RoleOwner && a.mayGive(m.permissions(a.SpaceKind)) == nil && a.covers(nil, m.MiniPrograms, m.Limited)
}

// Members is a page of members with how many there are. Next is the cursor of the next page, 0 at the end.
type Members struct {
	Items []Member
	Next  int64
	Total int64
}

// MemberFilter narrows a list of members.
type MemberFilter struct {
	Query  string // part of the name or login
	Role   string // a built-in role's key, or a custom role's id
	Cursor int64  // members after this id
	Limit  int    // 1…100, default 50
}

// Members lists who works in the actor's space, the first joined first.
func (s *Spaces) Members(ctx context.Context, who Actor, f MemberFilter) (Members, error) {
	if err := Require(who, "space.member.read"); err != nil {
		return Members{}, err
	}
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 50
	}
	cond, args := "", []any{who.SpaceID}
	if q := strings.TrimSpace(f.Query); q != "" {
		like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
		cond, args = cond+" AND (a.name LIKE ? ESCAPE '!' OR a.login LIKE ? ESCAPE '!')", append(args, like, like)
	}
	if id, err := strconv.ParseInt(f.Role, 10, 64); err == nil {
		cond, args = cond+" AND m.role_id=?", append(args, id)
	} else if f.Role != "" {
		cond, args = cond+" AND m.role=?", append(args, f.Role)
	}
	var p Members
	var err error
	if p.Total, err = s.db.Int(ctx, "SELECT COUNT(*) FROM member m JOIN account a ON a.id=m.account_id WHERE m.space_id=?"+cond, args...); err != nil {
		return p, fmt.Errorf("account: members: %w", err)
	}
	cond, args = cond+" AND m.id>? ORDER BY m.id LIMIT ?", append(args, f.Cursor, f.Limit+1)
	if err := s.db.All(ctx, &p.Items, memberSQL+cond, args...); err != nil {
		return p, fmt.Errorf("account: members: %w", err)
	}
	if len(p.Items) > f.Limit {
		p.Items = p.Items[:f.Limit]
		p.Next = p.Items[f.Limit-1].ID
	}
	for i := range p.Items {
		p.Items[i].finish(who)
	}
	return p, nil
}

var errNoMember = fault.New(fault.NotFound, "member_not_found", "没有找到这个成员")

// Member reads one member of the actor's space.
func (s *Spaces) Member(ctx context.Context, who Actor, id int64) (Member, error) {
	if err := Require(who, "space.member.read"); err != nil {
		return Member{}, err
	}
	return s.member(ctx, who, id)
}

func (s *Spaces) member(ctx context.Context, who Actor, id int64) (Member, error) {
	var m Member
	found, err := s.db.One(ctx, &m, memberSQL+" AND m.id=?", who.SpaceID, id)
	if err != nil {
		return m, fmt.Errorf("account: member: %w", err)
	}
	if !found {
		return m, errNoMember
	}
	m.finish(who)
	return m, nil
}

var appidForm = regexp.MustCompile(`^wx[0-9a-zA-Z]{16}$`)

// maxLimit is how many mini programs a member can be limited to.
const maxLimit = 200

// Limit says which mini programs a member reaches: all of the space's, or only the named ones.
type Limit struct {
	Limited bool
	AppIDs  []string
}

func (l *Limit) check(who Actor) error {
	if !l.Limited {
		l.AppIDs = nil
		if who.MiniPrograms != nil {
			return fault.New(fault.Forbidden, "beyond_own_limit", "你自己只能操作指定的小程序，不能让别人操作全部小程序")
		}
		return nil
	}
	bad := fault.InvalidInput()
	var kept []string
	for _, id := range l.AppIDs {
		switch id = strings.TrimSpace(id); {
		case id == "" || slices.Contains(kept, id):
		case !appidForm.MatchString(id):
			bad.On("miniprograms", "AppID 应为 wx 开头的 18 位字符："+id)
		case !who.Reaches(id):
			bad.On("miniprograms", "你不能操作这个小程序，也不能授予别人："+id)
		default:
			kept = append(kept, id)
		}
	}
	if len(kept) > maxLimit {
		bad.On("miniprograms", "最多指定 200 个小程序")
	}
	if len(kept) == 0 && len(bad.Fields) == 0 {
		bad.On("miniprograms", "请至少填写一个小程序 AppID，或选择全部小程序")
	}
	l.AppIDs = kept
	return bad.OrNil()
}

func (l Limit) columns() (limited int, appids string) {
	if l.Limited {
		return 1, strings.Join(l.AppIDs, " ")
	}
	return 0, ""
}

// words says a role and a limit for the trail.
func (l Limit) words(role string) string {
	if l.Limited {
		return role + "（限 " + strings.Join(l.AppIDs, " ") + "）"
	}
	return role
}

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
