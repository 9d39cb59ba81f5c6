package command

import (
	"context"
	"strconv"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/inbox"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
)

// The types of this file fit the plugin host and the core rooms to what the back office asks of them.

type adminPlugins struct{ host *plugin.Host }

func (p adminPlugins) Menu(ctx context.Context, actor account.Actor) []admin.PluginMenu {
	var out []admin.PluginMenu
	for _, m := range p.host.Menu(ctx, actor, plugin.FrameAdmin) {
		href := m.Path
		if m.Table != "" {
			href = admin.Table{Plugin: m.Plugin, Name: m.Table}.Address()
		}
		out = append(out, admin.PluginMenu{Plugin: m.Plugin, Title: m.Title, Icon: m.Icon, Href: href, Group: m.Group, Order: m.Order})
	}
	return out
}

func (p adminPlugins) Table(ctx context.Context, actor account.Actor, id, table string) (admin.Table, error) {
	t, err := p.host.Table(ctx, actor, id, table)
	if err != nil {
		return admin.Table{}, err
	}
	out := admin.Table{
		Plugin: id, Name: t.GetName(), Title: t.GetTitle(), Intro: t.GetIntro(), Empty: t.GetEmpty(), Sort: t.GetSort(),
		Counted: t.GetCollection() != "", CanCreate: t.GetCanCreate(), CanEdit: t.GetCanEdit(), CanRemove: t.GetCanRemove(), Form: adminColumns(t.GetForm()),
	}
	for _, c := range t.GetColumns() {
		one := adminColumn(c)
		if c.GetList() {
			out.Columns = append(out.Columns, one)
		}
		if c.GetFilter() != "" {
			out.Filters = append(out.Filters, one)
		}
		out.Search = out.Search || c.GetSearch()
	}
	for _, a := range t.GetActions() {
		if p := a.GetPermission(); p != "" && !actor.Can(p) {
			continue
		}
		out.Actions = append(out.Actions, admin.Action{Name: a.GetName(), Title: a.GetTitle(), Confirm: a.GetConfirm(), Batch: a.GetBatch(), Danger: a.GetDanger(), WhenColumn: a.GetWhenColumn(), When: a.GetWhenValues()})
	}
	return out, nil
}

func adminColumns(list []*plugin.Column) []admin.Column {
	out := make([]admin.Column, 0, len(list))
	for _, c := range list {
		out = append(out, adminColumn(c))
	}
	return out
}

func adminColumn(c *plugin.Column) admin.Column {
	one := admin.Column{Name: c.GetName(), Title: c.GetTitle(), Type: c.GetType(), Required: c.GetRequired(), Sort: c.GetSort(), Size: int(c.GetSize()), Help: c.GetHelp()}
	for _, o := range c.GetOptions() {
		one.Options = append(one.Options, admin.Option{Value: o.GetValue(), Label: o.GetLabel(), Color: o.GetColor()})
	}
	return one
}

func (p adminPlugins) Rows(ctx context.Context, actor account.Actor, id, table string, q admin.TableQuery) (admin.TablePage, error) {
	page, err := p.host.Rows(ctx, actor, id, table, plugin.TableQuery{Filters: q.Filters, Search: q.Search, Sort: q.Sort, Cursor: q.Cursor, Limit: q.Limit})
	if err != nil {
		return admin.TablePage{}, err
	}
	out := admin.TablePage{Next: page.Next, Note: page.Note}
	if page.Total >= 0 {
		out.Total = &page.Total
	}
	for _, row := range page.Rows {
		out.Rows = append(out.Rows, adminRow(row))
	}
	return out, nil
}

func adminRow(row plugin.Row) admin.TableRow {
	r := admin.TableRow{ID: row.Text("id"), Version: row.Version(), Values: map[string]string{}}
	for name, text := range row.All() {
		r.Values[name] = text
	}
	return r
}

func rowIDs(ids []string) ([]int64, error) {
	out := make([]int64, 0, len(ids))
	for _, text := range ids {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fault.New(fault.NotFound, "row_not_found", "没有找到这条数据")
		}
		out = append(out, n)
	}
	return out, nil
}

func (p adminPlugins) Row(ctx context.Context, actor account.Actor, id, table, row string) (admin.TableRow, error) {
	ids, err := rowIDs([]string{row})
	if err != nil {
		return admin.TableRow{}, err
	}
	cells, err := p.host.Row(ctx, actor, id, table, ids[0])
	if err != nil {
		return admin.TableRow{}, err
	}
	return adminRow(cells), nil
}

func (p adminPlugins) Save(ctx context.Context, actor account.Actor, id, table string, s admin.TableSave) error {
	row := int64(0)
	if s.ID != "" {
		ids, err := rowIDs([]string{s.ID})
		if err != nil {
			return err
		}
		row = ids[0]
	}
	_, err := p.host.Save(ctx, actor, id, table, row, s.Version, s.Values)
	return err
}

func (p adminPlugins) Remove(ctx context.Context, actor account.Actor, id, table string, rows []string) error {
	ids, err := rowIDs(rows)
	if err != nil {
		return err
	}
	return p.host.Remove(ctx, actor, id, table, ids)
}

func (p adminPlugins) Act(ctx context.Context, actor account.Actor, id, table, action string, rows []string) (admin.ActResult, error) {
	ids, err := rowIDs(rows)
	if err != nil {
		return admin.ActResult{}, err
	}
	r, err := p.host.Act(ctx, actor, id, table, action, ids)
	return admin.ActResult(r), err
}

func (p adminPlugins) Serve(ctx context.Context, actor account.Actor, req admin.PluginRequest) (admin.PluginResponse, error) {
	res, err := p.host.Serve(ctx, actor, plugin.Request{
		Plugin: req.Plugin, Frame: plugin.FrameAdmin, Method: req.Method, Path: req.Path, Query: req.Query.Encode(), Header: req.Header, Body: req.Body,
	})
	if err != nil {
		return admin.PluginResponse{}, err
	}
	out := admin.PluginResponse{Status: res.Status, Header: res.Header, Body: res.Body}
	if v := res.View; v != nil {
		out.Framed, out.Title, out.Subtitle, out.Redirect, out.Flash, out.Bare = true, v.GetTitle(), v.GetSubtitle(), v.GetRedirect(), v.GetFlash(), v.GetBare()
		for _, c := range v.GetCrumbs() {
			out.Trail = append(out.Trail, admin.Link{Title: c.GetTitle(), Href: c.GetPath()})
		}
	}
	return out, nil
}

type adminMiniPrograms struct {
	grants *grant.Service
	apps   *miniprogram.Service
}

func (m adminMiniPrograms) List(ctx context.Context, who account.Actor, f miniprogram.Filter) (miniprogram.Page, error) {
	return m.grants.MiniPrograms(ctx, who, f)
}

func (m adminMiniPrograms) CreateTicket(ctx context.Context, who account.Actor, r miniprogram.TicketRequest) (miniprogram.Ticket, error) {
	return m.apps.CreateTicket(ctx, who, r)
}

func (m adminMiniPrograms) Ticket(ctx context.Context, id string) (miniprogram.Ticket, error) {
	return m.apps.Ticket(ctx, id)
}

// Sync is 立即同步 for somebody who sees the mini program.
func (m adminMiniPrograms) Sync(ctx context.Context, who account.Actor, appid string) error {
	_, err := m.grants.Sync(ctx, who, appid)
	return err
}

func (m adminMiniPrograms) LandingURL(id string) string { return m.apps.LandingURL(id) }

type adminJobs struct{ jobs *schedule.Service }

func adminRun(r schedule.Run) admin.JobRun {
	state := r.State
	if state == schedule.Done {
		state = "ok"
	}
	return admin.JobRun{StartedAt: r.StartedAt, EndedAt: r.EndedAt, State: state, Note: r.Note, Manual: r.AskedBy != ""}
}

func (j adminJobs) Jobs(ctx context.Context) ([]admin.Job, error) {
	rows, err := j.jobs.Jobs(ctx)
	out := make([]admin.Job, 0, len(rows))
	for _, r := range rows {
		one := admin.Job{Name: r.Name, Title: r.Title, Spec: r.Spec, NextAt: r.Next}
		if r.Last != nil {
			last := adminRun(*r.Last)
			one.Last = &last
		}
		out = append(out, one)
	}
	return out, err
}

func (j adminJobs) Runs(ctx context.Context, name string, limit int) ([]admin.JobRun, error) {
	rows, err := j.jobs.Runs(ctx, name, limit)
	out := make([]admin.JobRun, 0, len(rows))
	for _, r := range rows {
		out = append(out, adminRun(r))
	}
	return out, err
}

func (j adminJobs) RunNow(ctx context.Context, name string) error {
	who, _ := account.From(ctx)
	if who.Name == "" {
		who.Name = "管理员"
	}
	_, err := j.jobs.RunNow(ctx, name, who)
	return err
}

type adminProcesses struct{ host *plugin.Host }

func (p adminProcesses) Status(context.Context) []admin.Process {
	var out []admin.Process
	for _, s := range p.host.Status() {
		one := admin.Process{
			ID: s.ID, Title: s.Title, Version: s.Version, State: string(s.State), Label: s.State.Title(), LastError: s.LastError, PID: s.PID, Restarts: s.Restarts,
			Calls: s.Calls, StartedAt: s.Since.UnixMilli(), MemoryBytes: s.MemoryBytes,
			Third: s.Third, ArchiveID: s.ArchiveID, SHA256: s.SHA256, UID: s.UID,
		}
		for _, n := range s.Refused {
			one.Refused += n
		}
		if !s.NextTry.IsZero() {
			one.NextTry = s.NextTry.UnixMilli()
		}
		for _, c := range s.History {
			one.History = append(one.History, admin.ProcessChange{At: c.At.UnixMilli(), State: string(c.State), Label: c.State.Title(), Note: c.Note})
		}
		out = append(out, one)
	}
	return out
}

func (p adminProcesses) Restart(ctx context.Context, id string) error { return p.host.Restart(ctx, id) }

func adminFailures(in *inbox.Handler) func(string) []admin.Failure {
	return func(component string) []admin.Failure {
		var out []admin.Failure
		for _, f := range in.Failures(component) {
			out = append(out, admin.Failure{At: f.At, Reason: f.Label})
		}
		return out
	}
}
