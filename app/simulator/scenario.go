package simulator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// scenario is a story on the simulator: a stage, steps, and what must be true in the end. Its file format is described on
// the console's help page.
type scenario struct {
	Name, About string
	Platform    bool      // a platform has to be connected: it waits for what somebody does there
	Start       time.Time // simulated time at which an isolated run begins
	Vars        []scenarioVar
	Setup       []scenarioStep
	Steps       []scenarioStep
	Expect      []scenarioStep
}

// scenarioVar is a name with its default, which whoever runs the scenario may replace.
type scenarioVar struct{ Name, Value, Label string }

// scenarioStep is one thing that is done, or waited for, with what must come of it.
type scenarioStep struct {
	Line   int
	Name   string
	Hint   string // for the person who is to do what the step waits for
	Call   string // "POST /wxa/commit": a call of WeChat's interface, in the place of a platform
	As     string // whose token the call carries: platform, an appid, or "" for none
	Query  map[string]any
	Ctl    string // "POST clock": a call of the control API
	Body   any
	Await  *scenarioAwait
	Expect []expectation
	Save   []scenarioVar // Name is filled with what stands at the path Value of the answer
	Ensure bool          // set-up of something that may be there already: then it stays as it is
}

// scenarioAwait is what has to be seen among calls or pushes before the scenario goes on.
type scenarioAwait struct {
	Kind   string // calls, pushes, release_checks, or control: Ctl is asked until Expect fits
	Ctl    string // "GET miniprograms?appid=…"
	Expect []expectation
	Filter map[string]string // query of /control/calls, /control/pushes or /control/release-checks
	Count  int               // at least so many new ones since the scenario began
	Within time.Duration     // real time
}

// expectation is one thing an answer must have. Path is dotted; status and errcode are those of the answer itself.
type expectation struct {
	Path  string
	Op    string // is, min, max, contains, present, absent
	Value any
}

const (
	maxScenarioBytes = 256 << 10
	maxScenarioSteps = 500
	maxAwait         = time.Hour
)

// scenarioProblem is one mistake in a scenario's file.
type scenarioProblem struct {
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func (p scenarioProblem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("第 %d 行：%s", p.Line, p.Message)
	}
	return fmt.Sprintf("第 %d 行 %s：%s", p.Line, p.Key, p.Message)
}

// scenarioError is all mistakes of a file.
type scenarioError []scenarioProblem

func (e scenarioError) Error() string {
	lines := []string{}
	for _, p := range e {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// scenarioReader turns YAML into a scenario and collects what is wrong.
type scenarioReader struct {
	problems scenarioError
	known    func(method, path string) bool // does the simulator have this address
	names    map[string]bool                // variables that have a value by now
}

// builtinVars are the names that always have a value. Read only.
var builtinVars = []string{"ticket", "secret", "now"}

// parseScenario reads a file; the error is a scenarioError.
func parseScenario(text []byte, known func(method, path string) bool) (*scenario, error) {
	r := &scenarioReader{known: known, names: map[string]bool{}}
	for _, name := range builtinVars {
		r.names[name] = true
	}
	if len(text) > maxScenarioBytes {
		return nil, scenarioError{{1, "", "文件不能超过 256 KiB"}}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, scenarioError{yamlProblem(err)}
	}
	if len(doc.Content) == 0 {
		return nil, scenarioError{{1, "", "文件是空的"}}
	}
	out := r.scenario(doc.Content[0])
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b scenarioProblem) int { return a.Line - b.Line })
		return nil, r.problems
	}
	return out, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// yamlProblem takes the line out of the YAML library's sentence.
func yamlProblem(err error) scenarioProblem {
	p := scenarioProblem{Line: 1, Message: "不是有效的 YAML：" + err.Error()}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if _, e := fmt.Sscan(m[1], &p.Line); e == nil {
			p.Message = "不是有效的 YAML：" + m[2]
		}
	}
	return p
}

func (r *scenarioReader) fail(n *yaml.Node, key, format string, args ...any) {
	r.problems = append(r.problems, scenarioProblem{n.Line, key, fmt.Sprintf(format, args...)})
}

// keys visits the entries of a mapping; an unknown or repeated key is a mistake.
func (r *scenarioReader) keys(n *yaml.Node, at string, known map[string]func(n *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, at, "应为“名称: 值”的列表")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		visit, ok := known[key.Value]
		switch path := join(at, key.Value); {
		case !ok:
			names := []string{}
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			r.fail(key, path, "没有这个键，可用：%s", strings.Join(names, " "))
		case seen[key.Value]:
			r.fail(key, path, "重复了")
		default:
			visit(value, path)
		}
		seen[key.Value] = true
	}
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// items visits the entries of a list.
func (r *scenarioReader) items(n *yaml.Node, at string, visit func(n *yaml.Node, at string)) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, at, "应为列表，每项以“- ”开头")
		return
	}
	for i, item := range n.Content {
		visit(item, fmt.Sprintf("%s[%d]", at, i+1))
	}
}

// text reads a scalar into a string.
func (r *scenarioReader) text(into *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			r.fail(n, at, "应为一个值")
			return
		}
		r.checkVars(n, at)
		*into = n.Value
	}
}

// anything reads any value; texts in it may hold variables.
func (r *scenarioReader) anything(into *any) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		r.checkVars(n, at)
		if err := n.Decode(into); err != nil {
			p := yamlProblem(err)
			r.fail(n, at, "%s", p.Message)
			return
		}
		if bad := unjsonable(*into); bad != "" {
			r.fail(n, at, "%s", bad)
		}
	}
}

// unjsonable tells what of a YAML value JSON cannot hold.
func unjsonable(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			if bad := unjsonable(value); bad != "" {
				return bad
			}
		}
	case []any:
		for _, value := range v {
			if bad := unjsonable(value); bad != "" {
				return bad
			}
		}
	case map[any]any:
		return "键必须是文字，请给数字键加引号"
	case time.Time:
		return "日期请加引号"
	}
	return ""
}

var varPattern = regexp.MustCompile(`\$\{([^}]*)\}`)

// checkVars finds uses of names that have no value.
func (r *scenarioReader) checkVars(n *yaml.Node, at string) {
	for _, m := range varPattern.FindAllStringSubmatch(n.Value, -1) {
		if !r.names[m[1]] {
			r.fail(n, at, "没有名为 %s 的变量，请在 vars 中定义，或在之前的步骤用 save 取得", m[1])
		}
	}
	for _, child := range n.Content {
		r.checkVars(child, at)
	}
}
