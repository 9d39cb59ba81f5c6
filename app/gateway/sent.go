package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// What became of a marked request. A mark that says sending after a restart is a request whose outcome is unknown.
const (
	outcomeSending  = "sending"  // written before it left
	outcomeDone     = "done"     // WeChat answered that it did it
	outcomeRefused  = "refused"  // WeChat, or we before it, did nothing
	outcomeDoubt    = "doubt"    // no readable answer, or "busy": it may have happened
	outcomeHappened = "happened" // found at WeChat afterwards
	outcomeAbsent   = "absent"   // not found at WeChat afterwards
)

// sendingFor is how long a mark may say sending before its call must have ended: two attempts and a token's renewal.
const sendingFor = 3 * wechat.DefaultTimeout

// Sent is a request that must not be repeated.
type Sent struct {
	ID        int64  `json:"id,string" orm:"id"`
	Endpoint  string `json:"endpoint" orm:"endpoint" dc:"接口的名字"`
	Component string `json:"component" orm:"component"`
	AppID     string `json:"appid" orm:"appid"`
	Plugin    string `json:"plugin,omitempty" orm:"plugin"`
	Outcome   string `json:"outcome" orm:"outcome" dc:"doubt 没有读到回答，sending 进程在途中结束"`
	StartedAt int64  `json:"started_at" orm:"started_at"` // Unix milliseconds, platform time
}

// mark writes a request down before it leaves. Its id is 0 for a request that may be repeated. A key that stands already is
// refused unless the earlier request is known to have done nothing.
func (g *Gateway) mark(ctx context.Context, by Caller, e wechat.Endpoint, req wechat.Request) (int64, error) {
	if e.SafeToRepeat {
		return 0, nil
	}
	id, now := g.db.NewID(), clock.Millis(g.clk.Now())
	key := "call:" + strconv.FormatInt(id, 10)
	if req.Key != "" {
		key = sentKey(by, req.Key)
	}
	added, err := g.db.InsertIgnore(ctx, "wechat_sent", map[string]any{
		"id": id, "sent_key": key, "endpoint": e.Name, "component": req.Component, "appid": req.AppID, "plugin": by.Plugin, "space_id": by.Actor.SpaceID,
		"outcome": outcomeSending, "errcode": 0, "rid": "", "started_at": now, "ended_at": 0,
	})
	if err != nil {
		return 0, fmt.Errorf("gateway: mark %s of %s: %w", e.Name, req.AppID, err)
	}
	if added {
		return id, nil
	}
	var earlier Sent
	if _, err := g.db.One(ctx, &earlier, "SELECT id, outcome, started_at FROM wechat_sent WHERE sent_key=?", key); err != nil {
		return 0, fmt.Errorf("gateway: mark %s of %s: %w", e.Name, req.AppID, err)
	}
	switch earlier.Outcome {
	case outcomeDone, outcomeHappened:
		return 0, fault.New(fault.Conflict, "wechat_already_sent", "这个操作已经完成，没有重复发送给微信")
	case outcomeRefused, outcomeAbsent:
		n, err := g.db.Exec(ctx, "UPDATE wechat_sent SET outcome=?, started_at=?, ended_at=0 WHERE id=? AND outcome=? AND started_at=?", outcomeSending, now, earlier.ID, earlier.Outcome, earlier.StartedAt)
		if err != nil {
			return 0, fmt.Errorf("gateway: mark %s of %s: %w", e.Name, req.AppID, err)
		}
		if n == 1 {
			return earlier.ID, nil
		}
	case outcomeSending:
		if wait := time.UnixMilli(earlier.StartedAt).Add(sendingFor).Sub(g.clk.Now()); wait > 0 {
			return 0, fault.New(fault.Conflict, "wechat_in_flight", "同一个操作正在发送给微信，请稍候刷新").Later(wait)
		}
	}
	return 0, fault.New(fault.Conflict, "wechat_unsettled", "上一次请求的结果未知，没有重复发送；请先核对微信侧的状态")
}

// sentKey keeps callers' keys apart: a plugin's from another's, a space's from another's.
func sentKey(by Caller, key string) string {
	owner := "space:" + strconv.FormatInt(by.Actor.SpaceID, 10)
	if by.Plugin != "" {
		owner = "plugin:" + by.Plugin
	}
	return owner + ":" + key
}

// settleMark writes down what became of a marked request. The call has happened whatever becomes of the note, and a note that
// is missing only says "unknown", so the answer is not turned into an error by it.
func (g *Gateway) settleMark(ctx context.Context, id int64, answer error) {
	if id == 0 {
		return
	}
	outcome, code, rid := outcomeDone, 0, ""
	if answer != nil {
		outcome = outcomeRefused
		if wechat.Doubtful(answer) {
			outcome = outcomeDoubt
		}
		var refused *wechat.Error
		if errors.As(answer, &refused) {
			code, rid = refused.Code, refused.RID
		}
	}
	_, err := g.db.Exec(context.WithoutCancel(ctx), "UPDATE wechat_sent SET outcome=?, errcode=?, rid=?, ended_at=? WHERE id=? AND outcome=?",
		outcome, code, clip(rid, 64), clock.Millis(g.clk.Now()), id, outcomeSending)
	if err != nil {
		g.log.ErrorContext(ctx, "what became of a request to WeChat was not noted", "id", id, "outcome", outcome, "error", err)
	}
}

// Settle tells what the caller found at WeChat about its keyed request whose outcome was unknown: that it had happened, or
// that it had not, after which the same key may be sent again. An unknown or settled key changes nothing.
func (g *Gateway) Settle(ctx context.Context, by Caller, key string, happened bool) error {
	outcome := outcomeAbsent
	if happened {
		outcome = outcomeHappened
	}
	_, err := g.db.Exec(ctx, "UPDATE wechat_sent SET outcome=?, ended_at=? WHERE sent_key=? AND outcome IN (?)",
		outcome, clock.Millis(g.clk.Now()), sentKey(by, key), []string{outcomeSending, outcomeDoubt})
	if err != nil {
		return fmt.Errorf("gateway: settle: %w", err)
	}
	return nil
}

// SettleByHand is what a person found out at WeChat about a request whose outcome is unknown. One that has an outcome, or is
// still on its way, is not found. startedAt is when the request that they looked at had left (Unix milliseconds); 0 is any:
// under the same key it may have been sent anew meanwhile, and of that they know nothing.
func (g *Gateway) SettleByHand(ctx context.Context, who account.Actor, id, startedAt int64, happened bool) error {
	outcome := outcomeAbsent
	if happened {
		outcome = outcomeHappened
	}
	return g.db.Tx(ctx, func(ctx context.Context) error {
		var s Sent
		found, err := g.db.One(ctx, &s, "SELECT id, endpoint, component, appid FROM wechat_sent WHERE id=?", id)
		if err != nil {
			return fmt.Errorf("gateway: settle %d: %w", id, err)
		}
		n := int64(0)
		if found {
			n, err = g.db.Exec(ctx, "UPDATE wechat_sent SET outcome=?, ended_at=? WHERE id=? AND (started_at=? OR ?=0) AND (outcome=? OR (outcome=? AND started_at<?))",
				outcome, clock.Millis(g.clk.Now()), id, startedAt, startedAt, outcomeDoubt, outcomeSending, clock.Millis(g.clk.Now().Add(-sendingFor)))
			if err != nil {
				return fmt.Errorf("gateway: settle %d: %w", id, err)
			}
		}
		if n == 0 {
			return fault.New(fault.NotFound, "wechat_sent", "没有找到这个结果未知的请求，它可能已经核对过了")
		}
		return g.trail.Record(ctx, trail.Entry{
			AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "wechat.settle", Component: s.Component, AppID: s.AppID,
			Object: strconv.FormatInt(id, 10), Detail: s.Endpoint + " " + outcome, Outcome: trail.OK,
		})
	})
}

// Unsettled lists the requests whose outcome is unknown: their answer was lost, or the process ended while they were on their
// way. The newest first, limit at most.
func (g *Gateway) Unsettled(ctx context.Context, limit int) ([]Sent, error) {
	var out []Sent
	err := g.db.All(ctx, &out, "SELECT id, endpoint, component, appid, plugin, outcome, started_at FROM wechat_sent WHERE outcome=? OR (outcome=? AND started_at<?) ORDER BY started_at DESC LIMIT ?",
		outcomeDoubt, outcomeSending, clock.Millis(g.clk.Now().Add(-sendingFor)), limit)
	if err != nil {
		return nil, fmt.Errorf("gateway: unsettled: %w", err)
	}
	return out, nil
}

// Prune removes settled marks and pauses that ended before t, and forgets doubts that nobody settled for ninety days more.
func (g *Gateway) Prune(ctx context.Context, t time.Time) (int64, error) {
	settled, err := g.db.Exec(ctx, "DELETE FROM wechat_sent WHERE started_at<? AND outcome IN (?)", clock.Millis(t), []string{outcomeDone, outcomeRefused, outcomeHappened, outcomeAbsent})
	if err != nil {
		return 0, fmt.Errorf("gateway: prune: %w", err)
	}
	old, err := g.db.Exec(ctx, "DELETE FROM wechat_sent WHERE started_at<?", clock.Millis(t.AddDate(0, 0, -90)))
	if err != nil {
		return settled, fmt.Errorf("gateway: prune: %w", err)
	}
	_, err = g.db.Exec(ctx, "DELETE FROM wechat_pause WHERE until_at<?", g.wall().Add(-restDayMost).UnixMilli())
	if err != nil {
		return settled + old, fmt.Errorf("gateway: prune: %w", err)
	}
	return settled + old, nil
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
