package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/trail"
)

// operator gives the actor if it works for the platform and may do this.
func operator(ctx context.Context, permission string) (account.Actor, error) {
	who, err := must(ctx)
	if err != nil {
		return who, err
	}
	if !who.Operator() || !who.Can(permission) {
		return who, fault.New(fault.Forbidden, "operators_only", "只有平台管理员可以查看和操作")
	}
	return who, nil
}

type eventView struct {
	ID         int64  `json:"id,string"`
	Type       string `json:"type"`
	Title      string `json:"title" dc:"类型的名称"`
	Source     string `json:"source"`
	Component  string `json:"component,omitempty"`
	AppID      string `json:"appid,omitempty"`
	Subject    string `json:"subject,omitempty"`
	CreateTime int64  `json:"create_time"`
	ReceivedAt int64  `json:"received_at"`
	State      string `json:"state"`
	Waiting    int    `json:"waiting"`
	Done       int    `json:"done"`
	Dead       int    `json:"dead"`
}

func viewEvent(r event.Row) eventView {
	return eventView{r.ID, r.Type, event.TitleOf(r.Type), r.Source, r.Component, r.AppID, r.Subject, r.CreateTime, r.ReceivedAt, r.State, r.Waiting, r.Done, r.Dead}
}

type listEventsIn struct {
	g.Meta    `path:"/events" method:"get" tags:"事件" summary:"事件日志" needs:"event.read"`
	Component string `json:"component" in:"query"`
	AppID     string `json:"appid" in:"query"`
	Type      string `json:"type" in:"query"`
	Source    string `json:"source" in:"query" dc:"来源：wechat、core 或 plugin:名称"`
	State     string `json:"state" in:"query"`
	From      int64  `json:"from" in:"query"`
	To        int64  `json:"to" in:"query"`
	Cursor    string `json:"cursor" in:"query"`
	Limit     int    `json:"limit" in:"query"`
}

// scope narrows what a space may see of the events: an operator all, a merchant those of its platform apps.
func (s *Server) eventScope(ctx context.Context, who account.Actor) ([]string, error) {
	if who.Operator() {
		return nil, nil
	}
	rows, err := s.o.Components.List(ctx, who)
	mine := make([]string, 0, len(rows))
	for _, c := range rows {
		mine = append(mine, c.AppID)
	}
	return mine, err
}

func (s *Server) listEvents(ctx context.Context, in *listEventsIn) (*list[eventView], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", event.StateWaiting, event.StateDone, event.StateDead, event.StateInert}, in.State) {
		return nil, fault.InvalidInput().On("state", "应为 waiting、done、dead 或 inert")
	}
	if who.MiniPrograms != nil && !who.Reaches(in.AppID) {
		return nil, fault.InvalidInput().On("appid", "你只能查看指定小程序的事件，请填写其中一个的 AppID")
	}
	mine, err := s.eventScope(ctx, who)
	if err != nil {
		return nil, err
	}
	f := event.Filter{Component: in.Component, AppID: in.AppID, Type: in.Type, Source: in.Source, State: in.State, From: in.From, To: in.To, Components: mine, Cursor: in.Cursor, Limit: in.Limit}
	rows, next, err := s.o.Events.List(ctx, f)
	if errors.Is(err, event.ErrCursor) {
		return nil, fault.InvalidInput().On("cursor", "不是上一页给出的位置")
	}
	if err != nil {
		return nil, err
	}
	views := make([]eventView, len(rows))
	for i, r := range rows {
		views[i] = viewEvent(r)
	}
	total, err := s.o.Events.Total(ctx, f)
	return listOf(views, next, total), err
}

type deliveryView struct {
	Subscriber string `json:"subscriber"`
	Title      string `json:"title" dc:"订阅者的名称"`
	State      string `json:"state"`
	Attempts   int    `json:"attempts"`
	LastError  string `json:"last_error,omitempty"`
	UpdatedAt  int64  `json:"updated_at"`
}

type eventDetail struct {
	eventView
	Deliveries []deliveryView `json:"deliveries"`
}

type getEventIn struct {
	g.Meta `path:"/events/{id}" method:"get" tags:"事件" summary:"一个事件和每个订阅者的投递；内容另取" needs:"event.read"`
	ID     int64 `json:"id" in:"path"`
}

var errNoEvent = fault.New(fault.NotFound, "event_not_found", "没有找到这个事件")

func (s *Server) visibleEvent(ctx context.Context, id int64) (event.Detail, error) {
	who, err := must(ctx)
	if err != nil {
		return event.Detail{}, err
	}
	d, err := s.o.Events.Get(ctx, id)
	if errors.Is(err, event.ErrNotFound) || err == nil && d.AppID != "" && !who.Reaches(d.AppID) {
		return event.Detail{}, errNoEvent
	}
	if err != nil || who.Operator() {
		return d, err
	}
	mine, err := s.eventScope(ctx, who)
	if err != nil {
		return d, err
	}
	for _, c := range mine {
		if c == d.Component {
			return d, nil
		}
	}
	return event.Detail{}, errNoEvent
}

func (s *Server) getEvent(ctx context.Context, in *getEventIn) (*eventDetail, error) {
	d, err := s.visibleEvent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &eventDetail{eventView: viewEvent(d.Row), Deliveries: []deliveryView{}}
	for _, x := range d.Deliveries {
		out.Deliveries = append(out.Deliveries, deliveryView{x.Subscriber, event.SubscriberTitle(x.Subscriber), x.State, x.Attempts, x.LastError, x.UpdatedAt})
	}
	return out, nil
}

type revealEventIn struct {
	g.Meta `path:"/events/{id}/payload" method:"post" tags:"事件" summary:"解密一个事件的内容，敏感值打码；记入操作日志" needs:"event.read"`
	ID     int64 `json:"id" in:"path"`
}

// A decrypted payload is not kept for repetition.
func (*revealEventIn) unrepeatable() {}

type eventPayload struct {
	ID      int64  `json:"id,string"`
	Payload string `json:"payload"`
}

// revealEvent decrypts on demand and notes who looked before it answers.
func (s *Server) revealEvent(ctx context.Context, in *revealEventIn) (*eventPayload, error) {
	d, err := s.visibleEvent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	err = s.o.Trail.Record(ctx, trail.Entry{
		AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "event.reveal", Component: d.Component, AppID: d.AppID,
		Object: strconv.FormatInt(d.ID, 10), Outcome: trail.OK,
	})
	if err != nil {
		return nil, err
	}
	return &eventPayload{ID: d.ID, Payload: event.Mask(d.Payload)}, nil
}

type replayEventIn struct {
	g.Meta     `path:"/events/{id}/replay" method:"post" tags:"事件" summary:"重放一个事件" needs:"event.replay"`
	ID         int64  `json:"id" in:"path"`
	Subscriber string `json:"subscriber"`
}

type acceptedOut struct{}

func (acceptedOut) HTTPStatus() int { return http.StatusAccepted }

func (s *Server) replayEvent(ctx context.Context, in *replayEventIn) (*acceptedOut, error) {
	who, err := operator(ctx, "event.replay")
	if err != nil {
		return nil, err
	}
	d, err := s.visibleEvent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	err = s.o.Events.Replay(ctx, d.ID, in.Subscriber)
	switch {
	case errors.Is(err, event.ErrNotFound):
		err = fault.New(fault.NotFound, "subscriber_not_found", "没有这个订阅者，或者它不接收这类事件")
	case errors.Is(err, event.ErrInert):
		err = fault.New(fault.Conflict, "event_inert", "这个事件不属于任何已知的小程序，不能重放")
	}
	e := trail.Entry{
		AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "event.replay", Component: d.Component, AppID: d.AppID,
		Object: strconv.FormatInt(d.ID, 10), Detail: in.Subscriber, Outcome: trail.OK,
	}
	if err != nil {
		e.Outcome, e.Detail = trail.Failed, strings.TrimSpace(in.Subscriber+" "+fault.From(err).Message)
	}
	return &acceptedOut{}, errors.Join(err, s.o.Trail.Record(ctx, e))
}

type listJobsIn struct {
	g.Meta `path:"/jobs" method:"get" tags:"定时任务" summary:"定时任务和它们最近一次运行" needs:"job.read"`
}

func (s *Server) listJobs(ctx context.Context, _ *listJobsIn) (*list[schedule.JobState], error) {
	if _, err := operator(ctx, "job.read"); err != nil {
		return nil, err
	}
	rows, err := s.o.Jobs.Jobs(ctx)
	return listOf(rows, "", int64(len(rows))), err
}

type runJobIn struct {
	g.Meta `path:"/jobs/{name}/run" method:"post" tags:"定时任务" summary:"立即执行" needs:"job.run"`
	Name   string `json:"name" in:"path"`
}

type startedRun struct{ schedule.Run }

func (startedRun) HTTPStatus() int { return http.StatusAccepted }

func (s *Server) runJob(ctx context.Context, in *runJobIn) (*startedRun, error) {
	who, err := operator(ctx, "job.run")
	if err != nil {
		return nil, err
	}
	r, err := s.o.Jobs.RunNow(ctx, in.Name, who)
	if err != nil {
		return nil, err
	}
	return &startedRun{r}, s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "job.run", Object: in.Name, Outcome: trail.OK})
}

type listRunsIn struct {
	g.Meta `path:"/jobs/{name}/runs" method:"get" tags:"定时任务" summary:"一个任务的运行记录" needs:"job.read"`
	Name   string `json:"name" in:"path"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listRuns(ctx context.Context, in *listRunsIn) (*list[schedule.Run], error) {
	if _, err := operator(ctx, "job.read"); err != nil {
		return nil, err
	}
	rows, err := s.o.Jobs.Runs(ctx, in.Name, in.Limit)
	return listOf(rows, "", -1), err
}

type listPluginsIn struct {
	g.Meta `path:"/plugins" method:"get" tags:"插件" summary:"插件进程的状态" needs:"plugin.read"`
}

type pluginView struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Version     string       `json:"version"`
	State       plugin.State `json:"state"`
	PID         int          `json:"pid"`
	Since       int64        `json:"since"`
	Restarts    int          `json:"restarts"`
	LastError   string       `json:"last_error,omitempty"`
	MemoryBytes int64        `json:"memory_bytes"`
	Calls       int          `json:"calls"`
	NextTry     int64        `json:"next_try"`
	History     []pluginStep `json:"history"`
}

type pluginStep struct {
	At    int64        `json:"at"`
	State plugin.State `json:"state"`
	Note  string       `json:"note"`
}

func viewOfPlugin(p plugin.Status) pluginView {
	out := pluginView{p.ID, p.Title, p.Version, p.State, p.PID, p.Since.UnixMilli(), p.Restarts, p.LastError, p.MemoryBytes, p.Calls, 0, []pluginStep{}}
	if !p.NextTry.IsZero() {
		out.NextTry = p.NextTry.UnixMilli()
	}
	for _, c := range p.History {
		out.History = append(out.History, pluginStep{c.At.UnixMilli(), c.State, c.Note})
	}
	return out
}

func (s *Server) listPlugins(ctx context.Context, _ *listPluginsIn) (*list[pluginView], error) {
	if _, err := operator(ctx, "plugin.read"); err != nil {
		return nil, err
	}
	var rows []pluginView
	for _, p := range s.o.Plugins.Status() {
		rows = append(rows, viewOfPlugin(p))
	}
	return listOf(rows, "", int64(len(rows))), nil
}

type restartPluginIn struct {
	g.Meta `path:"/plugins/{id}/restart" method:"post" tags:"插件" summary:"重启一个插件进程" needs:"plugin.restart"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) restartPlugin(ctx context.Context, in *restartPluginIn) (*acceptedOut, error) {
	who, err := operator(ctx, "plugin.restart")
	if err != nil {
		return nil, err
	}
	if err := s.o.Plugins.Restart(ctx, in.ID); err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "plugin.restart", Object: in.ID, Outcome: trail.OK})
}
