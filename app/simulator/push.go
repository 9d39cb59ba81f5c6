package simulator

import (
	"encoding/xml"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Push states.
const (
	pushWaiting = "waiting" // to be delivered
	pushHeld    = "held"    // collected for delivery in reverse order
	pushOK      = "ok"
	pushFailed  = "failed"  // no success after all repeats
	pushDropped = "dropped" // swallowed on purpose
	pushDelayed = "delayed" // waits for its DueMs
)

// push is one encrypted message to a platform with the record of its delivery.
type push struct {
	Seq       int64     `json:"seq"`
	TimeMs    int64     `json:"time_ms"` // simulated
	Component string    `json:"component_appid"`
	AppID     string    `json:"appid"` // mini program; "" for the ticket URL
	Kind      string    `json:"kind"`  // InfoType, Event or MsgType
	ToUser    string    `json:"to_user"`
	OpenID    string    `json:"openid"`
	XML       string    `json:"xml"` // plain text
	Corrupt   string    `json:"corrupt,omitempty"`
	Duplicate int       `json:"duplicate,omitempty"` // how many more times the same bytes are sent
	DueMs     int64     `json:"due_ms,omitempty"`    // simulated; not sent before
	State     string    `json:"state"`
	Attempts  []attempt `json:"attempts"`

	sent *signedPush // what the first try sent, while there are tries left
}

// attempt is one delivery over HTTP.
type attempt struct {
	AtMs       int64  `json:"at_ms"` // wall time
	URL        string `json:"url"`   // without query
	HTTPStatus int    `json:"http_status"`
	Answer     string `json:"answer"`
	Error      string `json:"error,omitempty"`
	DurationMs int64  `json:"duration_ms"`
}

// pushShape says how a push misbehaves; the zero value is a good push.
type pushShape struct {
	corrupt   string
	duplicate int
	delayMs   int64 // simulated
	suppress  bool  // recorded as dropped, never sent
}

// pushPlan is what happens to the next pushes of a platform, whatever makes them.
type pushPlan struct {
	Left         int    `json:"left"`
	Corrupt      string `json:"corrupt,omitempty"`
	Duplicate    int    `json:"duplicate,omitempty"`
	DelaySeconds int64  `json:"delay_seconds,omitempty"`
}

// shape lays the plan over a push that was not told how to misbehave itself.
func (w *world) plannedShape(c *component, shape pushShape) pushShape {
	plan := c.NextPushes
	if plan == nil || shape != (pushShape{}) {
		return shape
	}
	shape = pushShape{corrupt: plan.Corrupt, duplicate: plan.Duplicate, delayMs: plan.DelaySeconds * 1000}
	if plan.Left--; plan.Left <= 0 {
		c.NextPushes = nil
	}
	w.components.put(c.AppID, c)
	return shape
}

// corruptions are the defects a push can be given, with what they break. Read only.
var corruptions = map[string]string{
	"signature": "msg_signature 错误", "no_signature": "缺少 msg_signature", "timestamp": "时间戳过旧（一天前）",
	"padding": "填充字节错误", "length": "长度字段超出", "appid": "接收方 AppID 错误", "base64": "密文不是 base64",
	"doctype": "明文 XML 带 DTD", "oversize": "正文超过 2 MiB", "truncated": "正文在中间截断", "cut_cipher": "密文在中间截断",
}

const (
	maxPushes     = 5000
	maxDuplicates = 20
)

// xmlField is one element of a push, in the order it is written.
type xmlField struct{ name, value string }

// buildXML writes numbers plainly and everything else as CDATA, as WeChat does.
func buildXML(fields []xmlField) (string, error) {
	var b strings.Builder
	b.WriteString("<xml>")
	for _, f := range fields {
		if !validElement(f.name) {
			return "", badRequest("xml", fmt.Sprintf("字段名 %q 不能作为 XML 元素名", f.name))
		}
		b.WriteString("<" + f.name + ">")
		if isDigits(f.value) {
			b.WriteString(f.value)
		} else {
			b.WriteString("<![CDATA[" + strings.ReplaceAll(cleanText(f.value), "]]>", "]]]]><![CDATA[>") + "]]>")
		}
		b.WriteString("</" + f.name + ">")
	}
	b.WriteString("</xml>")
	return b.String(), nil
}

func isDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

func validElement(name string) bool {
	for i, r := range name {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || ((r < '0' || r > '9') && r != '-' && r != '.')) {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

// cleanText drops the characters XML 1.0 cannot carry.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r != 0xFFFD && r != 0xFFFE && r != 0xFFFF) {
			return r
		}
		return -1
	}, s)
}

// ordered puts the fields every push has first and the others behind, by name.
func ordered(values map[string]string, first ...string) []xmlField {
	out := []xmlField{}
	seen := map[string]bool{}
	for _, name := range first {
		if v, ok := values[name]; ok {
			out = append(out, xmlField{name, v})
		}
		seen[name] = true
	}
	rest := []string{}
	for name := range values {
		if !seen[name] {
			rest = append(rest, name)
		}
	}
	sort.Strings(rest)
	for _, name := range rest {
		out = append(out, xmlField{name, values[name]})
	}
	return out
}

// pushInfo queues a message for the ticket URL; values overrides the common fields.
func (w *world) pushInfo(c *component, values map[string]string, now int64, shape pushShape) (*push, error) {
	all := map[string]string{"AppId": c.AppID, "CreateTime": fmt.Sprint(now / 1000)}
	for k, v := range values {
		all[k] = v
	}
	text, err := buildXML(ordered(all, "AppId", "CreateTime", "InfoType"))
	if err != nil {
		return nil, err
	}
	return w.enqueue(c, &push{TimeMs: now, Kind: all["InfoType"], XML: text}, shape), nil
}

// pushTicket makes a new component_verify_ticket and queues it.
func (w *world) pushTicket(c *component, now int64, shape pushShape) *push {
	t := w.newTicket(c, now)
	p, err := w.pushInfo(c, map[string]string{"InfoType": "component_verify_ticket", "ComponentVerifyTicket": t.Value}, now, shape)
	if err != nil {
		panic("simulator: field names of the ticket push: " + err.Error()) // constants, cannot fail
	}
	return p
}

// pushMessage queues a message for the message URL of one mini program; values overrides the common fields.
func (w *world) pushMessage(c *component, m *miniProgram, values map[string]string, now int64, shape pushShape) (*push, error) {
	all := map[string]string{"ToUserName": m.UserName, "FromUserName": "oSimWeChatSystem0000000000", "CreateTime": fmt.Sprint(now / 1000)}
	for k, v := range values {
		all[k] = v
	}
	text, err := buildXML(ordered(all, "ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"))
	if err != nil {
		return nil, err
	}
	kind := all["Event"]
	if kind == "" {
		kind = all["MsgType"]
		w.heard(m.AppID, all["FromUserName"], now)
	}
	return w.enqueue(c, &push{TimeMs: now, AppID: m.AppID, ToUser: m.UserName, OpenID: all["FromUserName"], Kind: kind, XML: text}, shape), nil
}

// enqueue stores a push; it is delivered by Run. Dropping and reordering asked for by the control API act here.
func (w *world) enqueue(c *component, p *push, shape pushShape) *push {
	if !shape.suppress && c.DropPushes == 0 {
		shape = w.plannedShape(c, shape)
	}
	p.Seq = w.ids.number(0)
	p.Component, p.Corrupt, p.Duplicate, p.State = c.AppID, shape.corrupt, shape.duplicate, pushWaiting
	id := sequenceID(p.Seq)
	switch {
	case shape.suppress:
		p.State = pushDropped
	case c.DropPushes > 0:
		c.DropPushes--
		p.State = pushDropped
		w.components.put(c.AppID, c)
	case c.Reorder > 0:
		p.State = pushHeld
		c.Held = append(c.Held, id)
		w.components.put(c.AppID, c)
	case shape.delayMs > 0:
		p.State, p.DueMs = pushDelayed, p.TimeMs+shape.delayMs
	}
	w.putPush(id, p)
	if c.Reorder > 0 && len(c.Held) >= c.Reorder {
		w.releaseHeld(c)
	}
	w.prunePushes()
	return p
}

// releaseHeld gives the collected pushes new numbers in reverse order, so that they leave in that order.
func (w *world) releaseHeld(c *component) {
	for i := len(c.Held) - 1; i >= 0; i-- {
		p := w.pushes.get(c.Held[i])
		if p == nil {
			continue
		}
		w.pushes.delete(c.Held[i])
		p.Seq, p.State = w.ids.number(0), pushWaiting
		w.putPush(sequenceID(p.Seq), p)
	}
	c.Held, c.Reorder = nil, 0
	w.components.put(c.AppID, c)
}

// putPush stores a push and keeps the index of waiting ones.
func (w *world) putPush(id string, p *push) {
	w.pushes.put(id, p)
	w.markPush(id, p)
}

// waitingPushes are the ids of pushes to deliver, per receiver in their order.
type waitingPushes map[string][]string

// receiver is who gets a push: pushes to one receiver are delivered in order, receivers side by side.
func (p *push) receiver() string { return p.Component + "/" + p.AppID }

func (w *world) markPush(id string, p *push) {
	if p.State == pushDelayed {
		w.delayed[id] = p
	} else {
		delete(w.delayed, id)
	}
	queue := w.waiting[p.receiver()]
	at, listed := slices.BinarySearch(queue, id)
	switch {
	case p.State == pushWaiting && !listed:
		w.waiting[p.receiver()] = slices.Insert(queue, at, id)
	case p.State != pushWaiting && listed && len(queue) == 1:
		delete(w.waiting, p.receiver())
	case p.State != pushWaiting && listed:
		w.waiting[p.receiver()] = slices.Delete(queue, at, at+1)
	}
}

// pushDelayedOnes lets go the delayed pushes whose time has come.
func (w *world) pushDelayedOnes(now int64) {
	for id, p := range w.delayed {
		if now >= p.DueMs {
			p.State = pushWaiting
			w.putPush(id, p)
		}
	}
}

func (w *world) prunePushes() {
	if len(w.pushes.docs) <= maxPushes+maxPushes/20 {
		return
	}
	ids := w.pushes.ids()
	for _, id := range ids[:len(ids)-maxPushes] {
		if s := w.pushes.get(id).State; s != pushWaiting && s != pushHeld && s != pushDelayed {
			w.pushes.delete(id)
		}
	}
}

// maskedXML is the text of a push without its ticket and codes, for screens and logs of pushes.
func maskedXML(text string) string {
	dec := xml.NewDecoder(strings.NewReader(text))
	var out strings.Builder
	name := ""
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			name = t.Name.Local
			out.WriteString("<" + name + ">")
		case xml.EndElement:
			out.WriteString("</" + t.Name.Local + ">")
			name = ""
		case xml.CharData:
			switch name {
			case "ComponentVerifyTicket", "AuthorizationCode", "PreAuthCode", "auth_code":
				out.WriteString(maskSecret(string(t)))
			default:
				if err := xml.EscapeText(&out, []byte(maskCodes(string(t)))); err != nil {
					return "" // a strings.Builder never fails
				}
			}
		}
	}
	return out.String()
}

// maskSecret keeps the beginning, enough to tell two values apart.
func maskSecret(s string) string {
	if s == "" {
		return ""
	}
	return s[:min(16, len(s)/2)] + "…"
}
