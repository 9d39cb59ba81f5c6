package simulator

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// startReleaseCheck begins a check and answers at once; GET /control/release-checks/{id} tells how far it is.
func (s *Simulator) startReleaseCheck(w *world, now int64, _ *http.Request, req releaseRequest) (any, error) {
	if err := req.check(w); err != nil {
		return nil, err
	}
	for _, c := range w.releaseChecks.docs {
		if c.State == runRunning && c.Component == req.Component {
			return nil, conflict("component_appid", "这个平台的检测正在进行，请等它结束")
		}
	}
	run := &releaseCheck{ID: w.ids.number(0), Component: req.Component, Group: req.Group, Scope: req.Scope, State: runRunning, AtMs: now}
	if run.Scope == "" {
		run.Scope = releaseAll
	}
	run.Steps = run.plan(w.components.get(req.Component))
	w.releaseChecks.put(sequenceID(run.ID), run)
	for ids := w.releaseChecks.ids(); len(ids) > maxReleaseChecks; ids = w.releaseChecks.ids() {
		w.releaseChecks.delete(ids[0])
	}
	check := &releasePlay{sim: s, run: run.clone(), wait: time.Duration(req.wait()) * time.Second, from: "o" + w.ids.text(base62, 27)}
	s.runs.Add(1)
	go func() {
		defer s.runs.Done()
		check.perform(s.life)
	}()
	return run, nil
}

// clone is a copy that its owner may change outside the world.
func (r *releaseCheck) clone() *releaseCheck {
	out := *r
	out.Steps = slices.Clone(r.Steps)
	return &out
}

// releasePlay is one check on its way.
type releasePlay struct {
	sim  *Simulator
	run  *releaseCheck
	wait time.Duration
	from string // the tester's openid
	code string // of the running account's QUERY_AUTH_CODE
}

// perform does every step; after one that fails the account's other steps are still done, so that one run tells all.
func (p *releasePlay) perform(ctx context.Context) {
	failed := false
	for i := range p.run.Steps {
		step := &p.run.Steps[i]
		if step.State == stepSkipped {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		step.State = runRunning
		p.note(ctx)
		began := time.Now()
		detail, err := p.step(ctx, step)
		if err != nil {
			detail = err.Error()
		}
		step.State, step.Detail, step.TookMs = runPassed, detail, time.Since(began).Milliseconds()
		if detail != "" {
			step.State, failed = runFailed, true
		}
	}
	switch {
	case ctx.Err() != nil:
		p.run.State = runStopped
	case failed:
		p.run.State = runFailed
	default:
		p.run.State = runPassed
	}
	p.note(ctx)
}

// note writes down how the check goes.
func (p *releasePlay) note(ctx context.Context) {
	err := p.sim.update(context.WithoutCancel(ctx), func(w *world, _ int64) error {
		if w.releaseChecks.get(sequenceID(p.run.ID)) != nil {
			w.releaseChecks.put(sequenceID(p.run.ID), p.run.clone())
		}
		return nil
	})
	if err != nil && !errors.Is(err, errClosed) {
		p.sim.log.Error("simulator cannot note how a release check goes", "check", p.run.ID, "err", err)
	}
}

// step does one thing and tells what is wrong, "" when the platform did as WeChat wants.
func (p *releasePlay) step(ctx context.Context, step *releaseStep) (string, error) {
	if step.kind == checkMessage {
		return p.awaitMessage(ctx, step)
	}
	id, err := p.send(ctx, step)
	if err != nil {
		return "", err
	}
	sent, err := p.finished(ctx, id)
	if err != nil {
		return "", err
	}
	if len(sent.Attempts) == 0 {
		return "推送没有发出：" + pushText(sent.State), nil
	}
	first := sent.Attempts[0]
	step.PushID, step.Received = sent.Seq, first.Answer
	if first.Error != "" {
		step.Received = first.Error
		return "平台没有应答：" + first.Error, nil
	}
	if step.Received == "" {
		step.Received = "（空串）"
	}
	if first.HTTPStatus != http.StatusOK {
		return fmt.Sprintf("应为 HTTP 200，得到 HTTP %d", first.HTTPStatus), nil
	}
	return p.judge(step, first.Answer), nil
}

// judge compares an answer with what the step wants.
func (p *releasePlay) judge(step *releaseStep, answer string) string {
	tester, _ := releaseTester(step.Account)
	switch step.kind {
	case checkText:
		return p.judgeReply(answer, tester, releaseAnswers)
	case checkEvent:
		return p.judgeReply(answer, tester, releaseEvent+"from_callback")
	case checkQuery:
		if answer != "" {
			return "应答应为空串（随后用客服消息回复）"
		}
	default:
		if answer != "success" {
			return "应答应为 success"
		}
	}
	return ""
}

// judgeReply looks at a decrypted passive reply.
func (p *releasePlay) judgeReply(answer string, tester releaseAccount, content string) string {
	var reply struct {
		XMLName xml.Name `xml:"xml"`
		To      string   `xml:"ToUserName"`
		From    string   `xml:"FromUserName"`
		Type    string   `xml:"MsgType"`
		Content string   `xml:"Content"`
	}
	if xml.Unmarshal([]byte(answer), &reply) != nil {
		return "应被动回复一条加密的文本消息"
	}
	switch {
	case reply.Type != "text":
		return "被动回复的 MsgType 应为 text"
	case reply.To != p.from || reply.From != tester.userName:
		return "被动回复应把收到的 ToUserName 与 FromUserName 对调"
	case reply.Content != content:
		return "被动回复的 Content 应为 " + content
	}
	return ""
}

// send makes the push of a step.
func (p *releasePlay) send(ctx context.Context, step *releaseStep) (id string, err error) {
	err = p.sim.update(ctx, func(w *world, now int64) error {
		c := w.components.get(p.run.Component)
		if c == nil {
			return notFound("component_appid", "这个第三方平台已被删除")
		}
		if step.kind == checkTicket {
			id = sequenceID(w.pushTicket(c, now, pushShape{}).Seq)
			return nil
		}
		tester, ok := releaseTester(step.Account)
		if !ok {
			return notFound("account_appid", "没有这个检测账号")
		}
		sent, err := p.pushOf(w, c, tester, step.kind, now)
		if err == nil {
			id = sequenceID(sent.Seq)
		}
		return err
	})
	return id, err
}

// pushOf is what a test account does in one step.
func (p *releasePlay) pushOf(w *world, c *component, tester releaseAccount, kind string, now int64) (*push, error) {
	m := w.adopt(tester, now)
	text := func(content string) map[string]string {
		return map[string]string{"MsgType": "text", "FromUserName": p.from, "Content": content, "MsgId": fmt.Sprint(w.ids.number(6_000_000_000_000))}
	}
	switch kind {
	case checkAuthorize:
		if auth := w.authorizationOf(c.AppID, m.AppID); auth != nil && auth.Active {
			auth.Active, auth.EndedMs = false, now // what an interrupted check left
			w.authorizations.put(authorizationID(c.AppID, m.AppID), auth)
		}
		code, _ := w.bindSets(c, m.AppID, tester.setsFor(c), now)
		return w.pushInfo(c, map[string]string{"InfoType": "authorized", "AuthorizerAppid": m.AppID, "AuthorizationCode": code.Value,
			"AuthorizationCodeExpiredTime": fmt.Sprint(code.ExpiresMs / 1000), "PreAuthCode": "preauthcode@@@" + w.ids.text(base62, 64)}, now, pushShape{})
	case checkText:
		return w.pushMessage(c, m, text(releaseWrites), now, pushShape{})
	case checkEvent:
		return w.pushMessage(c, m, map[string]string{"MsgType": "event", "Event": releaseEvent, "FromUserName": p.from, "Latitude": "23.137466",
			"Longitude": "113.352425", "Precision": "119.385040"}, now, pushShape{})
	case checkQuery:
		code, _ := w.bindSets(c, m.AppID, tester.setsFor(c), now)
		p.code = code.Value
		return w.pushMessage(c, m, text(releaseAsks+code.Value), now, pushShape{})
	default: // checkEnd
		auth := w.authorizationOf(c.AppID, m.AppID)
		if auth == nil {
			return nil, notFound("account_appid", "检测账号没有授权给这个平台")
		}
		auth.Active, auth.EndedMs = false, now
		w.authorizations.put(authorizationID(c.AppID, m.AppID), auth)
		return w.pushInfo(c, map[string]string{"InfoType": "unauthorized", "AuthorizerAppid": m.AppID}, now, pushShape{})
	}
}

// pushPatience is how long a push of a check may wait for its first try, in real time: longer than a busy machine needs.
const pushPatience = 90 * time.Second

// finished waits until a push was tried. Delivery itself has a deadline and a number of tries.
func (p *releasePlay) finished(ctx context.Context, id string) (push, error) {
	deadline := time.Now().Add(pushPatience)
	for {
		var found push
		err := p.sim.update(ctx, func(w *world, _ int64) error {
			stored := w.pushes.get(id)
			if stored == nil {
				return notFound("id", "推送记录已被清理")
			}
			found = *stored
			return nil
		})
		if err != nil || slices.Contains([]string{pushDropped, pushFailed, pushHeld, pushDelayed}, found.State) {
			return found, err
		}
		if len(found.Attempts) > 0 { // WeChat repeats the push, but the check has its answer
			return found, nil
		}
		if time.Now().After(deadline) {
			return found, errors.New("推送一直没有发出，模拟器可能太忙，请重试")
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return found, errors.New("已停止")
		}
	}
}

// awaitMessage waits for the exchange of the code and the message that carries it.
func (p *releasePlay) awaitMessage(ctx context.Context, step *releaseStep) (string, error) {
	want := p.code + releaseFromAPI
	deadline := time.Now().Add(p.wait)
	for {
		exchanged, said := false, []string{}
		err := p.sim.update(ctx, func(w *world, _ int64) error {
			if code := w.authCodes.get(p.code); code != nil {
				exchanged = code.Used
			}
			if talk := w.chats.get(chatKey(step.Account, p.from)); talk != nil {
				for _, m := range talk.Sent {
					said = append(said, m.Content)
				}
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		if slices.Contains(said, want) {
			step.Received = "api_query_auth 成功；客服消息 授权码" + releaseFromAPI
			return "", nil
		}
		if time.Now().After(deadline) {
			step.Received = "api_query_auth " + map[bool]string{true: "成功", false: "没有收到"}[exchanged] + fmt.Sprintf("；客服消息 %d 条", len(said))
			switch {
			case !exchanged:
				return fmt.Sprintf("等了 %s，平台没有用收到的授权码调用 api_query_auth", p.wait), nil
			case len(said) == 0:
				return fmt.Sprintf("等了 %s，平台换取了授权码，但没有发送客服消息", p.wait), nil
			}
			return "客服消息的内容应为 授权码" + releaseFromAPI, nil
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return "已停止", nil
		}
	}
}
