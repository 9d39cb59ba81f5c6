package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// States of a scenario's run and of its steps.
const (
	runRunning = "running"
	runPassed  = "passed"
	runFailed  = "failed"
	runStopped = "stopped"
	stepWaits  = "waiting" // not reached yet
)

// ScenarioStep is what came of one step.
type ScenarioStep struct {
	Name   string `json:"name"`
	Part   string `json:"part"` // setup, steps or expect
	Line   int    `json:"line"`
	Hint   string `json:"hint,omitempty"`
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"` // what was missing, in Chinese
	TookMs int64  `json:"took_ms"`          // real
}

// ScenarioReport is one run of a scenario.
type ScenarioReport struct {
	Name  string          `json:"name"`
	State string          `json:"state"` // passed, failed or stopped
	Steps []ScenarioStep  `json:"steps"`
	Calls json.RawMessage `json:"calls,omitempty"` // every call the simulator received, oldest first
}

// ScenarioOptions say how RunScenario runs. The zero value is usable.
type ScenarioOptions struct {
	Seed int64             // 0 is 1: a scenario is repeatable
	Vars map[string]string // replace the defaults of the scenario's variables
	Log  *slog.Logger      // nil discards
	Told func(ScenarioStep)
}

// RunScenario runs a scenario on a simulator of its own, in memory, with a clock that stands still between the steps: the
// same file and seed give the same calls, byte by byte. A mistake in the file is an error that names line and key.
func RunScenario(ctx context.Context, text []byte, opt ScenarioOptions) (report ScenarioReport, err error) {
	sc, err := CheckScenario(text)
	if err != nil {
		return report, err
	}
	return runAlone(ctx, sc, opt)
}

// Scenario is a checked scenario.
type Scenario struct{ parsed *scenario }

// NeedsPlatform tells whether the scenario only runs on a simulator that a platform is connected to.
func (s *Scenario) NeedsPlatform() bool { return s.parsed.Platform }

// CheckScenario reads a file without running it; every mistake is named with its line and key.
func CheckScenario(text []byte) (*Scenario, error) {
	sim, err := New(Options{})
	if err != nil {
		return nil, err
	}
	parsed, err := parseScenario(text, sim.addresses)
	if err != nil {
		return nil, err
	}
	return &Scenario{parsed}, nil
}

// hasAddress tells whether a handler has an address of its own for a path.
func (s *Simulator) hasAddress(handler http.Handler) func(method, path string) bool {
	return func(method, path string) bool {
		mux, ok := handler.(*http.ServeMux)
		if strings.HasPrefix(path, "/control/") {
			mux, ok = http.NewServeMux(), true
			s.controlRoutes(mux)
		}
		req, err := http.NewRequest(method, "http://simulator"+path, nil)
		if err != nil || !ok {
			return false
		}
		_, pattern := mux.Handler(req)
		return pattern != "" && pattern != "/control/" && pattern != "/cgi-bin/" && pattern != "/wxa/"
	}
}

// errNeedsPlatform is a scenario that waits for people on a platform and was run without one.
var errNeedsPlatform = errors.New("这个剧本要与连接的平台一起运行：在控制台选“当前模拟器”，或用 --url 指定正在运行的模拟器")

func runAlone(ctx context.Context, sc *Scenario, opt ScenarioOptions) (report ScenarioReport, err error) {
	if sc.parsed.Platform {
		return report, errNeedsPlatform
	}
	start := sc.parsed.Start
	if start.IsZero() {
		start = time.Date(2026, 1, 5, 9, 0, 0, 0, shanghai)
	}
	if opt.Seed == 0 {
		opt.Seed = 1
	}
	sim, err := New(Options{PublicURL: "http://simulator.test", Seed: opt.Seed, Start: start, Log: opt.Log})
	if err != nil {
		return report, err
	}
	sim.retry = 10 * time.Millisecond // nobody restarts meanwhile
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ended, sim.Close())
	}()
	p := newPlay(sim, sc.parsed, opt.Vars)
	p.told = opt.Told
	report = p.run(ctx)
	err = sim.update(ctx, func(w *world, _ int64) error {
		for _, c := range w.callLog {
			c.finish()
		}
		report.Calls, err = plainJSON(notNilCalls(w.callLog))
		return err
	})
	return report, err
}

func notNilCalls(calls []*call) []*call {
	if calls == nil {
		return []*call{}
	}
	return calls
}

// play is one scenario on its way.
type play struct {
	sim       *Simulator
	handler   http.Handler
	sc        *scenario
	vars      map[string]any
	began     int64 // sequence number of the run: what was there before does not count
	report    ScenarioReport
	told      func(ScenarioStep)
	component string
}

func newPlay(sim *Simulator, sc *scenario, given map[string]string) *play {
	p := &play{sim: sim, handler: sim.Handler(), sc: sc, vars: map[string]any{}, report: ScenarioReport{Name: sc.Name, State: runRunning}}
	for _, v := range sc.Vars {
		p.vars[v.Name] = v.Value
		if value, ok := given[v.Name]; ok && value != "" {
			p.vars[v.Name] = value
		}
	}
	p.component, _ = p.vars["component"].(string)
	for _, part := range p.parts() {
		for _, s := range part.steps {
			p.report.Steps = append(p.report.Steps, ScenarioStep{Name: expandText(s.Name, p.vars), Part: part.name, Line: s.Line,
				Hint: expandText(s.Hint, p.vars), State: stepWaits})
		}
	}
	return p
}

type playPart struct {
	name  string
	steps []scenarioStep
}

func (p *play) parts() []playPart {
	return []playPart{{"setup", p.sc.Setup}, {"steps", p.sc.Steps}, {"expect", p.sc.Expect}}
}

// run carries out the set-up and the steps up to the first that fails; the expectations in the end are all looked at.
func (p *play) run(ctx context.Context) ScenarioReport {
	at, failed := 0, false
	for _, part := range p.parts() {
		for i := range part.steps {
			if ctx.Err() != nil || (failed && part.name != "expect") {
				break
			}
			failed = !p.step(ctx, &part.steps[i], at+i) || failed
		}
		if at += len(part.steps); failed {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		p.report.State = runStopped
	case failed:
		p.report.State = runFailed
	default:
		p.report.State = runPassed
	}
	return p.report
}

// step does one step and tells whether all was as expected.
func (p *play) step(ctx context.Context, s *scenarioStep, at int) bool {
	out := &p.report.Steps[at]
	out.State = runRunning
	p.tell(*out)
	began := time.Now()
	problem, err := p.perform(ctx, s)
	if err != nil {
		problem = err.Error()
	}
	out.TookMs, out.State, out.Detail = time.Since(began).Milliseconds(), runPassed, problem
	if problem != "" {
		out.State = runFailed
	}
	p.tell(*out)
	return problem == ""
}

func (p *play) tell(s ScenarioStep) {
	if p.told != nil {
		p.told(s)
	}
}

func (p *play) perform(ctx context.Context, s *scenarioStep) (problem string, err error) {
	if err := p.builtins(ctx); err != nil {
		return "", err
	}
	if s.Await != nil {
		return p.await(ctx, s.Await)
	}
	method, path, body, err := p.request(ctx, s)
	if err != nil {
		return "", err
	}
	if s.Ensure {
		if there, err := p.isThere(ctx, s.Ctl, body); there || err != nil {
			return "", err
		}
	}
	answer := p.send(ctx, method, path, body)
	expected := s.Expect
	if s.Call != "" && !mentions(expected, "errcode", "status") {
		expected = append([]expectation{{Path: "errcode", Op: "is", Value: 0}}, expected...)
	}
	if s.Ctl != "" && !mentions(expected, "status") && answer.status != http.StatusOK {
		return "控制接口拒绝：" + controlMessage(answer), nil
	}
	for _, e := range expected {
		if problem := e.missing(answer, p.vars); problem != "" {
			return problem + "；应答 " + excerpt(answer.raw, 300), nil
		}
	}
	for _, v := range s.Save {
		value, ok := answer.value(v.Value)
		if !ok {
			return fmt.Sprintf("应答中没有 %s，无法存为 %s", v.Value, v.Name), nil
		}
		p.vars[v.Name] = value
	}
	return "", nil
}

func mentions(list []expectation, paths ...string) bool {
	for _, e := range list {
		for _, path := range paths {
			if e.Path == path {
				return true
			}
		}
	}
	return false
}

func controlMessage(a stepAnswer) string {
	if message, ok := pick(a.body, "error.message"); ok {
		return fmt.Sprint(message)
	}
	return fmt.Sprintf("HTTP %d %s", a.status, a.raw)
}

// builtins gives the names that follow the world their present values.
func (p *play) builtins(ctx context.Context) error {
	return p.sim.update(ctx, func(w *world, now int64) error {
		p.vars["now"], p.vars["ticket"], p.vars["secret"] = float64(now/1000), "", ""
		if c := w.components.get(p.component); c != nil {
			p.vars["secret"] = c.Secret
			if n := len(c.Tickets); n > 0 {
				p.vars["ticket"] = c.Tickets[n-1].Value
			}
		}
		return nil
	})
}

// request makes the address and the body of a step.
func (p *play) request(ctx context.Context, s *scenarioStep) (method, path string, body []byte, err error) {
	address := s.Call
	if s.Ctl != "" {
		address = s.Ctl
	}
	method, path, _ = strings.Cut(expandText(address, p.vars), " ")
	if s.Ctl != "" {
		path = "/control/" + path
	}
	u, err := url.Parse(path)
	if err != nil {
		return "", "", nil, fmt.Errorf("地址无法解析：%w", err)
	}
	q := u.Query()
	for key, value := range s.Query {
		q.Set(key, expandText(fmt.Sprint(value), p.vars))
	}
	if s.As != "" {
		token, err := p.token(ctx, expandText(s.As, p.vars))
		if err != nil {
			return "", "", nil, err
		}
		q.Set("access_token", token)
	}
	u.RawQuery = q.Encode()
	if s.Body != nil {
		if body, err = plainJSON(expand(s.Body, p.vars)); err != nil {
			return "", "", nil, err
		}
	} else if s.Ctl != "" && method == http.MethodPost {
		body = []byte("{}")
	}
	return method, u.String(), body, nil
}
