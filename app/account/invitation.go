package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// The states of an invitation. One that is open and past its end counts as expired.
const (
	InvitationOpen      = "open"
	InvitationAccepted  = "accepted"
	InvitationCancelled = "cancelled"
	InvitationExpired   = "expired"
)

// invitationLife is how long an invitation can be accepted, in platform time.
const invitationLife = 7 * 24 * time.Hour

// MaxInvitations bounds the open invitations of a space.
const MaxInvitations = 200

// Invitation asks somebody to join a space with a role.
type Invitation struct {
	ID           int64    `json:"id,string"`
	SpaceID      int64    `json:"space_id,string"`
	Login        string   `json:"login"`
	Role         string   `json:"role"`
	RoleID       int64    `json:"role_id,string"`
	RoleTitle    string   `json:"role_title" orm:"role_title"`
	MiniPrograms []string `json:"miniprograms" orm:"-"` // when limited
	State        string   `json:"state"`
	Inviter      string   `json:"inviter"`
	CreatedAt    int64    `json:"created_at"`
	ExpiresAt    int64    `json:"expires_at"`

	InvitedBy int64  `json:"-"`
	Space     string `json:"-"`
	Kind      Kind   `json:"-"`
	Limited   bool   `json:"limited"`
	AppIDs    string `json:"-" orm:"appids"`
}

// Offer is what an invited person sees before they accept. The login is masked unless it is theirs.
type Offer struct {
	Space     string `json:"space"`
	Kind      Kind   `json:"kind"`
	Inviter   string `json:"inviter"`
	RoleTitle string `json:"role_title"`
	Login     string `json:"login"`
	ExpiresAt int64  `json:"expires_at"`
	Mine      bool   `json:"mine"` // the reader is logged in as who is invited
}

const invitationSQL = "SELECT i.id, i.space_id, i.login, i.role, i.role_id, i.limited, i.appids, i.state, i.invited_by, i.created_at, i.expires_at, COALESCE(r.name,'') AS role_title, COALESCE(a.name,'') AS inviter, s.name AS space, s.kind" +
	" FROM invitation i JOIN space s ON s.id=i.space_id LEFT JOIN space_role r ON r.id=i.role_id AND r.space_id=i.space_id LEFT JOIN account a ON a.id=i.invited_by WHERE "

func (i *Invitation) finish(now int64) {
	if i.Role != RoleCustom {
		i.RoleTitle = RoleTitle(i.Role)
	}
	if i.Limited {
		i.MiniPrograms = append([]string{}, strings.Fields(i.AppIDs)...)
	}
	if i.State == InvitationOpen && i.ExpiresAt <= now {
		i.State = InvitationExpired
	}
}

// Invitations lists those of the actor's space, the newest first, at most 200.
func (s *Spaces) Invitations(ctx context.Context, who Actor) ([]Invitation, error) {
	if err := Require(who, "space.member.read"); err != nil {
		return nil, err
	}
	var rows []Invitation
	if err := s.db.All(ctx, &rows, invitationSQL+"i.space_id=? ORDER BY i.id DESC LIMIT 200", who.SpaceID); err != nil {
		return nil, fmt.Errorf("account: invitations: %w", err)
	}
	now := clock.Millis(s.clk.Now())
	for i := range rows {
		rows[i].finish(now)
	}
	return rows, nil
}

// InvitationForm is whom to invite as what.
type InvitationForm struct {
	Login string
	Role  RoleChoice
	Limit Limit
}

// Invited is a fresh invitation. Link holds the token, which is shown this once; Sent tells whether it also went out by
// mail or message.
type Invited struct {
	Invitation
	Link string `json:"link"`
	Sent bool   `json:"sent"`
}

// Invite asks somebody to join the actor's space. The role may hold nothing that the actor lacks.
func (s *Spaces) Invite(ctx context.Context, who Actor, f InvitationForm) (Invited, error) {
	token := rand.Text() + rand.Text()
	var id int64
	err := s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		role, err := s.admitted(ctx, who, &f)
		if err != nil {
			return err
		}
		now := clock.Millis(s.clk.Now())
		limited, appids := f.Limit.columns()
		id = s.db.NewID()
		err = s.db.Insert(ctx, "invitation", map[string]any{
			"id": id, "space_id": who.SpaceID, "token_hash": tokenHash(token), "login": f.Login, "role": role.Key, "role_id": role.ID, "limited": limited, "appids": appids,
			"state": InvitationOpen, "invited_by": who.AccountID, "created_at": now, "expires_at": now + invitationLife.Milliseconds(),
		})
		if err != nil {
			return err
		}
		return s.record(ctx, who, "invitation.create", MaskLogin(f.Login), f.Limit.words(role.Title))
	})
	if err != nil {
		return Invited{}, wrapped("invite", err)
	}
	return s.send(ctx, who, id, token)
}

// invitable refuses whoever is a member or invited already.
func (s *Spaces) invitable(ctx context.Context, spaceID int64, login string, now int64) error {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member m JOIN account a ON a.id=m.account_id WHERE m.space_id=? AND a.login=?", spaceID, login)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.InvalidInput().On("login", "对方已经是这个空间的成员")
	}
	n, err = s.db.Int(ctx, "SELECT COUNT(*) FROM invitation WHERE space_id=? AND login=? AND state=? AND expires_at>?", spaceID, login, InvitationOpen, now)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.InvalidInput().On("login", "已经邀请过对方，可以在成员页重新发送")
	}
	left, err := s.invitationsLeft(ctx, spaceID, now)
	if err == nil && left == 0 {
		err = fault.New(fault.Conflict, "too_many_invitations", fmt.Sprintf("未接受的邀请太多（最多 %d 份），请先取消不用的", MaxInvitations))
	}
	return err
}

// invitationsLeft is how many more invitations may be open in a space.
func (s *Spaces) invitationsLeft(ctx context.Context, spaceID, now int64) (int64, error) {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM invitation WHERE space_id=? AND state=? AND expires_at>?", spaceID, InvitationOpen, now)
	return max(MaxInvitations-n, 0), err
}

// send gives the link, and passes it on where there is a way to.
func (s *Spaces) send(ctx context.Context, who Actor, id int64, token string) (Invited, error) {
	in, err := s.invitation(ctx, who, id)
	if err != nil {
		return Invited{}, err
	}
	out := Invited{Invitation: in, Link: s.o.PublicURL + "/invite/" + token}
	if s.o.Messenger != nil {
		if out.Sent, err = s.o.Messenger.Invite(ctx, in.Login, who.Space, who.Name, out.Link); err != nil {
			return out, fmt.Errorf("account: send invitation: %w", err)
		}
	}
	return out, s.ring(ctx, who, in)
}

// ring puts the invitation among the messages of whom it is for, where that login has an account already. The message
// holds the invitation's number, never its token: the number opens it for nobody else.
func (s *Spaces) ring(ctx context.Context, who Actor, in Invitation) error {
	id, err := s.db.Int(ctx, "SELECT COALESCE(MAX(id),0) FROM account WHERE login=?", in.Login)
	if err != nil {
		return fmt.Errorf("account: send invitation: %w", err)
	}
	if id == 0 {
		return nil
	}
	return s.tell(ctx, Message{
		Event: "space.invitation", SpaceID: who.SpaceID, AccountIDs: []int64{id}, Title: who.Name + " 邀请你加入「" + who.Space + "」",
		Text: "角色：" + in.RoleTitle + "。请在 7 天内接受。", Link: "/invite/" + strconv.FormatInt(in.ID, 10),
	})
}

var errNoInvitation = fault.New(fault.NotFound, "invitation_not_found", "没有找到这份邀请")

func (s *Spaces) invitation(ctx context.Context, who Actor, id int64) (Invitation, error) {
	var i Invitation
	found, err := s.db.One(ctx, &i, invitationSQL+"i.id=? AND i.space_id=?", id, who.SpaceID)
	if err != nil {
		return i, fmt.Errorf("account: invitation: %w", err)
	}
	if !found {
		return i, errNoInvitation
	}
	i.finish(clock.Millis(s.clk.Now()))
	return i, nil
}

// Resend makes a new link with a new term for an invitation that is open or expired; the old link ends.
func (s *Spaces) Resend(ctx context.Context, who Actor, id int64) (Invited, error) {
	token := rand.Text() + rand.Text()
	err := s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		in, err := s.invitation(ctx, who, id)
		if err != nil {
			return err
		}
		if in.State != InvitationOpen && in.State != InvitationExpired {
			return fault.New(fault.Conflict, "invitation_over", "这份邀请已被接受或取消，请重新邀请")
		}
		role, err := s.choose(ctx, who, RoleChoice{Key: in.Role, ID: in.RoleID})
		if err != nil {
			return err
		}
		limit := Limit{in.Limited, strings.Fields(in.AppIDs)}
		if err := limit.check(who); err != nil {
			return err
		}
		now := clock.Millis(s.clk.Now())
		if _, err := s.db.Exec(ctx, "UPDATE invitation SET token_hash=?, state=?, invited_by=?, expires_at=?, ended_at=0 WHERE id=?", tokenHash(token), InvitationOpen, who.AccountID, now+invitationLife.Milliseconds(), id); err != nil {
			return err
		}
		return s.record(ctx, who, "invitation.resend", MaskLogin(in.Login), limit.words(role.Title))
	})
	if err != nil {
		return Invited{}, wrapped("resend invitation", err)
	}
	return s.send(ctx, who, id, token)
}

// CancelInvitation ends an open invitation; its link works no more.
func (s *Spaces) CancelInvitation(ctx context.Context, who Actor, id int64) error {
	return wrapped("cancel invitation", s.act(ctx, who, "space.member", func(ctx context.Context, who Actor) error {
		in, err := s.invitation(ctx, who, id)
		if err != nil {
			return err
		}
		n, err := s.db.Exec(ctx, "UPDATE invitation SET state=?, ended_at=? WHERE id=? AND state=?", InvitationCancelled, clock.Millis(s.clk.Now()), id, InvitationOpen)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "invitation_over", "这份邀请已被接受或取消")
		}
		return s.record(ctx, who, "invitation.cancel", MaskLogin(in.Login), "")
	}))
}

var errInvitationGone = fault.New(fault.NotFound, "invitation_gone", "邀请链接无效、已过期或已使用，请联系邀请人重新发送")

func (s *Spaces) byToken(ctx context.Context, token string) (Invitation, error) {
	var i Invitation
	if len(token) < 20 || len(token) > 200 {
		return i, errInvitationGone
	}
	found, err := s.db.One(ctx, &i, invitationSQL+"i.token_hash=? AND i.state=? AND i.expires_at>?", tokenHash(token), InvitationOpen, clock.Millis(s.clk.Now()))
	if err != nil {
		return i, fmt.Errorf("account: invitation: %w", err)
	}
	if !found {
		return i, errInvitationGone
	}
	i.finish(0)
	return i, nil
}

// offered finds an invitation by the token of its link, or by its number where it is for the actor's own login.
func (s *Spaces) offered(ctx context.Context, who Actor, key string) (Invitation, error) {
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil || who.Nobody() {
		return s.byToken(ctx, key)
	}
	var i Invitation
	found, err := s.db.One(ctx, &i, invitationSQL+"i.id=? AND i.login=? AND i.state=? AND i.expires_at>?", id, who.Login, InvitationOpen, clock.Millis(s.clk.Now()))
	if err != nil {
		return i, fmt.Errorf("account: invitation: %w", err)
	}
	if !found {
		return i, errInvitationGone
	}
	i.finish(0)
	return i, nil
}

// Offer shows an invitation to whoever holds its link, or to whom it is for by its number; who may be nobody.
func (s *Spaces) Offer(ctx context.Context, who Actor, token string) (Offer, error) {
	i, err := s.offered(ctx, who, token)
	if err != nil {
		return Offer{}, err
	}
	o := Offer{Space: i.Space, Kind: i.Kind, Inviter: i.Inviter, RoleTitle: i.RoleTitle, Login: MaskLogin(i.Login), ExpiresAt: i.ExpiresAt, Mine: !who.Nobody() && who.Login == i.Login}
	if o.Mine {
		o.Login = i.Login
	}
	return o, nil
}

// Accept joins the space. Only the person whose login was invited can, once; of two at the same time one does.
func (s *Spaces) Accept(ctx context.Context, who Actor, token string) (Membership, error) {
	if who.Nobody() || who.Scopes != nil {
		return Membership{}, errLoginOnly
	}
	i, err := s.offered(ctx, who, token)
	if err != nil {
		return Membership{}, err
	}
	var m Membership
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockSpace(ctx, i.SpaceID); err != nil {
			return err
		}
		// The login of the moment: it may have been changed since the session was read.
		login, err := s.loginOf(ctx, who.AccountID)
		if err != nil {
			return err
		}
		if login != i.Login {
			return fault.New(fault.Forbidden, "invitation_of_another", "这份邀请发给 "+MaskLogin(i.Login)+"，请退出后用该账号登录再接受")
		}
		number := int64(0) // a link that was replaced meanwhile ends; the number stays
		if token == strconv.FormatInt(i.ID, 10) {
			number = i.ID
		}
		now := clock.Millis(s.clk.Now())
		n, err := s.db.Exec(ctx, "UPDATE invitation SET state=?, accepted_by=?, ended_at=? WHERE id=? AND state=? AND (token_hash=? OR id=?) AND expires_at>?", InvitationAccepted, who.AccountID, now, i.ID, InvitationOpen, tokenHash(token), number, now)
		if err != nil {
			return err
		}
		if n == 0 {
			return errInvitationGone
		}
		id := s.db.NewID()
		row := map[string]any{"id": id, "account_id": who.AccountID, "space_id": i.SpaceID, "role": i.Role, "role_id": i.RoleID, "limited": i.Limited, "appids": i.AppIDs, "created_at": now}
		if i.Limited {
			row["limited"] = 1
		} else {
			row["limited"] = 0
		}
		if err := s.db.Insert(ctx, "member", row); err != nil {
			return err
		}
		if _, err := s.db.One(ctx, &m, membershipSQL+" AND m.id=?", who.AccountID, id); err != nil {
			return err
		}
		m.resolve()
		who.SpaceID = i.SpaceID
		return s.about(ctx, who, "invitation.accept", who.AccountID, who.Name, i.RoleTitle)
	})
	if store.Duplicate(err) {
		return Membership{}, fault.New(fault.Conflict, "member_already", "你已经是这个空间的成员").Because(err)
	}
	if err != nil {
		return Membership{}, wrapped("accept invitation", err)
	}
	return m, s.tell(ctx, Message{Event: "space.member_changed", SpaceID: i.SpaceID, AccountIDs: []int64{i.InvitedBy}, Title: who.Name + " 已接受邀请", Text: "角色：" + i.RoleTitle, Link: "/admin/members"})
}

func (s *Spaces) loginOf(ctx context.Context, accountID int64) (string, error) {
	var row struct{ Login string }
	found, err := s.db.One(ctx, &row, "SELECT login FROM account WHERE id=?", accountID)
	if err == nil && !found {
		err = errSession
	}
	return row.Login, err
}

// MaskLogin hides the middle of a phone number or of an e-mail's first part: 138****8000, w***@example.test.
func MaskLogin(login string) string {
	if name, host, ok := strings.Cut(login, "@"); ok {
		if name == "" {
			return "***@" + host
		}
		return name[:1] + "***@" + host
	}
	return MaskPhone(login)
}

// MaskPhone hides the middle of a phone number.
func MaskPhone(phone string) string {
	if len(phone) < 8 {
		return "****"
	}
	return phone[:3] + "****" + phone[len(phone)-4:]
}
