package account

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/fault"
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
