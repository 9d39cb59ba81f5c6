package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxPushAnswer bounds what is read of a platform's answer.
const maxPushAnswer = 64 << 10

// signedPush is one push ready to be sent.
type signedPush struct {
	url  string
	body []byte
}

// signPush encrypts, signs and, when asked, breaks a push. The signature carries wall time, because platforms judge
// freshness by their own wall clock, whatever the simulated clock says.
func signPush(c *component, p *push, wall time.Time) (*signedPush, error) {
	target := c.TicketURL
	if p.ToUser != "" {
		target = strings.ReplaceAll(c.MessageURL, "$APPID$", p.AppID)
	}
	if target == "" {
		return nil, errors.New("接收 URL 未配置")
	}
	receiver := c.AppID
	if p.Corrupt == "appid" {
		receiver = "wxffffffffffffffff"
	}
	env, err := newEnvelope(c.Token, c.AESKey, receiver)
	if err != nil {
		return nil, fmt.Errorf("加密配置错误: %w", err)
	}
	encrypted, err := env.encryptBroken(p.XML, p.Corrupt)
	if err != nil {
		return nil, err
	}
	if p.Corrupt == "cut_cipher" { // in the middle of a block, the signature fits what is left
		encrypted = encrypted[:len(encrypted)/2/4*4-4]
	}
	if p.Corrupt == "timestamp" {
		wall = wall.Add(-24 * time.Hour)
	}
	stamp, nonce := fmt.Sprint(wall.Unix()), newNonce()
	q := url.Values{"signature": {sign(c.Token, stamp, nonce)}, "timestamp": {stamp}, "nonce": {nonce}, "encrypt_type": {"aes"}}
	switch p.Corrupt {
	case "signature":
		q.Set("msg_signature", sign(c.Token, stamp, nonce, encrypted, "broken"))
	case "no_signature":
	default:
		q.Set("msg_signature", sign(c.Token, stamp, nonce, encrypted))
	}
	head := "<AppId><![CDATA[" + c.AppID + "]]></AppId>"
	if p.ToUser != "" {
		head = "<ToUserName><![CDATA[" + p.ToUser + "]]></ToUserName>"
		q.Set("openid", p.OpenID)
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("接收 URL 无法解析: %w", err)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += q.Encode()
	body := "<xml>" + head + "<Encrypt><![CDATA[" + encrypted + "]]></Encrypt></xml>"
	switch p.Corrupt {
	case "truncated":
		body = body[:len(body)/2]
	case "oversize":
		body = "<xml>" + head + "<Padding>" + strings.Repeat("x", 2<<20) + "</Padding><Encrypt><![CDATA[" + encrypted + "]]></Encrypt></xml>"
	}
	return &signedPush{url: u.String(), body: []byte(body)}, nil
}

// encryptBroken encrypts a message, with the named defect if any. The signature over the result stays valid.
func (e envelope) encryptBroken(message, defect string) (string, error) {
	prefix, err := randomPrefix()
	if err != nil {
		return "", err
	}
	msg := []byte(message)
	switch defect {
	case "padding":
		padded := pad(frame(prefix, msg, uint32(len(msg)), e.receiveID))
		padded[len(padded)-1] = 0
		return e.seal(padded)
	case "length":
		return e.seal(pad(frame(prefix, msg, 0xFFFFFFFF, e.receiveID)))
	case "doctype":
		msg = []byte(`<!DOCTYPE xml [<!ENTITY a "expanded">]>` + message)
	case "base64":
		return "!!not-base64!!", nil
	}
	return e.encrypt(prefix, msg)
}

func newNonce() string {
	source := idSource{Seed: rand.Text()}
	return source.text(decimals, 10)
}

// delivery is one push on its way out.
type delivery struct {
	id      string
	c       component
	p       push
	retries int
	timeout time.Duration
	wait    time.Duration // before the first repeat
	first   *signedPush   // what repeats send again; nil when each is signed anew
}

// deliver sends one push with its repeats and records what came back. It returns when the push is finished or ctx ends;
// an unfinished push stays waiting and is sent again later.
func (s *Simulator) deliver(ctx context.Context, id string) error {
	for try := 0; ; try++ {
		d, waiting, err := s.prepare(ctx, id)
		if err != nil || !waiting { // finished between being found and being taken
			return err
		}
		if try > 0 && !sleep(ctx, d.wait*time.Duration(try*(try+1)/2)) {
			return nil
		}
		done, err := s.attemptPush(ctx, d, try)
		if err != nil || done {
			return err
		}
	}
}

// prepare reads the push, its platform and the rules of repeating as they are now.
func (s *Simulator) prepare(ctx context.Context, id string) (d *delivery, waiting bool, err error) {
	err = s.update(ctx, func(w *world, _ int64) error {
		found := w.pushes.get(id)
		if found == nil || w.components.get(found.Component) == nil {
			return fmt.Errorf("push %s has no component any more", id)
		}
		d = &delivery{id: id, p: *found, c: *w.components.get(found.Component), retries: w.settings.TicketPushRetries,
			timeout: pushTimeout, wait: s.retry * time.Duration(w.settings.PushRetrySeconds)}
		if found.ToUser != "" {
			d.retries = w.settings.MessagePushRetries
		}
		if n := w.settings.PushTimeoutSeconds; n > 0 {
			d.timeout = time.Duration(n) * time.Second
		}
		if w.settings.PushRetrySignature == "same" {
			d.first = found.sent
		}
		waiting = found.State == pushWaiting
		return nil
	})
	return d, waiting, err
}

// attemptPush sends once and tells whether the push is finished.
func (s *Simulator) attemptPush(ctx context.Context, d *delivery, try int) (done bool, err error) {
	ready, signErr := d.first, error(nil)
	if ready == nil {
		ready, signErr = signPush(&d.c, &d.p, s.wall())
	}
	record := attempt{AtMs: s.wall().UnixMilli()}
	success := false
	if signErr != nil {
		record.Error = signErr.Error()
	} else {
		record, success = s.post(ctx, ready, d)
	}
	if ctx.Err() != nil && !success {
		return true, nil // shutting down: it stays waiting
	}
	records := []attempt{record}
	for range d.p.Duplicate {
		if signErr == nil {
			again, _ := s.post(ctx, ready, d)
			records = append(records, again)
		}
	}
	// a spoiled push is never answered with success and is not worth repeating, nor is one that could not be signed
	done = success || try >= d.retries || d.p.Corrupt != "" || signErr != nil
	err = s.update(ctx, func(w *world, _ int64) error {
		stored := w.pushes.get(d.id)
		if stored == nil {
			return fmt.Errorf("push %s vanished while it was sent", d.id)
		}
		stored.Attempts = append(stored.Attempts, records...)
		stored.Duplicate, stored.sent = 0, ready
		if success {
			stored.State = pushOK
		} else if done {
			stored.State = pushFailed
		}
		if done || success {
			stored.sent = nil
		}
		w.putPush(d.id, stored)
		return nil
	})
	return done, err
}

// post sends the bytes and judges the answer as WeChat does.
func (s *Simulator) post(ctx context.Context, ready *signedPush, d *delivery) (attempt, bool) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	start := s.wall()
	record := attempt{AtMs: start.UnixMilli(), URL: strings.SplitN(ready.url, "?", 2)[0]}
	defer func() { record.DurationMs = s.wall().Sub(start).Milliseconds() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ready.url, bytes.NewReader(ready.body))
	if err != nil {
		record.Error = "接收 URL 无法解析"
		return record, false
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := s.client.Do(req)
	if err != nil {
		var wrapped *url.Error // its text repeats the address with the signature
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		record.Error = err.Error()
		record.DurationMs = s.wall().Sub(start).Milliseconds()
		return record, false
	}
	defer resp.Body.Close() // after the body was read a failing close loses nothing
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxPushAnswer))
	record.HTTPStatus, record.DurationMs = resp.StatusCode, s.wall().Sub(start).Milliseconds()
	if err != nil {
		record.Error = err.Error()
		return record, false
	}
	text, good := judgeAnswer(answer, &d.c, &d.p)
	record.Answer = excerpt(text, 500)
	return record, good && resp.StatusCode == http.StatusOK
}

// judgeAnswer accepts `success`; on the message URL also nothing, or an encrypted reply to a user's message.
func judgeAnswer(answer []byte, c *component, p *push) (string, bool) {
	text := string(answer)
	if text == "success" || (p.ToUser != "" && text == "") {
		return text, true
	}
	if p.ToUser != "" && strings.HasPrefix(text, "<xml>") {
		env, err := newEnvelope(c.Token, c.AESKey, c.AppID)
		if err != nil {
			return text, false
		}
		plain, err := env.openReply(answer)
		if err != nil {
			return text + " (" + err.Error() + ")", false
		}
		return string(plain), true
	}
	return strings.ToValidUTF8(text, "?"), false
}

// courier delivers waiting pushes: in order per receiver (component and mini program), receivers side by side.
type courier struct {
	mu   sync.Mutex
	busy map[string]bool
	wg   sync.WaitGroup
}

// maxDeliveries is how many receivers are served at once.
const maxDeliveries = 64

// dispatch starts a delivery for every receiver that has something waiting and is not being served.
func (s *Simulator) dispatch(ctx context.Context, k *courier) error {
	next := map[string]string{}
	err := s.update(ctx, func(w *world, _ int64) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		for receiver, queue := range w.waiting {
			if len(k.busy) >= maxDeliveries {
				break // the end of a delivery wakes Run again
			}
			if !k.busy[receiver] {
				k.busy[receiver] = true
				k.wg.Add(1)
				next[receiver] = queue[0]
			}
		}
		return nil
	})
	for receiver, id := range next {
		go s.serveReceiver(ctx, k, receiver, id)
	}
	return err
}

func (s *Simulator) serveReceiver(ctx context.Context, k *courier, receiver, id string) {
	defer k.wg.Done()
	if err := s.deliver(ctx, id); err != nil && ctx.Err() == nil {
		s.log.Error("simulator push not delivered", "receiver", receiver, "err", err)
	}
	k.mu.Lock()
	delete(k.busy, receiver)
	k.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
