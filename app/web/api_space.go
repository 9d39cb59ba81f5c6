package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// spaceRoutes are the calls about spaces, members, roles, invitations and merchant applications. API tokens may make none of
// them: with them a token could make members or roles of its own.
func (s *Server) spaceRoutes() []any {
	return []any{
		s.listSpaces, s.openSpace, s.currentSpace, s.leaveSpace, s.handOver,
		s.listMembers, s.getMember, s.changeMember, s.removeMember,
		s.listRoles, s.createRole, s.updateRole, s.deleteRole,
		s.listInvitations, s.invite, s.resendInvitation, s.cancelInvitation, s.getOffer, s.acceptInvitation,
		s.getApplication, s.saveApplication, s.submitApplication, s.putApplicationFile, s.applicationFile, s.removeApplicationFile,
		s.listApplications, s.getReview, s.reviewFile, s.approveApplication, s.rejectApplication,
		s.exportData, s.leavingPlan, s.closeAccount,
	}
}

type listSpacesIn struct {
	g.Meta `path:"/spaces" method:"get" tags:"空间" summary:"我能进入的空间"`
}

func (s *Server) listSpaces(ctx context.Context, _ *listSpacesIn) (*list[account.Membership], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Accounts.Memberships(ctx, who.AccountID)
	return listOf(rows, "", int64(len(rows))), err
}

type openSpaceIn struct {
	g.Meta `path:"/spaces" method:"post" tags:"空间" summary:"开一个新空间：我要成为商户，或个人空间"`
	Kind   account.Kind `json:"kind"`
	Name   string       `json:"name"`
}

type openedSpace struct{ account.Membership }

func (openedSpace) HTTPStatus() int { return http.StatusCreated }

func (s *Server) openSpace(ctx context.Context, in *openSpaceIn) (*openedSpace, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Spaces.Open(ctx, who, in.Kind, in.Name)
	return &openedSpace{m}, err
}

type currentSpaceIn struct {
	g.Meta `path:"/spaces/current" method:"get" tags:"空间" summary:"当前空间"`
}

type currentSpaceOut struct {
	account.SpaceInfo
	Role        string   `json:"role"`
	Permissions []string `json:"permissions"`
}

func (s *Server) currentSpace(ctx context.Context, _ *currentSpaceIn) (*currentSpaceOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	info, err := s.o.Spaces.Current(ctx, who)
	return &currentSpaceOut{info, who.Role, who.Names()}, err
}

type leaveSpaceIn struct {
	g.Meta `path:"/spaces/current/leave" method:"post" tags:"空间" summary:"退出当前空间"`
}

func (s *Server) leaveSpace(ctx context.Context, _ *leaveSpaceIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.Leave(ctx, who)
}

type handOverIn struct {
	g.Meta   `path:"/spaces/current/handover" method:"post" tags:"空间" summary:"把空间转让给另一位成员"`
	MemberID string `json:"member_id"`
	Password string `json:"password"`
}

func (*handOverIn) unrepeatable() {}

func (s *Server) handOver(ctx context.Context, in *handOverIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.HandOver(ctx, who, idOf(in.MemberID), in.Password)
}

// idOf reads an id of a body; what is none is nobody's and answers like a foreign one.
func idOf(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

type listMembersIn struct {
	g.Meta `path:"/members" method:"get" tags:"成员" summary:"当前空间的成员"`
	Query  string `json:"q" in:"query"`
	Role   string `json:"role" in:"query"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listMembers(ctx context.Context, in *listMembersIn) (*list[account.Member], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := s.o.Spaces.Members(ctx, who, account.MemberFilter{Query: in.Query, Role: in.Role, Cursor: cursor, Limit: in.Limit})
	return listOf(p.Items, strconv.FormatInt(p.Next, 10), p.Total), err
}

type getMemberIn struct {
	g.Meta `path:"/members/{id}" method:"get" tags:"成员" summary:"一位成员"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getMember(ctx context.Context, in *getMemberIn) (*account.Member, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Spaces.Member(ctx, who, in.ID)
	return &m, err
}

type changeMemberIn struct {
	g.Meta       `path:"/members/{id}" method:"put" tags:"成员" summary:"调整成员的角色和可操作的小程序"`
	ID           int64     `json:"id" in:"path"`
	Role         string    `json:"role"`
	RoleID       string    `json:"role_id"`
	MiniPrograms *[]string `json:"miniprograms"` // null: all
}

func (s *Server) changeMember(ctx context.Context, in *changeMemberIn) (*account.Member, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Spaces.ChangeMember(ctx, who, in.ID, choice(in.Role, in.RoleID), limitOf(in.MiniPrograms))
	return &m, err
}

func choice(key, id string) account.RoleChoice {
	c := account.RoleChoice{Key: key}
	if id != "" && id != "0" {
		c.ID = idOf(id)
	}
	return c
}

func limitOf(appids *[]string) account.Limit {
	if appids == nil {
		return account.Limit{}
	}
	return account.Limit{Limited: true, AppIDs: *appids}
}

type removeMemberIn struct {
	g.Meta `path:"/members/{id}" method:"delete" tags:"成员" summary:"移除成员，立即生效"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) removeMember(ctx context.Context, in *removeMemberIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.RemoveMember(ctx, who, in.ID)
}

type listRolesIn struct {
	g.Meta `path:"/roles" method:"get" tags:"角色" summary:"内置角色和自定义角色"`
}

func (s *Server) listRoles(ctx context.Context, _ *listRolesIn) (*list[account.Role], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Spaces.Roles(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type createRoleIn struct {
	g.Meta      `path:"/roles" method:"post" tags:"角色" summary:"新建自定义角色"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

type createdRole struct{ account.Role }

func (createdRole) HTTPStatus() int { return http.StatusCreated }

func (s *Server) createRole(ctx context.Context, in *createRoleIn) (*createdRole, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.o.Spaces.SaveRole(ctx, who, 0, account.RoleForm{Name: in.Name, Permissions: in.Permissions})
	return &createdRole{r}, err
}

type updateRoleIn struct {
	g.Meta      `path:"/roles/{id}" method:"put" tags:"角色" summary:"修改自定义角色"`
	ID          int64    `json:"id" in:"path"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	Version     string   `json:"version"`
}

func (s *Server) updateRole(ctx context.Context, in *updateRoleIn) (*account.Role, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if in.ID <= 0 {
		return nil, fault.New(fault.NotFound, "role_not_found", "没有找到这个角色")
	}
	f := account.RoleForm{Name: in.Name, Permissions: in.Permissions}
	if in.Version != "" {
		f.Version = idOf(in.Version)
	}
	r, err := s.o.Spaces.SaveRole(ctx, who, in.ID, f)
	return &r, err
}

type deleteRoleIn struct {
	g.Meta `path:"/roles/{id}" method:"delete" tags:"角色" summary:"删除没有人使用的自定义角色"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) deleteRole(ctx context.Context, in *deleteRoleIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.DeleteRole(ctx, who, in.ID)
}
