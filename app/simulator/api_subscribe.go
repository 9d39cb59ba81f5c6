package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// subscribeEndpoints are 订阅消息: the public library, the mini program's own templates, and sending (02 H.2).
func subscribeEndpoints() []endpoint {
	const base = "/wxaapi/newtmpl/"
	return []endpoint{
		{path: base + "getcategory", token: authorizerToken, sets: codeSets, run: subscribeCategories},
		{path: base + "getpubtemplatetitles", token: authorizerToken, sets: codeSets, run: publicTitles},
		{path: base + "getpubtemplatekeywords", token: authorizerToken, sets: codeSets, run: publicKeywords},
		{path: base + "addtemplate", post: true, token: authorizerToken, sets: codeSets, run: addSubscribeTemplate},
		{path: base + "gettemplate", token: authorizerToken, sets: codeSets, run: listSubscribeTemplates},
		{path: base + "deltemplate", post: true, token: authorizerToken, sets: codeSets, run: deleteSubscribeTemplate},
		{path: "/cgi-bin/message/subscribe/send", post: true, token: authorizerToken, sets: codeSets, run: sendSubscribeMessage},
	}
}

// publicTemplate is one entry of WeChat's public library.
type publicTemplate struct {
	tid      int
	title    string
	kind     int // 2 一次性订阅, 3 长期订阅
	keywords []keyword
}

type keyword struct {
	name, example, rule string
}

// publicTemplates are in the library of every category. Read only.
var publicTemplates = []publicTemplate{
	{99, "付款成功通知", 2, []keyword{{"物品名称", "名称", "thing"}, {"付款金额", "￥10.00", "amount"}, {"付款时间", "2026年3月1日 10:00", "time"}, {"订单编号", "20260301001", "character_string"}}},
	{100, "订单发货通知", 2, []keyword{{"物品名称", "名称", "thing"}, {"快递公司", "顺丰速运", "thing"}, {"快递单号", "SF0000000001", "character_string"}}},
	{101, "预约成功通知", 2, []keyword{{"预约项目", "理发", "thing"}, {"预约时间", "2026年3月1日 10:00", "time"}, {"门店", "街角店", "thing"}}},
	{102, "活动开始提醒", 2, []keyword{{"活动名称", "新品试吃", "thing"}, {"开始时间", "2026年3月1日 10:00", "time"}}},
	{103, "退款成功通知", 2, []keyword{{"退款金额", "￥10.00", "amount"}, {"退款原因", "不想要了", "thing"}}},
	{104, "排队到号通知", 2, []keyword{{"号码", "A012", "character_string"}, {"门店", "街角店", "thing"}}},
}

// subscribeTemplate is one of a mini program's own templates.
type subscribeTemplate struct {
	ID        string         `json:"pri_tmpl_id"`
	AppID     string         `json:"appid"`
	TID       int            `json:"tid"`
	Title     string         `json:"title"`
	Content   string         `json:"content"`
	Example   string         `json:"example"`
	Type      int            `json:"type"`
	Keys      []string       `json:"keys"`     // data keys a message must have
	Consents  map[string]int `json:"consents"` // sends a user has agreed to, by openid
	CreatedMs int64          `json:"created_ms"`
}

const (
	maxSubscribeTemplates = 25
	maxKeywords           = 5
	minKeywords           = 2
)

func subscribeCategories(_ *world, c *apiCall) (any, error) {
	list := []any{}
	for _, cat := range c.mp.Categories {
		list = append(list, map[string]any{"id": cat.SecondID, "name": cat.SecondClass})
	}
	return fields{"data": list}, nil
}

func publicTitles(_ *world, c *apiCall) (any, error) {
	start, limit, ids := c.queryInt("start", -1), c.queryInt("limit", -1), strings.Split(c.query.Get("ids"), ",")
	switch {
	case start < 0:
		return nil, refuse(200016)
	case limit < 1 || limit > 30:
		return nil, refuse(200017)
	case c.query.Get("ids") == "":
		return nil, refuse(200018)
	}
	all := []any{}
	for _, id := range ids {
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, refuse(200018)
		}
		if slices.ContainsFunc(c.mp.Categories, func(cat category) bool { return cat.SecondID == n || cat.FirstID == n }) {
			for _, t := range publicTemplates {
				all = append(all, map[string]any{"tid": t.tid, "title": t.title, "type": t.kind, "categoryId": id})
			}
		}
	}
	return fields{"count": len(all), "data": all[min(start, len(all)):min(start+limit, len(all))]}, nil
}

func publicTemplateOf(tid string) *publicTemplate {
	for i := range publicTemplates {
		if fmt.Sprint(publicTemplates[i].tid) == tid {
			return &publicTemplates[i]
		}
	}
	return nil
}

func publicKeywords(_ *world, c *apiCall) (any, error) {
	t := publicTemplateOf(c.query.Get("tid"))
	if t == nil {
		return nil, refuse(200014)
	}
	list := []any{}
	for i, k := range t.keywords {
		list = append(list, map[string]any{"kid": i + 1, "name": k.name, "example": k.example, "rule": k.rule})
	}
	return fields{"count": len(list), "data": list}, nil
}

func addSubscribeTemplate(w *world, c *apiCall) (any, error) {
	var req struct {
		TID   json.RawMessage `json:"tid"`
		Kids  []number        `json:"kidList"`
		Scene string          `json:"sceneDesc"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := publicTemplateOf(strings.Trim(string(req.TID), `"`))
	switch {
	case t == nil:
		return nil, refuse(200014)
	case len(req.Kids) < minKeywords || len(req.Kids) > maxKeywords:
		return nil, refuse(200020)
	case req.Scene == "" || utf8.RuneCountInString(req.Scene) > 15:
		return nil, refuse(200021)
	case len(w.subscribeTemplatesOf(c.mp.AppID)) >= maxSubscribeTemplates:
		return nil, refuse(200012)
	}
	own := &subscribeTemplate{ID: w.ids.text(base62, 43), AppID: c.mp.AppID, TID: t.tid, Title: t.title, Type: t.kind, Consents: map[string]int{}, CreatedMs: c.now}
	for _, kid := range req.Kids {
		if kid < 1 || int(kid) > len(t.keywords) {
			return nil, refuse(200020)
		}
		k := t.keywords[kid-1]
		key := fmt.Sprintf("%s%d", k.rule, kid)
		own.Keys = append(own.Keys, key)
		own.Content += k.name + ":{{" + key + ".DATA}}\n"
		own.Example += k.name + ":" + k.example + "\n"
	}
	w.subscribeTemplates.put(own.ID, own)
	return fields{"priTmplId": own.ID}, nil
}

// subscribeTemplatesOf are a mini program's own templates, oldest first.
func (w *world) subscribeTemplatesOf(appID string) []*subscribeTemplate {
	out := []*subscribeTemplate{}
	for _, t := range w.subscribeTemplates.all() {
		if t.AppID == appID {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b *subscribeTemplate) int { return int(a.CreatedMs - b.CreatedMs) })
	return out
}

func listSubscribeTemplates(w *world, c *apiCall) (any, error) {
	list := []any{}
	for _, t := range w.subscribeTemplatesOf(c.mp.AppID) {
		list = append(list, map[string]any{"priTmplId": t.ID, "title": t.Title, "content": t.Content, "example": t.Example, "type": t.Type})
	}
	return fields{"data": list}, nil
}

func (w *world) subscribeTemplateOf(appID, id string) *subscribeTemplate {
	if t := w.subscribeTemplates.get(id); t != nil && t.AppID == appID {
		return t
	}
	return nil
}

func deleteSubscribeTemplate(w *world, c *apiCall) (any, error) {
	var req struct {
		ID string `json:"priTmplId"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if w.subscribeTemplateOf(c.mp.AppID, req.ID) == nil {
		return nil, refuse(200014)
	}
	w.subscribeTemplates.delete(req.ID)
	return fields{}, nil
}

func sendSubscribeMessage(w *world, c *apiCall) (any, error) {
	var req struct {
		Template string                            `json:"template_id"`
		User     string                            `json:"touser"`
		Data     map[string]map[string]interface{} `json:"data"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := w.subscribeTemplateOf(c.mp.AppID, req.Template)
	switch {
	case req.User == "":
		return nil, refuse(40003)
	case t == nil:
		return nil, refuse(40037)
	}
	for _, key := range t.Keys {
		if value := req.Data[key]["value"]; value == nil || fmt.Sprint(value) == "" || utf8.RuneCountInString(fmt.Sprint(value)) > 32 {
			return nil, refusef(47003, "data.%s.value is empty or too long", key)
		}
	}
	if t.Consents[req.User] < 1 {
		return nil, refuse(43101)
	}
	if t.Type == 2 {
		t.Consents[req.User]--
	}
	w.subscribeTemplates.put(t.ID, t)
	w.tellUser(c.mp, req.User, "subscribe_msg_sent_event", c.now, branch("SubscribeMsgSentEvent", branch("List", leaf("TemplateId", t.ID),
		leaf("MsgID", w.ids.number(1_700_000_000_000)), leaf("ErrorCode", 0), leaf("ErrorStatus", "success"))))
	return fields{}, nil
}

// tellUser pushes an event that a user of the mini program caused to every platform it is authorised to.
func (w *world) tellUser(m *miniProgram, openID, event string, now int64, nodes ...xmlNode) {
	for _, id := range w.components.ids() {
		c, auth := w.components.get(id), w.authorizationOf(id, m.AppID)
		if auth == nil || !auth.Active {
			continue
		}
		all := append([]xmlNode{leaf("ToUserName", m.UserName), leaf("FromUserName", openID), leaf("CreateTime", now/1000),
			leaf("MsgType", "event"), leaf("Event", event)}, nodes...)
		w.enqueue(c, &push{TimeMs: now, AppID: m.AppID, ToUser: m.UserName, OpenID: openID, Kind: event, XML: buildTree(all)}, pushShape{})
	}
}

// consentRequest is the body of POST /control/consents: a user answers the question for subscribe messages.
type consentRequest struct {
	AppID    string `json:"appid"`
	Template string `json:"template_id"`
	OpenID   string `json:"openid"`
	Reject   bool   `json:"reject"`
}

func giveConsent(w *world, now int64, _ *http.Request, req consentRequest) (any, error) {
	m, t := w.miniPrograms.get(req.AppID), w.subscribeTemplateOf(req.AppID, req.Template)
	switch {
	case m == nil:
		return nil, notFound("appid", "模拟平台没有这个小程序")
	case t == nil:
		return nil, notFound("template_id", "这个小程序没有这个订阅消息模板")
	case req.OpenID == "":
		return nil, badRequest("openid", "请填写用户的 openid")
	}
	answer := "reject"
	if !req.Reject {
		answer = "accept"
		t.Consents[req.OpenID]++
		w.subscribeTemplates.put(t.ID, t)
	}
	w.tellUser(m, req.OpenID, "subscribe_msg_popup_event", now, branch("SubscribeMsgPopupEvent", branch("List", leaf("TemplateId", t.ID),
		leaf("SubscribeStatusString", answer), leaf("PopupScene", 2))))
	return map[string]any{"template_id": t.ID, "openid": req.OpenID, "left": t.Consents[req.OpenID]}, nil
}
