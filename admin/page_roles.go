package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"minifleet/app/account"
)

// permissionArea is a group of permissions as the screens show them.
type permissionArea struct {
	Title string
	Items []permissionItem
}

// permissionItem is one tick. Locked: the actor lacks it and cannot give it.
type permissionItem struct {
	Name, Title string
	On, Locked  bool
}

func areas(actor account.Actor, on []string) []permissionArea {
	var out []permissionArea
	for _, p := range account.Permissions(actor.SpaceKind) {
		i := slices.IndexFunc(out, func(a permissionArea) bool { return a.Title == p.Area })
		if i < 0 {
			i, out = len(out), append(out, permissionArea{Title: p.Area})
		}
		out[i].Items = append(out[i].Items, permissionItem{p.Name, p.Title, slices.Contains(on, p.Name), !actor.Can(p.Name)})
	}
	return out
}

type roleRow struct {
	account.Role
	Titles []string
}

func (a *Admin) rolesPage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	roles, err := a.o.Services.Spaces.Roles(ctx, actor)
	if err != nil {
		return View{}, err
	}
	v := struct {
		Rows      []roleRow
		CanManage bool
	}{CanManage: actor.Can("space.role")}
	for _, r := range roles {
		row := roleRow{Role: r}
		for _, p := range r.Permissions {
			row.Titles = append(row.Titles, account.PermissionTitle(p))
		}
		v.Rows = append(v.Rows, row)
	}
	return View{Subtitle: "内置角色不能修改；自定义角色只在这个空间里使用", Body: a.render("roles", v)}, nil
}

type roleView struct {
	refusals
	ID, Version int64
	Name        string
	Members     int64
	Areas       []permissionArea
	CanManage   bool
}

func (a *Admin) rolePage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v := roleView{CanManage: actor.Can("space.role")}
	var on []string
	if r.PathValue("id") == "" {
		if err := account.Require(actor, "space.role"); err != nil {
			return View{}, err
		}
	} else {
		role, err := a.o.Services.Spaces.Role(ctx, actor, idIn(r))
		if err != nil {
			return View{}, err
		}
		v.ID, v.Version, v.Name, v.Members, on = role.ID, role.Version, role.Title, role.Members, role.Permissions
	}
	v.Areas = areas(actor, on)
	return a.roleForm(v), nil
}

func (a *Admin) roleForm(v roleView) View {
	title := "新建角色"
	if v.ID != 0 {
		title = v.Name
	}
	return View{Title: title, Trail: []Link{{"角色", Prefix + "/roles"}}, Body: a.render("role", v), Status: statusOf(v.Problem)}
}

func (a *Admin) saveRole(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f, id := r.PostForm, int64(0)
	if r.PathValue("id") != "" {
		id = idIn(r)
	}
	saved, err := a.o.Services.Spaces.SaveRole(ctx, actor, id, account.RoleForm{Name: f.Get("name"), Permissions: f["permissions"], Version: number(f, "version")})
	if err == nil {
		a.flash.put(actor, "角色「"+saved.Title+"」已保存，立即对它的成员生效")
		return View{Redirect: Prefix + "/roles"}, nil
	}
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	v := roleView{refusals: refusals{problem}, ID: id, Version: number(f, "version"), Name: f.Get("name"), Areas: areas(actor, f["permissions"]), CanManage: actor.Can("space.role")}
	return a.roleForm(v), nil
}

// number reads a number of a form, 0 when it is none.
func number(f url.Values, name string) int64 {
	n, err := strconv.ParseInt(f.Get(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (a *Admin) deleteRole(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := a.o.Services.Spaces.DeleteRole(ctx, actor, idIn(r)); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "角色已删除")
	return View{Redirect: Prefix + "/roles"}, nil
}
