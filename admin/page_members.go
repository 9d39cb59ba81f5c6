package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
)

func (a *Admin) memberPages() []Page {
	return []Page{
		{Pattern: "GET /members", Title: "成员", Query: listQuery("role"), Handle: a.membersPage},
		{Pattern: "POST /members/leave", Title: "退出空间", Handle: a.leaveSpace},
		{Pattern: "GET /members/{id}", Title: "成员", Handle: a.memberPage},
		{Pattern: "POST /members/{id}", Title: "成员", Handle: a.saveMember},
		{Pattern: "POST /members/{id}/remove", Title: "移除成员", Handle: a.removeMember},
		{Pattern: "POST /members/{id}/handover", Title: "转让空间", Handle: a.handOver},
		{Pattern: "GET /invitations/new", Title: "邀请成员", Handle: a.invitePage},
		{Pattern: "POST /invitations/new", Title: "邀请成员", Handle: a.invite},
		{Pattern: "POST /invitations/{id}/resend", Title: "重新发送邀请", Handle: a.resendInvitation},
		{Pattern: "POST /invitations/{id}/cancel", Title: "取消邀请", Handle: a.cancelInvitation},
		{Pattern: "GET /roles", Title: "角色", Query: listQuery("kind"), Handle: a.rolesPage},
		{Pattern: "GET /roles/new", Title: "新建角色", Handle: a.rolePage},
		{Pattern: "POST /roles/new", Title: "新建角色", Handle: a.saveRole},
		{Pattern: "GET /roles/{id}", Title: "角色", Handle: a.rolePage},
		{Pattern: "POST /roles/{id}", Title: "角色", Handle: a.saveRole},
		{Pattern: "POST /roles/{id}/delete", Title: "删除角色", Handle: a.deleteRole},
	}
}

// refusals gives the sentences of a problem by field; its templates ask for them by name.
type refusals struct{ Problem *fault.Error }

// Error is the reason why a field was refused, or nothing.
func (f refusals) Error(name string) string {
	if f.Problem == nil {
		return ""
	}
	for _, field := range f.Problem.Fields {
		if field.Name == name {
			return field.Message
		}
	}
	return ""
}

// General reports whether the problem belongs to no field of the form.
func (f refusals) General() bool { return f.Problem != nil && len(f.Problem.Fields) == 0 }

// problemOf keeps a person's mistake for the form; what is ours stays an error.
func problemOf(err error) (*fault.Error, error) {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.NotFound || f.Kind == fault.Unauthenticated {
		return nil, err
	}
	return f, nil
}

func statusOf(p *fault.Error) int {
	if p == nil {
		return 0
	}
	return p.Kind.Status()
}

func idIn(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// membersView is what stands around the list of members.
type membersView struct {
	Invitations []account.Invitation
	CanManage   bool
	CanImport   bool
	Owner       bool
}

const membersBase = Prefix + "/members"

func (a *Admin) membersPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	s, elsewhere, err := a.openList(ctx, actor, r, "members", membersBase)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	roles, err := a.o.Services.Spaces.Roles(ctx, actor)
	if err != nil {
		return View{}, err
	}
	cursor, _ := strconv.ParseInt(s.cursor, 10, 64) // anything else is the first page
	page, err := a.o.Services.Spaces.Members(ctx, actor, account.MemberFilter{Query: s.search, Role: s.q.Get("role"), Cursor: cursor, Limit: s.size})
	if err != nil {
		return View{}, err
	}
	v := membersView{CanManage: actor.Can("space.member"), Owner: actor.Role == account.RoleOwner}
	v.CanImport = v.CanManage && a.o.Services.Transfers != nil
	l := shownList{
		Name: "members", Title: "成员", Address: membersBase, Search: "姓名、邮箱或手机", Acts: true, Export: a.o.Services.Transfers != nil, Total: &page.Total,
		Filters: []listFilter{{Name: "role", Title: "角色", Value: s.q.Get("role"), Kind: "select", Options: roleOptions(roles)}},
		Columns: []theme.Column{{Name: "name", Title: "成员"}, {Name: "login", Title: "账号"}, {Name: "role", Title: "角色"}, {Name: "miniprograms", Title: "可操作的小程序"}, {Name: "created_at", Title: "加入时间"}},
		Tools:   a.render("members-tools", v), Empty: "这个空间还没有成员。",
	}
	if page.Next != 0 {
		l.Next = strconv.FormatInt(page.Next, 10)
	}
	for _, m := range page.Items {
		l.Rows = append(l.Rows, a.memberRow(m))
	}
	if v.Invitations, err = a.o.Services.Spaces.Invitations(ctx, actor); err != nil {
		return View{}, err
	}
	return View{Subtitle: "谁能进入这个空间，能做什么", Body: a.showList(s, l) + a.render("members-more", v)}, nil
}

// roleOptions are the choices of a filter by role, as MemberFilter takes them.
func roleOptions(roles []account.Role) []Option {
	out := make([]Option, 0, len(roles))
	for _, r := range roles {
		value := r.Key
		if r.ID != 0 {
			value = strconv.FormatInt(r.ID, 10)
		}
		out = append(out, Option{value, r.Title, ""})
	}
	return out
}

func (a *Admin) memberRow(m account.Member) theme.Row {
	id := strconv.FormatInt(m.ID, 10)
	base := membersBase + "/" + id
	row := theme.Row{ID: id, Name: m.Name, Ops: []theme.Op{{Title: "查看", Href: base}}}
	for _, cell := range []string{"member-name", "member-login", "member-role", "member-limit", "member-since"} {
		row.Cells = append(row.Cells, a.render(cell, m))
	}
	if m.Changeable {
		row.Ops = []theme.Op{{Title: "调整", Href: base}, {Title: "移除", Post: base + "/remove", Confirm: "移除后，对方立即不能再进入这个空间，发出的邀请和令牌一并失效。", Danger: true}}
	}
	return row
}

type memberView struct {
	refusals
	Member       account.Member
	Roles        []account.Role
	Chosen       string // a built-in role's key, or a custom role's id
	Limited      bool
	MiniPrograms string
	CanHandOver  bool
}

func (a *Admin) memberPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	m, err := a.o.Services.Spaces.Member(ctx, actor, idIn(r))
	if err != nil {
		return View{}, err
	}
	chosen := m.Role
	if m.RoleID != 0 {
		chosen = strconv.FormatInt(m.RoleID, 10)
	}
	return a.memberForm(ctx, actor, memberView{Member: m, Chosen: chosen, Limited: m.Limited, MiniPrograms: strings.Join(m.MiniPrograms, "\n")})
}

func (a *Admin) memberForm(ctx context.Context, actor account.Actor, v memberView) (View, error) {
	roles, err := a.o.Services.Spaces.Roles(ctx, actor)
	if err != nil {
		return View{}, err
	}
	v.Roles = account.Givable(actor, roles)
	v.CanHandOver = actor.Role == account.RoleOwner && actor.AccountID != v.Member.AccountID && v.Member.Role != account.RoleOwner
	return View{Title: v.Member.Name, Trail: []Link{{"成员", Prefix + "/members"}}, Body: a.render("member", v), Status: statusOf(v.Problem)}, nil
}

// roleIn reads a chosen role: a key, or the id of a custom one.
func roleIn(text string) account.RoleChoice {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		return account.RoleChoice{Key: account.RoleCustom, ID: id}
	}
	return account.RoleChoice{Key: text}
}

func limitIn(f url.Values) account.Limit {
	return account.Limit{Limited: f.Get("limited") == "1", AppIDs: account.SplitAppIDs(f.Get("miniprograms"))}
}

func (a *Admin) saveMember(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := r.PostForm
	m, err := a.o.Services.Spaces.ChangeMember(ctx, actor, idIn(r), roleIn(f.Get("role")), limitIn(f))
	if err == nil {
		a.flash.put(actor, m.Name+" 的角色已改为"+m.RoleTitle+"，立即生效")
		return View{Redirect: Prefix + "/members"}, nil
	}
	return a.memberProblem(ctx, actor, r, err)
}

// memberProblem shows the form again with what was typed.
func (a *Admin) memberProblem(ctx context.Context, actor account.Actor, r *http.Request, err error) (View, error) {
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	m, err := a.o.Services.Spaces.Member(ctx, actor, idIn(r))
	if err != nil {
		return View{}, problem
	}
	f := r.PostForm
	v := memberView{refusals: refusals{problem}, Member: m, Chosen: f.Get("role"), Limited: f.Get("limited") == "1", MiniPrograms: f.Get("miniprograms")}
	if v.Chosen == "" {
		v.Chosen, v.Limited, v.MiniPrograms = m.Role, m.Limited, strings.Join(m.MiniPrograms, "\n")
	}
	return a.memberForm(ctx, actor, v)
}

func (a *Admin) removeMember(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := a.o.Services.Spaces.RemoveMember(ctx, actor, idIn(r)); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已移出空间，立即生效")
	return View{Redirect: Prefix + "/members"}, nil
}

func (a *Admin) handOver(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := a.o.Services.Spaces.HandOver(ctx, actor, idIn(r), r.PostForm.Get("password")); err != nil {
		return a.memberProblem(ctx, actor, r, err)
	}
	a.flash.put(actor, "空间已转让，你现在是管理员")
	return View{Redirect: Prefix + "/members"}, nil
}

func (a *Admin) leaveSpace(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	if err := a.o.Services.Spaces.Leave(ctx, actor); err != nil {
		return View{}, err
	}
	return View{Redirect: "/my/spaces"}, nil
}

type inviteView struct {
	refusals
	Login, Chosen, MiniPrograms string
	Limited                     bool
	Roles                       []account.Role
	Made                        *account.Invited
}

func (a *Admin) invitePage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	if err := account.Require(actor, "space.member"); err != nil {
		return View{}, err
	}
	return a.inviteForm(ctx, actor, inviteView{Chosen: account.RoleReadOnly})
}

func (a *Admin) inviteForm(ctx context.Context, actor account.Actor, v inviteView) (View, error) {
	roles, err := a.o.Services.Spaces.Roles(ctx, actor)
	if err != nil {
		return View{}, err
	}
	v.Roles = account.Givable(actor, roles)
	return View{Title: "邀请成员", Trail: []Link{{"成员", Prefix + "/members"}}, Body: a.render("invite", v), Status: statusOf(v.Problem)}, nil
}

func (a *Admin) invite(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := r.PostForm
	made, err := a.o.Services.Spaces.Invite(ctx, actor, account.InvitationForm{Login: f.Get("login"), Role: roleIn(f.Get("role")), Limit: limitIn(f)})
	if err == nil {
		return a.invited(made), nil
	}
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	return a.inviteForm(ctx, actor, inviteView{refusals: refusals{problem}, Login: f.Get("login"), Chosen: f.Get("role"), Limited: f.Get("limited") == "1", MiniPrograms: f.Get("miniprograms")})
}

// invited shows the link, which is nowhere to be seen again.
func (a *Admin) invited(made account.Invited) View {
	return View{Title: "邀请已生成", Trail: []Link{{"成员", Prefix + "/members"}}, Body: a.render("invited", made)}
}

func (a *Admin) resendInvitation(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	made, err := a.o.Services.Spaces.Resend(ctx, actor, idIn(r))
	if err != nil {
		return View{}, err
	}
	return a.invited(made), nil
}

func (a *Admin) cancelInvitation(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := a.o.Services.Spaces.CancelInvitation(ctx, actor, idIn(r)); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "邀请已取消，链接不再有效")
	return View{Redirect: Prefix + "/members"}, nil
}
