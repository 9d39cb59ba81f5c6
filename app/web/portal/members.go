package portal

import (
	"net/http"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// memberRoutes are the pages of a personal space about who works in it; merchants and the platform have them in the back
// office.
func (p *Portal) memberRoutes(member func(pattern string, handle handler)) {
	member("GET /my/members", p.personal("/admin/members", p.members))
	member("POST /my/members/invite", p.invite)
	member("POST /my/members/handover", p.handOver)
	member("POST /my/members/{id}", p.changeMember)
	member("POST /my/members/{id}/remove", p.removeMember)
	member("POST /my/members/invitations/{id}/resend", p.resendInvitation)
	member("POST /my/members/invitations/{id}/cancel", p.cancelInvitation)
}

// personal leads whoever works in another kind of space to the back office's page of the same.
func (p *Portal) personal(elsewhere string, handle handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if v.actor.SpaceKind != account.Personal {
			redirect(w, r, elsewhere)
			return nil
		}
		return handle(w, r, v)
	}
}

// memberForm is what was typed when something was refused.
type memberForm struct {
	Login, Role string
	Limited     bool
	AppIDs      string
}

type membersView struct {
	Actor       account.Actor
	Items       []account.Member
	Total       int64
	First, Next string
	Invitations []account.Invitation // open and expired ones
	Roles       []account.Role       // that the actor may give
	Form        memberForm
	Changing    int64            // the member whose form was refused
	Invited     *account.Invited // its link is shown this once
	Why         string           // why nothing can be changed, empty when it can
	HandOver    bool
	Problem     *fault.Error
	Error       map[string]string
}

// memberFields is what the fields of a role and a limit read; ID keeps those of several forms apart.
type memberFields struct {
	ID                    int64
	Role, AppIDs          string
	Limited               bool
	Roles                 []account.Role
	RoleError, LimitError string
}

// memberFieldsOf prepares the fields of one form; what was refused stands at the form that was sent.
func memberFieldsOf(view membersView, id int64, role string, limited bool, appids string) memberFields {
	f := memberFields{ID: id, Role: role, Limited: limited, AppIDs: appids, Roles: view.Roles}
	if id == view.Changing {
		f.RoleError, f.LimitError = view.Error["role"], view.Error["miniprograms"]
	}
	return f
}

func (p *Portal) members(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showMembers(w, r, v, membersView{Form: memberForm{Role: account.RoleReadOnly}}, nil)
}

// showMembers shows the page, with what was refused at its field.
func (p *Portal) showMembers(w http.ResponseWriter, r *http.Request, v *visit, view membersView, refusedBy error) error {
	ctx, status := r.Context(), http.StatusOK
	if refusedBy != nil {
		if fault.KindOf(refusedBy) == fault.Internal || fault.KindOf(refusedBy) == fault.NotFound {
			return refusedBy
		}
		view.Problem, view.Error = refused(refusedBy)
		status = view.Problem.Kind.Status()
	}
	cursor, err := cursorOf(r)
	if err != nil {
		return err
	}
	page1, err := p.o.Spaces.Members(ctx, v.actor, account.MemberFilter{Cursor: cursor, Limit: 50})
	if err != nil {
		return err
	}
	view.Actor, view.Items, view.Total = v.actor, page1.Items, page1.Total
	if cursor > 0 {
		view.First = "/my/members"
	}
	if page1.Next > 0 {
		view.Next = "/my/members?cursor=" + strconv.FormatInt(page1.Next, 10)
	}
	invitations, err := p.o.Spaces.Invitations(ctx, v.actor)
	if err != nil {
		return err
	}
	view.Invitations = slices.DeleteFunc(invitations, func(i account.Invitation) bool {
		return i.State != account.InvitationOpen && i.State != account.InvitationExpired
	})
	view.Why = why(account.Require(v.actor, "space.member"))
	roles, err := p.o.Spaces.Roles(ctx, v.actor)
	if err != nil {
		return err
	}
	view.Roles = account.Givable(v.actor, roles)
	view.HandOver = v.actor.Role == account.RoleOwner && view.Total > 1
	if view.Invited != nil {
		w.Header().Set("Cache-Control", "no-store") // the link is the invitation
		status = http.StatusCreated
	}
	return p.show(w, r, v, "members", view, page{Title: "成员", Subtitle: "邀请别人一起管理这个空间里的小程序", Width: "mid", Status: status})
}

// roleOf reads what a form's select holds: a built-in role's key or a custom role's id.
func roleOf(value string) account.RoleChoice {
	if id, err := strconv.ParseInt(value, 10, 64); err == nil {
		return account.RoleChoice{Key: account.RoleCustom, ID: id}
	}
	return account.RoleChoice{Key: value}
}

// memberFormOf reads role and limit of a form.
func memberFormOf(w http.ResponseWriter, r *http.Request) (memberForm, account.Limit, error) {
	if err := parseForm(w, r); err != nil {
		return memberForm{}, account.Limit{}, err
	}
	f := memberForm{Login: r.PostForm.Get("login"), Role: r.PostForm.Get("role"), Limited: r.PostForm.Get("limited") != "", AppIDs: r.PostForm.Get("miniprograms")}
	return f, account.Limit{Limited: f.Limited, AppIDs: account.SplitAppIDs(f.AppIDs)}, nil
}

func (p *Portal) invite(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, limit, err := memberFormOf(w, r)
	if err != nil {
		return err
	}
	made, err := p.o.Spaces.Invite(r.Context(), v.actor, account.InvitationForm{Login: f.Login, Role: roleOf(f.Role), Limit: limit})
	if err != nil {
		return p.showMembers(w, r, v, membersView{Form: f}, err)
	}
	return p.showMembers(w, r, v, membersView{Form: memberForm{Role: account.RoleReadOnly}, Invited: &made}, nil)
}

func idOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "not_found", "没有找到这条记录")
	}
	return id, nil
}

func (p *Portal) changeMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	f, limit, err := memberFormOf(w, r)
	if err != nil {
		return err
	}
	if _, err := p.o.Spaces.ChangeMember(r.Context(), v.actor, id, roleOf(f.Role), limit); err != nil {
		return p.showMembers(w, r, v, membersView{Changing: id, Form: f}, err)
	}
	return p.memberDone(w, r, "已保存，立即生效")
}

func (p *Portal) memberDone(w http.ResponseWriter, r *http.Request, words string) error {
	p.putFlash(w, words)
	redirect(w, r, "/my/members")
	return nil
}

func (p *Portal) removeMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if err := p.o.Spaces.RemoveMember(r.Context(), v.actor, id); err != nil {
		return p.showMembers(w, r, v, membersView{}, err)
	}
	return p.memberDone(w, r, "成员已移除，立即生效")
}

// handOver makes another member the owner; the password is asked for again.
func (p *Portal) handOver(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("member"), 10, 64)
	if err != nil {
		return p.showMembers(w, r, v, membersView{}, fault.InvalidInput().On("member", "请选择接手的成员"))
	}
	if err := p.o.Spaces.HandOver(r.Context(), v.actor, id, r.PostForm.Get("password")); err != nil {
		return p.showMembers(w, r, v, membersView{}, err)
	}
	return p.memberDone(w, r, "空间已转让，你现在是管理员")
}

func (p *Portal) resendInvitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	made, err := p.o.Spaces.Resend(r.Context(), v.actor, id)
	if err != nil {
		return p.showMembers(w, r, v, membersView{}, err)
	}
	return p.showMembers(w, r, v, membersView{Form: memberForm{Role: account.RoleReadOnly}, Invited: &made}, nil)
}

func (p *Portal) cancelInvitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if err := p.o.Spaces.CancelInvitation(r.Context(), v.actor, id); err != nil {
		return p.showMembers(w, r, v, membersView{}, err)
	}
	return p.memberDone(w, r, "邀请已取消，链接失效")
}
