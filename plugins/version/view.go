package version

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

//go:embed views/*.html
var viewFiles embed.FS

// views are the parsed templates; parsed once, never changed.
var views = sync.OnceValue(func() *template.Template {
	return template.Must(template.Must(template.New("version").Funcs(template.FuncMap{
		"when": when, "auditTag": auditTag, "lines": reasonLines, "title": titleOf, "oneLess": func(n int64) int64 { return max(n-1, 0) },
	}).ParseFS(viewFiles, "views/*.html")).Parse(sdk.RefusalBlock()))
})

// beijing is the zone of every time on the screens; it has had no summer time since 1991.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

// when shows Unix milliseconds.
func when(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return time.UnixMilli(ms).In(beijing).Format("2006-01-02 15:04:05")
}

// tag is a state in words and colour.
type tag struct {
	Label string
	Color string
	Live  bool
}

func auditTag(state string) tag {
	switch state {
	case auditRunning:
		return tag{"审核中", "blue", true}
	case auditDelayed:
		return tag{"审核延后", "orange", false}
	case auditPassed:
		return tag{"审核通过", "green", false}
	case auditRejected:
		return tag{"审核驳回", "red", false}
	case auditUndone:
		return tag{"已撤回", "grey", false}
	case auditReleased:
		return tag{"已上线", "green", false}
	default:
		return tag{"未提交", "grey", false}
	}
}

// problem is a failure as a page shows it: what is wrong, what to do, and what WeChat's support asks for.
type problem struct {
	Message string
	Refusal *sdk.Refusal // WeChat's answer, nil for none
	Fields  map[string]string
}

// On is the complaint about a field, for templates.
func (p *problem) On(field string) string {
	if p == nil {
		return ""
	}
	return p.Fields[field]
}

func problemOf(err error) *problem {
	if err == nil {
		return nil
	}
	shown := &problem{Message: sdk.Message(err), Fields: sdk.FieldErrors(err)}
	var own *sdk.Error
	if shown.Refusal = wechat.RefusalOf(err); shown.Refusal != nil && (!errors.As(err, &own) || strings.HasPrefix(own.Message, shown.Refusal.Reason)) {
		shown.Message = "微信没有接受这次操作" // reason and advice stand below
		if shown.Refusal.ErrCode == 0 {
			shown.Message = "没有连上微信接口"
		}
	}
	return shown
}

// statusOf is the HTTP status of a form that is shown again because of err.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	var failure *sdk.Error
	if errors.As(err, &failure) {
		switch failure.Kind {
		case sdk.KindInvalid:
			return http.StatusBadRequest
		case sdk.KindForbidden:
			return http.StatusForbidden
		case sdk.KindNotFound:
			return http.StatusNotFound
		case sdk.KindConflict, sdk.KindAborted:
			return http.StatusConflict
		case sdk.KindUnavailable:
			return http.StatusServiceUnavailable
		}
	}
	var refusal *wechat.Error
	var lost *wechat.CallError
	if errors.As(err, &refusal) || errors.As(err, &lost) {
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// broken tells whether err is our own fault, which the frame's error page shows better than a form.
func broken(err error) bool { return err != nil && statusOf(err) == http.StatusInternalServerError }

// render makes a page's fragment.
func render(name string, data any) (template.HTML, error) {
	var out bytes.Buffer
	if err := views().ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // html/template has escaped it
}

// framed is what every page's data begins with.
type framed struct {
	Base    string // the plugin's prefix in this frame
	Problem *problem
}

func newFramed(ctx context.Context, err error) framed {
	base := sdk.Path(ctx, "")
	if base == "/" {
		base = ""
	}
	return framed{Base: base, Problem: problemOf(err)}
}

// show makes a view of a template.
func show(title, name string, data any, err error, crumbs ...sdk.Crumb) (sdk.View, error) {
	body, renderErr := render(name, data)
	if renderErr != nil {
		return sdk.View{}, renderErr
	}
	return sdk.View{Title: title, HTML: body, Status: statusOf(err), Crumbs: crumbs}, nil
}
