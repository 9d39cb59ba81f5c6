package simulator

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestShippedScenariosPassAndRepeatByteByByte(t *testing.T) {
	files, err := filepath.Glob("scenarios/*.yaml")
	if err != nil || len(files) < 16 {
		t.Fatalf("shipped scenarios %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if sc, err := CheckScenario(text); err != nil || sc.NeedsPlatform() { // those run in app/command, beside a platform
				_, alone := RunScenario(t.Context(), text, ScenarioOptions{})
				if err != nil || alone == nil || !strings.Contains(alone.Error(), "--url") {
					t.Errorf("mistakes %v; run without a platform: %v", err, alone)
				}
				return
			}
			first := passes(t, text, 7)
			second := passes(t, text, 7)
			if !bytes.Equal(first.Calls, second.Calls) {
				t.Errorf("two runs with one seed differ:\n%s\n%s", first.Calls, second.Calls)
			}
			if len(first.Calls) < 100 {
				t.Errorf("calls %s", first.Calls)
			}
			if other := passes(t, text, 8); bytes.Equal(first.Calls, other.Calls) {
				t.Error("another seed gives the same rids")
			}
		})
	}
}

func passes(t *testing.T, text []byte, seed int64) ScenarioReport {
	t.Helper()
	report, err := RunScenario(t.Context(), text, ScenarioOptions{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	if report.State != runPassed {
		for _, s := range report.Steps {
			t.Logf("%s %d %s: %s %s", s.Part, s.Line, s.Name, s.State, s.Detail)
		}
		t.Fatalf("%s: %s", report.Name, report.State)
	}
	return report
}

func TestMistakesInAScenarioNameLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "第 1 行：文件是空的"},
		{"no YAML", "name: a\n  b: c\n", "第 2 行"},
		{"not a mapping", "- a\n", "第 1 行：应为“名称: 值”的列表"},
		{"unknown key", "name: a\nstepz: []\nsteps: []\n", "第 2 行 stepz：没有这个键，可用：about expect name needs setup start steps vars"},
		{"no name", "steps: []\n", "name：请给剧本起个名字"},
		{"no steps", "name: a\n", "steps：至少要有一个步骤"},
		{"twice", "name: a\nsteps: []\nname: b\n", "第 3 行"},
		{"start", "name: a\nstart: 昨天\nsteps: []\n", "第 2 行 start：应为北京时间"},
		{"empty step", "name: a\nsteps:\n  - name: x\n", "第 3 行 steps[1]：每个步骤要有 call、control、await 中的一个"},
		{"two kinds", "name: a\nsteps:\n  - call: GET /wxa/get_page\n    control: clock\n", "steps[1]：每个步骤要有"},
		{"unknown interface", "name: a\nsteps:\n  - call: GET /wxa/nothing\n", "第 3 行 steps[1].call：模拟器没有这个接口"},
		{"unknown control", "name: a\nsteps:\n  - control: nothing\n", "第 3 行 steps[1].control：模拟器没有这个接口"},
		{"verb", "name: a\nsteps:\n  - call: PUT /wxa/commit\n", "方法只能是"},
		{"slash", "name: a\nsteps:\n  - call: GET wxa/commit\n", "以 / 开头"},
		{"unknown variable", "name: a\nsteps:\n  - control: clock\n    body:\n      advance_seconds: ${x}\n", "第 5 行 steps[1].body：没有名为 x 的变量"},
		{"saved later", "name: a\nsteps:\n  - control: clock\n    body: {a: \"${x}\"}\n    save: {x: now_ms}\n", "没有名为 x 的变量"},
		{"variable name", "name: a\nvars: {X: 1}\nsteps: []\n", "第 2 行 vars.X：变量名应为"},
		{"reserved", "name: a\nvars: {ticket: 1}\nsteps: []\n", "vars.ticket：这个变量名已被使用"},
		{"await of nothing", "name: a\nsteps:\n  - await: {within: 3}\n", "steps[1].await：请写明等待"},
		{"await too long", "name: a\nsteps:\n  - await: {calls: {path: /x}, within: 3601}\n", "steps[1].await.within"},
		{"await filter", "name: a\nsteps:\n  - await: {calls: {kind: x}}\n", "steps[1].await.calls.kind：没有这个键，可用：appid component_appid errcode path"},
		{"await of a change", "name: a\nsteps:\n  - await: {control: POST clock, expect: {a: 1}}\n", "只能用 GET"},
		{"await of nothing in particular", "name: a\nsteps:\n  - await: {control: GET clock}\n", "control 与 expect 要一起写"},
		{"await of two", "name: a\nsteps:\n  - await: {control: GET clock, expect: {a: 1}, calls: {path: /x}}\n", "不能与"},
		{"needs", "name: a\nneeds: luck\nsteps: []\n", "第 2 行 needs：只能是 platform"},
		{"await with body", "name: a\nsteps:\n  - await: {calls: {path: /x}}\n    body: {}\n", "await 只等待"},
		{"operator", "name: a\nsteps:\n  - control: GET clock\n    expect: {now_ms: {about: 3}}\n", "第 4 行 steps[1].expect.now_ms.about：没有这个键，可用：absent contains max min present"},
		{"number", "name: a\nsteps:\n  - control: GET clock\n    expect: {now_ms: {min: x}}\n", "expect.now_ms.min：应为数字"},
		{"set-up", "name: a\nsetup: {people: {wechat_id: a}}\nsteps: []\n", "setup.people：应为列表"},
		{"set-up key", "name: a\nsetup: {colour: red}\nsteps: []\n", "setup.colour：没有这个键"},
		{"date", "name: a\nsteps:\n  - control: clock\n    body: {a: 2026-01-01}\n", "steps[1].body：日期请加引号"},
		{"as of control", "name: a\nsteps:\n  - control: clock\n    as: platform\n", "steps[1].as：as 只用于 call"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := CheckScenario([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestAScenarioThatFailsSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ name, text, state, want string }{
		{"errcode", "name: a\nsteps:\n  - call: GET /wxa/get_page\n", runFailed, "errcode 应为 0，得到 41001"},
		{"control refuses", "name: a\nsteps:\n  - control: clock\n    body: {advance_seconds: -1}\n", runFailed, "控制接口拒绝：快进秒数"},
		{"nothing came", "name: a\nsteps:\n  - await: {calls: {path: /wxa/release}, within: 1}\n", runFailed, "只出现 0 次，应至少 1 次"},
		{"state never came", "name: a\nsteps:\n  - await: {control: GET clock, expect: {frozen: false}, within: 1}\n", runFailed, "frozen 应为 false，得到 true"},
		{"release check fails", "name: a\nvars: {component: wx5ce0000000000abc}\nsetup:\n  components:\n    - {appid: \"${component}\", name: x, token: abc, aes_key: abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG, ticket_url: \"http://receiver.simulator/t\", message_url: \"http://127.0.0.1:1/$APPID$\"}\nsteps:\n" +
			"  - {control: release-checks, body: {component_appid: \"${component}\", group: 1, wait_seconds: 1}}\n  - await: {release_checks: {state: passed}, within: 60}\n", runFailed, "检测未通过：第 1 组 · 公众号 文本消息"},
		{"no platform", "name: a\nsteps:\n  - call: GET /wxa/get_page\n    as: platform\n", runFailed, "请在 vars 中定义 component"},
		{"no such path", "name: a\nsteps:\n  - control: GET clock\n    save: {x: nothing}\n", runFailed, "应答中没有 nothing"},
		{"end", "name: a\nsteps:\n  - control: GET clock\nexpect:\n  - control: GET calls\n    expect: {total: 3}\n  - control: GET calls\n    expect: {total: {max: 0}}\n", runFailed, "total 应为 3，得到 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report, err := RunScenario(t.Context(), []byte(c.text), ScenarioOptions{})
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, s := range report.Steps {
				said += s.Detail + "\n"
			}
			if report.State != c.state || !strings.Contains(said, c.want) {
				t.Errorf("%s: %s", report.State, said)
			}
		})
	}
}

func TestScenariosAreKeptCheckedAndRunByTheControlAPI(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	text := "name: 陪练\nvars:\n  component: " + testComponent + "\n  appid: " + testProgram +
		"\nsetup:\n  miniprograms:\n    - {appid: \"${appid}\", nick_name: 陪练小程序, admin: zhangsan}\nsteps:\n  - name: 平台换取令牌\n    hint: 请在平台点“刷新令牌”\n" +
		"    await: {calls: {path: /cgi-bin/component/api_component_token, errcode: 0}, within: 60}\n"
	g.controlRefused(400, "text", "POST", "scenarios", object{"id": "mine", "text": "name: a"})
	g.controlRefused(400, "id", "POST", "scenarios", object{"id": "Mine!", "text": text})
	if check := g.control("scenarios/check", object{"text": "name: a"}); check["ok"] != false || len(check["problems"].([]any)) != 1 {
		t.Errorf("check %v", check)
	}
	g.control("scenarios", object{"id": "mine", "text": text})
	if n := len(g.control("scenarios", nil)["items"].([]any)); n < 7 {
		t.Errorf("%d scenarios", n)
	}
	g.controlRefused(400, "vars", "POST", "scenarios/mine/run", object{"vars": object{"x": "y"}})
	run := g.control("scenarios/mine/run", object{"in_place": true})
	g.controlRefused(409, "id", "POST", "scenarios/mine/run", object{})
	g.componentToken(g.ticketNow())
	id := g.runEnds(run)
	done := g.control("runs/"+id, nil)
	if done["state"] != runPassed || g.control("miniprograms?appid="+testProgram, nil)["items"].([]any)[0].(object)["nick_name"] != "陪练小程序" {
		t.Errorf("run %v", done)
	}
	alone := g.control("scenarios/first-authorization/run", object{})
	if done := g.control("runs/"+g.runEnds(alone), nil); done["state"] != runPassed {
		t.Errorf("run %v", done)
	}
	if total := g.control("calls?path=/cgi-bin/component/api_get_authorizer_info", nil)["total"].(float64); total != 0 {
		t.Errorf("a run of its own left %v calls here", total)
	}
	run = g.control("scenarios/mine/run", object{"in_place": true})
	g.control("runs/"+idOf(run)+"/stop", object{})
	if done := g.control("runs/"+g.runEnds(run), nil); done["state"] == runRunning || done["state"] == runPassed {
		t.Errorf("stopped run %v", done)
	}
	g.call("DELETE", "/control/scenarios/mine", nil)
	g.controlRefused(404, "id", "DELETE", "scenarios/first-authorization", nil)
}

func idOf(run object) string { return fmt.Sprintf("%.0f", run["id"]) }

// runEnds waits for the end of a run and gives its id.
func (g *rig) runEnds(run object) string {
	g.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for g.control("runs/"+idOf(run), nil)["state"] == runRunning {
		if time.Now().After(deadline) {
			g.t.Fatal("the scenario does not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return idOf(run)
}

// ticketNow is the newest ticket of the test platform.
func (g *rig) ticketNow() string {
	g.t.Helper()
	g.sim.mu.Lock()
	defer g.sim.mu.Unlock()
	c := g.sim.world.components.get(testComponent)
	return c.Tickets[len(c.Tickets)-1].Value
}
