package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"
)

// token is what a call carries: that of the platform, or of a mini program that is authorised to it.
func (p *play) token(ctx context.Context, as string) (string, error) {
	key := authorizationKey{Component: p.component, AppID: as}
	if as == "platform" {
		key.AppID = ""
	}
	if p.component == "" {
		return "", errors.New("要用 as，请在 vars 中定义 component（第三方平台的 AppID）")
	}
	token := ""
	err := p.sim.update(ctx, func(w *world, now int64) error {
		out, err := showToken(w, now, nil, key)
		if err != nil {
			return err
		}
		token, _ = out.(map[string]any)["access_token"].(string)
		return nil
	})
	return token, err
}

// isThere tells whether a platform or a mini program of the set-up exists already.
func (p *play) isThere(ctx context.Context, address string, body []byte) (bool, error) {
	var named struct {
		AppID string `json:"appid"`
	}
	if err := json.Unmarshal(body, &named); err != nil {
		return false, fmt.Errorf("AppID 应为文字：%w", err)
	}
	there := false
	err := p.sim.update(ctx, func(w *world, _ int64) error {
		if strings.HasSuffix(address, "components") {
			there = w.components.get(named.AppID) != nil
		} else {
			there = w.miniPrograms.get(named.AppID) != nil
		}
		return nil
	})
	return there, err
}

// send carries a request through the simulator's own handler.
func (p *play) send(ctx context.Context, method, path string, body []byte) (answer stepAnswer) {
	req, err := http.NewRequestWithContext(ctx, method, "http://simulator.test"+path, bytes.NewReader(body))
	if err != nil {
		return stepAnswer{raw: err.Error()}
	}
	req.RemoteAddr = "127.0.0.1:0"
	rec := &answerRecorder{header: http.Header{}}
	defer func() {
		if cut := recover(); cut != nil {
			if cut != http.ErrAbortHandler {
				panic(cut)
			}
			answer = stepAnswer{raw: "(连接被断开)"}
		}
	}()
	p.handler.ServeHTTP(rec, req)
	answer = stepAnswer{status: max(rec.status, http.StatusOK), raw: redactJSON(rec.body.Bytes())}
	if json.Unmarshal(rec.body.Bytes(), &answer.body) != nil {
		answer.body, answer.raw = nil, fmt.Sprintf("%s, %d bytes", rec.header.Get("Content-Type"), rec.body.Len())
	}
	return answer
}

// answerRecorder is a ResponseWriter that keeps what was written.
type answerRecorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answerRecorder) Header() http.Header { return a.header }
func (a *answerRecorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}
func (a *answerRecorder) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answerRecorder) Flush()                      {}

// await looks until enough calls or pushes have been seen, or the time is over.
func (p *play) await(ctx context.Context, a *scenarioAwait) (problem string, err error) {
	deadline := time.Now().Add(a.Within)
	if a.Kind == "control" {
		return p.awaitState(ctx, a, deadline)
	}
	for {
		seen, err := p.seen(ctx, a)
		if err != nil || seen >= a.Count {
			return "", err
		}
		if failed, err := p.failedChecks(ctx, a); failed != "" || err != nil {
			return failed, err
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("等了 %s，%s（%s）只出现 %d 次，应至少 %d 次", a.Within, map[string]string{"calls": "调用", "pushes": "推送", "release_checks": "全网发布检测"}[a.Kind], a.describe(p.vars), seen, a.Count), nil
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return "已停止", nil
		}
	}
}

// awaitState asks until the answer is as expected.
func (p *play) awaitState(ctx context.Context, a *scenarioAwait, deadline time.Time) (problem string, err error) {
	method, path, body, err := p.request(ctx, &scenarioStep{Ctl: a.Ctl})
	if err != nil {
		return "", err
	}
	for {
		answer := p.send(ctx, method, path, body)
		problem := ""
		for _, e := range a.Expect {
			if problem == "" {
				problem = e.missing(answer, p.vars)
			}
		}
		if problem == "" {
			return "", nil
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("等了 %s，%s", a.Within, problem), nil
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return "已停止", nil
		}
	}
}

func (a *scenarioAwait) describe(vars map[string]any) string {
	parts := []string{}
	for key, value := range a.Filter {
		parts = append(parts, key+"="+expandText(value, vars))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

func (p *play) seen(ctx context.Context, a *scenarioAwait) (n int, err error) {
	f := map[string]string{}
	for key, value := range a.Filter {
		f[key] = expandText(value, p.vars)
	}
	err = p.sim.update(ctx, func(w *world, _ int64) error {
		if a.Kind == "calls" {
			_, n = w.callsLike(callFilter{path: f["path"], appID: f["appid"], component: f["component_appid"], errcode: f["errcode"], after: p.began}, 0, 0)
			return nil
		}
		if a.Kind == "release_checks" {
			for _, c := range w.releaseChecks.docs {
				if c.ID > p.began && matches(f["component_appid"], c.Component) && matches(f["state"], c.State) {
					n++
				}
			}
			return nil
		}
		for _, push := range w.pushes.docs {
			if push.Seq > p.began && matches(f["kind"], push.Kind) && matches(f["appid"], push.AppID) && matches(f["component_appid"], push.Component) && matches(f["state"], push.State) {
				n++
			}
		}
		return nil
	})
	return n, err
}

// failedChecks ends the wait for a release check that can no longer pass.
func (p *play) failedChecks(ctx context.Context, a *scenarioAwait) (problem string, err error) {
	if a.Kind != "release_checks" || a.Filter["state"] == runFailed {
		return "", nil
	}
	err = p.sim.update(ctx, func(w *world, _ int64) error {
		for _, c := range w.releaseChecks.docs {
			if c.ID > p.began && matches(expandText(a.Filter["component_appid"], p.vars), c.Component) && c.State == runFailed {
				problem = "检测未通过：" + c.failures()
			}
		}
		return nil
	})
	return problem, err
}
