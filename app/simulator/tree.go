package simulator

import (
	"fmt"
	"strings"
)

// xmlNode is one element of a push that may hold others, as info{…} of the registration events does.
type xmlNode struct {
	name     string
	value    string
	children []xmlNode
}

// leaf is an element with a text.
func leaf(name string, value any) xmlNode { return xmlNode{name: name, value: fmt.Sprint(value)} }

// branch is an element with elements.
func branch(name string, children ...xmlNode) xmlNode {
	return xmlNode{name: name, children: children}
}

// buildTree writes elements as buildXML does. Names are constants of this package, so a wrong one is a bug.
func buildTree(nodes []xmlNode) string {
	var b strings.Builder
	b.WriteString("<xml>")
	writeNodes(&b, nodes)
	b.WriteString("</xml>")
	return b.String()
}

func writeNodes(b *strings.Builder, nodes []xmlNode) {
	for _, n := range nodes {
		b.WriteString("<" + n.name + ">")
		switch {
		case n.children != nil:
			writeNodes(b, n.children)
		case isDigits(n.value):
			b.WriteString(n.value)
		default:
			b.WriteString("<![CDATA[" + strings.ReplaceAll(cleanText(n.value), "]]>", "]]]]><![CDATA[>") + "]]>")
		}
		b.WriteString("</" + n.name + ">")
	}
}

// notify queues an InfoType for the ticket URL of a platform.
func (w *world) notify(c *component, infoType string, now int64, nodes ...xmlNode) {
	all := append([]xmlNode{leaf("AppId", c.AppID), leaf("CreateTime", now/1000), leaf("InfoType", infoType)}, nodes...)
	w.enqueue(c, &push{TimeMs: now, Kind: infoType, XML: buildTree(all)}, pushShape{})
}

// tell queues an Event for the message URL of a mini program, for the platform that is authorised and asked for it;
// "" means every platform that is authorised.
func (w *world) tell(m *miniProgram, component, event string, now int64, nodes ...xmlNode) {
	platforms := []string{component}
	if component == "" {
		platforms = w.components.ids()
	}
	for _, id := range platforms {
		c, auth := w.components.get(id), w.authorizationOf(id, m.AppID)
		if c == nil || auth == nil || !auth.Active {
			continue
		}
		all := append([]xmlNode{leaf("ToUserName", m.UserName), leaf("FromUserName", systemOpenID), leaf("CreateTime", now/1000),
			leaf("MsgType", "event"), leaf("Event", event)}, nodes...)
		w.enqueue(c, &push{TimeMs: now, AppID: m.AppID, ToUser: m.UserName, OpenID: systemOpenID, Kind: event, XML: buildTree(all)}, pushShape{})
	}
}

// systemOpenID is who sends the events of WeChat itself.
const systemOpenID = "oSimWeChatSystem0000000000"
