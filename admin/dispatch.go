package admin

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	gocontext "github.com/GoAdminGroup/go-admin/context"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// register fills the address table: core pages, plugin tables, plugin pages.
func (a *Admin) register() error {
	for _, p := range slices.Concat(a.corePages(), a.listViewPages(), a.o.Pages) {
		if err := a.add(p, kindCore); err != nil {
			return err
		}
	}
	if a.o.Plugins == nil {
		return nil
	}
	for _, p := range a.tablePages() {
		if err := a.add(p, kindTable); err != nil {
			return err
		}
	}
	// GoAdmin hands an address on without the slash at its end: without a pattern of its own a plugin's first page would be
	// sent to itself for ever.
	for _, pattern := range []string{"/p/{plugin}", "/p/{plugin}/{path...}"} {
		if err := a.add(Page{Pattern: pattern, Handle: a.pluginPage}, kindPlugin); err != nil {
			return err
		}
	}
	return nil
}

func (a *Admin) add(p Page, kind routeKind) (err error) {
	method, path, found := strings.Cut(p.Pattern, " ")
	pattern := method + " " + Prefix + path
	if !found {
		pattern = Prefix + p.Pattern
	}
	defer func() {
		// ServeMux panics on a pattern it cannot take, which is a mistake of the caller's.
		if e := recover(); e != nil {
			err = fmt.Errorf("admin: page %q: %v", p.Pattern, e)
		}
	}()
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, p) })
	a.pages[pattern] = route{kind: kind, kinds: p.Kinds, query: p.Query, most: p.MaxBody, may: p.May}
	return nil
}

// dispatch runs behind GoAdmin's session and permission check and answers through GoAdmin's context.
func (a *Admin) dispatch(ctx *gocontext.Context) {
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	a.mux.ServeHTTP(rec, ctx.Request)
	rec.copyTo(ctx)
}

// refuse answers when GoAdmin does not know the session that the guard has just written.
func (a *Admin) refuse(ctx *gocontext.Context) {
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	v := visitOf(ctx.Request.Context())
	if v != nil {
		a.shadows.forget(v.actor)
	}
	a.fail(rec, ctx.Request, v, fault.New(fault.Unavailable, "session", "后台会话没有建立好，请刷新页面重试"))
	rec.copyTo(ctx)
}

// serve runs one page, turns its error or panic into a page, and frames its view.
func (a *Admin) serve(w http.ResponseWriter, r *http.Request, p Page) {
	v := visitOf(r.Context())
	if v == nil {
		a.fail(w, r, nil, fault.New(fault.Internal, "unguarded", "这个地址只能从后台打开"))
		return
	}
	ctx, stop := context.WithTimeout(account.With(r.Context(), v.actor), pageTimeout)
	defer stop()
	view, err := safely(func() (View, error) { return p.Handle(ctx, v.actor, r) })
	if err != nil {
		a.fail(w, r, v, err)
		return
	}
	if view.Title == "" {
		view.Title = p.Title
	}
	a.answer(w, r, v, view)
}

func safely(f func() (View, error)) (view View, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("admin: page panicked: %v\n%s", e, debug.Stack())
		}
	}()
	return f()
}

func (a *Admin) answer(w http.ResponseWriter, r *http.Request, v *visit, view View) {
	switch {
	case view.Raw != nil:
		a.raw(w, view)
	case view.Redirect != "":
		a.redirect(w, r, view.Redirect)
	default:
		a.html(w, r, v, view)
	}
}

func (a *Admin) raw(w http.ResponseWriter, view View) {
	for _, name := range []string{"Content-Disposition", "Cache-Control", "Etag", "Last-Modified"} {
		if s := view.Raw.Header.Get(name); s != "" {
			w.Header().Set(name, s)
		}
	}
	w.Header().Set("Content-Type", view.Raw.ContentType)
	w.WriteHeader(orOK(view.Status))
	// The reader may be gone; there is nobody left to tell.
	_, _ = w.Write(view.Raw.Body)
}

// redirect goes only to an address of this site: anything else ends at the work bench.
func (a *Admin) redirect(w http.ResponseWriter, r *http.Request, to string) {
	if !localPath(to) {
		a.log.WarnContext(r.Context(), "admin: redirect to another site refused", "path", r.URL.Path)
		to = Prefix
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// localPath reports whether an address stays on this site, whatever a browser makes of it.
func localPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\t\r\n") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == ""
}

// fail answers an error as a page that says what is wrong and what to do. Nothing but the fault's own sentence is shown.
func (a *Admin) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	f := fault.From(explained(err))
	if f.Kind == fault.Internal {
		a.log.ErrorContext(r.Context(), "admin: page failed", "path", r.URL.Path, "error", err)
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	body := a.render("error", errorView{Fault: f, RequestID: r.Header.Get("X-Request-Id"), Personal: v != nil && v.actor.SpaceKind == account.Personal})
	a.html(w, r, v, View{Title: errorTitle(f.Kind), Body: body, Status: f.Kind.Status(), Bare: r.Header.Get("HX-Request") != ""})
}

type errorView struct {
	Fault     *fault.Error
	RequestID string
	Personal  bool
}

func errorTitle(k fault.Kind) string {
	switch k {
	case fault.NotFound:
		return "没有找到"
	case fault.Forbidden:
		return "不能访问"
	case fault.Unavailable:
		return "暂时不可用"
	case fault.Invalid:
		return "请检查填写的内容"
	default:
		return "出错了"
	}
}

func orOK(status int) int {
	if status == 0 {
		return http.StatusOK
	}
	return status
}

// recorder gathers an answer for GoAdmin's context, which takes it whole.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recorder) copyTo(ctx *gocontext.Context) {
	for name, values := range r.header {
		for _, value := range values {
			ctx.AddHeader(name, value)
		}
	}
	ctx.Response.StatusCode = r.status
	ctx.WriteString(r.body.String())
}

// render executes one of our own templates. They are parsed at the start and given typed views, so a failure is a
// mistake of ours: it becomes a panic, which serve turns into a page.
func (a *Admin) render(name string, view any) template.HTML {
	var b strings.Builder
	if err := a.views.ExecuteTemplate(&b, name, view); err != nil {
		panic(fmt.Errorf("template %s: %w", name, err))
	}
	return template.HTML(b.String())
}
