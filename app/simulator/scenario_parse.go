package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// scenario reads the whole document. Variables come first, whatever their place in the file, since everything uses them.
func (r *scenarioReader) scenario(n *yaml.Node) *scenario {
	out := &scenario{}
	later := map[string]func(){}
	visit := map[string]func(*yaml.Node, string){
		"name": r.text(&out.Name), "about": r.text(&out.About),
		"needs": func(n *yaml.Node, at string) {
			if out.Platform = n.Value == "platform"; !out.Platform {
				r.fail(n, at, "只能是 platform：剧本要与连接的平台一起运行")
			}
		},
		"start": func(n *yaml.Node, at string) {
			t, err := time.ParseInLocation(time.DateTime, n.Value, shanghai)
			if err != nil {
				r.fail(n, at, "应为北京时间，例如 \"2026-03-02 09:00:00\"")
			}
			out.Start = t
		},
		"vars":   func(n *yaml.Node, at string) { out.Vars = r.vars(n, at) },
		"setup":  func(n *yaml.Node, at string) { later["setup"] = func() { out.Setup = r.setup(n, at) } },
		"steps":  func(n *yaml.Node, at string) { later["steps"] = func() { out.Steps = r.steps(n, at) } },
		"expect": func(n *yaml.Node, at string) { later["expect"] = func() { out.Expect = r.steps(n, at) } },
	}
	r.keys(n, "", visit)
	for _, key := range []string{"setup", "steps", "expect"} {
		if f := later[key]; f != nil {
			f()
		}
	}
	if out.Name == "" && n.Kind == yaml.MappingNode {
		r.fail(n, "name", "请给剧本起个名字")
	}
	if later["steps"] == nil && n.Kind == yaml.MappingNode {
		r.fail(n, "steps", "至少要有一个步骤")
	}
	return out
}

var varName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func (r *scenarioReader) define(n *yaml.Node, at, name string) {
	if !varName.MatchString(name) {
		r.fail(n, at, "变量名应为小写字母、数字、下划线，以字母开头")
	}
	r.names[name] = true
}

func (r *scenarioReader) vars(n *yaml.Node, at string) []scenarioVar {
	out := []scenarioVar{}
	if n.Kind != yaml.MappingNode {
		r.fail(n, at, "应为“变量名: 默认值”的列表")
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := join(at, key.Value)
		if r.names[key.Value] {
			r.fail(key, path, "这个变量名已被使用")
		}
		v := scenarioVar{Name: key.Value, Label: strings.TrimSpace(strings.TrimLeft(key.LineComment+value.LineComment, "# "))}
		r.text(&v.Value)(value, path)
		r.define(key, path, key.Value)
		out = append(out, v)
	}
	return out
}

// setupCalls are the parts of a set-up, in the order they are carried out: key, control call, and whether something that is
// there already is left alone.
var setupCalls = []struct {
	key, name string // name is what a run shows
	path      string
	list      bool
	ensure    bool
}{
	{"settings", "平台参数", "settings", false, false}, {"clock", "时钟", "clock", false, false}, {"people", "微信用户", "people", true, false},
	{"components", "第三方平台", "components", true, true}, {"miniprograms", "小程序", "miniprograms", true, true}, {"fleet", "批量小程序", "fleet", false, false},
	{"drafts", "草稿", "drafts", true, false}, {"restrictions", "处罚与限制", "restrictions", true, false}, {"authorizations", "授权", "authorizations", true, false}, {"latency", "接口耗时", "latency", true, false},
	{"faults", "故障", "faults", true, false},
}

func (r *scenarioReader) setup(n *yaml.Node, at string) []scenarioStep {
	found := map[string][]scenarioStep{}
	visit := map[string]func(*yaml.Node, string){}
	for _, c := range setupCalls {
		one := func(n *yaml.Node, at string) {
			step := scenarioStep{Line: n.Line, Name: fmt.Sprintf("%s %d", c.name, len(found[c.key])+1), Ctl: http.MethodPost + " " + c.path, Ensure: c.ensure}
			if n.Kind != yaml.MappingNode {
				r.fail(n, at, "应为“名称: 值”的列表")
				return
			}
			r.anything(&step.Body)(n, at)
			found[c.key] = append(found[c.key], step)
		}
		visit[c.key] = one
		if c.list {
			visit[c.key] = func(n *yaml.Node, at string) { r.items(n, at, one) }
		}
	}
	r.keys(n, at, visit)
	out := []scenarioStep{}
	for _, c := range setupCalls {
		out = append(out, found[c.key]...)
	}
	return out
}

func (r *scenarioReader) steps(n *yaml.Node, at string) []scenarioStep {
	out := []scenarioStep{}
	r.items(n, at, func(n *yaml.Node, at string) { out = append(out, r.step(n, at)) })
	if len(out) > maxScenarioSteps {
		r.fail(n, at, "步骤不能超过 %d 个", maxScenarioSteps)
	}
	return out
}

func (r *scenarioReader) step(n *yaml.Node, at string) scenarioStep {
	s := scenarioStep{Line: n.Line}
	saves := []func(){}
	r.keys(n, at, map[string]func(*yaml.Node, string){
		"name": r.text(&s.Name), "hint": r.text(&s.Hint), "as": r.text(&s.As), "body": r.anything(&s.Body),
		"call":    func(n *yaml.Node, at string) { s.Call = r.address(n, at, "") },
		"control": func(n *yaml.Node, at string) { s.Ctl = r.address(n, at, "/control/") },
		"query": func(n *yaml.Node, at string) {
			var q any
			r.anything(&q)(n, at)
			if s.Query, _ = q.(map[string]any); s.Query == nil {
				r.fail(n, at, "应为“名称: 值”的列表")
			}
		},
		"await":  func(n *yaml.Node, at string) { s.Await = r.await(n, at) },
		"expect": func(n *yaml.Node, at string) { s.Expect = r.expectations(n, at) },
		"save": func(n *yaml.Node, at string) {
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				key, value := n.Content[i], n.Content[i+1]
				s.Save = append(s.Save, scenarioVar{Name: key.Value, Value: value.Value})
				saves = append(saves, func() { r.define(key, join(at, key.Value), key.Value) })
			}
			if len(s.Save) == 0 {
				r.fail(n, at, "应为“变量名: 应答中的路径”的列表")
			}
		},
	})
	for _, save := range saves { // a step cannot use what it saves itself
		save()
	}
	kinds := 0
	for _, given := range []bool{s.Call != "", s.Ctl != "", s.Await != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case n.Kind == yaml.MappingNode && kinds != 1:
		r.fail(n, at, "每个步骤要有 call、control、await 中的一个")
	case s.Await != nil && (s.Body != nil || s.Save != nil || s.Expect != nil):
		r.fail(n, at, "await 只等待，不能带 body、save、expect")
	case s.Ctl != "" && s.As != "":
		r.fail(n, join(at, "as"), "as 只用于 call")
	}
	if s.Name == "" {
		s.Name = strings.TrimSpace(s.Call + s.Ctl)
	}
	return s
}

// address reads "POST /wxa/commit" or, for the control API, "clock".
func (r *scenarioReader) address(n *yaml.Node, at, base string) string {
	r.checkVars(n, at)
	method, path, both := strings.Cut(n.Value, " ")
	if !both {
		method, path = http.MethodPost, n.Value
	}
	path = strings.TrimSpace(path)
	switch {
	case method != http.MethodGet && method != http.MethodPost && method != http.MethodDelete:
		r.fail(n, at, "方法只能是 GET、POST、DELETE")
	case base == "" && !strings.HasPrefix(path, "/"):
		r.fail(n, at, "接口路径以 / 开头，例如 POST /wxa/commit")
	case r.known != nil && !r.known(method, base+varPattern.ReplaceAllString(path, "x")):
		r.fail(n, at, "模拟器没有这个接口：%s", n.Value)
	}
	return method + " " + path
}

// awaitFilters are the keys of a filter. Read only.
var awaitFilters = map[string][]string{
	"calls":  {"path", "appid", "component_appid", "errcode"},
	"pushes": {"kind", "appid", "component_appid", "state"},

	"release_checks": {"component_appid", "state"},
}

func (r *scenarioReader) await(n *yaml.Node, at string) *scenarioAwait {
	w := &scenarioAwait{Count: 1, Within: 10 * time.Second, Filter: map[string]string{}}
	visit := map[string]func(*yaml.Node, string){
		"count": func(n *yaml.Node, at string) {
			var err error
			if w.Count, err = strconv.Atoi(n.Value); err != nil || w.Count < 1 || w.Count > 10_000 {
				r.fail(n, at, "应为 1 到 10000 的整数")
			}
		},
		"within": func(n *yaml.Node, at string) {
			seconds, err := strconv.Atoi(n.Value)
			w.Within = time.Duration(seconds) * time.Second
			if err != nil || seconds < 1 || w.Within > maxAwait {
				r.fail(n, at, "应为 1 到 3600 的秒数")
			}
		},
	}
	visit["control"] = func(n *yaml.Node, at string) {
		if w.Ctl = r.address(n, at, "/control/"); !strings.HasPrefix(w.Ctl, http.MethodGet+" ") {
			r.fail(n, at, "等待时只能用 GET 查询")
		}
	}
	visit["expect"] = func(n *yaml.Node, at string) { w.Expect = r.expectations(n, at) }
	for kind, keys := range awaitFilters {
		visit[kind] = func(n *yaml.Node, at string) {
			if w.Kind != "" {
				r.fail(n, at, "calls、pushes、release_checks 只能写一个")
			}
			w.Kind = kind
			fields := map[string]func(*yaml.Node, string){}
			for _, key := range keys {
				fields[key] = func(n *yaml.Node, at string) {
					value := ""
					r.text(&value)(n, at)
					w.Filter[key] = value
				}
			}
			r.keys(n, at, fields)
		}
	}
	r.keys(n, at, visit)
	switch {
	case w.Ctl != "" && w.Kind != "":
		r.fail(n, at, "control 不能与 calls、pushes、release_checks 一起写")
	case (w.Ctl != "") != (len(w.Expect) > 0):
		r.fail(n, at, "control 与 expect 要一起写：反复查询，直到结果符合")
	case w.Ctl != "":
		w.Kind = "control"
	}
	if w.Kind == "" && n.Kind == yaml.MappingNode {
		r.fail(n, at, "请写明等待 calls（平台的调用）、pushes（推送）、release_checks（全网发布检测）还是 control（查询到的状态）")
	}
	return w
}

// expectOps are the ways of comparing besides equality. Read only.
var expectOps = map[string]bool{"min": true, "max": true, "contains": true, "present": true, "absent": true}

func (r *scenarioReader) expectations(n *yaml.Node, at string) []expectation {
	if n.Kind != yaml.MappingNode {
		r.fail(n, at, "应为“应答中的路径: 值”的列表")
		return nil
	}
	out := []expectation{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := join(at, key.Value)
		if value.Kind != yaml.MappingNode {
			e := expectation{Path: key.Value, Op: "is"}
			r.anything(&e.Value)(value, path)
			out = append(out, e)
			continue
		}
		known := map[string]func(*yaml.Node, string){}
		for op := range expectOps {
			known[op] = func(n *yaml.Node, at string) {
				e := expectation{Path: key.Value, Op: op}
				r.anything(&e.Value)(n, at)
				if _, isNumber := asNumber(e.Value); (op == "min" || op == "max") && !isNumber && !varPattern.MatchString(fmt.Sprint(e.Value)) {
					r.fail(n, at, "应为数字")
				}
				out = append(out, e)
			}
		}
		r.keys(value, path, known)
	}
	return out
}
