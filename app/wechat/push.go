package wechat

import (
	"fmt"
	"strconv"
	"strings"
)

// Kinds of callback URL. A ticket URL carries InfoType, a message URL MsgType and Event.
const (
	TicketURL  = "ticket"
	MessageURL = "message"
)

// Names of the pushes that the house acts on; others are stored and shown.
const (
	VerifyTicket     = "component_verify_ticket"
	Authorized       = "authorized"
	UpdateAuthorized = "updateauthorized"
	Unauthorized     = "unauthorized"
	AuditSuccess     = "weapp_audit_success"
	AuditFail        = "weapp_audit_fail"
	AuditDelay       = "weapp_audit_delay"
)

// Push is one decrypted push. Fields holds every leaf by its path below <xml>: "Reason", "info.name",
// and for repeated groups "list[1].appid" from the second on.
type Push struct {
	InfoType     string // as a rule on the ticket URL
	MsgType      string // message URL only
	Event        string // as a rule on the message URL, MsgType "event"
	AppID        string // component appid, ticket URL only
	ToUserName   string // gh_ id of the mini program, message URL only
	FromUserName string
	CreateTime   int64 // unix seconds by WeChat's clock; 0 when absent
	Fields       map[string]string
}

// Type is the name a push is filed and subscribed under: the InfoType, the Event, or "message."+MsgType.
func (p Push) Type() string {
	switch {
	case p.InfoType != "":
		return p.InfoType
	case p.MsgType == "event" && p.Event != "":
		return p.Event
	default:
		return "message." + p.MsgType
	}
}

// ParsePush reads a decrypted message that arrived on kind (TicketURL or MessageURL). Unknown types and fields are kept;
// a doubled leaf is refused because first-wins and last-wins readers would disagree about it.
func ParsePush(kind string, msg []byte) (Push, error) {
	root, err := parseXML(msg)
	if err != nil {
		return Push{}, Refuse(ReasonXML, err)
	}
	if root.name != "xml" {
		return Push{}, Refuse(ReasonXML, fmt.Errorf("%w: root is %q", errXML, root.name))
	}
	p := Push{Fields: make(map[string]string, len(root.kids))}
	if err := flatten(p.Fields, "", root.kids); err != nil {
		return Push{}, Refuse(ReasonXML, err)
	}
	if p.CreateTime, err = createTime(p.Fields["CreateTime"]); err != nil {
		return Push{}, Refuse(ReasonXML, err)
	}
	p.FromUserName = p.Fields["FromUserName"]
	switch kind {
	case TicketURL:
		p.AppID = p.Fields["AppId"]
		if p.InfoType = p.Fields["InfoType"]; p.InfoType == "" && !bound(MessageURL, p.Fields["Event"]) {
			p.MsgType, p.Event = "event", p.Fields["Event"]
		}
	case MessageURL:
		p.MsgType, p.Event, p.ToUserName = p.Fields["MsgType"], p.Fields["Event"], p.Fields["ToUserName"]
		if p.MsgType == "" && !bound(TicketURL, p.Fields["InfoType"]) {
			p.InfoType = p.Fields["InfoType"]
		}
	default:
		return Push{}, fmt.Errorf("wechat: unknown kind of callback URL %q", kind)
	}
	if !typeName(p.InfoType) && !typeName(p.MsgType) || p.MsgType == "event" && !typeName(p.Event) {
		return Push{}, Refuse(ReasonXML, fmt.Errorf("%w: no usable InfoType, MsgType or Event", errXML))
	}
	return p, nil
}

// bound tells whether a push that the house acts on belongs to one kind of URL alone. Of the others the documents and what
// is seen disagree about the URL and about InfoType or Event (01 B.6, C.2): both are taken on both.
func bound(kind, name string) bool {
	switch name {
	case VerifyTicket, Authorized, UpdateAuthorized, Unauthorized:
		return kind == TicketURL
	case AuditSuccess, AuditFail, AuditDelay:
		return kind == MessageURL
	}
	return false
}

// typeName tells whether s can stand in an index of types: 1 to 56 letters, digits, '_', '-' or '.'.
func typeName(s string) bool {
	if s == "" || len(s) > 56 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func createTime(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return 0, fmt.Errorf("%w: CreateTime is no unix time", errXML)
	}
	return n, nil
}

func flatten(into map[string]string, prefix string, kids []element) error {
	var groups map[string]int
	for _, k := range kids {
		path := prefix + k.name
		if len(k.kids) == 0 {
			if _, twice := into[path]; twice {
				// Inside a group (Actions, list, material) a repeated leaf is an array; at the top it is a forgery.
				if prefix == "" {
					return fmt.Errorf("%w: %s twice", errXML, path)
				}
				for n := 1; ; n++ {
					next := path + "[" + strconv.Itoa(n) + "]"
					if _, taken := into[next]; !taken {
						path = next
						break
					}
				}
			}
			into[path] = string(k.text)
			continue
		}
		if groups == nil {
			groups = map[string]int{}
		}
		if n := groups[k.name]; n > 0 {
			path += "[" + strconv.Itoa(n) + "]"
		}
		groups[k.name]++
		if err := flatten(into, path+".", k.kids); err != nil {
			return err
		}
	}
	return nil
}

// Ticket is the component_verify_ticket of a push, "" when it is another push. It is a credential: never log it.
func (p Push) Ticket() string {
	if p.InfoType != VerifyTicket {
		return ""
	}
	return p.Fields["ComponentVerifyTicket"]
}

// Authorization is the content of authorized, updateauthorized and unauthorized (01 B.2).
type Authorization struct {
	AppID       string // the authorizer, that is the mini program
	Code        string // empty for unauthorized
	CodeExpires int64  // absolute unix seconds; 0 when absent
	PreAuthCode string // may be empty for updateauthorized
}

// Authorization reads an authorisation push; ok is false for another push and for one without AuthorizerAppid.
func (p Push) Authorization() (a Authorization, ok bool) {
	switch p.InfoType {
	case Authorized, UpdateAuthorized, Unauthorized:
	default:
		return Authorization{}, false
	}
	expires, err := strconv.ParseInt(p.Fields["AuthorizationCodeExpiredTime"], 10, 64)
	if err != nil {
		expires = 0 // absent for unauthorized; the code itself is what matters
	}
	a = Authorization{
		AppID: p.Fields["AuthorizerAppid"], Code: p.Fields["AuthorizationCode"],
		CodeExpires: expires, PreAuthCode: p.Fields["PreAuthCode"],
	}
	return a, a.AppID != ""
}

// AuditResult is the content of weapp_audit_success, weapp_audit_fail and weapp_audit_delay (01 C.1). It names no
// audit id: read the latest audit before acting on it.
type AuditResult struct {
	Status      int    // as in AuditStatus: 0 passed, 1 rejected, 4 delayed
	At          int64  // unix seconds; CreateTime when the own time is absent
	Reason      string // WeChat's HTML fragment: escape before showing
	Screenshots []string
}

// AuditResult reads an audit push; ok is false for another push.
func (p Push) AuditResult() (r AuditResult, ok bool) {
	var at string
	switch p.Event {
	case AuditSuccess:
		r.Status, at = AuditPassed, p.Fields["SuccTime"]
	case AuditFail:
		r.Status, at = AuditRejected, p.Fields["FailTime"]
	case AuditDelay:
		r.Status, at = AuditDelayed, p.Fields["DelayTime"]
	default:
		return AuditResult{}, false
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		n = p.CreateTime
	}
	r.At, r.Reason, r.Screenshots = n, p.Fields["Reason"], splitMedia(p.Fields["ScreenShot"])
	return r, true
}

// splitMedia splits media ids joined by a vertical bar.
func splitMedia(s string) []string {
	var ids []string
	for id := range strings.SplitSeq(s, "|") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
