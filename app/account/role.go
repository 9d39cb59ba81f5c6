package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// maxRoles bounds the custom roles of a space.
const maxRoles = 50

type roleRow struct {
	ID          int64
	SpaceID     int64
	Name        string
	Permissions string
	UpdatedAt   int64
	Members     int64
}

func (r roleRow) role() Role {
	return Role{ID: r.ID, Key: RoleCustom, Title: r.Name, Permissions: strings.Fields(r.Permissions), Members: r.Members, Version: r.UpdatedAt}
}

// RoleChoice names a role: a built-in one by Key, or a custom one by ID.
type RoleChoice struct {
	Key string
	ID  int64
}

// Roles lists the roles of the actor's space, the built-in ones first, each with how many members have it.
func (s *Spaces) Roles(ctx context.Context, who Actor) ([]Role, error) {
	if err := Require(who, "space.member.read"); err != nil {
		return nil, err
	}
	out := BuiltinRoles(who.SpaceKind)
	var counts []struct {
		Role string
		N    int64
	}
	if err := s.db.All(ctx, &counts, "SELECT role, COUNT(*) AS n FROM member WHERE space_id=? GROUP BY role", who.SpaceID); err != nil {
		return nil, fmt.Errorf("account: roles: %w", err)
	}
	for i := range out {
		for _, c := range counts {
			if c.Role == out[i].Key {
				out[i].Members = c.N
			}
		}
	}
	var rows []roleRow
	err := s.db.All(ctx, &rows, "SELECT r.*, (SELECT COUNT(*) FROM member m WHERE m.space_id=r.space_id AND m.role_id=r.id) AS members FROM space_role r WHERE r.space_id=? ORDER BY r.id", who.SpaceID)
	if err != nil {
		return nil, fmt.Errorf("account: roles: %w", err)
	}
	for _, r := range rows {
		out = append(out, r.role())
	}
	return out, nil
}

var errNoRole = fault.New(fault.NotFound, "role_not_found", "没有找到这个角色")

// Role reads one custom role of the actor's space.
func (s *Spaces) Role(ctx context.Context, who Actor, id int64) (Role, error) {
	if err := Require(who, "space.member.read"); err != nil {
		return Role{}, err
	}
	return s.customRole(ctx, who.SpaceID, id)
}

func (s *Spaces) customRole(ctx context.Context, spaceID, id int64) (Role, error) {
	var r roleRow
	found, err := s.db.One(ctx, &r, "SELECT r.*, (SELECT COUNT(*) FROM member m WHERE m.space_id=r.space_id AND m.role_id=r.id) AS members FROM space_role r WHERE r.id=? AND r.space_id=?", id, spaceID)
	if err != nil {
		return Role{}, fmt.Errorf("account: role: %w", err)
	}
	if !found {
		return Role{}, errNoRole
	}
	return r.role(), nil
}

// choose finds a role that the actor may give: one that holds nothing the actor lacks, and never the owner's, which is
// handed over instead.
func (s *Spaces) choose(ctx context.Context, who Actor, c RoleChoice) (Role, error) {
	bad := fault.InvalidInput()
	if c.Key == RoleCustom || c.Key == "" && c.ID != 0 {
		r, err := s.customRole(ctx, who.SpaceID, c.ID)
		if err != nil {
			return Role{}, err
		}
		return r, who.mayGive(r.Permissions)
	}
	for _, r := range BuiltinRoles(who.SpaceKind) {
		if r.Key != c.Key {
			continue
		}
		if r.Key == RoleOwner {
			return Role{}, fault.New(fault.Forbidden, "owner_by_handover", "所有者不能直接指定，请由现任所有者在成员页转让")
		}
		return r, who.mayGive(r.Permissions)
	}
	return Role{}, bad.On("role", "请选择一个角色")
}

// mayGive refuses a role that holds more than the actor does.
func (a Actor) mayGive(permissions []string) error {
	var lacking []string
	for _, p := range permissions {
		if a.SpaceKind.Offers(p) && !a.Can(p) {
			lacking = append(lacking, PermissionTitle(p))
		}
	}
	if lacking == nil {
		return nil
	}
	return fault.New(fault.Forbidden, "beyond_own_role", "不能给出自己没有的权限："+strings.Join(lacking, "、")+"。请联系"+a.givers())
}

// RoleForm is what a person fills in for a custom role.
type RoleForm struct {
	Name        string
	Permissions []string
	Version     int64 // of the role that was shown; 0 saves over whatever is there
}

func (f *RoleForm) check(kind Kind) error {
	bad := fault.InvalidInput()
	f.Name = strings.TrimSpace(f.Name)
	if n := utf8.RuneCountInString(f.Name); n < 1 || n > 20 {
		bad.On("name", "请填写角色名称（1 到 20 个字）")
	}
	for _, r := range BuiltinRoles(kind) {
		if r.Title == f.Name {
			bad.On("name", "这个名称是内置角色，请换一个")
		}
	}
	var known []string
	for _, p := range Permissions(kind) {
		if slices.Contains(f.Permissions, p.Name) {
			known = append(known, p.Name)
		}
	}
	for _, p := range f.Permissions {
		if Extension(p) && !slices.Contains(known, p) {
			known = append(known, p)
		}
		if !slices.Contains(known, p) {
			bad.On("permissions", "没有这项权限："+p)
		}
	}
	if len(f.Permissions) == 0 {
		bad.On("permissions", "请至少选择一项权限")
	}
	f.Permissions = known
	return bad.OrNil()
}

// SaveRole makes a custom role (id 0) or changes one. Neither what it held nor what it will hold may go beyond the actor.
func (s *Spaces) SaveRole(ctx context.Context, who Actor, id int64, f RoleForm) (Role, error) {
	if err := Require(who, "space.role"); err != nil {
		return Role{}, err
	}
	if id != 0 { // before the form: what is wrong with it matters to nobody who has no such role
		if _, err := s.customRole(ctx, who.SpaceID, id); err != nil {
			return Role{}, wrapped("save role", err)
		}
	}
	if err := f.check(who.SpaceKind); err != nil {
		return Role{}, err
	}
	var saved Role
	err := s.act(ctx, who, "space.role", func(ctx context.Context, who Actor) error {
		if err := who.mayGive(f.Permissions); err != nil {
			return err
		}
		now := clock.Millis(s.clk.Now())
		text := strings.Join(f.Permissions, " ")
		if id == 0 {
			n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM space_role WHERE space_id=?", who.SpaceID)
			if err != nil {
				return err
			}
			if n >= maxRoles {
				return fault.New(fault.Conflict, "too_many_roles", "一个空间最多 50 个自定义角色")
			}
			saved = Role{ID: s.db.NewID(), Key: RoleCustom, Title: f.Name, Permissions: f.Permissions, Version: now}
			if err := s.db.Insert(ctx, "space_role", map[string]any{"id": saved.ID, "space_id": who.SpaceID, "name": f.Name, "permissions": text, "created_at": now, "updated_at": now}); err != nil {
				return err
			}
			return s.record(ctx, who, "role.create", f.Name, text)
		}
		old, err := s.customRole(ctx, who.SpaceID, id)
		if err != nil {
			return err
		}
		if err := who.mayGive(old.Permissions); err != nil {
			return err
		}
		if f.Version != 0 && f.Version != old.Version {
			return fault.New(fault.Conflict, "role_changed", "这个角色刚被别人改过，请刷新后重新修改")
		}
		if who.Role == RoleCustom {
			if n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member WHERE id=? AND role_id=?", who.MemberID, id); err != nil || n > 0 {
				return joined(err, fault.New(fault.Forbidden, "own_role", "不能修改自己所属的角色，请联系"+who.givers()))
			}
		}
		now = max(now, old.Version+1)
		if _, err := s.db.Exec(ctx, "UPDATE space_role SET name=?, permissions=?, updated_at=? WHERE id=? AND space_id=?", f.Name, text, now, id, who.SpaceID); err != nil {
			return err
		}
		saved = Role{ID: id, Key: RoleCustom, Title: f.Name, Permissions: f.Permissions, Members: old.Members, Version: now}
		return s.record(ctx, who, "role.update", f.Name, strings.Join(old.Permissions, " ")+" → "+text)
	})
	if store.Duplicate(err) {
		return Role{}, fault.New(fault.Conflict, "role_name_taken", "已有同名角色").On("name", "已有同名角色，请换一个名称").Because(err)
	}
	return saved, wrapped("save role", err)
}

// DeleteRole removes a custom role that nobody has and that no open invitation names.
func (s *Spaces) DeleteRole(ctx context.Context, who Actor, id int64) error {
	err := s.act(ctx, who, "space.role", func(ctx context.Context, who Actor) error {
		old, err := s.customRole(ctx, who.SpaceID, id)
		if err != nil {
			return err
		}
		if err := who.mayGive(old.Permissions); err != nil {
			return err
		}
		open, err := s.db.Int(ctx, "SELECT COUNT(*) FROM invitation WHERE space_id=? AND role_id=? AND state=? AND expires_at>?", who.SpaceID, id, InvitationOpen, clock.Millis(s.clk.Now()))
		if err != nil {
			return err
		}
		if old.Members+open > 0 {
			return fault.Newf(fault.Conflict, "role_in_use", "还有 %d 位成员和 %d 份邀请使用这个角色，请先换成别的角色", old.Members, open)
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM space_role WHERE id=? AND space_id=?", id, who.SpaceID); err != nil {
			return err
		}
		return s.record(ctx, who, "role.delete", old.Title, "")
	})
	return wrapped("delete role", err)
}

// joined is err when there is one, otherwise the other.
func joined(err error, other error) error {
	if err != nil {
		return err
	}
	return other
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("account: %s: %w", what, err)
}
