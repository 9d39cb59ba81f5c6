package simulator

import (
	"net/http"
	"strconv"
)

// pushRequest makes a push, or changes what happens to the next ones.
type pushRequest struct {
	Kind      string            `json:"kind"` // ticket, info (ticket URL), event or text (message URL); "" with drop or reorder
	Component string            `json:"component_appid"`
	AppID     string            `json:"appid"`
	XML       map[string]string `json:"xml"` // fields that replace or extend the common ones
	Corrupt   string            `json:"corrupt"`
	Duplicate int               `json:"duplicate"`     // how many more times the same bytes are sent
	Delay     int64             `json:"delay_seconds"` // simulated
	Drop      *int              `json:"drop"`          // swallow the next n pushes of this component
	Reorder   *int              `json:"reorder"`       // collect the next n and send them in reverse order
	Next      *int              `json:"next"`          // corrupt, duplicate and delay_seconds are for the next n pushes instead of a new one
	Again     int64             `json:"again"`         // send the push with this id once more, encrypted and signed anew
}

func (r pushRequest) check() error {
	switch {
	case r.Corrupt != "" && corruptions[r.Corrupt] == "":
		return badRequest("corrupt", "未知的破坏方式："+r.Corrupt)
	case r.Duplicate < 0 || r.Duplicate > maxDuplicates:
		return badRequest("duplicate", "重复次数应在 0 到 20 之间")
	case r.Delay < 0 || r.Delay > maxAdvanceSeconds:
		return badRequest("delay_seconds", "延迟秒数应在 0 到十年之间")
	case r.Next != nil && (*r.Next < 0 || *r.Next > 100_000):
		return badRequest("next", "条数应在 0 到 100000 之间")
	case r.Next != nil && *r.Next > 0 && r.Corrupt == "" && r.Duplicate == 0 && r.Delay == 0:
		return badRequest("next", "请同时填写 corrupt、duplicate 或 delay_seconds")
	case r.Next != nil && r.Kind != "":
		return badRequest("next", "next 只改变之后的推送，不能与 kind 同时使用")
	case r.Drop != nil && (*r.Drop < 0 || *r.Drop > 100_000):
		return badRequest("drop", "丢弃次数应在 0 到 100000 之间")
	case r.Reorder != nil && (*r.Reorder < 0 || *r.Reorder > 1000):
		return badRequest("reorder", "乱序条数应在 0 到 1000 之间")
	case r.Kind == "" && r.Drop == nil && r.Reorder == nil && r.Next == nil && r.Again == 0:
		return badRequest("kind", "请填写 kind：ticket、info、event、text")
	case len(r.XML) > 100:
		return badRequest("xml", "字段不能超过 100 个")
	}
	return nil
}

func makePush(w *world, now int64, _ *http.Request, req pushRequest) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	if req.Again != 0 {
		return w.pushAgain(req, now)
	}
	c := w.components.get(req.Component)
	if c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台")
	}
	if req.Drop != nil || req.Reorder != nil {
		set(&c.DropPushes, req.Drop)
		if req.Reorder != nil {
			c.Reorder = *req.Reorder
			if c.Reorder <= len(c.Held) {
				w.releaseHeld(c)
			}
		}
		w.components.put(c.AppID, c)
	}
	if req.Next != nil {
		c.NextPushes = nil
		if *req.Next > 0 {
			c.NextPushes = &pushPlan{Left: *req.Next, Corrupt: req.Corrupt, Duplicate: req.Duplicate, DelaySeconds: req.Delay}
		}
		w.components.put(c.AppID, c)
	}
	if req.Kind == "" {
		return map[string]any{"drop": c.DropPushes, "reorder": c.Reorder, "next": c.NextPushes}, nil
	}
	p, err := w.pushOf(c, req, now)
	if err != nil {
		return nil, err
	}
	return p.view(), nil
}

// pushAgain sends what was pushed before once more; the ways of misbehaving count for the new push.
func (w *world) pushAgain(req pushRequest, now int64) (any, error) {
	old := w.pushes.get(sequenceID(req.Again))
	if old == nil {
		return nil, notFound("again", "没有这条推送记录")
	}
	c := w.components.get(old.Component)
	if c == nil {
		return nil, notFound("component_appid", "没有这个第三方平台")
	}
	again := &push{TimeMs: now, AppID: old.AppID, ToUser: old.ToUser, OpenID: old.OpenID, Kind: old.Kind, XML: old.XML}
	return w.enqueue(c, again, pushShape{corrupt: req.Corrupt, duplicate: req.Duplicate, delayMs: req.Delay * 1000}).view(), nil
}

// pushOf makes the one push a request asks for.
func (w *world) pushOf(c *component, req pushRequest, now int64) (*push, error) {
	shape := pushShape{corrupt: req.Corrupt, duplicate: req.Duplicate, delayMs: req.Delay * 1000}
	switch req.Kind {
	case "ticket":
		if len(req.XML) > 0 {
			return nil, badRequest("xml", "票据推送的内容由平台生成；自定义内容请用 kind info")
		}
		return w.pushTicket(c, now, shape), nil
	case "info":
		if req.XML["InfoType"] == "" {
			return nil, badRequest("xml", "请填写 InfoType")
		}
		return w.pushInfo(c, req.XML, now, shape)
	case "event", "text":
		m := w.miniPrograms.get(req.AppID)
		if m == nil {
			return nil, notFound("appid", "模拟平台没有这个小程序")
		}
		values := map[string]string{"MsgType": req.Kind}
		if req.Kind == "text" {
			values["MsgId"] = strconv.FormatInt(w.ids.number(6_000_000_000_000), 10)
			values["FromUserName"] = "oSimUser" + w.ids.text(base62, 20)
		}
		for k, v := range req.XML {
			values[k] = v
		}
		if req.Kind == "event" && values["Event"] == "" {
			return nil, badRequest("xml", "请填写 Event")
		}
		return w.pushMessage(c, m, values, now, shape)
	}
	return nil, badRequest("kind", "kind 只能是 ticket、info、event、text")
}

// view is a push without the ticket or codes it carries.
func (p *push) view() map[string]any {
	attempts := p.Attempts
	if attempts == nil {
		attempts = []attempt{}
	}
	return map[string]any{"id": p.Seq, "time_ms": p.TimeMs, "component_appid": p.Component, "appid": p.AppID, "kind": p.Kind,
		"xml": maskedXML(p.XML), "corrupt": p.Corrupt, "due_ms": p.DueMs, "state": p.State, "attempts": attempts}
}

// page reads ?limit= (1–1000, 100 by default) of a list.
func pageLimit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxCalls {
		return 0, badRequest("limit", "limit 应在 1 到 20000 之间")
	}
	return n, nil
}

// listPushes gives the newest first; filters id, component_appid, appid, kind, state.
func listPushes(w *world, _ int64, r *http.Request, _ none) (any, error) {
	limit, err := pageLimit(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	items, total := []any{}, 0
	ids := w.pushes.ids()
	for i := len(ids) - 1; i >= 0; i-- {
		p := w.pushes.get(ids[i])
		if !matches(q.Get("id"), strconv.FormatInt(p.Seq, 10)) || !matches(q.Get("component_appid"), p.Component) ||
			!matches(q.Get("appid"), p.AppID) || !matches(q.Get("kind"), p.Kind) || !matches(q.Get("state"), p.State) {
			continue
		}
		if total++; len(items) < limit {
			items = append(items, p.view())
		}
	}
	return map[string]any{"items": items, "total": total}, nil
}

func matches(want, got string) bool { return want == "" || want == got }

// listCalls gives the newest first with the number of all that match; filters path (exact, or a prefix ending in *),
// appid, component_appid, errcode, rid.
func listCalls(w *world, _ int64, r *http.Request, _ none) (any, error) {
	limit, err := pageLimit(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	items, total := w.callsLike(callFilter{path: q.Get("path"), appID: q.Get("appid"), component: q.Get("component_appid"),
		rid: q.Get("rid"), errcode: q.Get("errcode")}, 0, limit)
	return map[string]any{"items": items, "total": total}, nil
}
