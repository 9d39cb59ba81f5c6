package admin

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/dashboard"
	"minifleet/app/fault"
)

// Board is the room dashboard as the 工作台 sees it.
type Board interface {
	Snapshot(ctx context.Context, who account.Actor) (dashboard.Snapshot, error)
	Checklist(ctx context.Context, who account.Actor) (dashboard.Checklist, error)
	SetChecklist(ctx context.Context, who account.Actor, list, state string) error
}

type homeView struct {
	Actor  account.Actor
	View   dashboard.Snapshot
	List   dashboard.Checklist
	Charts string // address of the chart bundle, "" when the pages were not built
	Number int
}

func (a *Admin) homePages() []Page {
	pages := []Page{{Pattern: "GET /{$}", Title: "工作台", Handle: a.homePage}, {Pattern: "GET ", Title: "工作台", Handle: a.homePage}}
	if a.o.Services.Board != nil {
		pages = append(pages, Page{Pattern: "POST /checklist", Title: "工作台", Handle: a.setChecklist})
	}
	return append(pages, a.behindPages()...)
}

// homePage is the work bench: what is to be done, how far the member is, and the figures with the lists behind them.
func (a *Admin) homePage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	board := a.o.Services.Board
	if board == nil {
		return View{Title: "工作台", Body: a.render("home-empty", nil)}, nil
	}
	v := homeView{Actor: actor}
	var err error
	if v.View, err = board.Snapshot(ctx, actor); err != nil {
		return View{}, err
	}
	if v.List, err = board.Checklist(ctx, actor); err != nil {
		return View{}, err
	}
	if a.o.Asset != nil {
		v.Charts = a.o.Asset("charts.js")
	}
	return View{Title: "工作台", Subtitle: "统计于 " + when(v.View.At), Body: a.render("home", v)}, nil
}

// setChecklist folds, opens or dismisses the member's checklist, or ticks a step by their own word.
func (a *Admin) setChecklist(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := r.ParseForm(); err != nil {
		return View{}, fault.New(fault.Invalid, "bad_form", "提交的内容不完整，请返回重试").Because(err)
	}
	list, state := r.PostForm.Get("list"), r.PostForm.Get("state")
	if err := a.o.Services.Board.SetChecklist(ctx, actor, list, state); err != nil {
		return View{}, err
	}
	if state == dashboard.ListDismissed {
		a.flash.put(actor, "已收起新手清单，可以在工作台底部重新打开")
	}
	return View{Redirect: Prefix}, nil
}

// chartData is what the script draws: never HTML, and safe inside a script element of type application/json.
func chartData(c dashboard.Chart) (template.JS, error) {
	raw, err := json.Marshal(c) // escapes <, > and & by itself
	return template.JS(raw), err
}
