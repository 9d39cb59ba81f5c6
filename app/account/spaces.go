package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// Message is what the spaces tell people: its event is one of the notices' catalogue.
type Message struct {
	Event      string
	SpaceID    int64
	AccountIDs []int64 // nil: the members of the space who may see it
	Title      string
	Text       string
	Link       string // a path of this site
}

// Messenger carries messages to people. Nil sends nothing.
type Messenger interface {
	Tell(ctx context.Context, m Message) error
	// Invite sends an invitation's link to somebody who may have no account yet; false when there is no way to.
	Invite(ctx context.Context, login, space, inviter, link string) (bool, error)
}

// Belongings tells what a space owns in rooms above this one.
type Belongings interface {
	// Holds counts the mini programs of the space whose authorisation is live, and its third-party platform apps.
	Holds(ctx context.Context, spaceID int64) (authorized, components int64, err error)
	// Export gives what the space owns, as values that encoding/json can write.
	Export(ctx context.Context, spaceID int64) (any, error)
}

// SpacesOptions are the parts of Spaces. Messenger, Belongings and Erase may be nil.
type SpacesOptions struct {
	DB         *store.DB
	Clock      clock.Clock
	Trail      *trail.Log
	Vault      *secret.Vault
	Accounts   *Service
	Messenger  Messenger
	Belongings Belongings
	// Erase removes what other rooms keep about a person; it runs inside the transaction that closes the account and gives
	// the blobs that go after it.
	Erase func(ctx context.Context, who Leaver) (blobs []int64, err error)
	// Parted removes what other rooms keep for a membership; it runs inside the transaction that ends it.
	Parted func(ctx context.Context, memberID int64) error
	// PublicURL is the origin that invitation links are made of.
	PublicURL string
}

// Spaces is the door to members, roles, invitations, merchant applications and leaving. Safe for concurrent use.
type Spaces struct {
	db    *store.DB
	clk   clock.Clock
	trail *trail.Log
	o     SpacesOptions
}

// NewSpaces makes the service.
func NewSpaces(o SpacesOptions) *Spaces {
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	return &Spaces{db: o.DB, clk: o.Clock, trail: o.Trail, o: o}
}

// maxSpaces bounds how many spaces a person may open themselves.
const maxSpaces = 10

// SpaceInfo is a space with how many people work in it.
type SpaceInfo struct {
	Space
	CreatedAt int64 `json:"created_at"`
	Members   int64 `json:"members"`
	Approved  bool  `json:"approved"`
}

// Current tells about the actor's space.
func (s *Spaces) Current(ctx context.Context, who Actor) (SpaceInfo, error) {
	var info SpaceInfo
	found, err := s.db.One(ctx, &info, "SELECT s.id, s.name, s.kind, s.created_at, (SELECT COUNT(*) FROM member m WHERE m.space_id=s.id) AS members FROM space s WHERE s.id=?", who.SpaceID)
	if err != nil {
		return info, fmt.Errorf("account: space: %w", err)
	}
	if !found || who.Nobody() {
		return info, fault.New(fault.NotFound, "space_not_found", "没有找到这个空间，或者你不是它的成员")
	}
	info.Approved, err = s.Approved(ctx, who.SpaceID)
	return info, err
}

// Open makes a further space for the person, of which they are the owner: 我要成为商户, or a personal space.
func (s *Spaces) Open(ctx context.Context, who Actor, kind Kind, name string) (Membership, error) {
	if who.Nobody() || who.Scopes != nil {
		return Membership{}, errLoginOnly
	}
	bad := fault.InvalidInput()
	name = strings.TrimSpace(name)
	if kind != Personal && kind != Merchant {
		bad.On("kind", "请选择普通用户或商户")
	}
	if kind == Personal && name == "" {
		name = who.Name
	}
	if n := utf8.RuneCountInString(name); n < 2 || n > 60 {
		bad.On("name", "请填写名称（2 到 60 个字），商户请填企业名称")
	}
	if err := bad.OrNil(); err != nil {
		return Membership{}, err
	}
	now := clock.Millis(s.clk.Now())
	m := Membership{Space: name, Kind: kind, Role: RoleOwner}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockAccount(ctx, who.AccountID); err != nil {
			return err
		}
		n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member WHERE account_id=? AND role=?", who.AccountID, RoleOwner)
		if err != nil {
			return err
		}
		if n >= maxSpaces {
			return fault.New(fault.Conflict, "too_many_spaces", "一个账号最多拥有 10 个空间")
		}
		m.SpaceID, m.MemberID = s.db.NewID(), s.db.NewID()
		if err := s.db.Insert(ctx, "space", map[string]any{"id": m.SpaceID, "name": name, "kind": string(kind), "created_at": now}); err != nil {
			return err
		}
		if err := s.db.Insert(ctx, "member", map[string]any{"id": m.MemberID, "account_id": who.AccountID, "space_id": m.SpaceID, "role": RoleOwner, "created_at": now}); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: m.SpaceID, Actor: who.Name, Act: "space.open", Object: string(kind)})
	})
	if err != nil {
		return Membership{}, fmt.Errorf("account: open space: %w", err)
	}
	m.resolve()
	return m, nil
}

// lockAccount makes acts of the same person wait for each other until the transaction ends.
func (s *Spaces) lockAccount(ctx context.Context, id int64) error {
	_, err := s.db.Exec(ctx, "UPDATE account SET created_at=created_at+0 WHERE id=?", id)
	return err
}

// lockSpace makes acts on members, roles and ownership of a space wait for each other until the transaction ends.
func (s *Spaces) lockSpace(ctx context.Context, id int64) error { return LockSpace(ctx, s.db, id) }

// LockSpace makes transactions about a space wait for each other. It comes before the transaction's first read, which would
// otherwise show MySQL's picture of before.
func LockSpace(ctx context.Context, db *store.DB, id int64) error {
	_, err := db.Exec(ctx, "UPDATE space SET created_at=created_at+0 WHERE id=?", id)
	return err
}

// current reads the actor's membership anew inside a transaction, so that a race with a change of role is decided by the
// database and not by what the request began with.
func (s *Spaces) current(ctx context.Context, who Actor) (Actor, error) {
	var m Membership
	found, err := s.db.One(ctx, &m, membershipSQL+" AND m.space_id=?", who.AccountID, who.SpaceID)
	if err != nil {
		return who, fmt.Errorf("account: %w", err)
	}
	if !found {
		return who, errSession
	}
	now := m.actor(accountRow{ID: who.AccountID, Login: who.Login, Name: who.Name}, who.SessionID)
	now.Scopes = who.Scopes
	return now, nil
}

// act runs f in a transaction that holds the space's lock, with the actor as it is then and only if it may.
func (s *Spaces) act(ctx context.Context, who Actor, permission string, f func(ctx context.Context, who Actor) error) error {
	if err := Require(who, permission); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockSpace(ctx, who.SpaceID); err != nil {
			return err
		}
		now, err := s.current(ctx, who)
		if err != nil {
			return err
		}
		if err := Require(now, permission); err != nil {
			return err
		}
		return f(ctx, now)
	})
}

var errLoginOnly = fault.New(fault.Forbidden, "login_only", "这个操作需要本人登录后在页面上进行，API 令牌不能使用")

// about records an act on a person, who is named as people are: outside of the sealed entry.
func (s *Spaces) about(ctx context.Context, who Actor, act string, accountID int64, name, detail string) error {
	return s.trail.Record(ctx, trail.Entry{
		AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Object: trail.Ref(accountID), Detail: detail,
		Names: map[int64]string{accountID: name, who.AccountID: who.Name},
	})
}

// record writes one entry about the space.
func (s *Spaces) record(ctx context.Context, who Actor, act, object, detail string) error {
	return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Object: object, Detail: detail})
}

// tell sends a message after what it tells about is stored; a message that cannot be sent must not undo the act.
func (s *Spaces) tell(ctx context.Context, m Message) error {
	if s.o.Messenger == nil {
		return nil
	}
	if err := s.o.Messenger.Tell(ctx, m); err != nil {
		return fmt.Errorf("account: tell %s: %w", m.Event, err)
	}
	return nil
}

// covers reports whether the actor holds everything of a role and a limit that it would give, or take from, somebody.
func (a Actor) covers(permissions, miniPrograms []string, limited bool) bool {
	for _, p := range permissions {
		if a.SpaceKind.Offers(p) && !a.Can(p) {
			return false
		}
	}
	if a.MiniPrograms == nil {
		return true
	}
	return limited && !slices.ContainsFunc(miniPrograms, func(id string) bool { return !a.Reaches(id) })
}
