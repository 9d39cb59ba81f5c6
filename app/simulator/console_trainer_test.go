package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// press submits a console form and gives the page that follows.
func (g *rig) press(action string, fields map[string]string) (page string, status int) {
	g.t.Helper()
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	resp, err := http.PostForm(g.server.URL+"/console/do/"+action, form)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		g.t.Fatal(err)
	}
	if text := resp.Request.URL.Query().Get("err"); text != "" {
		return text, http.StatusConflict
	}
	return resp.Request.URL.Query().Get("ok"), resp.StatusCode
}

func TestEveryPageOfTheConsoleSaysWhatItIsFor(t *testing.T) {
	g := startRig(t, Options{})
	for _, item := range newWorld().menu() {
		_, page := g.send("GET", item.Href, nil)
		if leads[item.Key] == "" || !strings.Contains(string(page), leads[item.Key]) {
			t.Errorf("%s does not say what it is for", item.Href)
		}
		if !strings.Contains(string(page), `aria-current="page"`) {
			t.Errorf("%s is not marked in the menu", item.Href)
		}
	}
	if len(leads) != len(newWorld().menu()) {
		t.Errorf("%d pages and %d purposes", len(newWorld().menu()), len(leads))
	}
}

func TestATrainerPlaysCustomersPunishesAndBreaksThings(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	back := "/console/miniprograms/" + testProgram
	customer := func(act, text string) (string, int) {
		return g.press("customer", map[string]string{"back": back, "appid": testProgram, "act": act, "text": text, "person": "guke"})
	}
	for _, act := range []string{"say", "pay", "error", "feedback"} {
		if said, status := customer(act, "你好"); status != http.StatusOK || said == "" {
			t.Errorf("%s: %d %s", act, status, said)
		}
	}
	if got := g.platform.wait("text")["Content"]; got != "你好" {
		t.Errorf("the platform heard %q", got)
	}
	if list := g.ok("GET", "/wxaapi/feedback/list?access_token="+at, nil); list["total_num"] != float64(1) {
		t.Errorf("feedback %v", list)
	}
	g.program("wx00000000000000e1", nil)
	if said, status := g.press("customer", map[string]string{"back": back, "appid": "wx00000000000000e1", "act": "say", "text": "x"}); status != http.StatusConflict || !strings.Contains(said, "没有人收") {
		t.Errorf("a message to nobody: %d %s", status, said)
	}
	if said, _ := g.press("restriction", map[string]string{"back": back, "appid": testProgram, "submit_banned": "1"}); !strings.Contains(said, "已保存") {
		t.Error(said)
	}
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1.0.0"))
	g.advance(11)
	g.refused(86007, "POST", "/wxa/submit_audit?access_token="+at, submitBody())
	if said, _ := g.press("restriction", map[string]string{"back": "/console", "component_appid": testComponent, "punished": "all", "unreleased": "1", "test_accounts": testProgram}); !strings.Contains(said, "已保存") {
		t.Error(said)
	}
	_, page := g.send("GET", "/console/components/"+testComponent, nil)
	for _, want := range []string{`value="all" selected`, `value="` + testProgram + `"`, "全网发布检测"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the platform's page lacks %s", want)
		}
	}
	for _, p := range faultPresets {
		fields := map[string]string{"back": "/console/faults", "path": "/wxa/*"}
		for _, f := range p.Fields {
			fields[f[0]] = f[1]
		}
		if said, status := g.press("fault", fields); status != http.StatusOK {
			t.Errorf("%s: %s", p.Key, said)
		}
	}
	if n := len(g.control("faults", nil)["items"].([]any)); n != len(faultPresets) {
		t.Errorf("%d faults of %d buttons", n, len(faultPresets))
	}
}

func TestATrainingScenarioOffersWhatIsConnected(t *testing.T) {
	g := startRig(t, Options{})
	g.ready()
	g.control("components", object{"appid": "wx00000000000000b9", "name": "没有连接的平台"})
	g.program("wx00000000000000e1", nil)
	_, page := g.send("GET", "/console/scenarios/train-audit", nil)
	for _, want := range []string{`name="var_component" value="` + testComponent + `"`, `name="var_appid" value="` + testProgram + `"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(string(page), `data-test="place-alone"`) {
		t.Error("a training scenario is offered without a platform")
	}
	_, page = g.send("GET", "/console/scenarios/train-authorization", nil)
	if !strings.Contains(string(page), `value="wx5ce0000000000b01"`) {
		t.Error("the mini program that the scenario makes itself is replaced")
	}
	for _, c := range []struct {
		name   string
		fields map[string]string
		want   string
	}{
		{"alone", map[string]string{"place": "alone"}, "要与连接的平台一起运行"},
		{"not connected", map[string]string{"place": "here", "var_component": "wx00000000000000b9"}, "没有填写回调 URL"},
		{"unknown", map[string]string{"place": "here", "var_component": "wx00000000000000b8"}, "不存在"},
	} {
		c.fields["id"], c.fields["back"] = "train-ticket", "/console/scenarios/train-ticket"
		if said, status := g.press("scenario-run", c.fields); status != http.StatusConflict || !strings.Contains(said, c.want) {
			t.Errorf("%s: %d %s", c.name, status, said)
		}
	}
}
