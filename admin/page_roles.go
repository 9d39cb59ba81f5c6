package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/admin/theme"
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

func (a *Admin) areas(ctx context.Context, actor account.Actor, on []string) ([]permissionArea, error) {
	all := account.Permissions(actor.SpaceKind)
	if a.o.Services.Extensions != nil {
		more, err := a.o.Services.Extensions(ctx, actor)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	var out []permissionArea
	for _, p := range all {
		i := slices.IndexFunc(out, func(a permissionArea) bool { return a.Title == p.Area })
		if i < 0 {
			i, out = len(out), append(out, permissionArea{Title: p.Area})
		}
		out[i].Items = append(out[i].Items, permissionItem{p.Name, p.Title, slices.Contains(on, p.Name), !actor.Can(p.Name)})
	}
	return out, nil
}

// roleRow is a role as the list and a file of it show it.
type roleRow struct {
	account.Role
	Titles []string
}

// value is what the list of members takes for the role.
func (r roleRow) value() string { return roleOptions([]account.Role{r.Role})[0].Value }

var roleKinds = []Option{{"builtin", "内置", ""}, {"custom", "自定义", ""}}

func (r roleRow) kind() string {
	if r.ID != 0 {
		return roleKinds[1].Value
	}
	return roleKinds[0].Value
}

func roleList(s Services) shortList[roleRow] {
	return shortList[roleRow]{
		name: listRoles, title: "角色", address: Prefix + "/roles", search: "角色名称", empty: "没有角色", admit: func(who account.Actor) error { return account.Require(who, "space.member.read") },
		rows: func(ctx context.Context, who account.Actor) ([]roleRow, error) {
			roles, err := s.Spaces.Roles(ctx, who)
			if err != nil {
				return nil, err
			}
			var extensions []account.Permission
			if s.Extensions != nil {
				if extensions, err = s.Extensions(ctx, who); err != nil {
					return nil, err
				}
			}
			rows := make([]roleRow, 0, len(roles))
			for _, r := range roles {
				row := roleRow{Role: r}
				for _, p := range r.Permissions {
					title := account.PermissionTitle(p)
					if i := slices.IndexFunc(extensions, func(x account.Permission) bool { return x.Name == p }); i >= 0 {
						title = extensions[i].Title
					}
					row.Titles = append(row.Titles, title)
				}
				rows = append(rows, row)
			}
			return rows, nil
		},
		key: roleRow.value, label: func(row roleRow) string { return row.Title },
		filters: []shortFilter[roleRow]{{"kind", "种类", roleKinds, func(row roleRow, v string) bool { return row.kind() == v }}},
		columns: []shortColumn[roleRow]{
			{name: "title", title: "角色", cell: "role-title", found: true, text: func(row roleRow) string { return row.Title }, order: func(x, y roleRow) int { return cmp.Compare(x.Title, y.Title) },
				more: []shortColumn[roleRow]{{name: "kind", title: "种类", text: roleRow.kind, labels: labelsOf(roleKinds)}}},
			{name: "permissions", title: "权限", cell: "role-permissions", text: func(row roleRow) string { return strings.Join(row.Titles, "、") }},
			{name: "members", title: "成员", cell: "role-members", number: true, text: func(row roleRow) string { return strconv.FormatInt(int64(row.Members), 10) }, order: func(x, y roleRow) int { return cmp.Compare(x.Members, y.Members) }},
		},
		ops: func(who account.Actor, row roleRow) []theme.Op {
			if row.ID == 0 {
				return nil
			}
			base := Prefix + "/roles/" + row.value()
			if !who.Can("space.role") {
				return []theme.Op{{Title: "查看", Href: base}}
			}
			return []theme.Op{{Title: "修改", Href: base}, {Title: "删除", Post: base + "/delete", Confirm: "删除后不能恢复。还有成员使用时不能删除。", Danger: true}}
		},
	}
}

func (a *Admin) rolesPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := showShort(ctx, a, actor, r, roleList(a.o.Services), func(l *shownList) { l.Tools = a.render("roles-tools", actor.Can("space.role")) })
	v.Subtitle = "内置角色不能修改；自定义角色只在这个空间里使用"
	return v, err
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
	var err error
	if v.Areas, err = a.areas(ctx, actor, on); err != nil {
		return View{}, err
	}
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
	v := roleView{refusals: refusals{problem}, ID: id, Version: number(f, "version"), Name: f.Get("name"), CanManage: actor.Can("space.role")}
	if v.Areas, err = a.areas(ctx, actor, f["permissions"]); err != nil {
		return View{}, err
	}
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
