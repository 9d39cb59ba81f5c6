package simulator

import (
	"bytes"
	"embed"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// templateFuncs are the few things the pages need besides if and range.
func templateFuncs() htmltemplate.FuncMap {
	return htmltemplate.FuncMap{
		"clock":       clockText,
		"setName":     func(id int) string { return permissionSets[id] },
		"auditText":   auditText,
		"auditColor":  auditColor,
		"pushText":    pushText,
		"corruption":  func(key string) string { return corruptions[key] },
		"runText":     runText,
		"runColor":    runColor,
		"partText":    partText,
		"scopeText":   scopeText,
		"groups":      func() []int { return []int{1, 2, 3, 4, 5} },
		"mask":        maskedXML,
		"answer":      answerText,
		"punishments": func() [][2]string { return punishments },
		"words":       func(list []string) string { return strings.Join(list, " ") },
		"cut":         func(n int, s string) string { return excerpt(s, n) },
		"initial":     initial,
		"isHeld":      func(held map[int]string, id int) string { return held[id] },
	}
}

// clockText shows Unix milliseconds as every screen does.
func clockText(ms int64) string {
	if ms <= 0 {
		return "—"
	}
	return time.UnixMilli(ms).In(shanghai).Format("2006-01-02 15:04:05")
}

// initial is the first character of a name, for a round picture.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return ""
}

func auditText(status int) string {
	return map[int]string{auditPassed: "审核通过", auditRejected: "审核驳回", auditRunning: "审核中", auditWithdrawn: "已撤回", auditDelayed: "审核延后"}[status]
}

func auditColor(status int) string {
	return map[int]string{auditPassed: "green", auditRejected: "red", auditRunning: "blue", auditWithdrawn: "grey", auditDelayed: "orange"}[status]
}

func pushText(state string) string {
	return map[string]string{pushWaiting: "待发送", pushHeld: "暂存（乱序）", pushOK: "成功", pushFailed: "失败", pushDropped: "已丢弃", pushDelayed: "延迟中"}[state]
}

func parseTemplates() (*htmltemplate.Template, error) {
	t, err := htmltemplate.New("").Funcs(templateFuncs()).ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse pages of the simulator: %w", err)
	}
	return t, nil
}

// view is one rendered page: which template, with what, under which status.
type view struct {
	template string
	data     any
	status   int    // 0 is 200
	redirect string // not empty: go there instead
}

// pageFunc gathers what a page shows, inside one step of the world.
type pageFunc func(w *world, now int64, r *http.Request) (view, error)

// page renders inside the step, because the data points into the world.
func (s *Simulator) page(fn pageFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(rw, r.Body, maxAPIBody)
		var body bytes.Buffer
		var v view
		err := s.update(r.Context(), func(w *world, now int64) error {
			var err error
			v, err = fn(w, now, r)
			var refused *pageError
			if errors.As(err, &refused) {
				v, err = view{template: "refused", data: map[string]string{"Title": refused.title, "Detail": refused.detail}, status: http.StatusOK}, nil
			}
			if err != nil || v.redirect != "" {
				return err
			}
			if err := s.templates.ExecuteTemplate(&body, v.template, v.data); err != nil {
				return fmt.Errorf("render %s: %w", v.template, err)
			}
			return nil
		})
		if err != nil {
			status, _ := controlProblem(err)
			if status >= http.StatusInternalServerError {
				s.log.Error("simulator page failed", "path", r.URL.Path, "err", err)
			}
			http.Error(rw, err.Error(), status)
			return
		}
		h := rw.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http: https:; connect-src 'self'; base-uri 'none'; frame-ancestors 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "same-origin")
		if v.redirect != "" {
			http.Redirect(rw, r, v.redirect, http.StatusSeeOther)
			return
		}
		s.send(rw, r, reply{status: max(v.status, http.StatusOK), contentType: "text/html; charset=utf-8", body: body.Bytes()})
	}
}

// answerText is what a platform answered to a push, in words: a decrypted passive reply is told by its text.
func answerText(answer string) string {
	var reply struct {
		Type    string `xml:"MsgType"`
		Content string `xml:"Content"`
	}
	switch {
	case answer == "":
		return "（空串）"
	case !strings.HasPrefix(answer, "<xml>") || xml.Unmarshal([]byte(answer), &reply) != nil:
		return answer
	case reply.Content != "":
		return "被动回复（已解密）：" + reply.Content
	}
	return "被动回复（已解密）：" + reply.Type
}

// offsetText is a difference of clocks as people say it.
func offsetText(d time.Duration) string {
	word := "快 "
	if d < 0 {
		word, d = "慢 ", -d
	}
	d = d.Round(time.Second)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case d == 0:
		return "一致"
	case days > 0:
		return fmt.Sprintf("%s%d 天 %d 小时", word, days, hours)
	case hours > 0:
		return fmt.Sprintf("%s%d 小时 %d 分", word, hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%s%d 分 %d 秒", word, minutes, int(d/time.Second)%60)
	}
	return fmt.Sprintf("%s%d 秒", word, int(d/time.Second))
}
