package command

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"minifleet/app/simulator"
)

// trainee is somebody on the platform who does what a scenario waits for, by the same REST as anybody.
type trainee struct {
	*world
	did map[string]bool
}

// TestTrainingScenariosPassBesideTheRealPlatform runs every shipped scenario that waits for people, and the release check,
// on the simulator that a real platform with its plugins is connected to.
func TestTrainingScenariosPassBesideTheRealPlatform(t *testing.T) {
	w := newWorld(t)
	component := w.ids["component"]
	const newcomer = "wx5ce0000000000b01"
	audit := map[string]any{"item_list": []map[string]any{{"first_class": "商家自营", "second_class": "食品饮料", "first_id": 304, "second_id": 325}}, "version_desc": "练习"}
	commit := func(x trainee) { x.insist("A", "/version/miniprograms/"+shop+"/commit", x.upload()) }
	submit := func(x trainee) { x.insist("U", "/version/miniprograms/"+shop+"/audit", audit) }
	act := func(path string, in map[string]any) func(trainee) {
		return func(x trainee) { x.insist("U", "/version/miniprograms/"+shop+path, in) }
	}
	authorize := func(x trainee) { x.authorize(component, newcomer) }
	for _, c := range []struct {
		id   string
		vars map[string]string
		does map[string]func(trainee) // by the name of the step that waits
	}{
		{"release-check", nil, nil},
		{"train-authorization", map[string]string{"appid": newcomer}, map[string]func(trainee){"平台生成预授权码": authorize, "重新授权": authorize}},
		{"train-audit", map[string]string{"appid": shop}, map[string]func(trainee){"上传代码": commit, "提交审核": submit, "改好后重新提交": submit,
			"灰度发布下一版": act("/gray", map[string]any{"gray_percentage": 30}), "全量发布": act("/release", map[string]any{}), "上传并提交下一版": commit,
			"提交下一版": submit, "全量发布下一版": act("/release", map[string]any{}), "回退到上一版": act("/rollback", map[string]any{})}},
		{"train-revoked", map[string]string{"appid": shop}, map[string]func(trainee){"上传代码": commit, "续推": func(x trainee) {
			x.control("/control/clock", map[string]any{"advance_seconds": 60}, nil)
			submit(x)
		}}},
		{"train-faults", map[string]string{"appid": shop}, map[string]func(trainee){
			"上传代码遇到系统繁忙": func(x trainee) {
				x.withdraw()
				x.once("A", "/version/miniprograms/"+shop+"/commit", x.upload())
			},
			"重试后上传成功":    commit,
			"提审，但没有得到应答": func(x trainee) { x.once("U", "/version/miniprograms/"+shop+"/audit", audit) },
		}},
		{"train-ticket", nil, map[string]func(trainee){"学员启动推送": func(x trainee) { x.insist("A", "/components/"+component+"/start-push", map[string]any{}) },
			"平台换到新的令牌": func(x trainee) { x.insist("A", "/components/"+component+"/check", map[string]any{}) }}},
	} {
		t.Run(c.id, func(t *testing.T) {
			vars := map[string]string{"component": component}
			for k, v := range c.vars {
				vars[k] = v
			}
			mine := *w
			mine.t = t
			trainee{&mine, map[string]bool{}}.passes(c.id, vars, c.does)
		})
	}
	all, err := simulator.ShippedScenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.Platform && !strings.Contains("train-authorization train-audit train-revoked train-faults train-ticket", sc.ID) {
			t.Errorf("the scenario %s waits for people and is run by no test", sc.ID)
		}
	}
}

// passes starts a scenario on the simulator and does what its steps wait for.
func (x trainee) passes(id string, vars map[string]string, does map[string]func(trainee)) {
	x.t.Helper()
	var run struct {
		ID      int64
		State   string
		Problem string
		Steps   []simulator.ScenarioStep
	}
	x.control("/control/scenarios/"+id+"/run", map[string]any{"in_place": true, "vars": vars}, &run)
	for end := time.Now().Add(4 * time.Minute); run.State == "running"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Errorf("the scenario does not end")
			break
		}
		for _, s := range run.Steps {
			if do := does[s.Name]; do != nil && s.State == "running" && !x.did[s.Name] {
				x.did[s.Name] = true
				do(x)
			}
		}
		x.look(fmt.Sprintf("/control/runs/%d", run.ID), &run)
	}
	if run.State != "passed" {
		x.t.Errorf("%s: %s %s", id, run.State, run.Problem)
		for _, s := range run.Steps {
			x.t.Logf("%s %s %s", s.State, s.Name, s.Detail)
		}
	}
	for name := range does {
		if !x.did[name] {
			x.t.Errorf("the scenario never waited for %q", name)
		}
	}
}

// look reads from the simulator.
func (x trainee) look(path string, out any) {
	x.t.Helper()
	res, err := http.Get(x.sim + path)
	if err != nil {
		x.t.Fatal(err)
	}
	err = json.NewDecoder(res.Body).Decode(out)
	if closed := res.Body.Close(); err != nil || closed != nil {
		x.t.Fatal(err, closed)
	}
}

// once presses a button that may fail.
func (x trainee) once(who, path string, in map[string]any) (int, string) {
	x.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		x.t.Fatal(err)
	}
	status, answer, _ := x.send(who, "POST", "/api/v1"+path, string(raw), false)
	return status, answer
}

// insist presses a button until the platform, which learns of some things by a push, lets it.
func (x trainee) insist(who, path string, in map[string]any) {
	x.t.Helper()
	for end := time.Now().Add(45 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		status, answer := x.once(who, path, in)
		if status < 300 {
			return
		}
		if time.Now().After(end) {
			x.t.Fatalf("%s %s: %d %.400s", who, path, status, answer)
		}
	}
}

func (x trainee) upload() map[string]any {
	return map[string]any{"template": x.ids["template"], "user_version": fmt.Sprintf("9.%d", time.Now().UnixNano()%1_000_000), "user_desc": "练习"}
}

// withdraw takes back what an earlier scenario left in review.
func (x trainee) withdraw() {
	x.t.Helper()
	x.insist("U", "/version/miniprograms/"+shop+"/audit/withdraw", map[string]any{})
}

// authorize makes a link on the platform and scans it as the mini program's administrator.
func (x trainee) authorize(component, appid string) {
	x.t.Helper()
	var ticket struct{ Ticket string }
	x.rest("A", "POST", "/components/"+component+"/authorizations", map[string]any{}, &ticket)
	_, page, _ := x.send("A", "POST", "/auth/"+ticket.Ticket+"/open", "via=h5", true)
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(x.sim) + `/[^"]+)"`).FindStringSubmatch(page)
	if link == nil {
		x.t.Fatalf("landing page: %.600s", page)
	}
	x.control("/control/scan", map[string]any{"url": html.UnescapeString(link[1]), "appid": appid}, nil)
}
