package admin

import (
	"embed"
	"html/template"
	"strings"
	"time"

	"minifleet/app/trail"
	"minifleet/resource"
	"minifleet/resource/dictionary"
)

//go:embed view/*.html
var viewFiles embed.FS

// pageTimeout bounds what a page may wait for: longer, and a person has given up.
const pageTimeout = 20 * time.Second

// parseViews parses our own fragments. They escape by context; only what this package built is template.HTML.
func parseViews(a *Admin) (*template.Template, error) {
	views, err := template.New("views").Funcs(template.FuncMap{
		"tag":        tag,
		"chartData":  chartData,
		"fieldTitle": fieldTitle,
		"when":       when,
		"ago":        func(ms int64) string { return ago(a.clock.Now(), ms) },
		"count":      grouped,
		"join":       strings.Join,
		"millis":     func(seconds int64) int64 { return seconds * 1000 },
		"pair":       func(key, value string) pairView { return pairView{key, value} },
		"field": func(name, title, value, kind, help, problem string) fieldView {
			return fieldView{name, title, value, kind, help, problem}
		},
		"refusal": trail.Entry.Refusal,
		"lastRefusal": func(component string, code int, at int64) *dictionary.Refusal {
			if code == 0 {
				return nil
			}
			r := dictionary.Refusal{ErrCode: code, Component: component, At: at}.Explain()
			return &r
		},
		"meaning": func(code int64) dictionary.Refusal { return dictionary.Refusal{ErrCode: int(code)}.Explain() },
	}).ParseFS(viewFiles, "view/*.html")
	if err != nil {
		return nil, err
	}
	if views, err = views.ParseFS(resource.Templates(), "extensions.html"); err != nil {
		return nil, err
	}
	return views.Parse(dictionary.Block())
}

// pairView is a value to copy and what it is.
type pairView struct{ Key, Value string }

// fieldView is one input of a form of ours.
type fieldView struct{ Name, Title, Value, Type, Help, Error string }

// when shows Unix milliseconds in the screens' own way.
func when(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return time.UnixMilli(ms).In(shanghai).Format(timeLayout)
}

// ago says how long before now something was, or how long until it will be.
func ago(now time.Time, ms int64) string {
	if ms == 0 {
		return "从未"
	}
	d := now.Sub(time.UnixMilli(ms))
	suffix := "前"
	if d < 0 {
		d, suffix = -d, "后"
	}
	switch {
	case d < time.Minute:
		if suffix == "前" {
			return "刚刚"
		}
		return "不到 1 分钟后"
	case d < time.Hour:
		return grouped(int64(d/time.Minute)) + " 分钟" + suffix
	case d < 48*time.Hour:
		return grouped(int64(d/time.Hour)) + " 小时" + suffix
	default:
		return grouped(int64(d/(24*time.Hour))) + " 天" + suffix
	}
}
