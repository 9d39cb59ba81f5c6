package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// maxRows bounds how many rows one call to a table may work on: a page's worth.
const maxRows = 100

// maxEverything bounds 全选 N 个结果.
const maxEverything = 2000

// picked reads the rows of a click: the one whose button it was, or else the ticked ones.
func picked(r *http.Request) ([]string, error) {
	if one := r.PostForm.Get("one"); one != "" {
		return []string{one}, nil
	}
	ids := r.PostForm[queryKey]
	switch {
	case len(ids) == 0:
		return nil, fault.New(fault.Invalid, "nothing_picked", "请先勾选要操作的记录")
	case len(ids) > maxRows:
		return nil, fault.New(fault.Invalid, "too_many", "一次最多操作 100 条记录")
	}
	return ids, nil
}

// rowAct is what a click does to rows, whatever it is called.
type rowAct struct {
	title, confirm, post string
	danger, batch        bool
	fits                 func(TableRow) bool
	run                  func(ctx context.Context, ids []string) (ActResult, error)
}

func (a *Admin) removePage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.tableOf(ctx, actor, r.PathValue("table"))
	if err != nil {
		return View{}, err
	}
	if !t.CanRemove {
		return View{}, fault.New(fault.Forbidden, "no_remove", "这个列表不能删除")
	}
	return a.click(ctx, actor, r, t, rowAct{
		title: "删除", confirm: "删除后不能恢复。", post: t.Address() + "/delete", danger: true, batch: true, fits: func(TableRow) bool { return true },
		run: func(ctx context.Context, ids []string) (ActResult, error) {
			return ActResult{Message: "已删除"}, a.o.Plugins.Remove(ctx, actor, t.Plugin, t.Name, ids)
		},
	})
}

func (a *Admin) actPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.tableOf(ctx, actor, r.PathValue("table"))
	if err != nil {
		return View{}, err
	}
	action, ok := t.action(r.PathValue("action"))
	if !ok {
		return View{}, fault.New(fault.NotFound, "not_found", "没有这个操作")
	}
	return a.click(ctx, actor, r, t, rowAct{
		title: action.Title, confirm: action.Confirm, post: t.Address() + "/act/" + action.Name, danger: action.Danger, batch: action.Batch, fits: action.fits,
		run: func(ctx context.Context, ids []string) (ActResult, error) {
			return a.o.Plugins.Act(ctx, actor, t.Plugin, t.Name, action.Name, ids)
		},
	})
}

func (a *Admin) click(ctx context.Context, actor account.Actor, r *http.Request, t Table, act rowAct) (View, error) {
	if r.PostForm.Get("all") == "1" {
		return a.everything(ctx, actor, r, t, act)
	}
	ids, err := picked(r)
	var result ActResult
	if err == nil && len(ids) > 1 && !act.batch {
		err = fault.New(fault.Invalid, "one_only", "「"+act.title+"」一次只能操作一条记录")
	}
	if err == nil {
		result, err = act.run(ctx, ids)
	}
	return a.afterClick(ctx, actor, r, t, result, err)
}

// everythingView asks before an act on all results: how many, which, and what it does to them.
type everythingView struct {
	Act, Confirm, Post, Query, Back, Count string
	Some                                   []string
	N                                      int
	Danger                                 bool
}

// everything works on every row that the list's query finds. The query comes along, never the ids: they are looked up
// here, bounded, first to say how many there are and once more when that number was confirmed.
func (a *Admin) everything(ctx context.Context, actor account.Actor, r *http.Request, t Table, act rowAct) (View, error) {
	if !act.batch {
		return View{}, fault.New(fault.Invalid, "one_only", "「"+act.title+"」一次只能操作一条记录")
	}
	query, back, err := tableBack(r, t)
	if err != nil {
		return View{}, err
	}
	rows, err := a.allRows(ctx, actor, t, query, act.fits)
	if err != nil {
		return a.afterClick(ctx, actor, r, t, ActResult{}, err)
	}
	n := len(rows)
	if n == 0 {
		return a.afterClick(ctx, actor, r, t, ActResult{}, fault.New(fault.Invalid, "nothing_found", "没有可以执行「"+act.title+"」的记录"))
	}
	if r.PostForm.Get("expect") != strconv.Itoa(n) {
		v := everythingView{Act: act.title, Confirm: act.confirm, Post: act.post, Query: query.Encode(), Back: back, Count: grouped(int64(n)), N: n, Danger: act.danger}
		for _, row := range rows[:min(n, 5)] {
			v.Some = append(v.Some, t.rowName(row))
		}
		return View{Title: act.title + " " + v.Count + " 个结果", Trail: []Link{{t.Title, t.Address()}}, Body: a.render("everything", v)}, nil
	}
	ended := BatchEnd{Act: act.title, List: t.Title, Link: back}
	for ended.Done < n {
		done := ended.Done
		var ids []string
		for _, row := range rows[done:min(n, done+maxRows)] {
			ids = append(ids, row.ID)
		}
		if _, err := act.run(ctx, ids); err != nil {
			f := fault.From(err)
			ended.Left, ended.Reason = n-done, f.Message
			a.batchEnded(ctx, actor, ended)
			return a.afterClick(ctx, actor, r, t, ActResult{}, fault.Newf(f.Kind, f.Code, "已完成 %d 条，之后停下：%s", done, f.Message).Because(err))
		}
		ended.Done += len(ids)
	}
	a.batchEnded(ctx, actor, ended)
	a.flash.put(actor, "已对 "+grouped(int64(n))+" 条记录执行「"+act.title+"」")
	return View{Redirect: back}, nil
}

// batchEnded tells the member, who may have left the page meanwhile.
func (a *Admin) batchEnded(ctx context.Context, actor account.Actor, b BatchEnd) {
	if a.o.Services.BatchEnded != nil {
		a.o.Services.BatchEnded(context.WithoutCancel(ctx), actor, b)
	}
}

// tableBack is the query that came along with a click, as the guard would have let it through, and where it leads back.
func tableBack(r *http.Request, t Table) (url.Values, string, error) {
	in, err := url.ParseQuery(r.PostForm.Get("query"))
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "query", "这个表单不完整，请从列表重新打开")
	}
	q := keep(tableQuery(in, t))
	return q, address(t.Address(), q), nil
}

// allRows walks the whole result by key and keeps the rows that the act fits.
func (a *Admin) allRows(ctx context.Context, actor account.Actor, t Table, q url.Values, fits func(TableRow) bool) ([]TableRow, error) {
	s := listState{q: q, size: 100, search: q.Get(querySearch)}
	ask := tableAsk(t, s)
	if ids := pasted(s.search); ids != nil && t.appID() != "" {
		ask.Search, ask.Filters[t.appID()] = "", strings.Join(ids.Asked, ",")
	}
	var rows []TableRow
	for seen := 0; ; {
		page, err := a.o.Plugins.Rows(ctx, actor, t.Plugin, t.Name, ask)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			if fits(row) {
				rows = append(rows, row)
			}
		}
		if seen += len(page.Rows); seen > maxEverything || (seen == maxEverything && page.Next != "") {
			return nil, fault.New(fault.Invalid, "too_many", "结果超过 2,000 条，请先缩小筛选范围，再对全部结果操作")
		}
		if ask.Cursor = page.Next; page.Next == "" || len(page.Rows) == 0 {
			return rows, nil
		}
	}
}

// afterClick shows the list again: with the reason when the click failed, else fresh and with what was done.
func (a *Admin) afterClick(ctx context.Context, actor account.Actor, r *http.Request, t Table, result ActResult, err error) (View, error) {
	query, back, backErr := tableBack(r, t)
	if backErr != nil {
		return View{}, backErr
	}
	if err != nil {
		again := r.Clone(ctx)
		again.URL = &url.URL{Path: t.Address(), RawQuery: query.Encode()}
		view, listErr := a.list(ctx, actor, again, t, err)
		if listErr != nil {
			return View{}, err
		}
		return view, nil
	}
	if result.Message == "" {
		result.Message = "已完成"
	}
	a.flash.put(actor, result.Message)
	if result.Redirect != "" {
		return View{Redirect: result.Redirect}, nil
	}
	return View{Redirect: back}, nil
}
