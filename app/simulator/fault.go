package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// fault makes the platform misbehave on a path, a number of times or in a share of the calls.
type fault struct {
	ID          int64  `json:"id"`
	Path        string `json:"path"`         // exact path, a prefix ending in *, or * for all
	AppID       string `json:"appid"`        // only calls of this mini program or component; "" for all
	Errcode     int    `json:"errcode"`      // answer this errcode
	HTTPStatus  int    `json:"http_status"`  // answer this status without JSON
	DelayMs     int64  `json:"delay_ms"`     // real milliseconds before anything happens
	Drop        bool   `json:"drop"`         // close the connection instead of answering
	After       bool   `json:"after"`        // the call takes effect first, only its answer is spoiled
	ContentType string `json:"content_type"` // the answer claims to be this
	Broken      string `json:"broken"`       // what is wrong with the answer's bytes, a key of breakages
	Percent     int    `json:"percent"`      // hits this share of the calls; 0 and 100 hit all
	Times       int    `json:"times"`        // how often still; −1 for ever
	Hits        int    `json:"hits"`
}

// breakages are the ways in which an answer can be damaged. The call itself took effect. Read only.
var breakages = map[string]string{
	"json": "JSON 缺尾部", "html": "换成一张 HTML 错误页", "empty": "正文为空", "cut": "传到一半断开连接",
}

const maxFaultDelayMs = 120_000

// faultPreset is a fault that a trainer makes with one click.
type faultPreset struct {
	Key, Label string
	Fields     [][2]string
}

// faultPresets are the troubles a platform meets most. Read only.
var faultPresets = []faultPreset{
	{"limit", "频率受限 45009，3 次", [][2]string{{"errcode", "45009"}, {"times", "3"}}},
	{"busy", "系统繁忙 -1，2 次", [][2]string{{"errcode", "-1"}, {"times", "2"}}},
	{"token", "令牌失效 40001，1 次", [][2]string{{"errcode", "40001"}, {"times", "1"}}},
	{"gateway", "网关错误 502，2 次", [][2]string{{"http_status", "502"}, {"times", "2"}}},
	{"cut", "断开连接，1 次", [][2]string{{"drop", "1"}, {"times", "1"}}},
	{"lost", "已生效但没有应答，1 次", [][2]string{{"drop", "1"}, {"after", "1"}, {"times", "1"}}},
	{"slow", "变慢 3 秒，5 次", [][2]string{{"delay_ms", "3000"}, {"times", "5"}}},
	{"html", "应答变成网页，1 次", [][2]string{{"broken", "html"}, {"times", "1"}}},
	{"half", "三成调用失败，一直", [][2]string{{"errcode", "-1"}, {"percent", "30"}, {"times", "-1"}}},
}

// check tells what is wrong with a fault that a person or a program asks for.
func (f *fault) check() error {
	switch {
	case f.Path == "":
		return badRequest("path", "请填写接口路径，例如 /wxa/commit，或用 * 表示全部接口")
	case f.Path != "*" && !strings.HasPrefix(f.Path, "/"):
		return badRequest("path", "接口路径以 / 开头，例如 /wxa/commit；结尾的 * 表示前缀")
	case f.Errcode == 0 && f.HTTPStatus == 0 && f.DelayMs == 0 && !f.Drop && f.ContentType == "" && f.Broken == "":
		return badRequest("errcode", "请至少填写 errcode、HTTP 状态码、延迟、断开、内容类型、损坏方式中的一项")
	case f.Errcode != 0 && f.HTTPStatus != 0:
		return badRequest("http_status", "errcode 与 http_status 只能填写一项")
	case f.HTTPStatus != 0 && (f.HTTPStatus < 200 || f.HTTPStatus > 599):
		return badRequest("http_status", "HTTP 状态码应在 200 到 599 之间")
	case f.DelayMs < 0 || f.DelayMs > maxFaultDelayMs:
		return badRequest("delay_ms", "延迟应在 0 到 120000 毫秒之间")
	case f.Broken != "" && breakages[f.Broken] == "":
		return badRequest("broken", "损坏方式只能是 json、html、empty、cut")
	case f.Broken != "" && f.Drop:
		return badRequest("broken", "断开连接时没有应答，不能再选损坏方式")
	case strings.ContainsAny(f.ContentType, "\r\n") || len(f.ContentType) > 100:
		return badRequest("content_type", "内容类型应是一行文字，例如 text/html")
	case f.Percent < 0 || f.Percent > 100:
		return badRequest("percent", "比例应在 0 到 100 之间")
	case f.Times < -1:
		return badRequest("times", "次数应为正数，-1 表示一直有效")
	}
	return nil
}

func (f *fault) fits(c *call) bool {
	prefix, isPrefix := strings.CutSuffix(f.Path, "*")
	if (isPrefix && !strings.HasPrefix(c.Path, prefix)) || (!isPrefix && f.Path != c.Path) {
		return false
	}
	return f.AppID == "" || f.AppID == c.AppID || f.AppID == c.Component
}

// takeFault finds the oldest fault that fits the call and uses it once.
func (w *world) takeFault(c *call) *fault {
	for _, id := range w.faults.ids() {
		f := w.faults.get(id)
		if !f.fits(c) || (f.Percent > 0 && w.ids.percent() >= f.Percent) {
			continue
		}
		f.Hits++
		if f.Times > 0 {
			f.Times--
		}
		w.faults.put(id, f)
		if f.Times == 0 {
			w.faults.delete(id)
		}
		c.Fault = f.String()
		used := *f
		return &used
	}
	return nil
}

// answers tells whether the fault replaces the answer; delays and damages do not.
func (f *fault) answers() bool { return f.Errcode != 0 || f.HTTPStatus != 0 || f.Drop }

func (f *fault) reply(rid string) reply {
	switch {
	case f.Drop:
		return reply{contentType: "text/plain; charset=utf-8", cut: cutAll, note: "(connection closed)"}
	case f.HTTPStatus != 0:
		return reply{status: f.HTTPStatus, contentType: "text/plain; charset=utf-8", body: []byte(http.StatusText(f.HTTPStatus) + "\n")}
	}
	body := fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, f.Errcode, errcodeText(f.Errcode)+" rid: "+rid)
	return reply{status: http.StatusOK, contentType: "application/json; charset=utf-8", body: []byte(body), errcode: f.Errcode}
}

// spoil damages an answer that is there.
func (f *fault) spoil(out reply) reply {
	switch f.Broken {
	case "json":
		out.body = out.body[:max(len(out.body)-1-len(out.body)/3, 0)]
	case "html":
		out.contentType, out.body = "text/html; charset=utf-8", []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n")
	case "empty":
		out.body = nil
	case "cut":
		out.cut = cutHalf
	}
	if f.Broken != "" {
		out.note, out.fileName = fmt.Sprintf("(%s, %d bytes)", f.Broken, len(out.body)), ""
	}
	if f.ContentType != "" {
		out.contentType = f.ContentType
	}
	return out
}

func (f *fault) String() string {
	text := fmt.Sprintf("#%d", f.ID)
	if f.DelayMs > 0 {
		text += fmt.Sprintf(" delay %dms", f.DelayMs)
	}
	switch {
	case f.Drop:
		text += " drop"
	case f.HTTPStatus != 0:
		text += fmt.Sprintf(" http %d", f.HTTPStatus)
	case f.Errcode != 0:
		text += fmt.Sprintf(" errcode %d", f.Errcode)
	}
	if f.Broken != "" {
		text += " broken " + f.Broken
	}
	if f.ContentType != "" {
		text += " as " + f.ContentType
	}
	if f.After {
		text += " after effect"
	}
	return text
}

// Effect is what the fault does, in the words of the console.
func (f *fault) Effect() string {
	parts := []string{}
	if f.DelayMs > 0 {
		parts = append(parts, fmt.Sprintf("延迟 %d 毫秒", f.DelayMs))
	}
	switch {
	case f.Drop:
		parts = append(parts, "断开连接")
	case f.HTTPStatus != 0:
		parts = append(parts, fmt.Sprintf("HTTP %d", f.HTTPStatus))
	case f.Errcode != 0:
		parts = append(parts, fmt.Sprintf("errcode %d", f.Errcode))
	}
	if f.Broken != "" {
		parts = append(parts, breakages[f.Broken])
	}
	if f.ContentType != "" {
		parts = append(parts, "内容类型 "+f.ContentType)
	}
	if f.After {
		parts = append(parts, "调用已生效")
	}
	return strings.Join(parts, " · ")
}

// faultRequest asks for a fault; see fault for the meaning of the keys.
type faultRequest struct {
	Path        string `json:"path"`
	AppID       string `json:"appid"`
	Errcode     int    `json:"errcode"`
	HTTPStatus  int    `json:"http_status"`
	DelayMs     int64  `json:"delay_ms"`
	Drop        bool   `json:"drop"`
	After       bool   `json:"after"`
	ContentType string `json:"content_type"`
	Broken      string `json:"broken"`
	Percent     int    `json:"percent"`
	Times       int    `json:"times"` // 0 means once, with a percentage for ever
}

func addFault(w *world, _ int64, _ *http.Request, req faultRequest) (any, error) {
	f := &fault{Path: req.Path, AppID: req.AppID, Errcode: req.Errcode, HTTPStatus: req.HTTPStatus, DelayMs: req.DelayMs, Drop: req.Drop,
		After: req.After, ContentType: req.ContentType, Broken: req.Broken, Percent: req.Percent, Times: req.Times}
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Times == 0 {
		f.Times = 1
		if f.Percent > 0 {
			f.Times = -1
		}
	}
	f.ID = w.ids.number(0)
	w.faults.put(sequenceID(f.ID), f)
	return f, nil
}

func listFaults(w *world, _ int64, _ *http.Request, _ none) (any, error) {
	return map[string]any{"items": w.faults.all()}, nil
}

// deleteFaults removes one with ?id=, otherwise all.
func deleteFaults(w *world, _ int64, r *http.Request, _ none) (any, error) {
	want := r.URL.Query().Get("id")
	removed := 0
	for _, f := range w.faults.all() {
		if want == "" || want == fmt.Sprint(f.ID) {
			w.faults.delete(sequenceID(f.ID))
			removed++
		}
	}
	if want != "" && removed == 0 {
		return nil, notFound("id", "没有这条故障")
	}
	return map[string]any{"removed": removed}, nil
}

// latencyRequest states how long a path takes; 0 takes the statement back.
type latencyRequest struct {
	Path      string `json:"path"`
	LatencyMs int64  `json:"latency_ms"` // real milliseconds
}

// latencyOf is the stated latency of a path: its own, that of the longest prefix ending in *, or none.
func (w *world) latencyOf(path string) time.Duration {
	if len(w.latency) == 0 {
		return 0
	}
	ms, ok := w.latency[path]
	best := -1
	for rule, value := range w.latency {
		if prefix, isPrefix := strings.CutSuffix(rule, "*"); !ok && isPrefix && len(prefix) > best && strings.HasPrefix(path, prefix) {
			ms, best = value, len(prefix)
		}
	}
	return time.Duration(ms) * time.Millisecond
}

func setLatency(w *world, _ int64, _ *http.Request, req latencyRequest) (any, error) {
	switch {
	case req.Path != "*" && !strings.HasPrefix(req.Path, "/"):
		return nil, badRequest("path", "接口路径以 / 开头，例如 /wxa/commit；结尾的 * 表示前缀，* 表示全部")
	case req.LatencyMs < 0 || req.LatencyMs > maxFaultDelayMs:
		return nil, badRequest("latency_ms", "耗时应在 0 到 120000 毫秒之间，0 表示取消")
	case req.LatencyMs == 0:
		delete(w.latency, req.Path)
	default:
		w.latency[req.Path] = req.LatencyMs
	}
	w.log.changed[docKey{"meta", "latency"}] = w.latency
	return w.latency, nil
}

func showLatency(w *world, _ int64, _ *http.Request, _ none) (any, error) { return w.latency, nil }
