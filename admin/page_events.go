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

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

func (a *Admin) eventPages() []Page {
	return []Page{
		{Pattern: "GET /events", Title: "事件日志", Kinds: operators, Query: []string{"component", "appid", "type", "state", "from", "to", queryCursor}, Handle: a.eventsPage},
		{Pattern: "GET /events/{id}", Title: "事件", Kinds: operators, Handle: a.eventPage},
		{Pattern: "POST /events/{id}/payload", Title: "事件", Kinds: operators, Handle: a.revealEvent},
		{Pattern: "POST /events/{id}/replay", Title: "事件", Kinds: operators, Handle: a.replayEvent},
	}
}

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

type eventRow struct {
	event.Row
	Color, Label string
}

type eventsView struct {
	Rows                          []eventRow
	Component, AppID, Type, State string
	From, To                      string
	Next                          string
	Filtered                      bool
	States                        []Option
	Problem                       *fault.Error
}

var eventStates = []Option{{event.StateWaiting, "投递中", ""}, {event.StateDone, "已投递", ""}, {event.StateDead, "投递失败", ""}, {event.StateInert, "不投递", ""}}

func (a *Admin) eventsPage(ctx context.Context, _ account.Actor, r *http.Request) (View, error) {
	q := r.URL.Query()
	v := eventsView{Component: trimmed(q, "component"), AppID: trimmed(q, "appid"), Type: trimmed(q, "type"), State: q.Get("state"), From: q.Get("from"), To: q.Get("to"), States: eventStates}
	f := event.Filter{Component: v.Component, AppID: v.AppID, Type: v.Type, Cursor: q.Get(queryCursor), Limit: 50}
	if slices.ContainsFunc(eventStates, func(o Option) bool { return o.Value == v.State }) {
		f.State = v.State
	}
	bad := fault.InvalidInput()
	f.From, f.To = timeField(bad, "from", v.From), timeField(bad, "to", v.To)
	if err := bad.OrNil(); err != nil {
		v.Problem = bad
		return View{Body: a.render("events", v), Status: http.StatusBadRequest}, nil
	}
	rows, next, err := a.o.Services.Events.List(ctx, f)
	if errors.Is(err, event.ErrCursor) {
		return View{}, fault.New(fault.Invalid, "cursor", "翻页的位置已失效，请从第一页重新打开")
	}
	if err != nil {
		return View{}, err
	}
	for _, e := range rows {
		row := eventRow{Row: e}
		row.Color, row.Label = eventTag(e.State)
		v.Rows = append(v.Rows, row)
	}
	if next != "" {
		more := clone(q)
		more.Set(queryCursor, next)
		v.Next = Prefix + "/events?" + more.Encode()
	}
	v.Filtered = len(keep(q)) > 0
	return View{Body: a.render("events", v)}, nil
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
	CanReplay    bool
}

type deliveryRow struct {
	event.Delivery
	Color, Label string
}

func (a *Admin) eventPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, r)
	if err != nil {
		return View{}, err
	}
	return a.eventView(actor, e, false), nil
}

func (a *Admin) event(ctx context.Context, r *http.Request) (event.Detail, error) {
	none := fault.New(fault.NotFound, "event_not_found", "没有这个事件，可能已被清理")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return event.Detail{}, none
	}
	e, err := a.o.Services.Events.Get(ctx, id)
	if errors.Is(err, event.ErrNotFound) {
		return e, none
	}
	return e, err
}

func (a *Admin) eventView(actor account.Actor, e event.Detail, shown bool) View {
	v := eventView{Event: e, Shown: shown, CanReplay: e.State != event.StateInert && actor.Can("event.replay")}
	v.Color, v.Label = eventTag(e.State)
	if shown {
		v.Payload = event.Mask(e.Payload)
	}
	for _, d := range e.Deliveries {
		row := deliveryRow{Delivery: d}
		row.Color, row.Label = eventTag(d.State)
		v.Deliveries = append(v.Deliveries, row)
	}
	return View{Title: "事件 " + strconv.FormatInt(e.ID, 10), Subtitle: e.Type, Trail: []Link{{"事件日志", Prefix + "/events"}}, Body: a.render("event", v)}
}

// revealEvent decrypts a payload on a click, masked, and notes who looked.
func (a *Admin) revealEvent(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, r)
	if err != nil {
		return View{}, err
	}
	if err := a.note(ctx, actor, r, trail.Entry{Act: "event.reveal", Component: e.Component, AppID: e.AppID, Object: strconv.FormatInt(e.ID, 10)}, nil); err != nil {
		return View{}, err
	}
	return a.eventView(actor, e, true), nil
}

func (a *Admin) replayEvent(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	e, err := a.event(ctx, r)
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
