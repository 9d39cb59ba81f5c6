package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

func (a *Admin) jobPages() []Page {
	return []Page{
		{Pattern: "GET /jobs", Title: "定时任务", Kinds: operators, Query: listQuery(jobList(a.o.Services).names()...), Handle: a.jobsPage},
		{Pattern: "GET /jobs/{name}", Title: "定时任务", Kinds: operators, Handle: a.jobPage},
		{Pattern: "POST /jobs/{name}/run", Title: "定时任务", Kinds: operators, Handle: a.runJob},
	}
}

// runTag is the word and colour of a run's state.
func runTag(state string) (color, label string) {
	switch state {
	case "ok":
		return "green", "成功"
	case "running":
		return "blue", "运行中"
	case "failed":
		return "red", "失败"
	default:
		return "grey", state
	}
}

type runRow struct {
	JobRun
	Color, Label string
}

type jobRow struct {
	Job
	Run *runRow
}

func runOf(r *JobRun) *runRow {
	if r == nil {
		return nil
	}
	row := &runRow{JobRun: *r}
	row.Color, row.Label = runTag(r.State)
	return row
}

// Took is how long a run was at work, or nothing while it runs.
func (r runRow) Took() string {
	if r.EndedAt == 0 {
		return "—"
	}
	return grouped(r.EndedAt-r.StartedAt) + " ms"
}

// The states of a job's newest run, as a choice; a job that never ran has none.
var newestRuns = []Option{{"ok", "成功", ""}, {"failed", "失败", ""}, {"running", "运行中", ""}, {"never", "从未运行", ""}}

func (row jobRow) newest() string {
	if row.Last == nil {
		return "never"
	}
	return row.Last.State
}

// startedAt is when the newest run began, 0 for a job that never ran.
func (row jobRow) startedAt() int64 {
	if row.Last == nil {
		return 0
	}
	return row.Last.StartedAt
}

func (row jobRow) note() string {
	if row.Last == nil {
		return ""
	}
	return row.Last.Note
}

// jobList are the cron jobs, for operators.
func jobList(s Services) shortList[jobRow] {
	return shortList[jobRow]{
		name: listJobs, title: "定时任务", address: Prefix + "/jobs", search: "任务名称", empty: "没有定时任务", admit: operatorWith("job.read"),
		rows: func(ctx context.Context, _ account.Actor) ([]jobRow, error) {
			jobs, err := s.Jobs.Jobs(ctx)
			rows := make([]jobRow, 0, len(jobs))
			for _, j := range jobs {
				rows = append(rows, jobRow{j, runOf(j.Last)})
			}
			return rows, err
		},
		key: func(row jobRow) string { return row.Name }, label: func(row jobRow) string { return row.Title },
		filters: []shortFilter[jobRow]{{"newest", "上次结果", newestRuns, func(row jobRow, v string) bool { return row.newest() == v }}},
		columns: []shortColumn[jobRow]{
			{name: "title", title: "任务", cell: "job-title", found: true, text: func(row jobRow) string { return row.Title }, order: func(x, y jobRow) int { return cmp.Compare(x.Name, y.Name) },
				more: []shortColumn[jobRow]{{name: "name", title: "代号", found: true, text: func(row jobRow) string { return row.Name }}}},
			{name: "spec", title: "周期", cell: "job-spec", text: func(row jobRow) string { return row.Spec }},
			{name: "started_at", title: "上次运行", cell: "job-started", kind: transfer.Time, text: func(row jobRow) string { return strconv.FormatInt(row.startedAt(), 10) }, order: func(x, y jobRow) int { return cmp.Compare(x.startedAt(), y.startedAt()) }},
			{name: "newest", title: "结果", cell: "job-newest", text: jobRow.newest, labels: labelsOf(newestRuns), more: []shortColumn[jobRow]{{name: "note", title: "说明", text: jobRow.note}}},
			{name: "next_at", title: "下次运行", cell: "job-next", kind: transfer.Time, text: func(row jobRow) string { return strconv.FormatInt(row.NextAt, 10) }, order: func(x, y jobRow) int { return cmp.Compare(x.NextAt, y.NextAt) }},
		},
		ops: func(who account.Actor, row jobRow) []theme.Op {
			base := Prefix + "/jobs/" + url.PathEscape(row.Name)
			ops := []theme.Op{{Title: "运行记录", Href: base}}
			if who.Can("job.run") {
				ops = append(ops, theme.Op{Title: "立即执行", Post: base + "/run", Test: "run-" + row.Name})
			}
			return ops
		},
	}
}

// operatorWith admits operators whose role has the permission.
func operatorWith(permission string) func(who account.Actor) error {
	return func(who account.Actor) error {
		if !who.Operator() {
			return fault.New(fault.Forbidden, "forbidden", "你没有查看这个列表的权限")
		}
		return account.Require(who, permission)
	}
}

func (a *Admin) jobsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := showShort(ctx, a, actor, r, jobList(a.o.Services), nil)
	v.Subtitle = "每个任务同一时刻只在一个实例上运行"
	return v, err
}

func (a *Admin) job(ctx context.Context, name string) (Job, error) {
	jobs, err := a.o.Services.Jobs.Jobs(ctx)
	if err != nil {
		return Job{}, err
	}
	for _, j := range jobs {
		if j.Name == name {
			return j, nil
		}
	}
	return Job{}, fault.New(fault.NotFound, "job_not_found", "没有这个定时任务")
}

func (a *Admin) jobPage(ctx context.Context, _ account.Actor, r *http.Request) (View, error) {
	j, err := a.job(ctx, r.PathValue("name"))
	if err != nil {
		return View{}, err
	}
	runs, err := a.o.Services.Jobs.Runs(ctx, j.Name, 50)
	if err != nil {
		return View{}, err
	}
	v := struct {
		Job  Job
		Runs []*runRow
	}{Job: j}
	for i := range runs {
		v.Runs = append(v.Runs, runOf(&runs[i]))
	}
	return View{Title: j.Title, Subtitle: j.Name, Trail: []Link{{"定时任务", Prefix + "/jobs"}}, Body: a.render("job", v)}, nil
}

func (a *Admin) runJob(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	j, err := a.job(ctx, r.PathValue("name"))
	if err != nil {
		return View{}, err
	}
	if !actor.Can("job.run") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有执行定时任务的权限")
	}
	err = a.o.Services.Jobs.RunNow(ctx, j.Name)
	if err := a.note(ctx, actor, r, trail.Entry{Act: "job.run", Object: j.Name}, err); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已开始执行「"+j.Title+"」")
	return View{Redirect: Prefix + "/jobs/" + url.PathEscape(j.Name)}, nil
}

func (a *Admin) processPages() []Page {
	return []Page{
		{Pattern: "GET /plugins", Title: "插件", Kinds: operators, Query: listQuery(processList(a.o.Services).names()...), Handle: a.processesPage},
		{Pattern: "GET /plugins/{id}", Title: "插件", Kinds: operators, Handle: a.processPage},
		{Pattern: "POST /plugins/{id}/restart", Title: "插件", Kinds: operators, Handle: a.restartPlugin},
		{Pattern: "POST /plugins/{id}/drop", Title: "插件", Kinds: operators, Handle: a.dropData},
	}
}

type processRow struct {
	Process
	refusals             // of the form that withdraws it
	Reason        string // typed there
	Color, Memory string
	Past          []processStep // the newest first
	Asked         bool          // this person may restart it
	Data          *pluginDataView
	Operations    []plugin.Operation // offered to other plugins
	MayTake       bool               // and take it out of service
	Previous      string             // version that 回到上一版本 leads to, "" for none
}

type processStep struct {
	ProcessChange
	Color string
}

func processColor(state string) string {
	switch state {
	case "serving":
		return "green"
	case "starting", "upgrading", "probing":
		return "blue"
	case "backoff":
		return "orange"
	case "broken":
		return "red"
	default:
		return "grey"
	}
}

var processStates = []Option{
	{"serving", "运行中", ""}, {"starting", "启动中", ""}, {"upgrading", "切换中", ""}, {"backoff", "等待重启", ""}, {"broken", "已熔断", ""}, {"probing", "试启动", ""}, {"stopping", "停止中", ""}, {"stopped", "已停止", ""},
}

// processList are the plugin processes, for operators.
func processList(s Services) shortList[processRow] {
	return shortList[processRow]{
		name: listProcesses, title: "插件", address: Prefix + "/plugins", search: "插件名称或代号", empty: "没有插件", admit: operatorWith("plugin.read"),
		rows: func(ctx context.Context, _ account.Actor) ([]processRow, error) {
			var rows []processRow
			for _, p := range s.Processes.Status(ctx) {
				rows = append(rows, rowOfProcess(p))
			}
			return rows, nil
		},
		key: func(row processRow) string { return row.ID }, label: func(row processRow) string { return row.Title },
		filters: []shortFilter[processRow]{{"state", "状态", processStates, func(row processRow, v string) bool { return row.State == v }}},
		columns: []shortColumn[processRow]{
			{name: "title", title: "插件", cell: "process-title", found: true, text: func(row processRow) string { return row.Title }, order: func(x, y processRow) int { return cmp.Compare(x.ID, y.ID) },
				more: []shortColumn[processRow]{{name: "id", title: "代号", found: true, text: func(row processRow) string { return row.ID }}}},
			{name: "version", title: "版本", text: func(row processRow) string { return row.Version }},
			{name: "kind", title: "来源", text: processRow.kind},
			{name: "state", title: "状态", cell: "process-state", text: func(row processRow) string { return row.State }, labels: labelsOf(processStates)},
			{name: "pid", title: "进程号", text: func(row processRow) string { return orDash(row.PID) }},
			{name: "started_at", title: "此状态始于", cell: "process-since", kind: transfer.Time, text: func(row processRow) string { return strconv.FormatInt(row.StartedAt, 10) }, order: func(x, y processRow) int { return cmp.Compare(x.StartedAt, y.StartedAt) }},
			{name: "restarts", title: "重启次数", number: true, text: func(row processRow) string { return strconv.Itoa(row.Restarts) }, kind: transfer.Int, order: func(x, y processRow) int { return cmp.Compare(x.Restarts, y.Restarts) }},
			{name: "memory", title: "内存", number: true, text: func(row processRow) string { return row.Memory }, order: func(x, y processRow) int { return cmp.Compare(x.MemoryBytes, y.MemoryBytes) }},
			{name: "error", title: "最近错误", cell: "process-error", found: true, text: func(row processRow) string { return row.LastError }},
		},
		ops: func(who account.Actor, row processRow) []theme.Op {
			ops := []theme.Op{{Title: "详情", Href: Prefix + "/plugins/" + row.ID}}
			if who.Can("plugin.restart") {
				ops = append(ops, theme.Op{Title: "重启", Post: Prefix + "/plugins/" + row.ID + "/restart", Confirm: "重启「" + row.Title + "」？新进程准备好之后才接替，正在打开的页面不受影响。"})
			}
			return ops
		},
	}
}

// kind says whose plugin it is.
func (row processRow) kind() string {
	if row.Third {
		return "第三方"
	}
	return "内置"
}

// Moving reports whether the state will be another soon: the page asks again by itself.
func (row processRow) Moving() bool {
	return slices.Contains([]plugin.State{plugin.Starting, plugin.Upgrading, plugin.Probing, plugin.Stopping, plugin.Backoff}, plugin.State(row.State))
}

func orDash(n int) string {
	if n == 0 {
		return "—"
	}
	return strconv.Itoa(n)
}

func rowOfProcess(p Process) processRow {
	row := processRow{Process: p, Memory: "—"}
	row.Color = processColor(p.State)
	for _, c := range slices.Backward(p.History) {
		row.Past = append(row.Past, processStep{c, processColor(c.State)})
	}
	if p.MemoryBytes > 0 {
		row.Memory = strconv.FormatFloat(float64(p.MemoryBytes)/(1<<20), 'f', 1, 64) + " MB"
	}
	return row
}

func (a *Admin) processesPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return showShort(ctx, a, actor, r, processList(a.o.Services), func(l *shownList) {
		if a.o.Services.Catalog != nil && actor.Can(plugin.PermissionApprove) {
			l.Tools = a.render("archive-tools", nil)
		}
	})
}

// addEntry says what the catalog knows of an extension.
func (a *Admin) addEntry(ctx context.Context, actor account.Actor, row *processRow) error {
	if !row.Third || a.o.Services.Catalog == nil {
		return nil
	}
	row.MayTake = actor.Can(plugin.PermissionApprove)
	e, _, err := a.o.Services.Catalog.Entry(ctx, actor, row.ID)
	if err == nil && e.Previous != nil && e.Previous.State == plugin.ArchiveApproved {
		row.Previous = e.Previous.Version
	}
	return err
}

// processPage shows one plugin process with the last steps of its life.
func (a *Admin) processPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.oneProcess(ctx, actor, r.PathValue("id"), "", nil)
}

// oneProcess is the page, after a refusal with the reason for it beside what was typed.
func (a *Admin) oneProcess(ctx context.Context, actor account.Actor, id, reason string, problem *fault.Error) (View, error) {
	for _, p := range a.o.Services.Processes.Status(ctx) {
		if p.ID == id {
			row := rowOfProcess(p)
			row.refusals, row.Reason = refusals{problem}, reason
			row.Asked = actor.Can("plugin.restart")
			if err := a.addEntry(ctx, actor, &row); err != nil {
				return View{}, err
			}
			var err error
			if row.Data, err = a.pluginData(ctx, actor, p.ID); err != nil {
				return View{}, err
			}
			if a.o.Services.PluginOperations != nil {
				row.Operations = slices.DeleteFunc(a.o.Services.PluginOperations(), func(o plugin.Operation) bool { return o.Plugin != p.ID || o.Internal })
			}
			return View{Title: p.Title, Trail: []Link{{"插件", Prefix + "/plugins"}}, Body: a.render("process", row), Status: statusOf(problem)}, nil
		}
	}
	return View{}, fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")
}

func (a *Admin) restartPlugin(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if !actor.Can("plugin.restart") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有重启插件的权限")
	}
	id := r.PathValue("id")
	err := a.o.Services.Processes.Restart(ctx, id)
	if err := a.note(ctx, actor, r, trail.Entry{Act: "plugin.restart", Plugin: id, Object: id}, err); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "插件已重启")
	return View{Redirect: Prefix + "/plugins/" + url.PathEscape(id)}, nil
}
