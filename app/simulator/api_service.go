package simulator

import (
	"encoding/json"
	"slices"
)

// serviceSets are 小程序客服管理 and 消息管理 of official accounts, of which one is needed. Read only.
var serviceSets = []int{19, 1}

// serviceEndpoints are customer-service messages (01 C.4, 02 H.2).
func serviceEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/message/custom/send", post: true, token: authorizerToken, sets: serviceSets, official: true, run: sendServiceMessage},
		{path: "/cgi-bin/message/custom/typing", post: true, token: authorizerToken, sets: serviceSets, official: true, run: sendTyping},
	}
}

// chat is what a user and an account said to each other in the customer-service window.
type chat struct {
	AppID   string           `json:"appid"`
	OpenID  string           `json:"openid"`
	UserMs  int64            `json:"user_ms"`  // when the user wrote last; a reply has 48 hours
	Replies int              `json:"replies"`  // since then, at most rules.ServiceReplies
	TypedMs int64            `json:"typed_ms"` // the last Typing; 0: none, or ended
	Sent    []serviceMessage `json:"sent"`     // newest last, at most keptReplies
}

// serviceMessage is one reply of the account.
type serviceMessage struct {
	TimeMs  int64  `json:"time_ms"`
	Type    string `json:"msgtype"`
	Content string `json:"content"` // of a text; other kinds keep their JSON
}

const (
	serviceWindowMs = 48 * 3600 * 1000
	keptReplies     = 20
	typingMs        = 15_000
)

// serviceTypes are the kinds a customer-service message may have. Read only.
var serviceTypes = []string{"text", "image", "link", "miniprogrampage", "voice", "video", "music", "news", "mpnews", "msgmenu", "wxcard", "mpnewsarticle"}

func chatKey(appID, openID string) string { return appID + "/" + openID }

// heard notes that a user wrote to an account: the window of replies begins anew.
func (w *world) heard(appID, openID string, now int64) {
	if openID == "" {
		return
	}
	key := chatKey(appID, openID)
	c := w.chats.get(key)
	if c == nil {
		c = &chat{AppID: appID, OpenID: openID}
	}
	c.UserMs, c.Replies = now, 0
	w.chats.put(key, c)
}

func sendServiceMessage(w *world, c *apiCall) (any, error) {
	var req map[string]json.RawMessage
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	user, kind := textOf(req["touser"]), textOf(req["msgtype"])
	if user == "" {
		return nil, refuse(40003)
	}
	if !slices.Contains(serviceTypes, kind) {
		return nil, refuse(40008)
	}
	content := string(req[kind])
	if content == "" || content == "null" {
		return nil, refuse(44004)
	}
	if kind == "text" {
		var text struct {
			Content string `json:"content"`
		}
		if json.Unmarshal(req[kind], &text) != nil {
			return nil, refuse(47001)
		}
		if content = text.Content; content == "" {
			return nil, refuse(44004)
		}
	}
	talk := w.chats.get(chatKey(c.mp.AppID, user))
	if talk == nil || c.now >= talk.UserMs+serviceWindowMs {
		return nil, refuse(45015)
	}
	if talk.Replies >= w.settings.ServiceReplies {
		return nil, refuse(45047)
	}
	talk.Replies, talk.TypedMs = talk.Replies+1, 0
	talk.Sent = append(talk.Sent, serviceMessage{TimeMs: c.now, Type: kind, Content: excerpt(content, maxExcerpt)})
	if n := len(talk.Sent); n > keptReplies {
		talk.Sent = slices.Clone(talk.Sent[n-keptReplies:])
	}
	w.chats.put(chatKey(c.mp.AppID, user), talk)
	return fields{}, nil
}

func sendTyping(w *world, c *apiCall) (any, error) {
	var req struct {
		User    string `json:"touser"`
		Command string `json:"command"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Command != "Typing" && req.Command != "CancelTyping" {
		return nil, refuse(45072)
	}
	talk := w.chats.get(chatKey(c.mp.AppID, req.User))
	if talk == nil || c.now >= talk.UserMs+serviceWindowMs {
		return nil, refuse(45080)
	}
	if req.Command == "Typing" && talk.TypedMs > 0 && c.now < talk.TypedMs+typingMs {
		return nil, refuse(45081)
	}
	if talk.TypedMs = 0; req.Command == "Typing" {
		talk.TypedMs = c.now
	}
	w.chats.put(chatKey(c.mp.AppID, req.User), talk)
	return fields{}, nil
}

// textOf is a JSON text, or "" for anything else.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
