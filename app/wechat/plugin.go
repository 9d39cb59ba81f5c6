package wechat

import "context"

// Values of UsedPlugin.Status; the facts mark them as unverified.
const (
	PluginAsked   = 1
	PluginPassed  = 2
	PluginRefused = 3
	PluginExpired = 4
)

// UsedPlugin is a 插件 that the mini program uses or asked for (02 H.1).
type UsedPlugin struct {
	AppID    string `json:"appid"`
	Status   int    `json:"status"` // Plugin…
	Nickname string `json:"nickname"`
	HeadImg  string `json:"headimgurl"`
}

type pluginAction struct {
	Action  string `json:"action"`
	AppID   string `json:"plugin_appid,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Version string `json:"user_version,omitempty"`
}

// Plugins lists the 插件 of the mini program.
func (m MiniProgram) Plugins(ctx context.Context) ([]UsedPlugin, error) {
	out, err := ask[struct {
		List []UsedPlugin `json:"plugin_list"`
	}](ctx, m, EndpointPluginList, nil, pluginAction{Action: "list"})
	return out.List, err
}

// ApplyPlugin asks for a 插件. Errors: 89236 not to be had, 89237 there already, 89238 too many, 89239 unknown.
func (m MiniProgram) ApplyPlugin(ctx context.Context, pluginAppID, reason string) error {
	return m.call(ctx, EndpointPluginApply, nil, pluginAction{Action: "apply", AppID: pluginAppID, Reason: reason}, nil)
}

// UnbindPlugin takes a 插件 off. Errors: 89243 still asked for, 89244 not there.
func (m MiniProgram) UnbindPlugin(ctx context.Context, pluginAppID string) error {
	return m.call(ctx, EndpointPluginUnbind, nil, pluginAction{Action: "unbind", AppID: pluginAppID}, nil)
}

// UpdatePlugin moves to another version of a 插件 without a release. Error 89257: the version does not allow it.
func (m MiniProgram) UpdatePlugin(ctx context.Context, pluginAppID, version string) error {
	return m.call(ctx, EndpointPluginUpdate, nil, pluginAction{Action: "update", AppID: pluginAppID, Version: version}, nil)
}
