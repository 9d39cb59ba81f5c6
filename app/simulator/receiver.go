package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// builtinReceiver is a host that exists only inside the simulator: a platform that answers every push as WeChat wants, the
// release check included. A scenario gives it to its platforms, so that it runs without a network.
const builtinReceiver = "receiver.simulator"

// pushTransport carries pushes: to the built-in receiver by itself, everything else over HTTP.
type pushTransport struct {
	sim     *Simulator
	outside http.RoundTripper
}

func (t pushTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != builtinReceiver {
		return t.outside.RoundTrip(r)
	}
	body := []byte{}
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
	}
	answer, err := t.sim.answerAsPlatform(r, body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// testerMessage is what the built-in platform reads of a push.
type testerMessage struct {
	To      string `xml:"ToUserName"`
	From    string `xml:"FromUserName"`
	Type    string `xml:"MsgType"`
	Event   string `xml:"Event"`
	Content string `xml:"Content"`
}

// answerAsPlatform is the platform behind the built-in receiver: success, but for what the release check asks.
func (s *Simulator) answerAsPlatform(r *http.Request, body []byte) (string, error) {
	var outer struct {
		To      string `xml:"ToUserName"`
		Encrypt string `xml:"Encrypt"`
	}
	tester, known := releaseTester(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	if !known || xml.Unmarshal(body, &outer) != nil || outer.To != tester.userName {
		return "success", nil
	}
	env, component, err := s.envelopeOf(r, outer.Encrypt)
	if err != nil {
		return "", err
	}
	plain, err := env.decrypt(outer.Encrypt)
	if err != nil {
		return "", err
	}
	var in testerMessage
	if err := xml.Unmarshal(plain, &in); err != nil {
		return "", fmt.Errorf("built-in receiver: %w", err)
	}
	code, asks := strings.CutPrefix(in.Content, releaseAsks)
	switch {
	case in.Type == "event" && tester.official:
		return env.reply(in, in.Event+"from_callback", r.URL.Query().Get("timestamp"))
	case in.Type == "text" && in.Content == releaseWrites:
		return env.reply(in, releaseAnswers, r.URL.Query().Get("timestamp"))
	case in.Type == "text" && asks:
		s.runs.Add(1)
		go func() {
			defer s.runs.Done()
			if err := s.answerByMessage(s.life, component, code, in.From); err != nil {
				s.log.Error("built-in receiver cannot answer", "err", err)
			}
		}()
		return "", nil
	}
	return "success", nil
}

// envelopeOf finds the platform whose token signed a push.
func (s *Simulator) envelopeOf(r *http.Request, encrypted string) (env envelope, component string, err error) {
	q := r.URL.Query()
	err = s.update(r.Context(), func(w *world, _ int64) error {
		for _, c := range w.components.all() {
			if hostOf(c.MessageURL) == builtinReceiver && sign(c.Token, q.Get("timestamp"), q.Get("nonce"), encrypted) == q.Get("msg_signature") {
				component = c.AppID
				if env, err = newEnvelope(c.Token, c.AESKey, c.AppID); err == nil {
					if _, err = env.decrypt(encrypted); err == nil {
						return nil
					}
				}
			}
		}
		return errors.New("built-in receiver: no platform has signed this push")
	})
	return env, component, err
}

// reply is an encrypted passive text.
func (e envelope) reply(to testerMessage, content, stamp string) (string, error) {
	text, err := buildXML([]xmlField{{"ToUserName", to.From}, {"FromUserName", to.To}, {"CreateTime", stamp}, {"MsgType", "text"}, {"Content", content}})
	if err != nil {
		return "", err
	}
	prefix, err := randomPrefix()
	if err != nil {
		return "", err
	}
	encrypted, err := e.encrypt(prefix, []byte(text))
	if err != nil {
		return "", err
	}
	nonce := newNonce()
	return buildXML([]xmlField{{"Encrypt", encrypted}, {"MsgSignature", sign(e.token, stamp, nonce, encrypted)}, {"TimeStamp", stamp}, {"Nonce", nonce}})
}

// answerByMessage exchanges a code and sends the customer-service message, over the simulator's own interface.
func (s *Simulator) answerByMessage(ctx context.Context, component, code, user string) error {
	p := &play{sim: s, handler: s.Handler(), component: component}
	token, err := p.token(ctx, "platform")
	if err != nil {
		return err
	}
	body, err := plainJSON(map[string]any{"component_appid": component, "authorization_code": code})
	if err != nil {
		return err
	}
	answer := p.send(ctx, http.MethodPost, "/cgi-bin/component/api_query_auth?access_token="+token, body)
	granted, ok := pick(answer.body, "authorization_info.authorizer_access_token")
	if !ok {
		return fmt.Errorf("exchange of the code: %s", answer.raw)
	}
	message, err := json.Marshal(map[string]any{"touser": user, "msgtype": "text", "text": map[string]any{"content": code + releaseFromAPI}})
	if err != nil {
		return err
	}
	answer = p.send(ctx, http.MethodPost, "/cgi-bin/message/custom/send?access_token="+fmt.Sprint(granted), bytes.TrimSpace(message))
	if failed, _ := answer.value("errcode"); fmt.Sprint(failed) != "0" {
		return fmt.Errorf("customer-service message: %s", answer.raw)
	}
	return nil
}

var _ http.RoundTripper = pushTransport{}
