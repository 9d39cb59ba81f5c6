package plugin

import (
	"fmt"
	"slices"
	"strings"

	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin/archive"
	"minifleet/app/wechat"
)

// Asked is one group of what an archive asks for, in words that an operator can judge.
type Asked struct {
	Kind  string      `json:"kind" dc:"种类：wechat、core、data、jobs、hosts、calls 或 events"` // wechat core calls hosts events jobs data
	Title string      `json:"title" dc:"名称"`
	None  string      `json:"-"` // sentence for an empty group
	Items []AskedItem `json:"items" dc:"要求的每一项"`
}

// AskedItem is one thing that is asked for.
type AskedItem struct {
	Word  string `json:"word" dc:"plugin.yaml 里的写法"`
	Title string `json:"title" dc:"名称"` // Chinese
	Note  string `json:"note" dc:"补充说明"`
	// Writes marks what changes something; New is not in the archive that serves, Gone is only there.
	Writes bool `json:"writes" dc:"会修改或向外发送"`
	New    bool `json:"new" dc:"上架中的版本没有要求"`
	Gone   bool `json:"gone" dc:"只有上架中的版本要求"`
}

// coreAsk is one view or operation of the core.
type coreAsk struct {
	word, title, note string
	writes            bool
}

// coreWords are the views and operations of the core that an extension may ask for. Those that it has without asking,
// since they reach only what is its own, are not among them.
var coreWords = []coreAsk{
	{"miniprograms", "小程序资料", "名称、AppID、主体和授权状态；只限操作者能看到的小程序", false},
	{"grants", "小程序的授权他人记录", "只限操作者能看到的小程序", false},
	{"components", "第三方平台列表", "名称、AppID 和状态", false},
	{"spaces", "空间名称", "", false},
	{"authorize", "发起小程序授权", "以操作者本人的身份", true},
	{"authorize.state", "查看授权进度", "", false},
	{"grant.create", "把小程序的操作权授予他人", "以操作者本人的身份", true},
	{"grant.revoke", "撤销授予他人的操作权", "以操作者本人的身份", true},
	{"delegate", "在操作者离开后继续以其身份操作", "有期限，只限委托的小程序和权限", true},
	{"notify", "给成员发送站内通知", "", true},
	{"order.create", "创建订单", "", true},
}

// coreFree need no approval of their own: they tell an extension only about itself and the call it is in. http is bounded
// by the approved hosts.
var coreFree = []string{"can", "delegate.end", "http"}

// unknownWords refuses what no approval could mean: an endpoint or a view that does not exist.
func unknownWords(spec archive.Spec) error {
	for _, word := range spec.Capabilities.WeChat {
		if len(endpointsOf(word)) == 0 {
			return fault.Newf(fault.Invalid, "plugin.archive", "plugin.yaml 中的微信接口 “%s” 不存在", word)
		}
	}
	for _, word := range spec.Capabilities.Core {
		if !slices.Contains(coreFree, word) && !slices.ContainsFunc(coreWords, func(c coreAsk) bool { return c.word == word }) {
			return fault.Newf(fault.Invalid, "plugin.archive", "plugin.yaml 中的平台数据或操作 “%s” 不存在", word)
		}
	}
	return nil
}

// endpointsOf gives the endpoints that a word covers.
func endpointsOf(word string) []wechat.Endpoint {
	family, isFamily := strings.CutSuffix(word, "*")
	var list []wechat.Endpoint
	for _, e := range wechat.Endpoints() {
		if e.Name == word || isFamily && strings.HasPrefix(e.Name, family) {
			list = append(list, e)
		}
	}
	return list
}

// Ask puts what an archive asks for into words. before is what the archive that serves was approved for, nil for a first
// one; what is new against it is marked, what is no longer asked for stands at the end of its group.
func Ask(spec archive.Spec, before *archive.Spec) []Asked {
	now := asked(spec)
	if before == nil {
		return now
	}
	then := asked(*before)
	for i := range now {
		had := func(list []AskedItem, item AskedItem) bool {
			return slices.ContainsFunc(list, func(o AskedItem) bool { return o.Word == item.Word && o.Note == item.Note })
		}
		for j := range now[i].Items {
			now[i].Items[j].New = !had(then[i].Items, now[i].Items[j]) && !coveredBefore(now[i].Kind, now[i].Items[j].Word, before.Capabilities)
		}
		for _, item := range then[i].Items {
			if !had(now[i].Items, item) {
				item.Gone = true
				now[i].Items = append(now[i].Items, item)
			}
		}
	}
	return now
}

// coveredBefore knows that one endpoint of an approved family, or one event of an approved prefix, is nothing new.
func coveredBefore(kind, word string, before archive.Capabilities) bool {
	switch kind {
	case "wechat":
		return covers(before.WeChat, word)
	case "events":
		return covers(before.Events, word)
	}
	return false
}

// More reports whether anything in a list of asked things is new.
func More(groups []Asked) bool {
	return slices.ContainsFunc(groups, func(g Asked) bool {
		return slices.ContainsFunc(g.Items, func(i AskedItem) bool { return i.New })
	})
}

func asked(spec archive.Spec) []Asked {
	c := spec.Capabilities
	core := Asked{Kind: "core", Title: "能看哪些数据、能做哪些平台操作", None: "不读取平台数据"}
	for _, word := range c.Core {
		core.Items = append(core.Items, askedCore(word))
	}
	data := Asked{Kind: "data", Title: "自己保存哪些数据", None: "不保存数据"}
	for _, d := range c.Data {
		title := d.Title
		if title == "" {
			title = d.Name
		}
		data.Items = append(data.Items, AskedItem{Word: d.Name, Title: title, Note: visibilityTitle(d.Visibility)})
	}
	jobs := Asked{Kind: "jobs", Title: "会运行哪些定时任务", None: "没有定时任务"}
	for _, j := range c.Jobs {
		note := j.When() + "，在每个启用它的空间各运行一次"
		if j.Platform {
			note = j.When() + "，为整个平台运行一次，能读取所有空间里它自己的数据"
		}
		jobs.Items = append(jobs.Items, AskedItem{Word: j.Name, Title: j.Title, Note: note})
	}
	hosts := Asked{Kind: "hosts", Title: "能访问哪些外部地址", None: "不访问外部地址"}
	for _, h := range c.Hosts {
		hosts.Items = append(hosts.Items, AskedItem{Word: h, Title: h, Writes: true})
	}
	calls := Asked{Kind: "calls", Title: "能调用哪些其他插件", None: "不调用其他插件"}
	for _, w := range c.Calls {
		calls.Items = append(calls.Items, AskedItem{Word: w, Title: w, Writes: true})
	}
	events := Asked{Kind: "events", Title: "会收到哪些事件", None: "不接收事件"}
	for _, w := range c.Events {
		events.Items = append(events.Items, AskedItem{Word: w, Title: eventTitle(w)})
	}
	return []Asked{askedWeChat(c.WeChat), core, data, jobs, hosts, calls, events}
}

func askedWeChat(words []string) Asked {
	group := Asked{Kind: "wechat", Title: "能调用哪些微信接口", None: "不调用微信接口"}
	for _, word := range words {
		covered := endpointsOf(word)
		item := AskedItem{Word: word, Title: word}
		var titles []string
		for _, e := range covered {
			titles = append(titles, e.Title)
			item.Writes = item.Writes || !e.ReadOnly
		}
		switch {
		case strings.HasSuffix(word, "*"):
			item.Title = fmt.Sprintf("%s 的全部 %d 个接口", word, len(covered))
			item.Note = strings.Join(titles, "、")
		case len(covered) == 1:
			item.Title = covered[0].Title
			if covered[0].ReadOnly {
				item.Note = "只读取"
			} else {
				item.Note = "会修改"
			}
		}
		group.Items = append(group.Items, item)
	}
	return group
}

func askedCore(word string) AskedItem {
	for _, known := range coreWords {
		if known.word == word {
			return AskedItem{Word: word, Title: known.title, Note: known.note, Writes: known.writes}
		}
	}
	return AskedItem{Word: word, Title: word}
}

func visibilityTitle(kind string) string {
	switch kind {
	case "space":
		return "每个空间只看到自己的数据"
	case "parties":
		return "数据涉及的双方都能看到"
	case "miniprogram":
		return "小程序的主体和被授权操作的人能看到"
	case "public":
		return "符合条件的数据所有人都能看到"
	default:
		return kind
	}
}

func eventTitle(word string) string {
	if word == wechatPrefix+"*" {
		return "微信的全部推送"
	}
	if name, ok := strings.CutPrefix(word, wechatPrefix); ok {
		return "微信推送：" + event.TitleOf(name)
	}
	return event.TitleOf(word)
}
