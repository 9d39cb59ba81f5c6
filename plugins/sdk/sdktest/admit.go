package sdktest

import (
	"net/http"
	"slices"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// matched lets ServeMux find a route; it serves nothing.
type matched struct{ route *pluginpb.Route }

func (matched) ServeHTTP(http.ResponseWriter, *http.Request) {}

// routesOf finds routes as the real host does. What cannot stand beside another was told as a mistake before.
func routesOf(m *pluginpb.Manifest) *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range m.GetRoutes() {
		mux.Handle(route.GetMethod()+" /"+route.GetType()+route.GetPattern(), matched{route})
	}
	return mux
}

// admit decides who may come before the plugin is asked: whom the route names.
func (h *host) admit(actor sdk.ActorInfo, kind, method, path string) error {
	r, err := http.NewRequest(method, "/", nil)
	if err != nil {
		return err
	}
	r.URL.Path = "/" + kind + path
	handler, _ := h.routes.Handler(r)
	found, known := handler.(matched)
	switch {
	case !known:
		return sdk.NotFound("plugin.page", "没有找到这个页面")
	case found.route.GetPublic():
		return nil
	case actor.AccountID == 0:
		return needsLogin()
	}
	return h.allow(actor, found.route.GetKinds(), found.route.GetPermission())
}

// admitTo decides who may see and change a table.
func (h *host) admitTo(actor sdk.ActorInfo, name string) error {
	at := slices.IndexFunc(h.plugin.GetTables(), func(t *pluginpb.Table) bool { return t.GetName() == name })
	if at < 0 {
		return sdk.NotFound("plugin.table", "没有找到这个列表")
	}
	if actor.AccountID == 0 {
		return needsLogin()
	}
	table := h.plugin.GetTables()[at]
	return h.allow(actor, table.GetKinds(), table.GetPermission())
}

func (h *world) allow(actor sdk.ActorInfo, kinds []string, permission string) error {
	if len(kinds) > 0 && !slices.Contains(kinds, actor.SpaceKind) {
		return sdk.Forbidden("plugin.kind", "当前身份不能使用这个功能，请切换身份后重试")
	}
	if permission != "" && !h.can(actor, permission) {
		return sdk.Forbidden("permission_missing", "你的角色没有这项权限，请联系所有者或管理员开通")
	}
	return nil
}

// can tells whether a person's role holds a permission: owners, administrators and operation hold all of a plugin's, the
// others what the options say.
func (h *world) can(actor sdk.ActorInfo, permission string) bool {
	if actor.System || actor.AccountID == 0 {
		return false
	}
	return slices.Contains([]string{"owner", "admin", "operation"}, actor.Role) || slices.Contains(h.options.Roles[actor.Role], permission)
}
