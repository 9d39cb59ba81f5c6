package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// consoleRoutes are the addresses for people.
func (s *Simulator) consoleRoutes(mux *http.ServeMux) {
	pages := map[string]pageFunc{
		"/console": overviewPage, "/console/components": componentsPage, "/console/components/{appid}": componentPage,
		"/console/miniprograms": programsPage, "/console/miniprograms/{appid}": programPage, "/console/drafts": draftsPage,
		"/console/audits": auditsPage, "/console/clock": clockPage, "/console/pushes": pushesPage, "/console/calls": callsPage,
		"/console/faults": faultsPage, "/console/phone": phoneOpenerPage, "/console/settings": settingsPage,
		"/console/scenarios": s.scenariosPage, "/console/scenarios/{id}": s.scenarioPage, "/console/runs/{id}": runPage,
		"/console/help": helpPage, "/console/release-check": releasePage,
	}
	for path, fn := range pages {
		mux.HandleFunc("GET "+path, s.page(fn))
	}
	mux.HandleFunc("GET /console/{$}", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/console", http.StatusSeeOther) })
	mux.HandleFunc("POST /console/do/{action}", s.page(s.consoleAction))
}

// consoleData is what the layout shows around every page.
type consoleData struct {
	Title, Active  string
	Lead           string // what the page is for
	Flash, Problem string
	Field          string // the field the problem is about
	Now            int64
	Pace           string // 已冻结, 60 倍速, or ""
	Menu           []menuItem
	Data           any
}

func (w *world) console(r *http.Request, now int64, key, template string, data any) view {
	menu := w.menu()
	title := ""
	for _, item := range menu {
		if item.Key == key {
			title = item.Label
		}
	}
	return view{template: template, data: consoleData{Title: title, Active: key, Lead: leads[key], Flash: r.URL.Query().Get("ok"), Problem: r.URL.Query().Get("err"),
		Field: r.URL.Query().Get("field"), Now: now, Pace: w.clock.pace(), Menu: menu, Data: data}}
}

// openAudits counts what waits at the review desk.
func (w *world) openAudits() int {
	open := 0
	for _, m := range w.miniPrograms.docs {
		if a := m.lastAudit(); a != nil && a.open() {
			open++
		}
	}
	for _, r := range w.reviews.docs {
		if r.State == reviewWaiting {
			open++
		}
	}
	return open
}

// openTasks counts what waits for a person with a phone.
func (w *world) openTasks() int {
	open := 0
	for _, t := range w.tasks.docs {
		if t.open() {
			open++
		}
	}
	return open
}

// pager is one page of a long list.
type pager struct {
	Total, Page, Pages int
	Prev, Next         string // addresses, "" at the ends
}

const (
	perPage         = 50
	programsPerPage = 24
)

// paged cuts the page that ?page= asks for out of a list.
func paged[T any](r *http.Request, all []T) ([]T, pager) { return pagedBy(r, all, perPage) }

func pagedBy[T any](r *http.Request, all []T, size int) ([]T, pager) {
	p := pager{Total: len(all), Page: 1, Pages: max(1, (len(all)+size-1)/size)}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
		p.Page = min(max(n, 1), p.Pages)
	}
	to := func(page int) string {
		q := r.URL.Query()
		for _, key := range []string{"ok", "err", "field"} {
			q.Del(key)
		}
		q.Set("page", strconv.Itoa(page))
		return r.URL.Path + "?" + q.Encode()
	}
	if p.Page > 1 {
		p.Prev = to(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = to(p.Page + 1)
	}
	return all[(p.Page-1)*size : min(p.Page*size, len(all))], p
}

// recentPushes are the newest first, of one component or of all.
func (w *world) recentPushes(component string, limit int) []*push {
	ids := w.pushes.ids()
	out := []*push{}
	for i := len(ids) - 1; i >= 0 && len(out) < limit; i-- {
		if p := w.pushes.get(ids[i]); component == "" || p.Component == component {
			out = append(out, p)
		}
	}
	return out
}

func overviewPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "overview", "overview", map[string]any{"Components": len(w.components.docs), "Programs": len(w.miniPrograms.docs),
		"Audits": w.openAudits(), "Tasks": w.openTasks(), "Calls": len(w.callLog), "Pushes": w.recentPushes("", 10)}), nil
}

// componentRow is one line of the list of components.
type componentRow struct {
	*component
	LastTicketMs int64
	Authorized   int
	AuditUsed    int
}

func (w *world) componentRow(c *component, now int64) componentRow {
	row := componentRow{component: c, AuditUsed: c.AuditUsed.in(monthOf(now))}
	if n := len(c.Tickets); n > 0 {
		row.LastTicketMs = c.Tickets[n-1].CreatedMs
	}
	for _, a := range w.authorizations.docs {
		if a.Component == c.AppID && a.Active {
			row.Authorized++
		}
	}
	return row
}

// componentForm fills the form for a new or an existing component.
type componentForm struct {
	C    *component
	Edit bool
	Back string
}

func componentsPage(w *world, now int64, r *http.Request) (view, error) {
	rows := []componentRow{}
	for _, c := range w.components.all() {
		rows = append(rows, w.componentRow(c, now))
	}
	blank := &component{PermissionSets: defaultPermissionSets(), AuditQuota: 100, SpeedupQuota: 5}
	return w.console(r, now, "components", "components", map[string]any{"Components": rows,
		"Form": componentForm{C: blank, Back: "/console/components"}}), nil
}

// authorizationRow is one line of a component's authorisations.
type authorizationRow struct {
	Name, AppID string
	Active      bool
	Sets        []int
	TimeMs      int64
}

func componentPage(w *world, now int64, r *http.Request) (view, error) {
	c := w.components.get(r.PathValue("appid"))
	if c == nil {
		return view{}, notFound("appid", "没有这个第三方平台")
	}
	rows := []authorizationRow{}
	search := strings.TrimSpace(r.URL.Query().Get("q"))
	for _, a := range w.authorizations.all() {
		m := w.miniPrograms.get(a.AppID)
		if a.Component != c.AppID || (search != "" && !strings.Contains(a.AppID, search) && (m == nil || !strings.Contains(m.NickName, search))) {
			continue
		}
		row := authorizationRow{AppID: a.AppID, Active: a.Active, Sets: a.Sets, TimeMs: a.AuthorizedMs}
		if m != nil {
			row.Name = m.NickName
		}
		rows = append(rows, row)
	}
	shown, pages := pagedBy(r, rows, programsPerPage)
	return w.console(r, now, "components", "component", map[string]any{"C": c, "Row": w.componentRow(c, now), "Authorizations": shown, "Pager": pages, "Search": search,
		"Pushes": w.recentPushes(c.AppID, 20), "Form": componentForm{C: c, Edit: true, Back: "/console/components/" + c.AppID}}), nil
}

// lane is one line of a mini program's versions.
type lane struct {
	Name, Version, State, Color string
	TimeMs                      int64
}

func (m *miniProgram) lanes() []lane {
	online, inAudit, trial := lane{Name: "线上", State: "尚未发布"}, lane{Name: "审核", State: "没有提交审核的版本"}, lane{Name: "体验", State: "暂无体验版"}
	if p := m.Online; p != nil {
		online = lane{"线上", p.Build.Version, "已上线", "green", p.ReleasedMs}
		if p.Reverted {
			online.State = "已回退"
		}
		if m.grayIsRunning() {
			online.State, online.Color = "灰度中 "+strconv.Itoa(m.Gray.Percentage)+"% → "+m.Gray.Build.Version, "blue"
		}
	}
	if a := m.lastAudit(); a != nil && !a.Released {
		inAudit = lane{"审核", a.Build.Version, auditText(a.Status), auditColor(a.Status), a.SubmittedMs}
	}
	if b := m.Trial; b != nil {
		trial = lane{"体验", b.Version, "体验版", "blue", b.CommittedMs}
	}
	return []lane{online, inAudit, trial}
}

// programRow is one mini program on a console page.
type programRow struct {
	M         *miniProgram
	Admin     string
	Lanes     []lane
	Platforms []string
}

func (w *world) programRow(m *miniProgram) programRow {
	row := programRow{M: m, Admin: m.Admin, Lanes: m.lanes()}
	if p := w.people.get(m.Admin); p != nil {
		row.Admin = p.Name
	}
	for _, c := range w.components.all() {
		if a := w.authorizationOf(c.AppID, m.AppID); a != nil && a.Active {
			row.Platforms = append(row.Platforms, c.Name)
		}
	}
	return row
}

// programForm fills the form for a new or an existing mini program.
type programForm struct {
	M      *miniProgram
	People []*person
	Edit   bool
	Back   string
}

func programsPage(w *world, now int64, r *http.Request) (view, error) {
	search, found := strings.TrimSpace(r.URL.Query().Get("q")), []*miniProgram{}
	for _, m := range w.sortedMiniPrograms() {
		if m.named(search) {
			found = append(found, m)
		}
	}
	shown, pages := pagedBy(r, found, programsPerPage)
	rows := []programRow{}
	for _, m := range shown {
		rows = append(rows, w.programRow(m))
	}
	blank := (&world{ids: &idSource{}}).newMiniProgram("", now) // defaults for the form, without using up an id
	blank.AppID, blank.NickName = "", ""
	return w.console(r, now, "miniprograms", "programs", map[string]any{"Programs": rows, "Pager": pages, "Search": search,
		"People": w.people.all(), "Components": w.components.all(), "Form": programForm{M: blank, People: w.people.all(), Back: "/console/miniprograms"}}), nil
}

func programPage(w *world, now int64, r *http.Request) (view, error) {
	m := w.miniPrograms.get(r.PathValue("appid"))
	if m == nil {
		return view{}, notFound("appid", "没有这个小程序")
	}
	return w.console(r, now, "miniprograms", "program", map[string]any{"Row": w.programRow(m),
		"Form": programForm{M: m, People: w.people.all(), Edit: true, Back: "/console/miniprograms/" + m.AppID}}), nil
}

func draftsPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "drafts", "drafts", map[string]any{"Components": w.components.all()}), nil
}

// auditRow is one submitted version with its mini program.
type auditRow struct {
	M *miniProgram
	A *audit
}

// auditRows are the open audits, oldest first, and the finished ones, newest first.
func (w *world) auditRows() (open, done []auditRow) {
	for _, m := range w.miniPrograms.all() {
		for i := range m.Audits {
			if a := &m.Audits[i]; a.open() {
				open = append(open, auditRow{m, a})
			} else {
				done = append(done, auditRow{m, a})
			}
		}
	}
	slices.SortStableFunc(open, func(a, b auditRow) int { return int(a.A.AuditID - b.A.AuditID) })
	slices.SortStableFunc(done, func(a, b auditRow) int { return int(b.A.DecidedMs - a.A.DecidedMs) })
	return open, done
}

func auditsPage(w *world, now int64, r *http.Request) (view, error) {
	open, done := w.auditRows()
	waiting, decided := w.reviewRows()
	return w.console(r, now, "audits", "audits", map[string]any{"Open": open[:min(len(open), 100)], "Done": done[:min(len(done), 30)],
		"Waiting": waiting[:min(len(waiting), 100)], "Decided": decided[:min(len(decided), 30)], "Count": len(open) + len(waiting)}), nil
}

// clockStep is one 快进 button.
type clockStep struct {
	Seconds int64
	Label   string
}

func clockPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "clock", "clock", map[string]any{
		"Offset": offsetText(w.clock.offset(time.Now())), "Frozen": w.clock.Frozen, "Speed": max(w.clock.Speed, 1),
		"Speeds": []int64{1, 10, 60, 600, 3600},
		"Steps": []clockStep{{60, "1 分钟"}, {600, "10 分钟"}, {3600, "1 小时"}, {7200, "2 小时"}, {43200, "12 小时"}, {86400, "1 天"},
			{7 * 86400, "7 天"}, {30 * 86400, "30 天"}},
	}), nil
}

func settingsPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "settings", "settings", map[string]any{"Settings": w.settings.fields()}), nil
}

func pushesPage(w *world, now int64, r *http.Request) (view, error) {
	q := r.URL.Query()
	found := []*push{}
	for _, id := range slices.Backward(w.pushes.ids()) {
		p := w.pushes.get(id)
		if matches(q.Get("state"), p.State) && matches(q.Get("kind"), p.Kind) && (q.Get("appid") == "" || q.Get("appid") == p.AppID || q.Get("appid") == p.Component) {
			found = append(found, p)
		}
	}
	shown, pages := paged(r, found)
	planned := []*component{}
	for _, c := range w.components.all() {
		if c.DropPushes > 0 || c.Reorder > 0 || c.NextPushes != nil {
			planned = append(planned, c)
		}
	}
	return w.console(r, now, "pushes", "pushes", map[string]any{"Components": w.components.all(), "Corruptions": corruptions, "Planned": planned,
		"Pushes": shown, "Pager": pages, "State": q.Get("state"), "Kind": q.Get("kind"), "AppID": q.Get("appid"),
		"States": []string{pushWaiting, pushDelayed, pushHeld, pushOK, pushFailed, pushDropped}}), nil
}

func callsPage(w *world, now int64, r *http.Request) (view, error) {
	q := r.URL.Query()
	all, _ := w.callsLike(callFilter{path: strings.TrimSpace(q.Get("path")), either: strings.TrimSpace(q.Get("appid")), errcode: strings.TrimSpace(q.Get("errcode")),
		rid: strings.TrimSpace(q.Get("rid"))}, 0, maxCalls)
	calls, pages := paged(r, all)
	return w.console(r, now, "calls", "calls", map[string]any{"Calls": calls, "Pager": pages, "Path": q.Get("path"), "AppID": q.Get("appid"),
		"Errcode": q.Get("errcode"), "RID": q.Get("rid"), "Paths": w.calledPaths()}), nil
}

// calledPaths are the paths in the log, for the filter's suggestions.
func (w *world) calledPaths() []string {
	seen := map[string]bool{}
	for _, c := range w.callLog {
		seen[c.Path] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func faultsPage(w *world, now int64, r *http.Request) (view, error) {
	return w.console(r, now, "faults", "faults", map[string]any{"Presets": faultPresets, "Faults": w.faults.all(), "Breakages": breakages, "Latency": w.latency}), nil
}

// phoneOpenerPage opens what a QR code holds, as WeChat's scanner does.
func phoneOpenerPage(w *world, now int64, r *http.Request) (view, error) {
	address := r.URL.Query().Get("url")
	problem := ""
	if address != "" {
		if checkWebURL(address) == nil {
			return view{redirect: address}, nil
		}
		problem = "链接应以 http:// 或 https:// 开头，请粘贴完整的地址"
	}
	tasks, done := w.taskRows()
	return w.console(r, now, "phone", "phoneopener", map[string]any{"URL": address, "Problem": problem, "Tasks": tasks, "Done": done[:min(len(done), 20)]}), nil
}
