package sdktest

import (
	"slices"
	"strings"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// coreFree tells an extension only about itself and the call it is in.
var coreFree = []string{"can", "delegate.end", "http"}

// covers tells whether a word, or a family that ends with "*", of the list is about name.
func covers(list []string, name string) bool {
	return slices.ContainsFunc(list, func(word string) bool {
		prefix, family := strings.CutSuffix(word, "*")
		return word == name || family && strings.HasPrefix(name, prefix)
	})
}

// asked refuses what the manifest does not ask for, unless the plugin is one of the house.
func (h *host) asked(kind, what string) error {
	if h.options.House {
		return nil
	}
	asks := h.plugin.GetCapabilities()
	allowed := false
	switch kind {
	case "wechat":
		allowed = covers(asks.GetWechat(), what)
	case "core":
		allowed = slices.Contains(coreFree, what) || slices.Contains(asks.GetCore(), what)
	case "calls":
		allowed = slices.Contains(asks.GetCalls(), what)
	}
	if allowed {
		return nil
	}
	return sdk.Forbidden("plugin.capability", "插件没有获准使用 "+what+"；请在 plugin.yaml 的 capabilities."+kind+" 中声明，重新提交审批")
}

// mayRead holds a question to the core views that the manifest asks for.
func (h *host) mayRead(request *pluginpb.FindRequest) error {
	views := []string{request.GetCollection()}
	for _, join := range request.GetJoins() {
		views = append(views, join.GetView())
	}
	for _, view := range views {
		if name, isCore := strings.CutPrefix(view, "core."); isCore {
			if err := h.asked("core", name); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayOperate holds a call to the operations that the manifest asks for.
func (h *host) mayOperate(operation string) error {
	if name, isCore := strings.CutPrefix(operation, "core."); isCore {
		return h.asked("core", name)
	}
	return h.asked("calls", operation)
}
