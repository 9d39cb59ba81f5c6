package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
)

// scenarioRun is a run that was asked for on the console or by the control API.
type scenarioRun struct {
	ID       int64             `json:"id"`
	Scenario string            `json:"scenario"`
	Name     string            `json:"name"`
	InPlace  bool              `json:"in_place"` // on this simulator, beside whatever platform is connected; otherwise on one of its own
	Vars     map[string]string `json:"vars,omitempty"`
	State    string            `json:"state"`
	Problem  string            `json:"problem,omitempty"` // why it could not run at all
	AtMs     int64             `json:"at_ms"`             // simulated
	Steps    []ScenarioStep    `json:"steps"`
}

const maxRuns = 50

var scenarioID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// scenarioRequest is a scenario to keep or to check.
type scenarioRequest struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// refusedScenario is a file's mistakes as a refusal of the control API.
func refusedScenario(err error) error {
	var problems scenarioError
	if errors.As(err, &problems) {
		return badRequest("text", problems.Error())
	}
	return err
}

func (s *Simulator) listScenarios(w *world, _ int64, _ *http.Request, _ none) (any, error) {
	items := []any{}
	for _, sc := range s.scenarioList(w) {
		items = append(items, map[string]any{"id": sc.ID, "name": sc.Name, "about": sc.About, "shipped": sc.Shipped, "needs_platform": sc.Platform})
	}
	return map[string]any{"items": items}, nil
}

func (s *Simulator) showScenario(w *world, _ int64, r *http.Request, _ none) (any, error) {
	sc := s.scenarioOf(w, r.PathValue("id"))
	if sc == nil {
		return nil, notFound("id", "没有这个剧本")
	}
	return sc, nil
}

// checkScenario answers every mistake of a file; it is a good answer even when there are some.
func (s *Simulator) checkScenario(_ *world, _ int64, _ *http.Request, req scenarioRequest) (any, error) {
	_, err := parseScenario([]byte(req.Text), s.addresses)
	var problems scenarioError
	if err != nil && !errors.As(err, &problems) {
		return nil, err
	}
	if problems == nil {
		problems = scenarioError{}
	}
	return map[string]any{"ok": len(problems) == 0, "problems": problems}, nil
}

func (s *Simulator) saveScenario(w *world, now int64, _ *http.Request, req scenarioRequest) (any, error) {
	if !scenarioID.MatchString(req.ID) {
		return nil, badRequest("id", "编号应为小写字母、数字、连字符，例如 my-training")
	}
	sc, err := parseScenario([]byte(req.Text), s.addresses)
	if err != nil {
		return nil, refusedScenario(err)
	}
	kept := &storedScenario{ID: req.ID, Name: sc.Name, About: sc.About, Text: req.Text, UpdatedMs: now, Platform: sc.Platform}
	w.scenarios.put(kept.ID, kept)
	return kept, nil
}

func (s *Simulator) deleteScenario(w *world, _ int64, r *http.Request, _ none) (any, error) {
	id := r.PathValue("id")
	if w.scenarios.get(id) == nil {
		return nil, notFound("id", "没有这个自己保存的剧本；内置剧本不能删除")
	}
	w.scenarios.delete(id)
	return map[string]any{"removed": 1}, nil
}

// runRequest starts a scenario.
type runRequest struct {
	Vars    map[string]string `json:"vars"`
	InPlace bool              `json:"in_place"`
	Seed    int64             `json:"seed"` // of an isolated run; 0 is 1
}

// startScenario starts a run and answers at once; GET /control/runs/{id} tells how far it is.
func (s *Simulator) startScenario(w *world, now int64, id string, req runRequest) (*scenarioRun, error) {
	sc := s.scenarioOf(w, id)
	if sc == nil {
		return nil, notFound("id", "没有这个剧本")
	}
	if s.running != 0 {
		return nil, conflict("id", "有剧本正在运行，请等它结束或先停止")
	}
	parsed, err := parseScenario([]byte(sc.Text), s.addresses)
	if err != nil {
		return nil, refusedScenario(err)
	}
	if parsed.Platform && !req.InPlace {
		return nil, badRequest("in_place", errNeedsPlatform.Error())
	}
	if parsed.Platform {
		given := newPlay(s, parsed, req.Vars).component
		if c := w.components.get(given); c == nil || c.TicketURL == "" {
			return nil, badRequest("var_component", "请选择已连接的第三方平台：「"+given+"」不存在，或没有填写回调 URL")
		}
	}
	for name := range req.Vars {
		if !slices.ContainsFunc(parsed.Vars, func(v scenarioVar) bool { return v.Name == name }) {
			return nil, badRequest("vars", "剧本没有名为 "+name+" 的变量")
		}
	}
	run := &scenarioRun{ID: w.ids.number(0), Scenario: sc.ID, Name: sc.Name, InPlace: req.InPlace, Vars: req.Vars, State: runRunning, AtMs: now, Steps: []ScenarioStep{}}
	w.runs.put(sequenceID(run.ID), run)
	for ids := w.runs.ids(); len(ids) > maxRuns; ids = w.runs.ids() {
		w.runs.delete(ids[0])
	}
	ctx, stop := context.WithCancel(s.life)
	s.running, s.stopRun = run.ID, stop
	s.runs.Add(1)
	go func() {
		defer s.runs.Done()
		defer stop()
		s.perform(ctx, run.ID, &Scenario{parsed}, req)
	}()
	return run, nil
}

// perform runs a scenario and writes down how it goes.
func (s *Simulator) perform(ctx context.Context, id int64, sc *Scenario, req runRequest) {
	note := func(change func(run *scenarioRun)) {
		err := s.update(context.WithoutCancel(ctx), func(w *world, _ int64) error {
			if run := w.runs.get(sequenceID(id)); run != nil {
				change(run)
				w.runs.put(sequenceID(id), run)
			}
			return nil
		})
		if err != nil && !errors.Is(err, errClosed) {
			s.log.Error("simulator cannot note how a scenario goes", "run", id, "err", err)
		}
	}
	told := func(step ScenarioStep) {
		note(func(run *scenarioRun) {
			if n := len(run.Steps); n > 0 && run.Steps[n-1].State == runRunning {
				run.Steps[n-1] = step
				return
			}
			run.Steps = append(run.Steps, step)
		})
	}
	var report ScenarioReport
	var err error
	if req.InPlace {
		p := newPlay(s, sc.parsed, req.Vars)
		p.told, p.began = told, id
		report = p.run(ctx)
	} else {
		report, err = runAlone(ctx, sc, ScenarioOptions{Seed: req.Seed, Vars: req.Vars, Log: s.log, Told: told})
	}
	note(func(run *scenarioRun) {
		run.Steps, run.State = report.Steps, report.State
		if err != nil {
			run.State, run.Problem = runFailed, fmt.Sprint(err)
		}
		s.running, s.stopRun = 0, nil
	})
}

func (s *Simulator) startByProgram(w *world, now int64, r *http.Request, req runRequest) (any, error) {
	return s.startScenario(w, now, r.PathValue("id"), req)
}

// stopScenario ends the run that is going on.
func (s *Simulator) stopScenario(w *world, _ int64, r *http.Request, _ none) (any, error) {
	if s.stopRun == nil || (r.PathValue("id") != "" && r.PathValue("id") != fmt.Sprint(s.running)) {
		return nil, conflict("id", "没有正在运行的剧本")
	}
	s.stopRun()
	return map[string]any{"stopping": s.running}, nil
}

func listRuns(w *world, _ int64, _ *http.Request, _ none) (any, error) {
	items := slices.Clone(w.runs.all())
	slices.Reverse(items)
	return map[string]any{"items": items}, nil
}

func showRun(w *world, _ int64, r *http.Request, _ none) (any, error) {
	if run := w.runOf(r.PathValue("id")); run != nil {
		return run, nil
	}
	return nil, notFound("id", "没有这次运行")
}

func (w *world) runOf(id string) *scenarioRun {
	for _, run := range w.runs.docs {
		if fmt.Sprint(run.ID) == id {
			return run
		}
	}
	return nil
}

// stopStaleRuns marks what was running when the last process ended.
func (w *world) stopStaleRuns() {
	for id, run := range w.runs.docs {
		if run.State == runRunning {
			run.State, run.Problem = runStopped, "模拟器在运行途中重启"
			w.runs.put(id, run)
		}
	}
	for id, check := range w.releaseChecks.docs {
		if check.State == runRunning {
			check.State, check.Problem = runStopped, "模拟器在检测途中重启"
			w.releaseChecks.put(id, check)
		}
	}
}
