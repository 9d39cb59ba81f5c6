package trail

import (
	"context"
	"fmt"
	"log/slog"

	"minifleet/app/clock"
	"minifleet/app/wechat"
)

// UnknownCode is an errcode that WeChat answered and the dictionary does not know.
type UnknownCode struct {
	Code     int64  `json:"errcode" orm:"errcode" dc:"微信错误码"`
	Seen     int64  `json:"count" orm:"seen" dc:"次数"`
	Message  string `json:"errmsg" orm:"last_message" dc:"微信最近一次的原文"`
	RID      string `json:"rid,omitempty" orm:"last_rid" dc:"最近一次的 rid"`
	Endpoint string `json:"endpoint" orm:"last_endpoint" dc:"最近一次的接口"`
	FirstAt  int64  `json:"first_at" orm:"first_at" dc:"第一次，毫秒"`
	LastAt   int64  `json:"last_at" orm:"last_at" dc:"最近一次，毫秒"`
}

// countUnknown counts a code that the dictionary does not know. Whoever made the call learns of its refusal anyway, so a
// failure to count is logged and not returned.
func (l *Log) countUnknown(ctx context.Context, w *wechat.Error) {
	if _, known := wechat.Explain(w.Code); known {
		return
	}
	ctx = context.WithoutCancel(ctx)
	now := clock.Millis(l.clk.Now())
	row := map[string]any{
		"errcode": w.Code, "seen": 1, "last_message": cut(w.Message, 400), "last_rid": cut(w.RID, 64), "last_endpoint": cut(w.Endpoint, 96), "first_at": now, "last_at": now,
	}
	// Of two first ones at once one inserts; the other counts itself in the second round.
	for range 2 {
		n, err := l.db.Exec(ctx, "UPDATE wechat_unknown_code SET seen=seen+1, last_message=?, last_rid=?, last_endpoint=?, last_at=? WHERE errcode=?",
			row["last_message"], row["last_rid"], row["last_endpoint"], now, w.Code)
		if err == nil && n == 0 {
			var added bool
			if added, err = l.db.InsertIgnore(ctx, "wechat_unknown_code", row); err == nil && !added {
				continue
			}
		}
		if err != nil {
			slog.ErrorContext(ctx, "an unknown errcode was not counted", "errcode", w.Code, "rid", w.RID, "error", err)
		}
		return
	}
}

// UnknownCodes lists them, the latest first, a thousand at most.
func (l *Log) UnknownCodes(ctx context.Context) ([]UnknownCode, error) {
	var out []UnknownCode
	err := l.db.All(ctx, &out, "SELECT errcode, seen, last_message, last_rid, last_endpoint, first_at, last_at FROM wechat_unknown_code ORDER BY last_at DESC, errcode LIMIT ?", errCodesMost)
	if err != nil {
		return nil, fmt.Errorf("trail: unknown codes: %w", err)
	}
	return out, nil
}
