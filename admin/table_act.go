package admin

import (
	"context"
	"net/http"
	"net/url"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// maxRows bounds how many rows one click may work on: a page's worth.
const maxRows = 100

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

func (a *Admin) removePage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.tableOf(ctx, actor, r.PathValue("table"))
	if err != nil {
		return View{}, err
	}
	if !t.CanRemove {
		return View{}, fault.New(fault.Forbidden, "no_remove", "这个列表不能删除")
	}
	ids, err := picked(r)
	if err == nil {
		err = a.o.Plugins.Remove(ctx, actor, t.Plugin, t.Name, ids)
	}
	return a.afterClick(ctx, actor, r, t, ActResult{Message: "已删除"}, err)
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
	ids, err := picked(r)
	var result ActResult
	if err == nil && len(ids) > 1 && !action.Batch {
		err = fault.New(fault.Invalid, "one_only", "「"+action.Title+"」一次只能操作一条记录")
	}
	if err == nil {
		result, err = a.o.Plugins.Act(ctx, actor, t.Plugin, t.Name, action.Name, ids)
	}
	return a.afterClick(ctx, actor, r, t, result, err)
}

// afterClick shows the list again: with the reason when the click failed, else fresh and with what was done.
func (a *Admin) afterClick(ctx context.Context, actor account.Actor, r *http.Request, t Table, result ActResult, err error) (View, error) {
	if err != nil {
		again := r.Clone(ctx)
		again.URL = &url.URL{Path: t.Address()}
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
	return View{Redirect: t.Address()}, nil
}
