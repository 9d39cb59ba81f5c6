package plugin

import (
	"strings"

	"minifleet/app/event"
	"minifleet/app/wechat"
)

// May is one kind of thing that a plugin may do, in Chinese.
type May struct {
	Title string   `json:"title"`
	Items []string `json:"items" dc:"一项一项写明"`
}

// mayDo says what a plugin may do: what an operator has approved; of one without an approval, what its manifest tells.
func (h *Host) mayDo(plugin string) []May {
	u := h.unit(plugin)
	if u == nil {
		return []May{}
	}
	if a := u.command().approved; a != nil {
		groups := []May{}
		for _, group := range Ask(a.spec, nil) {
			if len(group.Items) == 0 {
				continue
			}
			may := May{Title: group.Title}
			for _, item := range group.Items {
				may.Items = append(may.Items, item.Title)
			}
			groups = append(groups, may)
		}
		return groups
	}
	info := u.known()
	if info == nil {
		return []May{}
	}
	return mayOf(info.manifest)
}

func mayOf(m *Manifest) []May {
	lines := []May{}
	add := func(head string, items []string) {
		if len(items) > 0 {
			lines = append(lines, May{head, items})
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
	for _, known := range coreWords {
		if known.word == name {
			return known.title
		}
	}
	return name
}
