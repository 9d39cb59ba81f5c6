package web

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// replayMost bounds a replay of many, as on the screens.
const replayMost = 2000

type eventTypesIn struct {
	g.Meta `path:"/event-types" method:"get" tags:"事件" summary:"微信推送的事件类型和名称" needs:"*"`
}

func (s *Server) eventTypes(ctx context.Context, _ *eventTypesIn) (*list[event.Kind], error) {
	if _, err := must(ctx); err != nil {
		return nil, err
	}
	kinds := event.PushKinds()
	return listOf(kinds, "", int64(len(kinds))), nil
}

type rawEventIn struct {
	g.Meta `path:"/events/{id}/raw" method:"post" tags:"事件" summary:"一个推送收到时的原文：请求参数和密文；记入操作日志" needs:"event.read"`
	ID     int64 `json:"id" in:"path"`
}

// A push as it was received is not kept for repetition.
func (*rawEventIn) unrepeatable() {}

type rawEventOut struct {
	ID      int64  `json:"id,string"`
	Query   string `json:"query" dc:"推送时的请求参数"`
	Encrypt string `json:"encrypt" dc:"推送的密文，没有解密"`
}

func (s *Server) rawEvent(ctx context.Context, in *rawEventIn) (*rawEventOut, error) {
	d, err := s.visibleEvent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if len(d.Raw) == 0 {
		return nil, fault.New(fault.NotFound, "event_no_raw", "这个事件没有密文：它不是微信的推送，或是升级以前收到的")
	}
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	err = s.o.Trail.Record(ctx, trail.Entry{
		AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "event.raw", Component: d.Component, AppID: d.AppID,
		Object: strconv.FormatInt(d.ID, 10), Outcome: trail.OK,
	})
	query, encrypt, _ := strings.Cut(string(d.Raw), "\n")
	return &rawEventOut{ID: d.ID, Query: query, Encrypt: encrypt}, err
}

type replayEventsIn struct {
	g.Meta     `path:"/events/replay" method:"post" tags:"事件" summary:"重放多个事件：用 ids 指定，或用和列表一样的条件并在 expect 里带上个数" needs:"event.replay"`
	IDs        []string `json:"ids" dc:"事件编号，最多 2000 个；空则按条件查找"`
	Subscriber string   `json:"subscriber" dc:"只重放给这个订阅者，空为全部"`
	Component  string   `json:"component" dc:"按条件查找时：第三方平台的 AppID"`
	AppID      string   `json:"appid" dc:"按条件查找时：小程序的 AppID"`
	Type       string   `json:"type" dc:"按条件查找时：类型，或以 * 结尾的前缀"`
	Source     string   `json:"source" dc:"按条件查找时：来源"`
	State      string   `json:"state" dc:"按条件查找时：waiting、done 或 dead"`
	From       int64    `json:"from" dc:"按条件查找时：收到时间不早于，Unix 毫秒"`
	To         int64    `json:"to" dc:"按条件查找时：收到时间早于，Unix 毫秒"`
	Expect     int      `json:"expect" dc:"按条件查找时：应该有几个，数量不符就什么也不做"`
}

type replayedOut struct {
	acceptedOut
	Done    int `json:"done" dc:"重新排队的个数"`
	Skipped int `json:"skipped" dc:"跳过的个数：已清理，或不投递"`
}

func (s *Server) replayEvents(ctx context.Context, in *replayEventsIn) (*replayedOut, error) {
	who, err := operator(ctx, "event.replay")
	if err != nil {
		return nil, err
	}
	ids, err := eventIDs(in.IDs)
	if err == nil && len(ids) == 0 {
		ids, err = s.eventsFound(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	done, err := s.o.Events.ReplayMany(ctx, ids, in.Subscriber)
	return s.replayed(ctx, who, done, in.Subscriber, err)
}

func eventIDs(texts []string) ([]int64, error) {
	if len(texts) > replayMost {
		return nil, fault.InvalidInput().On("ids", "一次最多 2000 个")
	}
	ids := make([]int64, 0, len(texts))
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fault.InvalidInput().On("ids", "不是事件编号："+strconv.Quote(text))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// eventsFound lists what the conditions find, when that is as many as was expected.
func (s *Server) eventsFound(ctx context.Context, in *replayEventsIn) ([]int64, error) {
	f := event.Filter{Component: in.Component, AppID: in.AppID, Type: in.Type, Source: in.Source, State: in.State, From: in.From, To: in.To, Limit: 200}
	var ids []int64
	for {
		rows, next, err := s.o.Events.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, e := range rows {
			if e.State != event.StateInert {
				ids = append(ids, e.ID)
			}
		}
		if len(ids) > replayMost || len(ids) == replayMost && next != "" {
			return nil, errTooManyFound
		}
		if f.Cursor = next; next == "" {
			return ids, expected(in.Expect, len(ids))
		}
	}
}

var errTooManyFound = fault.New(fault.Invalid, "too_many", "结果超过 2000 个，请缩小条件")

func expected(want, have int) error {
	if want == have {
		return nil
	}
	return fault.Newf(fault.Conflict, "expect", "符合条件的有 %d 个，请在 expect 里带上这个数", have)
}

func (s *Server) replayed(ctx context.Context, who account.Actor, done event.Replayed, detail string, err error) (*replayedOut, error) {
	e := trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "event.replay_many", Outcome: trail.OK}
	e.Detail = strings.TrimSpace("重放 " + strconv.Itoa(done.Done) + " 个，跳过 " + strconv.Itoa(done.Skipped) + " 个 " + detail)
	if err != nil {
		e.Outcome, e.Detail = trail.Failed, e.Detail+" "+fault.From(err).Message
	}
	return &replayedOut{Done: done.Done, Skipped: done.Skipped}, errors.Join(err, s.o.Trail.Record(ctx, e))
}

type deadView struct {
	Key        string `json:"key" dc:"死信的标识，重放时用"`
	EventID    int64  `json:"event_id,string" dc:"事件编号"`
	Type       string `json:"type"`
	Title      string `json:"title" dc:"类型的名称"`
	Component  string `json:"component,omitempty"`
	AppID      string `json:"appid,omitempty"`
	Subscriber string `json:"subscriber"`
	Attempts   int    `json:"attempts"`
	LastError  string `json:"last_error,omitempty"`
	ReceivedAt int64  `json:"received_at"`
	GivenUpAt  int64  `json:"given_up_at" dc:"何时放弃，Unix 毫秒"`
}

type listDeadIn struct {
	g.Meta     `path:"/dead-letters" method:"get" tags:"事件" summary:"死信：重试多次仍失败、已经放弃的投递" needs:"event.read"`
	Component  string `json:"component" in:"query"`
	AppID      string `json:"appid" in:"query"`
	Subscriber string `json:"subscriber" in:"query" dc:"只看这个订阅者的"`
	Cursor     string `json:"cursor" in:"query"`
	Limit      int    `json:"limit" in:"query"`
}

func (s *Server) listDead(ctx context.Context, in *listDeadIn) (*list[deadView], error) {
	if _, err := operator(ctx, "event.read"); err != nil {
		return nil, err
	}
	f := event.DeadFilter{Component: in.Component, AppID: in.AppID, Subscriber: in.Subscriber, Cursor: in.Cursor, Limit: in.Limit}
	rows, next, err := s.o.Events.DeadLetters(ctx, f)
	if errors.Is(err, event.ErrCursor) {
		return nil, fault.InvalidInput().On("cursor", "不是上一页给出的位置")
	}
	if err != nil {
		return nil, err
	}
	views := make([]deadView, len(rows))
	for i, d := range rows {
		views[i] = deadView{d.Key(), d.ID, d.Type, event.TitleOf(d.Type), d.Component, d.AppID, d.Subscriber, d.Attempts, d.LastError, d.ReceivedAt, d.GivenUpAt}
	}
	total, err := s.o.Events.CountDead(ctx, f)
	return listOf(views, next, total), err
}

type replayDeadIn struct {
	g.Meta     `path:"/dead-letters/replay" method:"post" tags:"事件" summary:"重放死信，只给放弃了它的订阅者：用 keys 指定，或用条件并在 expect 里带上个数" needs:"event.replay"`
	Keys       []string `json:"keys" dc:"列表给出的标识，最多 2000 个；空则按条件查找"`
	Component  string   `json:"component" dc:"按条件查找时：第三方平台的 AppID"`
	AppID      string   `json:"appid" dc:"按条件查找时：小程序的 AppID"`
	Subscriber string   `json:"subscriber" dc:"按条件查找时：订阅者"`
	Expect     int      `json:"expect" dc:"按条件查找时：应该有几个，数量不符就什么也不做"`
}

func (s *Server) replayDead(ctx context.Context, in *replayDeadIn) (*replayedOut, error) {
	who, err := operator(ctx, "event.replay")
	if err != nil {
		return nil, err
	}
	letters, err := deadKeys(in.Keys)
	if err == nil && len(letters) == 0 {
		letters, err = s.deadFound(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	done, err := s.o.Events.ReplayDead(ctx, letters)
	return s.replayed(ctx, who, done, "", err)
}

func deadKeys(keys []string) ([]event.DeadLetter, error) {
	if len(keys) > replayMost {
		return nil, fault.InvalidInput().On("keys", "一次最多 2000 个")
	}
	var letters []event.DeadLetter
	for _, key := range keys {
		d, ok := event.ParseDeadKey(key)
		if !ok {
			return nil, fault.InvalidInput().On("keys", "不是死信的标识："+strconv.Quote(key))
		}
		letters = append(letters, d)
	}
	return letters, nil
}

func (s *Server) deadFound(ctx context.Context, in *replayDeadIn) ([]event.DeadLetter, error) {
	f := event.DeadFilter{Component: in.Component, AppID: in.AppID, Subscriber: in.Subscriber, Limit: 200}
	var letters []event.DeadLetter
	for {
		rows, next, err := s.o.Events.DeadLetters(ctx, f)
		if err != nil {
			return nil, err
		}
		letters = append(letters, rows...)
		if len(letters) > replayMost || len(letters) == replayMost && next != "" {
			return nil, errTooManyFound
		}
		if f.Cursor = next; next == "" {
			return letters, expected(in.Expect, len(letters))
		}
	}
}
