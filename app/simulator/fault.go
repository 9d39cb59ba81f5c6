package simulator

import (
	"fmt"
	"net/http"
)

// fault makes the platform misbehave on a path, a number of times.
type fault struct {
	ID         int64  `json:"id"`
	Path       string `json:"path"`        // exact path, or * for all
	AppID      string `json:"appid"`       // only calls of this mini program or component; "" for all
	Errcode    int    `json:"errcode"`     // answer this errcode
	HTTPStatus int    `json:"http_status"` // answer this status without JSON
	DelayMs    int64  `json:"delay_ms"`    // real milliseconds before anything happens
	Drop       bool   `json:"drop"`        // close the connection instead of answering
	After      bool   `json:"after"`       // the call takes effect first, only its answer is spoiled
	Times      int    `json:"times"`       // how often still; −1 for ever
	Hits       int    `json:"hits"`
}

const maxFaultDelayMs = 120_000

// check tells what is wrong with a fault that a person or a program asks for.
func (f *fault) check() error {
	switch {
	case f.Path == "":
		return badRequest("path", "请填写接口路径，例如 /wxa/commit，或用 * 表示全部接口")
	case f.Errcode == 0 && f.HTTPStatus == 0 && f.DelayMs == 0 && !f.Drop:
		return badRequest("errcode", "请至少填写 errcode、http_status、delay_ms、drop 中的一项")
	case f.Errcode != 0 && f.HTTPStatus != 0:
		return badRequest("http_status", "errcode 与 http_status 只能填写一项")
	case f.HTTPStatus != 0 && (f.HTTPStatus < 200 || f.HTTPStatus > 599):
		return badRequest("http_status", "HTTP 状态码应在 200 到 599 之间")
	case f.DelayMs < 0 || f.DelayMs > maxFaultDelayMs:
		return badRequest("delay_ms", "延迟应在 0 到 120000 毫秒之间")
	case f.Times < -1:
		return badRequest("times", "次数应为正数，-1 表示一直有效")
	}
	return nil
}

// takeFault finds the oldest fault that fits the call and uses it once.
func (w *world) takeFault(c *call) *fault {
	for _, f := range w.faults.all() {
		if (f.Path != "*" && f.Path != c.Path) || (f.AppID != "" && f.AppID != c.AppID && f.AppID != c.Component) {
			continue
		}
		id := sequenceID(f.ID)
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

// answers tells whether the fault replaces the answer; a pure delay does not.
func (f *fault) answers() bool { return f.Errcode != 0 || f.HTTPStatus != 0 || f.Drop }

func (f *fault) reply(rid string) reply {
	switch {
	case f.HTTPStatus != 0:
		return reply{status: f.HTTPStatus, contentType: "text/plain; charset=utf-8", body: []byte(http.StatusText(f.HTTPStatus) + "\n")}
	case f.Errcode != 0:
		body := fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, f.Errcode, errcodeText(f.Errcode)+" rid: "+rid)
		return reply{status: http.StatusOK, contentType: "application/json; charset=utf-8", body: []byte(body), errcode: f.Errcode}
	}
	return reply{status: 0, contentType: "text/plain; charset=utf-8"}
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
	if f.After {
		text += " after effect"
	}
	return text
}
