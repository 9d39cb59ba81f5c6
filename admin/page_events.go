package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

func (a *Admin) eventPages() []Page {
	return []Page{
		{Pattern: "GET /events", Title: "事件日志", Kinds: eventReaders, Query: eventQuery(), Handle: a.eventsPage},
		{Pattern: "POST /events/replay", Title: "重放事件", Kinds: operators, Handle: a.replayEvents},
		{Pattern: "GET /events/dead", Title: "死信", Kinds: operators, Query: deadQuery(), Handle: a.deadPage},
		{Pattern: "POST /events/dead/replay", Title: "重放死信", Kinds: operators, Handle: a.replayDead},
		{Pattern: "GET /events/{id}", Title: "事件", Kinds: eventReaders, Handle: a.eventPage},
		{Pattern: "POST /events/{id}/payload", Title: "事件", Kinds: eventReaders, Handle: a.revealEvent},
		{Pattern: "POST /events/{id}/raw", Title: "事件", Kinds: eventReaders, Handle: a.rawEvent},
		{Pattern: "POST /events/{id}/replay", Title: "事件", Kinds: operators, Handle: a.replayEvent},
	}
}

// eventReaders see the event log, a merchant that of its own platform apps.
var eventReaders = []account.Kind{account.Platform, account.Merchant}

// eventTag is the word and colour of an event's state.
func eventTag(state string) (color, label string) {
	switch state {
	case event.StateWaiting:
		return "blue", "投递中"
	case event.StateDone:
		return "green", "已投递"
	case event.StateDead:
		return "red", "投递失败"
	case event.StateInert:
		return "grey", "不投递"
	default:
		return "grey", state
	}
}

var eventStates = []Option{{event.StateWaiting, "投递中", ""}, {event.StateDone, "已投递", ""}, {event.StateDead, "投递失败", ""}, {event.StateInert, "不投递", ""}}

func (a *Admin) eventsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	const base = Prefix + "/events"
	s, elsewhere, err := a.openList(ctx, actor, r, "events", base)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	bad := fault.InvalidInput()
	f := eventFilter(s.q, bad)
	if actor.MiniPrograms != nil && !actor.Reaches(f.AppID) {
		bad.On("appid", "你只能查看指定小程序的事件，请填写其中一个的 AppID")
	}
	if f.Components, err = a.eventScope(ctx, actor); err != nil {
		return View{}, err
	}
	f.Cursor, f.Limit, f.Oldest = s.cursor, s.size, s.last
	l := shownList{
		Name: "events", Title: "事件日志", Address: base, Acts: true, Empty: "还没有收到事件。绑定第三方平台后，微信的推送会出现在这里。", Export: actor.Operator(), Reverse: true,
		Filters: []listFilter{
			{Name: "kind", Title: "类型", Value: s.q.Get("kind"), Kind: "select", Options: eventKinds()}, {Name: "appid", Title: "小程序", Value: f.AppID, Kind: "text", Hint: "AppID", Error: fieldMessage(bad, "appid")},
			{Name: "state", Title: "状态", Value: f.State, Kind: "select", Options: eventStates}, {Name: "component", Title: "第三方平台", Value: f.Component, Kind: "text", Hint: "AppID"},
			{Name: "type", Title: "类型代码", Value: s.q.Get("type"), Kind: "text", Hint: "如 weapp_audit_*"}, {Name: "source", Title: "来源", Value: f.Source, Kind: "select", Options: eventSources},
			{Name: "from", Title: "收到时间从", Value: s.q.Get("from"), Kind: "datetime-local", Error: fieldMessage(bad, "from")}, {Name: "to", Title: "到", Value: s.q.Get("to"), Kind: "datetime-local", Error: fieldMessage(bad, "to")},
		},
		Columns: []theme.Column{{Name: "at", Title: "收到时间"}, {Name: "type", Title: "类型"}, {Name: "summary", Title: "摘要"}, {Name: "source", Title: "来源"}, {Name: "component", Title: "第三方平台"}, {Name: "appid", Title: "小程序"}, {Name: "state", Title: "状态"}, {Name: "deliveries", Title: "投递"}},
	}
	if err := bad.OrNil(); err != nil {
		l.Problem = bad
		return View{Body: a.showList(s, l), Status: http.StatusBadRequest}, nil
	}
	if actor.Can("event.replay") {
		l.Batch = []batchAct{{Title: "重放", Post: base + "/replay", Confirm: "重新投递给所有接收者？处理是可重复的，不会重复提交到微信。"}}
	}
	if actor.Operator() {
		dead, err := a.o.Services.Events.CountDead(ctx, event.DeadFilter{})
		if err != nil {
			return View{}, err
		}
		l.Tools = a.render("event-tools", dead)
	}
	rows, next, err := a.o.Services.Events.List(ctx, f)
	if errors.Is(err, event.ErrCursor) {
		return View{}, fault.New(fault.Invalid, "cursor", "翻页的位置已失效，请从第一页重新打开")
	}
	if err != nil {
		return View{}, err
	}
	total, err := a.o.Services.Events.Total(ctx, f)
	if err != nil {
		return View{}, err
	}
	l.Total, l.Capped = exact(total)
	if l.Next = next; s.last {
		slices.Reverse(rows)
	}
	for _, e := range rows {
		l.Rows = append(l.Rows, a.eventRow(e))
	}
	return View{Body: a.showList(s, l)}, nil
}

func (a *Admin) eventRow(e event.Row) theme.Row {
	v := struct {
		event.Row
		Color, Label, Title string
	}{Row: e, Title: event.TitleOf(e.Type)}
	v.Color, v.Label = eventTag(e.State)
	id := strconv.FormatInt(e.ID, 10)
	row := theme.Row{ID: id, Name: event.TitleOf(e.Type), Ops: []theme.Op{{Title: "详情", Href: Prefix + "/events/" + id}}}
	for _, cell := range []string{"event-at", "event-type", "event-summary", "event-source", "event-component", "event-appid", "event-state", "event-deliveries"} {
		row.Cells = append(row.Cells, a.render(cell, v))
	}
	return row
}

var eventSources = []Option{{event.SourceWeChat, "微信", ""}, {event.SourceCore, "平台", ""}}

// eventQuery names the parameters of the event log.
func eventQuery() []string {
	return listQuery("component", "appid", "kind", "type", "source", "state", "from", "to")
}

// eventKinds are the known types, as a choice.
func eventKinds() []Option {
	kinds := event.PushKinds()
	out := make([]Option, 0, len(kinds))
	for _, k := range kinds {
		out = append(out, Option{k.Type, k.Title, ""})
	}
	return out
}

// eventFilter reads the conditions of the event log; what cannot be read is noted on its field.
func eventFilter(q url.Values, bad *fault.Error) event.Filter {
	f := event.Filter{Component: trimmed(q, "component"), AppID: trimmed(q, "appid"), Type: trimmed(q, "type")}
	if f.Type == "" {
		f.Type = trimmed(q, "kind")
	}
	if v := q.Get("state"); slices.ContainsFunc(eventStates, func(o Option) bool { return o.Value == v }) {
		f.State = v
	}
	if v := q.Get("source"); slices.ContainsFunc(eventSources, func(o Option) bool { return o.Value == v }) {
		f.Source = v
	}
	f.From, f.To = timeField(bad, "from", q.Get("from")), timeField(bad, "to", q.Get("to"))
	return f
}

// fieldMessage is what is wrong with a field, "" for nothing.
func fieldMessage(f *fault.Error, name string) string {
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Message
		}
	}
	return ""
}

func trimmed(q url.Values, name string) string { return strings.TrimSpace(q.Get(name)) }

// timeField reads a local date and time into Unix milliseconds, 0 for none.
func timeField(bad *fault.Error, name, v string) int64 {
	if v == "" {
		return 0
	}
	for _, layout := range []string{"2006-01-02T15:04", inputTime, timeLayout, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, v, shanghai); err == nil {
			return at.UnixMilli()
		}
	}
	bad.On(name, "时间应为 2026-11-22 09:30 这样的日期和时间")
	return 0
}

type eventView struct {
	Event        event.Detail
	Color, Label string
	Deliveries   []deliveryRow
	Payload      string
	Shown        bool
	Query, Raw   string // as it was received
	HasRaw, Bare bool
	CanReplay    bool
}

// Title is the words for the event's type.
func (v eventView) Title() string { return event.TitleOf(v.Event.Type) }

type deliveryRow struct {
	event.Delivery
	Color, Label, Title string
}

func (a *Admin) eventPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	return a.eventView(actor, e, showNothing), nil
}

// event finds the event of an address, if the actor may see it.
func (a *Admin) event(ctx context.Context, actor account.Actor, r *http.Request) (event.Detail, error) {
	none := fault.New(fault.NotFound, "event_not_found", "没有这个事件，可能已被清理")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return event.Detail{}, none
	}
	e, err := a.o.Services.Events.Get(ctx, id)
	if errors.Is(err, event.ErrNotFound) || err == nil && e.AppID != "" && !actor.Reaches(e.AppID) {
		return event.Detail{}, none
	}
	if err != nil || actor.Operator() {
		return e, err
	}
	mine, err := a.eventScope(ctx, actor)
	if err == nil && (e.Component == "" || !slices.Contains(mine, e.Component)) {
		err = none
	}
	if err != nil {
		return event.Detail{}, err
	}
	return e, nil
}

// eventScope is the platform apps whose events the actor may read: an operator everything's, a merchant those of its own.
func (a *Admin) eventScope(ctx context.Context, actor account.Actor) ([]string, error) {
	if actor.Operator() {
		return nil, nil
	}
	own, err := a.o.Services.Components.List(ctx, actor)
	mine := make([]string, 0, len(own))
	for _, c := range own {
		mine = append(mine, c.AppID)
	}
	return mine, err
}

// What of an event's content a page shows.
const (
	showNothing = iota
	showPayload // decrypted and masked
	showRaw     // as it was received
)

func (a *Admin) eventView(actor account.Actor, e event.Detail, show int) View {
	v := eventView{Event: e, Shown: show == showPayload, Bare: show == showRaw, HasRaw: len(e.Raw) > 0, CanReplay: e.State != event.StateInert && actor.Can("event.replay")}
	v.Color, v.Label = eventTag(e.State)
	switch show {
	case showPayload:
		v.Payload = event.Mask(e.Payload)
	case showRaw:
		v.Query, v.Raw, _ = strings.Cut(string(e.Raw), "\n")
	}
	for _, d := range e.Deliveries {
		row := deliveryRow{Delivery: d, Title: event.SubscriberTitle(d.Subscriber)}
		row.Color, row.Label = eventTag(d.State)
		v.Deliveries = append(v.Deliveries, row)
	}
	return View{Title: "事件 " + strconv.FormatInt(e.ID, 10), Subtitle: event.TitleOf(e.Type), Trail: []Link{{"事件日志", Prefix + "/events"}}, Body: a.render("event", v)}
}

// revealEvent decrypts a payload on a click, masked, and notes who looked.
func (a *Admin) revealEvent(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	if err := a.note(ctx, actor, r, trail.Entry{Act: "event.reveal", Component: e.Component, AppID: e.AppID, Object: strconv.FormatInt(e.ID, 10)}, nil); err != nil {
		return View{}, err
	}
	return a.eventView(actor, e, showPayload), nil
}

// rawEvent shows a push as it was received, and notes who looked.
func (a *Admin) rawEvent(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	if len(e.Raw) == 0 {
		return View{}, fault.New(fault.NotFound, "event_no_raw", "这个事件没有密文：它不是微信的推送，或是升级以前收到的")
	}
	if err := a.note(ctx, actor, r, trail.Entry{Act: "event.raw", Component: e.Component, AppID: e.AppID, Object: strconv.FormatInt(e.ID, 10)}, nil); err != nil {
		return View{}, err
	}
	return a.eventView(actor, e, showRaw), nil
}

func (a *Admin) replayEvent(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	if !actor.Can("event.replay") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有重放事件的权限")
	}
	subscriber := r.PostForm.Get("subscriber")
	err = a.o.Services.Events.Replay(ctx, e.ID, subscriber)
	switch {
	case errors.Is(err, event.ErrInert):
		err = fault.New(fault.Conflict, "event_inert", "这个事件只做记录，不投递，不能重放")
	case errors.Is(err, event.ErrNotFound):
		err = fault.New(fault.NotFound, "subscriber_not_found", "没有这个订阅者，或者它不接收这类事件")
	}
	if noted := a.note(ctx, actor, r, trail.Entry{Act: "event.replay", Component: e.Component, AppID: e.AppID, Object: strconv.FormatInt(e.ID, 10), Detail: subscriber}, err); noted != nil {
		return View{}, noted
	}
	a.flash.put(actor, "已重新排队投递，稍后刷新看结果")
	return View{Redirect: Prefix + "/events/" + strconv.FormatInt(e.ID, 10)}, nil
}

// note writes an operator's act and its outcome to the operation log, and gives the act's own error back.
func (a *Admin) note(ctx context.Context, actor account.Actor, r *http.Request, e trail.Entry, outcome error) error {
	if a.o.Services.Trail == nil {
		return outcome
	}
	e.AccountID, e.SpaceID, e.Actor = actor.AccountID, actor.SpaceID, actor.Name
	e.RequestID, e.Outcome = r.Header.Get("X-Request-Id"), trail.OK
	if outcome != nil {
		e.Outcome, e.Detail = trail.Failed, strings.TrimSpace(e.Detail+" "+fault.From(outcome).Message)
	}
	return errors.Join(outcome, a.o.Services.Trail.Record(ctx, e))
}
