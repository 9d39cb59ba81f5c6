package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

func (a *Admin) jobPages() []Page {
	return []Page{
		{Pattern: "GET /jobs", Title: "定时任务", Kinds: operators, Query: []string{"newest"}, Handle: a.jobsPage},
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

// shortList is a list that fits on one page, and whether a filter narrows it.
type shortList[T any] struct {
	Rows     []T
	Filtered bool
	Total    string
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

func (a *Admin) jobsPage(ctx context.Context, _ account.Actor, r *http.Request) (View, error) {
	jobs, err := a.o.Services.Jobs.Jobs(ctx)
	if err != nil {
		return View{}, err
	}
	rows := make([]jobRow, 0, len(jobs))
	newest := r.URL.Query().Get("newest")
	for _, j := range jobs {
		if newest == "never" && j.Last != nil || newest == "failed" && (j.Last == nil || j.Last.State != "failed") {
			continue
		}
		rows = append(rows, jobRow{j, runOf(j.Last)})
	}
	return View{Subtitle: "每个任务同一时刻只在一个实例上运行", Body: a.render("jobs", shortList[jobRow]{rows, newest != "", grouped(int64(len(rows)))})}, nil
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
		{Pattern: "GET /plugins", Title: "插件", Kinds: operators, Query: []string{"state"}, Handle: a.processesPage},
		{Pattern: "POST /plugins/{id}/restart", Title: "插件", Kinds: operators, Handle: a.restartPlugin},
	}
}

type processRow struct {
	Process
	Color, Label, Memory string
}

func processTag(state string) (color, label string) {
	switch state {
	case "serving":
		return "green", "运行中"
	case "starting":
		return "blue", "启动中"
	case "backoff":
		return "orange", "等待重启"
	case "stopped":
		return "grey", "已停止"
	default:
		return "grey", state
	}
}

func (a *Admin) processesPage(ctx context.Context, _ account.Actor, r *http.Request) (View, error) {
	var rows []processRow
	state := r.URL.Query().Get("state")
	for _, p := range a.o.Services.Processes.Status(ctx) {
		if state != "" && p.State != state {
			continue
		}
		row := processRow{Process: p, Memory: "—"}
		row.Color, row.Label = processTag(p.State)
		if p.MemoryBytes > 0 {
			row.Memory = strconv.FormatFloat(float64(p.MemoryBytes)/(1<<20), 'f', 1, 64) + " MB"
		}
		rows = append(rows, row)
	}
	return View{Body: a.render("processes", shortList[processRow]{rows, state != "", grouped(int64(len(rows)))})}, nil
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
	a.flash.put(actor, "插件正在重启")
	return View{Redirect: Prefix + "/plugins"}, nil
}
