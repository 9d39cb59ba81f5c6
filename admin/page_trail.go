package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Chain verifies the operation log.
type Chain interface {
	Verify(ctx context.Context, o trail.VerifyOptions) (trail.Report, error)
}

func (a *Admin) trailPages() []Page {
	pages := []Page{
		{Pattern: "GET /trail", Title: "操作日志", Query: listQuery("appid", "act", "outcome", "actor", "object", "rid", "from", "to"), Handle: a.trailPage},
		{Pattern: "GET /trail/{id}", Title: "操作记录", Handle: a.entryPage},
	}
	if a.o.Services.Chain != nil {
		pages = append(pages, Page{Pattern: "POST /trail/verify", Title: "校验操作日志", Kinds: operators, Handle: a.verifyTrail})
	}
	return pages
}

var outcomes = []Option{{trail.OK, "成功", ""}, {trail.Failed, "失败", ""}}

// trailForm reads the conditions of the list.
func trailForm(s listState, f trail.Filter) (trail.Filter, *fault.Error) {
	q, bad := s.q, fault.InvalidInput()
	f.AppID, f.Act, f.Actor, f.Object, f.RID = trimmed(q, "appid"), trimmed(q, "act"), trimmed(q, "actor"), trimmed(q, "object"), trimmed(q, "rid")
	if v := q.Get("outcome"); slices.ContainsFunc(outcomes, func(o Option) bool { return o.Value == v }) {
		f.Outcome = v
	}
	f.From, f.To = timeField(bad, "from", q.Get("from")), timeField(bad, "to", q.Get("to"))
	if n, err := strconv.ParseInt(s.cursor, 10, 64); err == nil {
		f.Cursor = n
	}
	f.Limit, f.Oldest = s.size, s.last
	return f, bad
}

// trailPage shows an operator everything, and a merchant what its own members did and what others did for it.
func (a *Admin) trailPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	const base = Prefix + "/trail"
	if !actor.Can("trail.read") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有查看操作日志的权限")
	}
	s, elsewhere, err := a.openList(ctx, actor, r, "trail", base)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	f, bad := trailForm(s, actor.Trail())
	families := make([]Option, 0, len(trail.Families()))
	for _, x := range trail.Families() {
		families = append(families, Option{x.Name, x.Title, ""})
	}
	if f.Act != "" && !strings.HasSuffix(f.Act, ".") { // one act, from a link
		families = append(families, Option{f.Act, trail.Title(f.Act), ""})
	}
	l := shownList{
		Name: "trail", Title: "操作日志", Address: base, Acts: true, Empty: "还没有操作记录。", Export: true, Reverse: true,
		Filters: []listFilter{
			{Name: "actor", Title: "谁", Value: f.Actor, Kind: "text", Hint: "名字"}, {Name: "act", Title: "动作", Value: f.Act, Kind: "select", Options: families},
			{Name: "outcome", Title: "结果", Value: f.Outcome, Kind: "select", Options: outcomes}, {Name: "appid", Title: "小程序", Value: f.AppID, Kind: "text", Hint: "AppID"},
			{Name: "object", Title: "对象", Value: f.Object, Kind: "text", Hint: "名称的一部分"}, {Name: "rid", Title: "rid", Value: f.RID, Kind: "text", Hint: "微信返回的 rid"},
			{Name: "from", Title: "时间从", Value: s.q.Get("from"), Kind: "datetime-local", Error: fieldMessage(bad, "from")}, {Name: "to", Title: "到", Value: s.q.Get("to"), Kind: "datetime-local", Error: fieldMessage(bad, "to")},
		},
		Columns: []theme.Column{{Name: "at", Title: "时间"}, {Name: "who", Title: "谁"}, {Name: "act", Title: "动作"}, {Name: "object", Title: "对象"}, {Name: "appid", Title: "小程序"}, {Name: "outcome", Title: "结果"}},
	}
	if a.o.Services.Chain != nil && actor.Operator() {
		l.Tools = a.render("trail-tools", nil)
	}
	if bad.OrNil() != nil {
		l.Problem = bad
		return View{Body: a.showList(s, l), Status: http.StatusBadRequest}, nil
	}
	rows, next, err := a.o.Services.Trail.List(ctx, f)
	if err != nil {
		return View{}, err
	}
	total, err := a.o.Services.Trail.Count(ctx, f)
	if err != nil {
		return View{}, err
	}
	if l.Capped = total > 10000; !l.Capped {
		l.Total = &total
	}
	if next != 0 {
		l.Next = strconv.FormatInt(next, 10)
	}
	if s.last { // the table shows the newest above all the same
		slices.Reverse(rows)
	}
	for _, e := range rows {
		l.Rows = append(l.Rows, a.trailRow(e))
	}
	return View{Body: a.showList(s, l)}, nil
}

func (a *Admin) trailRow(e trail.Entry) theme.Row {
	id := strconv.FormatInt(e.ID, 10)
	row := theme.Row{ID: id, Name: e.Title(), Ops: []theme.Op{{Title: "详情", Href: Prefix + "/trail/" + id}}}
	for _, cell := range []string{"trail-at", "trail-who", "trail-act", "trail-object", "trail-appid", "trail-outcome"} {
		row.Cells = append(row.Cells, a.render(cell, e))
	}
	return row
}

// entryPage shows one entry with what changed.
func (a *Admin) entryPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("trail.read") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有查看操作日志的权限")
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return View{}, fault.New(fault.NotFound, "entry_not_found", "没有找到这条操作记录")
	}
	e, err := a.o.Services.Trail.Get(ctx, actor.Trail(), id)
	if err != nil {
		return View{}, err
	}
	return View{Title: e.Title(), Subtitle: e.Act, Trail: []Link{{"操作日志", Prefix + "/trail"}}, Body: a.render("trail-entry", e)}, nil
}

// verifyTrail walks the whole chain and shows what came of it.
func (a *Admin) verifyTrail(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("trail.read") || !actor.Operator() {
		return View{}, fault.New(fault.Forbidden, "forbidden", "只有平台管理员可以校验操作日志")
	}
	v := struct {
		Head, Problem string
		trail.Report
	}{Head: strings.TrimSpace(r.PostForm.Get("head"))}
	report, err := a.o.Services.Chain.Verify(ctx, trail.VerifyOptions{Witness: v.Head})
	switch {
	case err != nil && ctx.Err() != nil:
		return View{}, fault.New(fault.Unavailable, "verify_long", "日志太多，页面上来不及校验完；请在服务器上运行 minifleet doctor --trail").Because(err)
	case err != nil && v.Head != "":
		v.Problem = "链头应像 1234:9f86… 这样，请从以前的校验结果里完整复制"
		return View{Title: "校验操作日志", Trail: []Link{{"操作日志", Prefix + "/trail"}}, Body: a.render("trail-verified", v), Status: http.StatusBadRequest}, nil
	case err != nil:
		return View{}, err
	}
	v.Report = report
	e := trail.Entry{Act: "trail.verify", Object: "到第 " + strconv.FormatInt(report.Last, 10) + " 条", Detail: report.Head()}
	var outcome error
	if report.Bad != nil {
		outcome = fault.New(fault.Conflict, "trail_broken", report.Bad.Words)
	}
	if noted := a.note(ctx, actor, r, e, outcome); noted != nil && outcome == nil {
		return View{}, noted
	}
	return View{Title: "校验操作日志", Trail: []Link{{"操作日志", Prefix + "/trail"}}, Body: a.render("trail-verified", v)}, nil
}
