package forward

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/wechat"
)

// told is the JSON form of a push.
type told struct {
	ID         int64             `json:"id,string"` // stays the same when it is told again
	Type       string            `json:"type"`
	Title      string            `json:"title"`
	Component  string            `json:"component"`
	AppID      string            `json:"appid,omitempty"`
	CreateTime int64             `json:"create_time"` // Unix seconds by WeChat's clock
	ReceivedAt int64             `json:"received_at"` // Unix milliseconds
	Fields     map[string]string `json:"fields"`      // every leaf by its path
	XML        string            `json:"xml"`
}

var errPaused = errors.New("转发已暂停，恢复后继续")

// deliver tells one event to one target and keeps what came of it. An error asks the event log to try again.
func (s *Service) deliver(ctx context.Context, id int64, e event.Event) error {
	if untold(e) {
		return nil
	}
	r, found, err := s.target(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case !found || r.Enabled == 0:
		return nil // switched off or deleted meanwhile: nothing is kept for it
	case r.PausedAt > 0:
		return errPaused
	}
	switch space, err := s.o.Components.SpaceOf(ctx, r.Component); {
	case fault.KindOf(err) == fault.NotFound || err == nil && space != r.SpaceID:
		return nil // the platform app has gone to others: its pushes are theirs
	case err != nil:
		return err
	}
	said, took, failure := s.send(ctx, r, e)
	if ctx.Err() != nil {
		return ctx.Err() // we are stopping: the try is no fault of theirs
	}
	if err := s.book(ctx, r, e, said, took, failure); err != nil {
		return errors.Join(failure, err)
	}
	return failure
}

func (s *Service) send(ctx context.Context, r targetRow, e event.Event) (notice.Exchange, time.Duration, error) {
	clean, err := withoutCodes(e.Payload)
	if err != nil {
		return notice.Exchange{}, 0, err
	}
	target, header, body, err := s.compose(r, e, clean)
	if err != nil {
		return notice.Exchange{}, 0, err
	}
	started := time.Now()
	said, err := notice.Post(ctx, s.client, target, header, body)
	return said, time.Since(started), err
}

// compose writes a push in the target's form.
func (s *Service) compose(r targetRow, e event.Event, msg []byte) (target string, header http.Header, body []byte, err error) {
	target = strings.ReplaceAll(r.URL, "$APPID$", url.PathEscape(e.AppID))
	header = http.Header{notice.HeaderID: {strconv.FormatInt(e.ID, 10)}, notice.HeaderEvent: {e.Type}}
	if r.Form == FormWeChat {
		header.Set("Content-Type", "text/xml; charset=utf-8")
		target, body, err = s.sealed(r, e, target, msg)
		return target, header, body, err
	}
	push, err := wechat.ParsePush(e.URLKind, msg)
	if err != nil {
		return "", nil, nil, fmt.Errorf("forward: %w", err)
	}
	body, err = json.Marshal(told{e.ID, e.Type, event.TitleOf(e.Type), e.Component, e.AppID, e.CreateTime, e.ReceivedAt, push.Fields, string(msg)})
	if err != nil {
		return "", nil, nil, err
	}
	secret, err := s.o.Sealer.OpenString(purpose("secret", r.ID), r.Secret)
	if err != nil {
		return "", nil, nil, err
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set(notice.HeaderSignature, notice.Signature(secret, s.o.Wall(), body))
	return target, header, body, nil
}

// sealed writes a push as WeChat would (01 A.1), under the receiver's own token and key.
func (s *Service) sealed(r targetRow, e event.Event, target string, msg []byte) (string, []byte, error) {
	token, err1 := s.o.Sealer.OpenString(purpose("token", r.ID), r.Token)
	key, err2 := s.o.Sealer.OpenString(purpose("aes_key", r.ID), r.AesKey)
	if err := errors.Join(err1, err2); err != nil {
		return "", nil, err
	}
	c, err := wechat.NewCrypter(e.Component, []string{token}, []string{key})
	if err != nil {
		return "", nil, fmt.Errorf("forward: %w", err)
	}
	encrypt, err := c.Encrypt(rand.Reader, msg)
	if err != nil {
		return "", nil, fmt.Errorf("forward: %w", err)
	}
	push, err := wechat.ParsePush(e.URLKind, msg)
	if err != nil {
		return "", nil, fmt.Errorf("forward: %w", err)
	}
	u, err := url.Parse(target)
	if err != nil {
		return "", nil, fmt.Errorf("地址不正确：%w", err)
	}
	ts, nonce := strconv.FormatInt(s.o.Wall().Unix(), 10), rand.Text()[:16]
	q := u.Query()
	for name, v := range map[string]string{
		"signature": wechat.Signature(token, ts, nonce), "timestamp": ts, "nonce": nonce, "encrypt_type": "aes", "msg_signature": wechat.Signature(token, ts, nonce, encrypt),
	} {
		q.Set(name, v)
	}
	head := "<AppId><![CDATA[" + e.Component + "]]></AppId>"
	if e.URLKind == wechat.MessageURL {
		q.Set("openid", push.FromUserName)
		head = "<ToUserName><![CDATA[" + strings.ReplaceAll(push.ToUserName, "]]>", "") + "]]></ToUserName>"
	}
	u.RawQuery = q.Encode()
	return u.String(), []byte("<xml>" + head + "<Encrypt><![CDATA[" + encrypt + "]]></Encrypt></xml>"), nil
}

// codeFields are leaves that stand for an authorisation: whoever has them can get a refresh token.
func codeField(path string) bool {
	leaf := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	switch leaf {
	case "authorizationcode", "auth_code", "preauthcode", "componentverifyticket", "ticket", "authorization_code":
		return true
	default:
		return false
	}
}

// withoutCodes empties the codes of a push; one without any stays byte by byte as it is.
func withoutCodes(msg []byte) ([]byte, error) {
	found := false
	out, err := wechat.RewriteXML(msg, func(path, text string) string {
		if codeField(path) {
			found = true
			return ""
		}
		return text
	})
	if err != nil {
		return nil, fmt.Errorf("forward: %w", err)
	}
	if !found {
		return msg, nil
	}
	return out, nil
}

// excerpt is how much of a request or an answer the log keeps, in characters.
const excerpt = 2000

// masked is what the log shows of a request: JSON hides what the event log hides, WeChat's form is cipher text anyway.
func masked(r targetRow, request string) string {
	if r.Form == FormWeChat {
		return cut(request, excerpt)
	}
	var t told
	if err := json.Unmarshal([]byte(request), &t); err != nil {
		return ""
	}
	return cut(event.Mask([]byte(t.XML)), excerpt)
}

// book keeps a try and follows how the target fares: many failures in a row pause it, with a notice.
func (s *Service) book(ctx context.Context, r targetRow, e event.Event, said notice.Exchange, took time.Duration, failure error) error {
	now := clock.Millis(s.o.Clock.Now())
	words, ok := "", 1
	if failure != nil {
		words, ok = cut(failure.Error(), 470), 0
	}
	paused := false
	err := s.o.DB.Tx(ctx, func(ctx context.Context) error {
		paused = false
		err := s.o.DB.Insert(ctx, "forward_attempt", map[string]any{
			"id": s.o.DB.NewID(), "target_id": r.ID, "event_id": e.ID, "type": e.Type, "appid": e.AppID, "attempt": e.Attempt, "ok": ok, "status": said.Status,
			"duration_ms": took.Milliseconds(), "request": masked(r, said.Request), "response": cut(said.Response, excerpt), "last_error": words, "created_at": now,
		})
		if err != nil {
			return err
		}
		if failure == nil {
			_, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET failing_since=0, failures=0 WHERE id=? AND failures>0", r.ID)
			return err
		}
		_, err = s.o.DB.Exec(ctx, "UPDATE forward_target SET failures=failures+1, failing_since=CASE WHEN failing_since=0 THEN ? ELSE failing_since END WHERE id=?", now, r.ID)
		if err != nil {
			return err
		}
		n, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET paused_at=?, paused_reason=?, version=version+1 WHERE id=? AND enabled=1 AND paused_at=0 AND failures>=?",
			now, fmt.Sprintf("连续失败 %d 次", s.o.PauseAfter), r.ID, s.o.PauseAfter)
		if err != nil || n == 0 {
			return err
		}
		paused = true
		return s.o.Notices.Send(ctx, notice.Message{
			Event: notice.ForwardPaused, SpaceID: r.SpaceID, Title: "消息转发「" + r.Name + "」已自动暂停", Link: "/admin/forwards/" + strconv.FormatInt(r.ID, 10),
			Text: "连续失败，最近一次：" + words + "。事件会保留 7 天，请检查接收方，再恢复转发。",
		})
	})
	if err != nil {
		return fmt.Errorf("forward: book: %w", err)
	}
	if paused { // the subscriber is taken away by Run: from here it would wait for itself
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return nil
}
