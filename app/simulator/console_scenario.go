package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *Simulator) scenariosPage(w *world, now int64, r *http.Request) (view, error) {
	runs := slices.Clone(w.runs.all())
	slices.Reverse(runs)
	alone, training := []*storedScenario{}, []*storedScenario{}
	for _, sc := range s.scenarioList(w) {
		if sc.Platform {
			training = append(training, sc)
		} else {
			alone = append(alone, sc)
		}
	}
	return w.console(r, now, "scenarios", "scenarios", map[string]any{"Scenarios": alone, "Training": training, "Runs": runs[:min(len(runs), 20)], "Running": s.running}), nil
}

// scenarioVarField is one variable with what it may be on this simulator.
type scenarioVarField struct {
	scenarioVar
	Options [][2]string
}

// scenarioPage shows a scenario, lets it be run and, as a copy, changed. The id new is an empty one.
func (s *Simulator) scenarioPage(w *world, now int64, r *http.Request) (view, error) {
	id := r.PathValue("id")
	sc := s.scenarioOf(w, id)
	switch {
	case sc == nil && id == "new":
		sc = &storedScenario{Name: "新剧本", Text: newScenarioText}
	case sc == nil:
		return view{}, notFound("id", "没有这个剧本")
	}
	data := map[string]any{"S": sc, "New": id == "new", "Running": s.running}
	if parsed, err := parseScenario([]byte(sc.Text), s.addresses); err == nil {
		fields := []scenarioVarField{}
		for _, v := range parsed.Vars {
			field := scenarioVarField{v, w.varOptions(v.Name)}
			if parsed.Platform && len(field.Options) > 0 && !slices.ContainsFunc(parsed.Setup, func(s scenarioStep) bool { return v.Name == "appid" && s.Ensure }) {
				field.Value = field.Options[0][0] // what is connected, not the example in the file
			}
			fields = append(fields, field)
		}
		data["Vars"], data["Steps"] = fields, len(parsed.Setup)+len(parsed.Steps)+len(parsed.Expect)
	} else {
		data["Mistakes"] = err.Error()
	}
	return w.console(r, now, "scenarios", "scenario", data), nil
}

const newScenarioText = `name: 我的剧本
about: 这个剧本练习什么
vars:
  component: wx5ce00000000000ff   # 第三方平台
setup:
  components:
    - {appid: "${component}", name: 剧本平台}
steps:
  - name: 快进十分钟
    control: clock
    body: {advance_seconds: 600}
expect:
  - name: 没有任何调用
    control: GET calls
    expect: {total: 0}
`

// varOptions are the platforms or mini programs there are, for the variables component and appid.
func (w *world) varOptions(name string) [][2]string {
	out := [][2]string{}
	switch name {
	case "component":
		for _, c := range w.components.all() {
			if c.TicketURL != "" { // the connected ones first
				out = append(out, [2]string{c.AppID, c.Name})
			}
		}
		for _, c := range w.components.all() {
			if c.TicketURL == "" {
				out = append(out, [2]string{c.AppID, c.Name})
			}
		}
	case "appid":
		authorized, others := [][2]string{}, [][2]string{}
		held := map[string]bool{}
		for _, a := range w.authorizations.docs {
			held[a.AppID] = held[a.AppID] || a.Active
		}
		for _, m := range w.sortedMiniPrograms() {
			if _, tester := releaseTester(m.AppID); tester || m.Developed {
				continue
			}
			if option := [2]string{m.AppID, m.NickName}; held[m.AppID] {
				authorized = append(authorized, option)
			} else {
				others = append(others, option)
			}
		}
		out = append(authorized, others...)
		out = out[:min(len(out), 200)]
	}
	return out
}

func (s *Simulator) saveScenarioAction(f *form) runAction {
	req := scenarioRequest{ID: f.plain("id"), Text: strings.ReplaceAll(f.values.Get("text"), "\r\n", "\n")}
	return func(w *world, now int64, r *http.Request) (string, error) {
		if _, err := s.saveScenario(w, now, r, req); err != nil {
			return "", err
		}
		return "", &goTo{"/console/scenarios/" + req.ID, "剧本已保存，没有错误"}
	}
}

func (s *Simulator) deleteScenarioAction(f *form) runAction {
	return func(w *world, now int64, r *http.Request) (string, error) {
		id := f.plain("id")
		if w.scenarios.get(id) == nil {
			return "", notFound("id", "没有这个自己保存的剧本；内置剧本不能删除")
		}
		w.scenarios.delete(id)
		return "", &goTo{"/console/scenarios", "剧本已删除"}
	}
}

func (s *Simulator) runScenarioAction(f *form) runAction {
	req := runRequest{InPlace: f.plain("place") == "here", Vars: map[string]string{}}
	if seed := f.number("seed"); seed != nil {
		req.Seed = *seed
	}
	for key := range f.values {
		if name, ok := strings.CutPrefix(key, "var_"); ok && f.plain(key) != "" {
			req.Vars[name] = f.plain(key)
		}
	}
	return func(w *world, now int64, r *http.Request) (string, error) {
		started, err := s.startScenario(w, now, f.plain("id"), req)
		if err != nil {
			return "", err
		}
		return "", &goTo{fmt.Sprintf("/console/runs/%d", started.ID), "剧本已开始"}
	}
}

func runPage(w *world, now int64, r *http.Request) (view, error) {
	run := w.runOf(r.PathValue("id"))
	if run == nil {
		return view{}, notFound("id", "没有这次运行")
	}
	return w.console(r, now, "scenarios", "run", map[string]any{"Run": run}), nil
}

func helpPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "help", "help", map[string]any{"Base": "http://" + r.Host, "Example": newScenarioText}), nil
}

func runText(state string) string {
	return map[string]string{runRunning: "进行中", runPassed: "通过", runFailed: "未通过", runStopped: "已停止", stepWaits: "未开始", stepSkipped: "不检测"}[state]
}

func runColor(state string) string {
	return map[string]string{runRunning: "blue", runPassed: "green", runFailed: "red", runStopped: "orange", stepWaits: "grey", stepSkipped: "grey"}[state]
}

func partText(part string) string {
	return map[string]string{"setup": "布置", "steps": "步骤", "expect": "结果"}[part]
}
