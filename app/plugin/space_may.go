package plugin

import (
	"strings"

	"minifleet/app/event"
	"minifleet/app/wechat"
)

// mayLines says in Chinese what a plugin may do, one line for each kind of thing: from its manifest, which the host accepts
// only within what an operator has approved.
func (h *Host) mayLines(plugin string) []string {
	info := h.info(plugin)
	if info == nil {
		return []string{}
	}
	m := info.manifest
	lines := []string{}
	add := func(head string, items []string) {
		if len(items) > 0 {
			lines = append(lines, head+"："+strings.Join(items, "、"))
		}
	}
	c := m.GetCapabilities()
	var reads, writes []string
	for _, name := range c.GetWechat() {
		endpoint, known := wechat.LookupEndpoint(name)
		switch {
		case !known:
			writes = append(writes, name)
		case endpoint.ReadOnly:
			reads = append(reads, endpoint.Title)
		default:
			writes = append(writes, endpoint.Title)
		}
	}
	add("读取微信数据", reads)
	add("以你的名义操作小程序", writes)
	var seen []string
	for _, name := range c.GetCore() {
		seen = append(seen, coreWord(name))
	}
	add("查看和使用平台功能", seen)
	add("调用其他插件", c.GetCalls())
	add("向外部地址发送数据", c.GetHosts())
	var heard []string
	for _, s := range m.GetSubscriptions() {
		heard = append(heard, event.TitleOf(strings.TrimPrefix(s.GetType(), wechatPrefix)))
	}
	add("接收事件", heard)
	var jobs, kept []string
	for _, j := range m.GetJobs() {
		jobs = append(jobs, j.GetTitle())
	}
	add("定时运行", jobs)
	for _, t := range m.GetTables() {
		if t.GetCollection() != "" {
			kept = append(kept, t.GetTitle())
		}
	}
	add("保存数据", kept)
	return lines
}

// coreWord is the word for a core view or operation; one without words stands for itself.
func coreWord(name string) string {
	words := map[string]string{
		"miniprograms": "小程序列表", "grants": "操作权限", "components": "第三方平台", "spaces": "空间名称", "authorize": "发起授权", "authorize.state": "查询授权进度",
		"grant.create": "授权他人操作", "grant.revoke": "撤销操作权限", "delegate": "在后台继续你发起的操作", "delegate.end": "结束后台操作", "http": "访问外部地址", "notify": "发送站内消息",
	}
	if word, ok := words[name]; ok {
		return word
	}
	return name
}
