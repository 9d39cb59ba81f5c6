package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"minifleet/app/clock"
)

// Headers of a delivery. The id stays the same when a delivery is repeated, so that a receiver can drop what it has.
const (
	HeaderSignature = "MiniFleet-Signature"
	HeaderID        = "MiniFleet-Id"
	HeaderEvent     = "MiniFleet-Event"
)

// Signature is the value of the signature header: t=<unix seconds>,v1=<hex HMAC-SHA256 over "<t>.<body>">. Receivers
// compute it anew and refuse a time that is more than five minutes away.
func Signature(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t + "."))
	h.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// hookBody is what a webhook is told.
type hookBody struct {
	ID      int64  `json:"id,string"`
	Event   string `json:"event"`
	Title   string `json:"title"`
	Text    string `json:"text,omitempty"`
	Link    string `json:"link,omitempty"`
	AppID   string `json:"appid,omitempty"`
	SpaceID int64  `json:"space_id,string"`
	Batch   string `json:"batch,omitempty"`
	OK      int64  `json:"ok,omitempty"`
	Failed  int64  `json:"failed,omitempty"`
	At      int64  `json:"at"` // Unix milliseconds
}

type webhookChannel struct {
	s      *Service
	client *http.Client
}

func newWebhookChannel(s *Service) webhookChannel {
	return webhookChannel{s: s, client: s.o.Webhooks.Client()}
}

var errDisabled = Permanent(errors.New("Webhook 已停用"))

// Deliver posts the notice to the webhook's address; anything but a 2xx is a failure.
func (c webhookChannel) Deliver(ctx context.Context, d *Delivery) error {
	h, found, err := c.s.hook(ctx, d.Target)
	if err != nil {
		return err
	}
	if !found {
		return Permanent(errors.New("Webhook 已删除"))
	}
	if h.Enabled == 0 {
		return errDisabled
	}
	secret, err := c.s.o.Sealer.OpenString(secretPurpose(h.ID), h.Secret)
	if err != nil {
		return err
	}
	body, err := json.Marshal(hookBody{d.ID, d.Event, d.Title, d.Text, d.Link, d.AppID, d.SpaceID, d.Batch, d.OK, d.Failed, d.At})
	if err != nil {
		return Permanent(err)
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	header.Set(HeaderID, strconv.FormatInt(d.ID, 10))
	header.Set(HeaderEvent, d.Event)
	header.Set(HeaderSignature, Signature(secret, time.Now(), body))
	d.Note, err = Post(ctx, c.client, h.URL, header, body)
	return err
}

// Post sends body to an address, with a client of WebhookOptions, and tells what came back; anything but a 2xx is an error
// in words for the delivery log.
func Post(ctx context.Context, client *http.Client, target string, header http.Header, body []byte) (Exchange, error) {
	said := Exchange{Request: string(body)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return said, Permanent(fmt.Errorf("地址不正确：%w", err))
	}
	req.Header = header
	req.Header.Set("User-Agent", "MiniFleet-Webhook/1")
	res, err := client.Do(req)
	if err != nil {
		if errors.Is(err, errForbiddenAddress) {
			return said, errForbiddenAddress
		}
		var outer *url.Error // names the address, which the log has already
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return said, fmt.Errorf("没有送达：%w", err)
	}
	defer func() { _ = res.Body.Close() }() // read as far as wanted
	answer, err := io.ReadAll(io.LimitReader(res.Body, excerpt))
	said.Status, said.Response = res.StatusCode, string(bytes.ToValidUTF8(answer, []byte("�")))
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return said, fmt.Errorf("对方返回 %d 跳转，不跟随；请填写最终地址", res.StatusCode)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return said, fmt.Errorf("对方返回 %d，应为 2xx", res.StatusCode)
	case err != nil:
		said.Response += "（没有读完）" // it has taken it: the status says so
	}
	return said, nil
}

// disableAfter is how long a webhook may fail at a stretch.
const disableAfter = 3 * 24 * time.Hour

// health follows how a webhook fares: three days of failures without one success switch it off, with a notice.
func (s *Service) health(ctx context.Context, id int64, failure error, now int64) error {
	if failure == nil {
		_, err := s.o.DB.Exec(ctx, "UPDATE webhook SET failing_since=0 WHERE id=? AND failing_since<>0", id)
		return err
	}
	if errors.Is(failure, errDisabled) {
		return nil
	}
	if _, err := s.o.DB.Exec(ctx, "UPDATE webhook SET failing_since=? WHERE id=? AND failing_since=0", now, id); err != nil {
		return err
	}
	reason := "连续 3 天投递失败"
	n, err := s.o.DB.Exec(ctx, "UPDATE webhook SET enabled=0, disabled_reason=?, updated_at=? WHERE id=? AND enabled=1 AND failing_since>0 AND failing_since<=?",
		reason, now, id, now-disableAfter.Milliseconds())
	if err != nil || n == 0 {
		return err
	}
	h, found, err := s.hook(ctx, id)
	if err != nil || !found {
		return err
	}
	return s.Send(ctx, Message{
		Event: WebhookDisabled, SpaceID: h.SpaceID, Title: "Webhook「" + h.Name + "」已自动停用", Link: "/admin/webhooks/" + strconv.FormatInt(h.ID, 10),
		Text: reason + "，最近一次：" + failure.Error() + "。请检查接收方，再重新启用。",
	})
}

// Test queues a test message for one webhook and gives the delivery to look at.
func (s *Service) testHook(ctx context.Context, h hookRow) (int64, error) {
	now := clock.Millis(s.o.Clock.Now())
	n := noticeRow{ID: s.o.DB.NewID(), Event: TestNotice, SpaceID: h.SpaceID, Title: "测试消息", Body: "这是一条来自 MiniFleet 的测试消息", CreatedAt: now, UpdatedAt: now}
	err := s.o.DB.Insert(ctx, "notice", map[string]any{
		"id": n.ID, "event": n.Event, "space_id": n.SpaceID, "title": n.Title, "body": n.Body, "link": "", "appid": "", "batch": "",
		"ok": 0, "failed": 0, "other": 0, "closes_at": 0, "created_at": now, "updated_at": now,
	})
	if err != nil {
		return 0, err
	}
	if err := s.queue(ctx, n, ChannelWebhook, h.ID, now); err != nil {
		return 0, err
	}
	return s.o.DB.Int(ctx, "SELECT id FROM notice_delivery WHERE notice_id=? AND channel=? AND target=?", n.ID, ChannelWebhook, h.ID)
}
