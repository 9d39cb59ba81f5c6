package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"minifleet/app/fault"
	"minifleet/app/plugin/archive"
	"minifleet/app/wechat"
	"minifleet/plugins/sdk/pluginpb"
)

// capabilities are the bounds of an extension beside each call's token: what an operator approved, however the call came
// about. A nil one bounds nothing: the plugins of the house are trusted.
type capabilities struct {
	plugin  string
	allowed archive.Capabilities

	mu      sync.Mutex
	refused map[string]int64 // by kind
}

func newCapabilities(plugin string, allowed archive.Capabilities) *capabilities {
	return &capabilities{plugin: plugin, allowed: allowed, refused: map[string]int64{}}
}

// codeCapability marks what an extension was not approved for.
const codeCapability = "plugin.capability"

// refuse counts a refusal and makes its sentence, which names what is missing and where it is asked for.
func (c *capabilities) refuse(kind, what string) error {
	c.mu.Lock()
	c.refused[kind]++
	c.mu.Unlock()
	return fault.Newf(fault.Forbidden, codeCapability, "插件没有获准%s；请在 plugin.yaml 的 capabilities.%s 中声明，重新提交审批", what, kind)
}

// wechat allows an endpoint.
func (c *capabilities) wechat(endpoint string) error {
	if c == nil || covers(c.allowed.WeChat, endpoint) {
		return nil
	}
	title := endpoint
	if known, ok := wechat.LookupEndpoint(endpoint); ok {
		title = known.Title
	}
	return c.refuse("wechat", fmt.Sprintf("调用微信接口「%s」（%s）", title, clipWord(endpoint)))
}

// core allows a view or an operation of the core, named without "core.".
func (c *capabilities) core(name string) error {
	if c == nil || slices.Contains(coreFree, name) || slices.Contains(c.allowed.Core, name) {
		return nil
	}
	return c.refuse("core", fmt.Sprintf("使用平台数据或操作「%s」（core.%s）", askedCore(clipWord(name)).Title, clipWord(name)))
}

// call allows an operation of another plugin.
func (c *capabilities) call(operation string) error {
	if c == nil || slices.Contains(c.allowed.Calls, operation) {
		return nil
	}
	return c.refuse("calls", "调用其他插件的操作 "+clipWord(operation))
}

// count is how many Host calls were refused so far, by kind.
func (c *capabilities) count() map[string]int64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int64, len(c.refused))
	for kind, n := range c.refused {
		counts[kind] = n
	}
	return counts
}

// mayRead holds a Find against the capabilities: the core view that it reads, and those that it joins.
func (s *hostService) mayRead(request *pluginpb.FindRequest) error {
	views := []string{request.GetCollection()}
	for _, join := range request.GetJoins() {
		views = append(views, join.GetView())
	}
	for _, view := range views {
		if name, isCore := strings.CutPrefix(view, "core."); isCore {
			if err := s.capabilities.core(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// covers tells whether a word, or a family that ends with "*", of the list is about name. A family of name itself ("wxa.*")
// is covered by itself and by a wider one.
func covers(list []string, name string) bool {
	return slices.ContainsFunc(list, func(word string) bool {
		prefix, isFamily := strings.CutSuffix(word, "*")
		return word == name || isFamily && strings.HasPrefix(name, prefix)
	})
}

// clipWord keeps what a plugin sends short in sentences and logs.
func clipWord(word string) string {
	if r := []rune(word); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return word
}

// errRefused marks a process that asks for more than was approved: no restart makes it good.
type errRefused struct{ reason string }

func (e errRefused) Error() string { return e.reason }

func isRefused(err error) bool {
	var refused errRefused
	return errors.As(err, &refused)
}

// within holds what a running binary declares against what an operator approved. The sentence names the first thing that
// is more.
func within(m *Manifest, approved archive.Spec) error {
	refuse := func(format string, args ...any) error { return errRefused{fmt.Sprintf(format, args...)} }
	if m.GetId() != approved.ID || m.GetVersion() != approved.Version {
		return refuse("程序自称 %s %s，获批的是 %s %s", clipWord(m.GetId()), clipWord(m.GetVersion()), approved.ID, approved.Version)
	}
	c, asks := approved.Capabilities, m.GetCapabilities()
	for _, group := range []struct {
		kind        string
		asks, gives []string
	}{{"wechat", asks.GetWechat(), c.WeChat}, {"core", asks.GetCore(), append(slices.Clone(coreFree), c.Core...)}, {"calls", asks.GetCalls(), c.Calls}, {"hosts", asks.GetHosts(), c.Hosts}} {
		for _, word := range group.asks {
			if !slices.Contains(group.gives, word) && !(group.kind == "wechat" && covers(group.gives, word)) {
				return refuse("程序要求的 capabilities.%s “%s” 没有获批", group.kind, clipWord(word))
			}
		}
	}
	for _, s := range m.GetSubscriptions() {
		if !covers(c.Events, s.GetType()) {
			return refuse("程序要接收的事件 “%s” 没有获批", clipWord(s.GetType()))
		}
	}
	for _, job := range m.GetJobs() {
		if !slices.ContainsFunc(c.Jobs, func(j archive.Job) bool {
			return j.Name == job.GetName() && j.Spec == job.GetSpec() && (j.Platform || !job.GetPlatform())
		}) {
			return refuse("程序的定时任务 “%s”（%s）没有获批", clipWord(job.GetName()), clipWord(job.GetSpec()))
		}
	}
	for _, collection := range m.GetCollections() {
		if !slices.ContainsFunc(c.Data, func(d archive.Data) bool {
			return d.Name == collection.GetName() && d.Visibility == collection.GetVisibility().GetKind()
		}) {
			return refuse("程序的数据表 “%s”（%s）没有获批", clipWord(collection.GetName()), clipWord(collection.GetVisibility().GetKind()))
		}
	}
	return nil
}
