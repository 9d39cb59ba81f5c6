package forward

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// Attempt is one try of telling an event to a target.
type Attempt struct {
	ID         int64  `json:"id,string"`
	EventID    int64  `json:"event_id,string"`
	Type       string `json:"type"`
	Title      string `json:"title" orm:"-"`
	AppID      string `json:"appid,omitempty" orm:"appid"`
	Attempt    int    `json:"attempt"`
	Tries      int    `json:"tries" orm:"-"` // how often one event is tried at most
	OK         bool   `json:"ok"`
	Status     int    `json:"status"`
	DurationMS int64  `json:"duration_ms" orm:"duration_ms"`
	Request    string `json:"request,omitempty"`
	Response   string `json:"response,omitempty"`
	LastError  string `json:"last_error,omitempty"`
	CreatedAt  int64  `json:"created_at"`
}

const attemptColumns = "id, event_id, type, appid, attempt, ok, status, duration_ms, request, response, last_error, created_at"

var errNoAttempt = fault.New(fault.NotFound, "forward_attempt_not_found", "没有找到这次转发")

func (s *Service) view(a Attempt) Attempt {
	a.Title, a.Tries = event.TitleOf(a.Type), s.o.Tries
	if a.EventID == 0 {
		a.Title = "测试消息"
	}
	return a
}

// Attempts is a target's log, newest first, and the cursor of the next page (0 at the end). failed narrows to failures.
func (s *Service) Attempts(ctx context.Context, who account.Actor, id int64, failed bool, cursor int64, limit int) ([]Attempt, int64, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return nil, 0, err
	}
	if limit < 1 || limit > 100 {
		limit = 20
	}
	where, args := "target_id=?", []any{id}
	if failed {
		where += " AND ok=0"
	}
	if cursor > 0 {
		where, args = where+" AND id<?", append(args, cursor)
	}
	var rows []Attempt
	if err := s.o.DB.All(ctx, &rows, "SELECT "+attemptColumns+" FROM forward_attempt WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, fmt.Errorf("forward: log: %w", err)
	}
	next := int64(0)
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].ID
	}
	for i := range rows {
		rows[i] = s.view(rows[i])
	}
	return rows, next, nil
}

// Attempt finds one try.
func (s *Service) Attempt(ctx context.Context, who account.Actor, id, attempt int64) (Attempt, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return Attempt{}, err
	}
	var a Attempt
	found, err := s.o.DB.One(ctx, &a, "SELECT "+attemptColumns+" FROM forward_attempt WHERE id=? AND target_id=?", attempt, id)
	if err != nil {
		return a, fmt.Errorf("forward: log: %w", err)
	}
	if !found {
		return a, errNoAttempt
	}
	return s.view(a), nil
}

// Replay tells the event of an earlier try again (重发), with all its tries anew.
func (s *Service) Replay(ctx context.Context, who account.Actor, id, attempt int64) error {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return err
	}
	a, err := s.Attempt(ctx, who, id, attempt)
	if err != nil {
		return err
	}
	if !r.live() {
		return fault.New(fault.Conflict, "forward_off", "这个转发已停用或暂停，请先启用")
	}
	err = s.o.Events.Replay(ctx, a.EventID, subscriber(id))
	if errors.Is(err, event.ErrNotFound) || errors.Is(err, event.ErrInert) {
		return fault.New(fault.NotFound, "event_not_found", "这个事件已被清理，或不再属于这个转发").Because(err)
	}
	if err != nil {
		return err
	}
	return s.note(ctx, who, "forward.replay", r, nil)
}

// Test sends a made-up debug message at once and gives the try. It is not repeated and does not count for the pause.
func (s *Service) Test(ctx context.Context, who account.Actor, id int64) (Attempt, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Attempt{}, err
	}
	now := s.o.Clock.Now()
	e := event.Event{
		Type: "debug_demo", Source: event.SourceWeChat, Component: r.Component, AppID: "wx0000000000000000", URLKind: wechat.MessageURL, CreateTime: now.Unix(), ReceivedAt: clock.Millis(now), Attempt: 1,
		Payload: []byte("<xml><ToUserName><![CDATA[gh_test]]></ToUserName><FromUserName><![CDATA[oTest]]></FromUserName><CreateTime>" + strconv.FormatInt(now.Unix(), 10) +
			"</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[debug_demo]]></Event><debug_str><![CDATA[hello]]></debug_str></xml>"),
	}
	said, took, failure := s.send(ctx, r, e)
	a := Attempt{ID: s.o.DB.NewID(), Type: e.Type, AppID: e.AppID, Attempt: 1, OK: failure == nil, Status: said.Status, DurationMS: took.Milliseconds(), Request: masked(r, said.Request), Response: cut(said.Response, excerpt), CreatedAt: clock.Millis(now)}
	ok := 1
	if failure != nil {
		a.LastError, ok = cut(failure.Error(), 470), 0
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		err := s.o.DB.Insert(ctx, "forward_attempt", map[string]any{
			"id": a.ID, "target_id": r.ID, "event_id": 0, "type": a.Type, "appid": a.AppID, "attempt": 1, "ok": ok, "status": a.Status, "duration_ms": a.DurationMS,
			"request": a.Request, "response": a.Response, "last_error": a.LastError, "created_at": a.CreatedAt,
		})
		if err != nil {
			return err
		}
		return s.note(ctx, who, "forward.test", r, nil)
	})
	if err != nil {
		return Attempt{}, fmt.Errorf("forward: test: %w", err)
	}
	return s.view(a), nil
}
