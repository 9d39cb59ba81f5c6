package portal

import (
	"math"
	"net/http"
	"strconv"

	"minifleet/app/fault"
	"minifleet/app/trail"
)

// problemView is what the error page reads.
type problemView struct {
	Fault     *fault.Error
	Title     string
	Todo      string
	Action    link
	RequestID string
}

// problem answers an error as a page: what is wrong, what to do, and the number to tell the administrator. Who is not
// logged in is led to the login instead.
func (p *Portal) problem(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	f := fault.From(err)
	if f.Kind == fault.Unauthenticated && v.actor.Nobody() {
		redirect(w, r, loginAddress(r))
		return
	}
	id := trail.RequestID(r.Context())
	if f.Kind == fault.Internal {
		p.log.ErrorContext(r.Context(), "portal: request failed", "path", r.URL.Path, "request_id", id, "error", err)
	}
	view := problemView{Fault: f, RequestID: id}
	view.Title, view.Todo, view.Action = advice(f.Kind, r)
	status := f.Kind.Status()
	if f.Kind == fault.Unavailable {
		w.Header().Set("Retry-After", "5")
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if r.Header.Get("Hx-Request") != "" {
		p.problemFragment(w, r, f, status)
		return
	}
	if err := p.show(w, r, v, "problem", view, page{Title: view.Title, Status: status, Width: "narrow"}); err != nil {
		p.log.ErrorContext(r.Context(), "portal: error page failed", "path", r.URL.Path, "request_id", id, "error", err)
		http.Error(w, "系统出错了，请把请求编号发给管理员："+id, http.StatusInternalServerError)
	}
}

func (p *Portal) problemFragment(w http.ResponseWriter, r *http.Request, f *fault.Error, status int) {
	html, err := p.fragment("fault", f)
	if err != nil {
		p.log.ErrorContext(r.Context(), "portal: error fragment failed", "path", r.URL.Path, "error", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html)) // the reader may be gone
}

// advice says what a person can do about an error of a kind.
func advice(kind fault.Kind, r *http.Request) (title, todo string, action link) {
	again := link{Title: "重试", Href: localPath(r.URL.RequestURI())}
	if r.Method != http.MethodGet || again.Href == "" {
		again = link{Title: "返回首页", Href: "/"}
	}
	home := link{Title: "去逛 APP Store", Href: "/market"}
	switch kind {
	case fault.NotFound:
		return "没有找到", "地址可能有误，或者内容已删除、不属于当前空间。", home
	case fault.Forbidden:
		return "没有权限", "可以切换身份后再试，或请空间所有者授权。", link{Title: "切换身份", Href: "/account"}
	case fault.Unavailable:
		return "暂时用不了", "这部分功能正在恢复，一般几秒内就好；其他页面不受影响。", again
	case fault.Invalid, fault.Conflict:
		return "没有完成", "请返回上一页，按提示修改后再试。", link{Title: "返回首页", Href: "/"}
	case fault.TooMany:
		return "操作太频繁", "请稍等一会儿再试。", again
	case fault.WeChat:
		return "微信没有接受", "请按上面的原因处理后重试。", again
	default:
		return "系统出错了", "请稍后重试；如仍失败，请把请求编号发给管理员。", again
	}
}

// nothing answers every address that is not a page.
func (p *Portal) nothing(http.ResponseWriter, *http.Request, *visit) error {
	return fault.New(fault.NotFound, "no_such_page", "没有这个页面")
}
