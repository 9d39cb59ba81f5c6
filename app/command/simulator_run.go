package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"minifleet/app/simulator"
)

// errScenario is exit status 1 after the report said what is wrong.
var errScenario = errors.New("a scenario did not pass")

// scenarioVars are --var name=value, as often as wanted.
type scenarioVars map[string]string

func (v scenarioVars) String() string { return "" }

func (v scenarioVars) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("want name=value")
	}
	v[name] = value
	return nil
}

// scenarioFlags are those of `simulator run`.
type scenarioFlags struct {
	seed  int64
	check bool
	calls string
	url   string
	vars  scenarioVars
}

// runScenarios runs scenario files one after the other, each on a simulator of its own in memory, or on one that is running.
func runScenarios(ctx context.Context, env Env) error {
	set := flag.NewFlagSet("simulator run", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	f := scenarioFlags{vars: scenarioVars{}}
	set.Int64Var(&f.seed, "seed", 1, "makes ids repeatable: the same file and seed give the same calls")
	set.BoolVar(&f.check, "check", false, "only look for mistakes in the files")
	set.StringVar(&f.calls, "calls", "", "write the calls the simulator received to this file, as JSON")
	set.StringVar(&f.url, "url", "", "run on the simulator at this address, beside the platform that is connected to it, e.g. http://127.0.0.1:9000")
	list := set.Bool("list", false, "list the scenarios that come with the simulator")
	set.Var(f.vars, "var", "name=value of a variable of the scenario; may be repeated")
	if err := set.Parse(env.Args); err != nil {
		return err
	}
	if *list {
		return listScenarios(env.Stdout)
	}
	if set.NArg() == 0 {
		return errors.New("usage: minifleet simulator run [--list] [--check] [--seed N] [--var NAME=VALUE] [--calls OUT.json] [--url http://HOST:PORT] NAME or FILE…")
	}
	if f.calls != "" && (f.url != "" || set.NArg() > 1) {
		return errors.New("--calls is for one file and a simulator of its own")
	}
	failed := false
	for _, file := range set.Args() {
		ok, err := f.one(ctx, env.Stdout, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		failed = failed || !ok
	}
	if failed {
		return errScenario
	}
	return nil
}

// listScenarios prints name and story of every scenario that comes with the simulator.
func listScenarios(out io.Writer) error {
	all, err := simulator.ShippedScenarios()
	if err != nil {
		return err
	}
	for _, sc := range all {
		where := ""
		if sc.Platform {
			where = "（需连接平台，用 --url）"
		}
		if _, err := fmt.Fprintf(out, "%-22s %s%s\n    %s\n", sc.ID, sc.Name, where, sc.About); err != nil {
			return err
		}
	}
	return nil
}

// scenarioText reads a scenario: by the name of one that comes with the simulator, or a file.
func scenarioText(name string) ([]byte, error) {
	all, err := simulator.ShippedScenarios()
	if err != nil {
		return nil, err
	}
	for _, sc := range all {
		if sc.ID == name {
			return sc.Text, nil
		}
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("没有这个文件，也没有这个名字的内置剧本（--list 列出全部）: %w", err)
	}
	return text, err
}

func (f scenarioFlags) one(ctx context.Context, out io.Writer, file string) (bool, error) {
	text, err := scenarioText(file)
	if err != nil {
		return false, err
	}
	if _, err := simulator.CheckScenario(text); err != nil {
		return false, fmt.Errorf("剧本有错：\n%w", err)
	}
	if f.check {
		_, err := fmt.Fprintf(out, "✓ %s 没有错误\n", file)
		return true, err
	}
	told := func(s simulator.ScenarioStep) { printStep(out, s) }
	if f.url != "" {
		return f.remote(ctx, text, told)
	}
	report, err := simulator.RunScenario(ctx, text, simulator.ScenarioOptions{Seed: f.seed, Vars: f.vars, Told: told})
	if err != nil {
		return false, err
	}
	if f.calls != "" {
		if err := os.WriteFile(f.calls, report.Calls, 0o600); err != nil {
			return false, err
		}
	}
	return printEnd(out, report.Name, report.State)
}

func printStep(out io.Writer, s simulator.ScenarioStep) {
	switch s.State {
	case "passed":
		_, _ = fmt.Fprintf(out, "  ✓ %s（%d 毫秒）\n", s.Name, s.TookMs)
	case "failed":
		_, _ = fmt.Fprintf(out, "  ✗ %s（第 %d 行）\n      %s\n", s.Name, s.Line, s.Detail)
	case "running":
		if s.Hint != "" {
			_, _ = fmt.Fprintf(out, "  … %s：%s\n", s.Name, s.Hint)
		}
	}
}

func printEnd(out io.Writer, name, state string) (bool, error) {
	word := map[string]string{"passed": "通过", "failed": "未通过", "stopped": "已停止"}[state]
	_, err := fmt.Fprintf(out, "%s：%s\n", name, word)
	return state == "passed", err
}

// remote keeps the scenario on a running simulator for as long as it runs there, and tells how it goes.
func (f scenarioFlags) remote(ctx context.Context, text []byte, told func(simulator.ScenarioStep)) (ok bool, err error) {
	id := fmt.Sprintf("run-%d", time.Now().UnixNano())
	if err := f.control(ctx, http.MethodPost, "/scenarios", map[string]any{"id": id, "text": string(text)}, nil); err != nil {
		return false, err
	}
	defer func() {
		err = errors.Join(err, f.control(context.WithoutCancel(ctx), http.MethodDelete, "/scenarios/"+id, nil, nil))
	}()
	var run struct {
		ID      int64
		Name    string
		State   string
		Problem string
		Steps   []simulator.ScenarioStep
	}
	if err := f.control(ctx, http.MethodPost, "/scenarios/"+id+"/run", map[string]any{"in_place": true, "vars": f.vars}, &run); err != nil {
		return false, err
	}
	shown := map[int]string{}
	for {
		if err := f.control(ctx, http.MethodGet, fmt.Sprintf("/runs/%d", run.ID), nil, &run); err != nil {
			return false, err
		}
		for i, s := range run.Steps {
			if shown[i] != s.State {
				shown[i] = s.State
				told(s)
			}
		}
		if run.State != "running" {
			break
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return false, errors.Join(err, f.control(context.WithoutCancel(ctx), http.MethodPost, fmt.Sprintf("/runs/%d/stop", run.ID), map[string]any{}, nil))
		}
	}
	if run.Problem != "" {
		return false, errors.New(run.Problem)
	}
	return run.State == "passed", nil
}

// control is one call of the running simulator's control API.
func (f scenarioFlags) control(ctx context.Context, method, path string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(f.url, "/")+"/control"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		var refused struct{ Error struct{ Message string } }
		if json.Unmarshal(body, &refused) == nil && refused.Error.Message != "" {
			return errors.New(refused.Error.Message)
		}
		return fmt.Errorf("%s: %s %.200s", req.URL.Path, res.Status, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}
