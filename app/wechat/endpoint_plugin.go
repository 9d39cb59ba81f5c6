package wechat

// Endpoint names of 插件 that a mini program uses or offers (02 H.1).
const (
	EndpointPluginApply     = "plugin.apply"
	EndpointPluginList      = "plugin.list"
	EndpointPluginUnbind    = "plugin.unbind"
	EndpointPluginUpdate    = "plugin.update"
	EndpointPluginDevList   = "plugin.dev_list"
	EndpointPluginDevAgree  = "plugin.dev_agree"
	EndpointPluginDevRefuse = "plugin.dev_refuse"
	EndpointPluginDevDelete = "plugin.dev_delete"
)

// pluginEndpoints are the rows of 插件 that a mini program uses or offers (02 H.1).
func pluginEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointPluginApply, Title: "申请使用插件", Path: "/wxa/plugin", Method: post, Token: authorize, Member: [2]string{"action", "apply"}, Scope: "profile.write", Set: 40},
		{Name: EndpointPluginList, Title: "查询已添加的插件", Path: "/wxa/plugin", Method: post, Token: authorize, Member: [2]string{"action", "list"}, Scope: "data.read", Set: 40, ReadOnly: true},
		{Name: EndpointPluginUnbind, Title: "删除已添加的插件", Path: "/wxa/plugin", Method: post, Token: authorize, Member: [2]string{"action", "unbind"}, Scope: "profile.write", Set: 40, SafeToRepeat: true},
		{Name: EndpointPluginUpdate, Title: "更新插件版本", Path: "/wxa/plugin", Method: post, Token: authorize, Member: [2]string{"action", "update"}, Scope: "profile.write", Set: 40},
		{Name: EndpointPluginDevList, Title: "查询插件的使用申请", Path: "/wxa/devplugin", Method: post, Token: authorize, Member: [2]string{"action", "dev_apply_list"}, Scope: "data.read", Set: 40, ReadOnly: true},
		{Name: EndpointPluginDevAgree, Title: "同意插件的使用申请", Path: "/wxa/devplugin", Method: post, Token: authorize, Member: [2]string{"action", "dev_agree"}, Scope: "profile.write", Set: 40},
		{Name: EndpointPluginDevRefuse, Title: "拒绝插件的使用申请", Path: "/wxa/devplugin", Method: post, Token: authorize, Member: [2]string{"action", "dev_refuse"}, Scope: "profile.write", Set: 40},
		{Name: EndpointPluginDevDelete, Title: "删除已拒绝的申请", Path: "/wxa/devplugin", Method: post, Token: authorize, Member: [2]string{"action", "dev_delete"}, Scope: "profile.write", Set: 40, SafeToRepeat: true},
	}
}
