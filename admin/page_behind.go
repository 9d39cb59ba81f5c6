package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/schedule"
	"minifleet/app/trail"
	"minifleet/resource/dictionary"
)

// Behind are the lists behind figures of the 工作台 that no other page shows. A nil one leaves its page out.
type Behind struct {
	// FailedRuns lists failed runs of all jobs since a moment, with their total (-1: more than 10,000).
	FailedRuns func(ctx context.Context, since time.Time, cursor int64, limit int) ([]schedule.Run, int64, error)
	// ErrCodes counts WeChat's refusals since a moment by code; Refusals lists those of one code.
	ErrCodes func(ctx context.Context, since time.Time) ([]trail.ErrCount, error)
	Refusals func(ctx context.Context, since time.Time, code, cursor int64, limit int) ([]trail.Entry, int64, int64, error)
	// UnknownCodes lists the errcodes that the dictionary does not know, Unsettled the requests whose outcome is unknown.
	UnknownCodes func(ctx context.Context) ([]trail.UnknownCode, error)
	Unsettled    func(ctx context.Context, limit int) ([]gateway.Sent, error)
	Settle       func(ctx context.Context, who account.Actor, id, startedAt int64, happened bool) error
	// Directory lists spaces.
	Directory func(ctx context.Context, who account.Actor, f account.SpaceFilter) ([]account.SpaceEntry, int64, int64, error)
	// NamedSpaces reads spaces by their numbers; unknown ones are left out.
	NamedSpaces func(ctx context.Context, ids ...int64) (map[int64]account.Space, error)
	// MailReady and SafeURL are what the operator's checklist asks about.
	MailReady, SafeURL bool
}

// figureWindow is how far back the operator's figures and the lists behind them look.
const figureWindow = 24 * time.Hour

const behindSize = 50

func (a *Admin) behindPages() []Page {
	b := a.o.Services.Behind
	var pages []Page
	if b.FailedRuns != nil {
		pages = append(pages, Page{Pattern: "GET /jobs/failures", Title: "近 24 小时失败的运行", Kinds: operators, Query: []string{queryCursor}, Handle: a.failuresPage})
	}
	if b.Refusals != nil {
		pages = append(pages, Page{Pattern: "GET /errors", Title: "近 24 小时微信返回的错误", Kinds: operators, Query: []string{"errcode", queryCursor}, Handle: a.errorsPage})
	}
	if b.Settle != nil {
		pages = append(pages, Page{Pattern: "POST /errors/sent/{id}", Title: "近 24 小时微信返回的错误", Kinds: operators, Handle: a.settle})
	}
	if b.Directory != nil {
		pages = append(pages, Page{Pattern: "GET /spaces", Title: "空间", Kinds: operators, Query: []string{"kind", "name", queryCursor}, Handle: a.spacesPage})
	}
	if a.o.Services.Board != nil {
		pages = append(pages, Page{Pattern: "GET /guide/{topic}", Title: "指引", Kinds: operators, Handle: a.guidePage})
	}
	return pages
}

// behindView is one page of such a list.
type behindView struct {
	Runs    []failedRun
	Codes   []trail.ErrCount
	Meaning *dictionary.Refusal // of Code

	Unknown   []trail.UnknownCode
	Unsettled []gateway.Sent
	Settles   bool // this person may say what became of them

	Entries []trail.Entry
	Spaces  []account.SpaceEntry
	Code    string
	Kind    account.Kind
	Name    string
	Kinds   []Option
	Total   string
	First   string
	Next    string
}

type failedRun struct {
	schedule.Run
	Title string
}

func (v *behindView) turn(q url.Values, path string, total, next int64) {
	v.Total = grouped(total)
	if total < 0 {
		v.Total = "10,000+"
	}
	if q.Get(queryCursor) != "" {
		first := clone(q)
		first.Del(queryCursor)
		v.First = Prefix + path + "?" + first.Encode()
	}
	if next != 0 {
		more := clone(q)
		more.Set(queryCursor, strconv.FormatInt(next, 10))
		v.Next = Prefix + path + "?" + more.Encode()
	}
}

func cursorIn(q url.Values) int64 {
	n, err := strconv.ParseInt(q.Get(queryCursor), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (a *Admin) failuresPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("job.read") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有查看定时任务的权限")
	}
	q := r.URL.Query()
	runs, total, err := a.o.Services.Behind.FailedRuns(ctx, a.clock.Now().Add(-figureWindow), cursorIn(q), behindSize)
	if err != nil {
		return View{}, err
	}
	titles := map[string]string{}
	if a.o.Services.Jobs != nil {
		jobs, err := a.o.Services.Jobs.Jobs(ctx)
		if err != nil {
			return View{}, err
		}
		for _, j := range jobs {
			titles[j.Name] = j.Title
		}
	}
	v, next := behindView{}, int64(0)
	for _, run := range runs {
		v.Runs = append(v.Runs, failedRun{run, titles[run.Job]})
	}
	if len(runs) == behindSize {
		next = runs[behindSize-1].ID
	}
	v.turn(q, "/jobs/failures", total, next)
	return View{Trail: []Link{{"定时任务", Prefix + "/jobs"}}, Body: a.render("failed-runs", v)}, nil
}

// errorsPage lists the codes, or the acts that WeChat answered with one of them.
func (a *Admin) errorsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("trail.read") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有查看操作日志的权限")
	}
	q, since := r.URL.Query(), a.clock.Now().Add(-figureWindow)
	v := behindView{Code: q.Get("errcode")}
	code, err := strconv.ParseInt(v.Code, 10, 64)
	if err != nil {
		if v.Codes, err = a.o.Services.Behind.ErrCodes(ctx, since); err != nil {
			return View{}, err
		}
		slices.SortStableFunc(v.Codes, func(x, y trail.ErrCount) int { return int(y.N - x.N) })
		sum := int64(0)
		for _, c := range v.Codes {
			sum += c.N
		}
		v.Total = grouped(sum)
		v.Settles = a.o.Services.Behind.Settle != nil && actor.Can("wechat.settle")
		if err := a.beside(ctx, &v); err != nil {
			return View{}, err
		}
		return View{Body: a.render("error-codes", v)}, nil
	}
	rows, next, total, err := a.o.Services.Behind.Refusals(ctx, since, code, cursorIn(q), behindSize)
	if err != nil {
		return View{}, err
	}
	v.Entries = rows
	if len(rows) > 0 {
		v.Meaning = rows[0].Refusal()
	}
	v.turn(q, "/errors", total, next)
	return View{Title: "错误码 " + v.Code, Trail: []Link{{"近 24 小时微信返回的错误", Prefix + "/errors"}}, Body: a.render("refusals", v)}, nil
}

// beside reads what stands below the codes: the unknown ones and the requests without an answer.
func (a *Admin) beside(ctx context.Context, v *behindView) (err error) {
	b := a.o.Services.Behind
	if b.UnknownCodes != nil {
		if v.Unknown, err = b.UnknownCodes(ctx); err != nil {
			return err
		}
	}
	if b.Unsettled != nil {
		v.Unsettled, err = b.Unsettled(ctx, behindSize)
	}
	return err
}

// settle takes what a person found out about a request whose outcome is unknown.
func (a *Admin) settle(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("wechat.settle") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有核对微信请求的权限")
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return View{}, gone(0, nil)
	}
	found := r.PostForm.Get("found")
	if found != "happened" && found != "absent" {
		return View{}, fault.New(fault.Invalid, "settle", "请选择这个请求在微信侧是否已经生效")
	}
	started, err := strconv.ParseInt(r.PostForm.Get("started"), 10, 64)
	if err != nil {
		return View{}, fault.New(fault.Invalid, "settle", "请刷新页面后再核对")
	}
	if err := a.o.Services.Behind.Settle(ctx, actor, id, started, found == "happened"); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已记下核对结果")
	return View{Redirect: Prefix + "/errors"}, nil
}

func (a *Admin) spacesPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	q := r.URL.Query()
	v := behindView{Kind: account.Kind(q.Get("kind")), Name: trimmed(q, "name")}
	for _, k := range []account.Kind{account.Merchant, account.Personal, account.Platform} {
		v.Kinds = append(v.Kinds, Option{Value: string(k), Label: k.Title()})
	}
	list, next, total, err := a.o.Services.Behind.Directory(ctx, actor, account.SpaceFilter{Kind: v.Kind, Query: v.Name, Cursor: cursorIn(q), Limit: behindSize})
	if err != nil {
		return View{}, err
	}
	v.Spaces = list
	v.turn(q, "/spaces", total, next)
	return View{Subtitle: "每个用户、商户和平台自己各有一个空间", Body: a.render("spaces", v)}, nil
}

// guidePage says what a step of the operator's checklist wants and how it stands.
func (a *Admin) guidePage(_ context.Context, _ account.Actor, r *http.Request) (View, error) {
	topic := r.PathValue("topic")
	titles := map[string]string{"mail": "发信设置", "backup": "备份"}
	if titles[topic] == "" {
		return View{}, fault.New(fault.NotFound, "not_found", "没有这个指引")
	}
	return View{Title: titles[topic], Trail: []Link{{"工作台", Prefix}}, Body: a.render("guide-"+topic, a.o.Services.Behind)}, nil
}
