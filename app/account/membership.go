package account

import "strings"

// Membership is one of a person's places in a space.
type Membership struct {
	MemberID     int64    `json:"member_id,string"`
	SpaceID      int64    `json:"space_id,string"`
	Space        string   `json:"space"`
	Kind         Kind     `json:"kind"`
	Role         string   `json:"role"`
	RoleTitle    string   `json:"role_title" orm:"role_title"`
	Permissions  []string `json:"-" orm:"-"`
	MiniPrograms []string `json:"-" orm:"-"`
	Owner        string   `json:"-" orm:"owner_name"`

	RolePermissions string `json:"-" orm:"role_permissions"`
	Limited         bool   `json:"-" orm:"limited"`
	AppIDs          string `json:"-" orm:"appids"`
}

// membershipSQL reads memberships with what their role includes: nothing of it is kept between requests, so that a changed
// role holds from the next one on.
const membershipSQL = "SELECT m.id AS member_id, m.space_id, s.name AS space, s.kind, m.role, m.limited, m.appids," +
	" COALESCE(r.name,'') AS role_title, COALESCE(r.permissions,'') AS role_permissions," +
	" (SELECT oa.name FROM member o JOIN account oa ON oa.id=o.account_id WHERE o.space_id=m.space_id AND o.role='owner' ORDER BY o.id LIMIT 1) AS owner_name" +
	" FROM member m JOIN space s ON s.id=m.space_id LEFT JOIN space_role r ON r.id=m.role_id AND r.space_id=m.space_id WHERE m.account_id=?"

// resolve turns the columns into what the role includes. A custom role that is gone includes nothing.
func (m *Membership) resolve() {
	switch m.Role {
	case RoleOwner:
		m.RoleTitle, m.Permissions = RoleTitle(RoleOwner), nil
	case RoleCustom:
		m.Permissions = strings.Fields(m.RolePermissions)
	default:
		m.RoleTitle, m.Permissions = RoleTitle(m.Role), builtinPermissions(m.Role, m.Kind)
	}
	if m.Limited {
		m.MiniPrograms = strings.Fields(m.AppIDs)
	}
}

func (m Membership) actor(a accountRow, session int64) Actor {
	m.resolve()
	return Actor{
		AccountID: a.ID, SpaceID: m.SpaceID, MemberID: m.MemberID, SessionID: session, Name: a.Name, Login: a.Login, Space: m.Space, Role: m.Role, SpaceKind: m.Kind,
		Permissions: m.Permissions, MiniPrograms: m.MiniPrograms, Owner: m.Owner,
	}
}
