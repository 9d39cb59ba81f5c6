package admin

import (
	"context"
	"slices"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
)

// menuEntry is one line of the left menu: a page, or a group of pages.
type menuEntry struct {
	title, icon, href string
	children          []menuEntry
}

// menu builds the menu of the actor's kind of space from memory and from what the live plugins add to it.
func (a *Admin) menu(ctx context.Context, actor account.Actor) []menuEntry {
	var out []menuEntry
	if actor.SpaceKind == account.Platform {
		out = a.known([]menuEntry{
			{title: "工作台", icon: "fa-dashboard", href: Prefix},
			{title: "第三方平台", icon: "fa-cubes", href: Prefix + "/components"},
			{title: "小程序", icon: "fa-th-large", href: Prefix + "/miniprograms"},
			{title: "平台管理", icon: "fa-cogs", children: []menuEntry{
				{title: "事件日志", href: Prefix + "/events"},
				{title: "定时任务", href: Prefix + "/jobs"},
				{title: "插件", href: Prefix + "/plugins"},
				{title: "插件审批", href: archivesBase},
				{title: "操作日志", href: Prefix + "/trail"},
				{title: "导出记录", href: Prefix + "/exports"}, {title: "导入", href: Prefix + "/imports"},
			}},
			{title: "商户审核", icon: "fa-shield", href: Prefix + "/applications"},
			{title: "系统", icon: "fa-users", children: []menuEntry{{title: "成员", href: Prefix + "/members"}, {title: "角色", href: Prefix + "/roles"}, {title: "Webhook", href: webhooksBase}, {title: "扩展", href: extensionsBase}}},
		})
	} else {
		out = a.known([]menuEntry{
			{title: "工作台", icon: "fa-dashboard", href: Prefix},
			{title: "第三方平台", icon: "fa-cubes", href: Prefix + "/components"},
			{title: "模板中心", icon: "fa-clone"},
			{title: "小程序", icon: "fa-th-large", href: Prefix + "/miniprograms"},
			{title: "版本与发布", icon: "fa-code-fork"},
			{title: "数据", icon: "fa-download", children: []menuEntry{
				{title: "导出记录", href: Prefix + "/exports"},
				{title: "导入", href: Prefix + "/imports"},
			}},
			{title: "系统", icon: "fa-users", children: []menuEntry{
				{title: "成员", href: Prefix + "/members"}, {title: "角色", href: Prefix + "/roles"}, {title: "商户入驻", href: Prefix + "/application"}, {title: "扩展", href: extensionsBase}, {title: "提交插件", href: archivesBase}, {title: "Webhook", href: webhooksBase}, {title: "消息转发", href: forwardsBase}, {title: "事件日志", href: Prefix + "/events"},
			}},
			{title: "操作日志", icon: "fa-history", href: Prefix + "/trail"},
		})
	}
	out = permitted(out, actor)
	if a.o.Plugins != nil {
		out = withPlugins(out, a.o.Plugins.Menu(ctx, actor))
	}
	return slices.DeleteFunc(out, func(e menuEntry) bool { return e.href == "" && len(e.children) == 0 })
}

// permitted leaves out what the actor's role has no permission to read.
func permitted(in []menuEntry, actor account.Actor) []menuEntry {
	var out []menuEntry
	for _, e := range in {
		group := len(e.children) > 0
		if e.children = permitted(e.children, actor); account.Narrowed(actor, readPermission(e.href)) == nil && !(group && len(e.children) == 0) {
			out = append(out, e)
		}
	}
	return out
}

// readPermission is what opening an address of a core page asks for, "" for nothing.
func readPermission(path string) string {
	section, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, Prefix), "/"), "/")
	return map[string]string{
		"components": "component.read", "miniprograms": "miniprogram.read", "events": "event.read", "jobs": "job.read", "plugins": "plugin.read", "trail": "trail.read",
		"plugin-archives": "space.plugin", "members": "space.member.read", "roles": "space.member.read", "application": "space.application", "applications": "space.application", "webhooks": "space.webhook", "extensions": "space.extension", "forwards": "component.forward",
	}[section]
}

// known leaves out what this build has no service for.
func (a *Admin) known(in []menuEntry) []menuEntry {
	var out []menuEntry
	for _, e := range in {
		if e.children = a.known(e.children); e.href == "" || a.has(e.href) {
			out = append(out, e)
		}
	}
	return out
}

// has reports whether a core page stands at the address.
func (a *Admin) has(href string) bool {
	if href == Prefix {
		return true
	}
	_, ok := a.pages["GET "+href]
	return ok
}

// withPlugins sets plugin items below the group they name, before the operation log when the group is new.
func withPlugins(menu []menuEntry, items []PluginMenu) []menuEntry {
	slices.SortStableFunc(items, func(x, y PluginMenu) int { return x.Order - y.Order })
	for _, it := range items {
		if !localPath(it.Href) {
			continue
		}
		entry := menuEntry{title: it.Title, icon: iconOr(it.Icon), href: it.Href}
		if i := slices.IndexFunc(menu, func(e menuEntry) bool { return it.Group == "" && e.title == it.Title && e.href == "" }); i >= 0 {
			// A page with the name of a group is the group's first page, not a second line of the same name.
			entry.title = "总览"
			menu[i].children = append([]menuEntry{entry}, menu[i].children...)
			continue
		}
		if it.Group == "" {
			menu = slices.Insert(menu, max(len(menu)-1, 0), entry)
			continue
		}
		i := slices.IndexFunc(menu, func(e menuEntry) bool { return e.title == it.Group })
		if i < 0 {
			i = max(len(menu)-1, 0)
			menu = slices.Insert(menu, i, menuEntry{title: it.Group, icon: iconOr(it.Icon)})
		}
		// A group that was a page itself keeps that page as its first child.
		if g := &menu[i]; g.href != "" {
			g.children, g.href = append([]menuEntry{{title: g.title + "列表", href: g.href}}, g.children...), ""
		}
		menu[i].children = append(menu[i].children, entry)
	}
	return menu
}

// iconOr keeps a Font Awesome class and nothing that could leave the attribute.
func iconOr(icon string) string {
	if strings.HasPrefix(icon, "fa-") && strings.Trim(icon, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return icon
	}
	return "fa-puzzle-piece"
}

// items is the menu as the frame draws it, with the entry of the current page lit. A page that is below no entry, such as
// one of a plugin, says by its trail where it belongs.
func items(menu []menuEntry, current string, trail []Link) []theme.MenuItem {
	best := longest(menu, strings.TrimSuffix(current, "/"))
	for i := len(trail) - 1; best == "" && i >= 0; i-- {
		path, _, _ := strings.Cut(trail[i].Href, "?")
		best = longest(menu, path)
	}
	out := make([]theme.MenuItem, 0, len(menu))
	for i, e := range menu {
		item := theme.MenuItem{ID: i, Title: e.title, Href: e.href, Icon: theme.Icon(e.icon), On: best != "" && e.href == best}
		for _, c := range e.children {
			item.Children = append(item.Children, theme.MenuItem{Title: c.title, Href: c.href, On: best != "" && c.href == best})
		}
		out = append(out, item)
	}
	return out
}

// longest finds the entry whose address the current one is, or is below.
func longest(menu []menuEntry, current string) string {
	best := ""
	for _, e := range menu {
		if e.href != "" && (current == e.href || (e.href != Prefix && strings.HasPrefix(current, e.href+"/"))) && len(e.href) > len(best) {
			best = e.href
		}
		if b := longest(e.children, current); len(b) > len(best) {
			best = b
		}
	}
	return best
}
