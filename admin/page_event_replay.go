package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

var errMayNotReplay = fault.New(fault.Forbidden, "forbidden", "你没有重放事件的权限")

// manyPicked is what a click on several rows, or on all results, is about.
type manyPicked struct {
	ids  []string
	some []string // names of the first of them
}

// batchOf reads a click of the event log's lists: the ticked rows, or everything that the query finds. With asked, the
// number has to be confirmed first.
func (a *Admin) batchOf(r *http.Request, base, title string, allowed []string, all func(q url.Values) (manyPicked, error)) (m manyPicked, back string, asked *View, err error) {
	in, err := url.ParseQuery(r.PostForm.Get("query"))
	if err != nil {
		return m, "", nil, fault.New(fault.Invalid, "query", "这个表单不完整，请从列表重新打开")
	}
	q := url.Values{}
	for _, name := range allowed {
		if v := in.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	back = address(base, keep(q))
	if r.PostForm.Get("all") != "1" {
		m.ids, err = picked(r)
		return m, back, nil, err
	}
	if m, err = all(q); err != nil {
		return m, back, nil, err
	}
	n := len(m.ids)
	if n == 0 {
		return m, back, nil, fault.New(fault.Invalid, "nothing_found", "没有可以重放的事件")
	}
	if r.PostForm.Get("expect") != strconv.Itoa(n) {
		v := everythingView{Act: "重放", Post: base + "/replay", Query: q.Encode(), Back: back, Count: grouped(int64(n)), N: n, Some: m.some}
		return m, back, &View{Title: "重放 " + v.Count + " 个结果", Trail: []Link{{title, base}}, Body: a.render("everything", v)}, nil
	}
	return m, back, nil, nil
}

var errTooManyEvents = fault.New(fault.Invalid, "too_many", "结果超过 2,000 条，请先缩小筛选范围，再对全部结果操作")

// replayEvents replays the ticked events, or all results, to everybody who takes them.
func (a *Admin) replayEvents(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("event.replay") {
		return View{}, errMayNotReplay
	}
	m, back, asked, err := a.batchOf(r, Prefix+"/events", "事件日志", eventQuery(), func(q url.Values) (manyPicked, error) { return a.allEvents(ctx, q) })
	if err != nil || asked != nil {
		return orView(asked), err
	}
	ids := make([]int64, 0, len(m.ids))
	for _, text := range m.ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return View{}, fault.New(fault.Invalid, "ids", "这个表单不完整，请从列表重新打开")
		}
		ids = append(ids, id)
	}
	done, err := a.o.Services.Events.ReplayMany(ctx, ids, "")
	return a.afterReplay(ctx, actor, r, done, back, "", err)
}

func orView(v *View) View {
	if v == nil {
		return View{}
	}
	return *v
}

// allEvents walks the event log's results, without those that are never delivered.
func (a *Admin) allEvents(ctx context.Context, q url.Values) (m manyPicked, err error) {
	bad := fault.InvalidInput()
	f := eventFilter(q, bad)
	if err := bad.OrNil(); err != nil {
		return m, err
	}
	f.Limit = 200
	for seen := 0; ; {
		rows, next, err := a.o.Services.Events.List(ctx, f)
		if err != nil {
			return m, err
		}
		for _, e := range rows {
			if e.State == event.StateInert {
				continue
			}
			if m.ids = append(m.ids, strconv.FormatInt(e.ID, 10)); len(m.some) < 5 {
				m.some = append(m.some, event.TitleOf(e.Type)+" "+strconv.FormatInt(e.ID, 10))
			}
		}
		if seen += len(rows); seen > maxEverything || seen == maxEverything && next != "" {
			return m, errTooManyEvents
		}
		if f.Cursor = next; next == "" {
			return m, nil
		}
	}
}

// afterReplay notes what was done and says so on the list.
func (a *Admin) afterReplay(ctx context.Context, actor account.Actor, r *http.Request, done event.Replayed, back, detail string, err error) (View, error) {
	words := "重放 " + strconv.Itoa(done.Done) + " 个，跳过 " + strconv.Itoa(done.Skipped) + " 个"
	if noted := a.note(ctx, actor, r, trail.Entry{Act: "event.replay_many", Detail: strings.TrimSpace(words + " " + detail)}, err); noted != nil {
		return View{}, noted
	}
	message := "已重新排队 " + grouped(int64(done.Done)) + " 个事件"
	if done.Skipped > 0 {
		message += "，跳过 " + grouped(int64(done.Skipped)) + " 个（已清理或不投递）"
	}
	a.flash.put(actor, message)
	return View{Redirect: back}, nil
}

func deadQuery() []string { return listQuery("component", "appid", "subscriber") }

func deadFilter(q url.Values) event.DeadFilter {
	return event.DeadFilter{Component: trimmed(q, "component"), AppID: trimmed(q, "appid"), Subscriber: trimmed(q, "subscriber")}
}

// deadPage lists the deliveries that were given up.
func (a *Admin) deadPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	const base = Prefix + "/events/dead"
	s, elsewhere, err := a.openList(ctx, actor, r, "event_dead", base)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	f := deadFilter(s.q)
	f.Cursor, f.Limit = s.cursor, s.size
	l := shownList{
		Name: "event_dead", Title: "死信", Address: base, Acts: true, Empty: "没有死信：所有事件都已投递，或还在重试。",
		Filters: []listFilter{
			{Name: "subscriber", Title: "订阅者", Value: f.Subscriber, Kind: "text", Hint: "如 plugin:version"}, {Name: "appid", Title: "小程序", Value: f.AppID, Kind: "text", Hint: "AppID"},
			{Name: "component", Title: "第三方平台", Value: f.Component, Kind: "text", Hint: "AppID"},
		},
		Columns: []theme.Column{{Name: "at", Title: "收到时间"}, {Name: "type", Title: "类型"}, {Name: "appid", Title: "小程序"}, {Name: "subscriber", Title: "订阅者"}, {Name: "attempts", Title: "次数", Number: true}, {Name: "error", Title: "最近错误"}, {Name: "given", Title: "放弃时间"}},
	}
	rows, next, err := a.o.Services.Events.DeadLetters(ctx, f)
	if errors.Is(err, event.ErrCursor) {
		return View{}, fault.New(fault.Invalid, "cursor", "翻页的位置已失效，请从第一页重新打开")
	}
	if err != nil {
		return View{}, err
	}
	total, err := a.o.Services.Events.CountDead(ctx, f)
	if err != nil {
		return View{}, err
	}
	l.Total, l.Capped = exact(total)
	l.Next = next
	if actor.Can("event.replay") {
		l.Batch = []batchAct{{Title: "重放", Post: base + "/replay", Confirm: "只重新投递给放弃了它的订阅者。请先排除失败的原因。"}}
	}
	for _, d := range rows {
		v := struct {
			event.DeadLetter
			Title, Who string
		}{d, event.TitleOf(d.Type), event.SubscriberTitle(d.Subscriber)}
		row := theme.Row{ID: d.Key(), Name: v.Title, Ops: []theme.Op{{Title: "详情", Href: Prefix + "/events/" + strconv.FormatInt(d.ID, 10)}}}
		for _, cell := range []string{"dead-at", "dead-type", "dead-appid", "dead-subscriber", "dead-attempts", "dead-error", "dead-given"} {
			row.Cells = append(row.Cells, a.render(cell, v))
		}
		l.Rows = append(l.Rows, row)
	}
	return View{Title: "死信", Subtitle: "重试多次仍失败、已经放弃的投递", Trail: []Link{{"事件日志", Prefix + "/events"}}, Body: a.showList(s, l)}, nil
}

// replayDead replays the ticked dead letters, or all results, each to the subscriber that gave it up.
func (a *Admin) replayDead(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("event.replay") {
		return View{}, errMayNotReplay
	}
	m, back, asked, err := a.batchOf(r, Prefix+"/events/dead", "死信", deadQuery(), func(q url.Values) (manyPicked, error) { return a.allDead(ctx, q) })
	if err != nil || asked != nil {
		return orView(asked), err
	}
	letters, err := deadLetters(m.ids)
	if err != nil {
		return View{}, err
	}
	done, err := a.o.Services.Events.ReplayDead(ctx, letters)
	return a.afterReplay(ctx, actor, r, done, back, "死信", err)
}

func (a *Admin) allDead(ctx context.Context, q url.Values) (m manyPicked, err error) {
	f := deadFilter(q)
	f.Limit = 200
	for {
		rows, next, err := a.o.Services.Events.DeadLetters(ctx, f)
		if err != nil {
			return m, err
		}
		for _, d := range rows {
			if m.ids = append(m.ids, d.Key()); len(m.some) < 5 {
				m.some = append(m.some, event.TitleOf(d.Type)+" "+strconv.FormatInt(d.ID, 10))
			}
		}
		if len(m.ids) > maxEverything || len(m.ids) == maxEverything && next != "" {
			return m, errTooManyEvents
		}
		if f.Cursor = next; next == "" {
			return m, nil
		}
	}
}

// deadLetters reads the keys of dead letters.
func deadLetters(keys []string) ([]event.DeadLetter, error) {
	var out []event.DeadLetter
	for _, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		d, ok := event.ParseDeadKey(key)
		if !ok {
			return nil, fault.New(fault.Invalid, "ids", "这个表单不完整，请从列表重新打开")
		}
		out = append(out, d)
	}
	return out, nil
}
