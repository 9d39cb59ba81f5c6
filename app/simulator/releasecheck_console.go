package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *Simulator) releaseRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /control/release-checks", control(s, s.startReleaseCheck))
	mux.HandleFunc("GET /control/release-checks", control(s, listReleaseChecks))
	mux.HandleFunc("GET /control/release-checks/{id}", control(s, showReleaseCheck))
}

// listReleaseChecks gives the newest first; filter component_appid.
func listReleaseChecks(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []*releaseCheck{}
	for _, id := range slices.Backward(w.releaseChecks.ids()) {
		if c := w.releaseChecks.get(id); matches(r.URL.Query().Get("component_appid"), c.Component) {
			items = append(items, c)
		}
	}
	return map[string]any{"items": items}, nil
}

func showReleaseCheck(w *world, _ int64, r *http.Request, _ none) (any, error) {
	if c := w.releaseCheckOf(r.PathValue("id")); c != nil {
		return c, nil
	}
	return nil, notFound("id", "没有这次检测")
}

func (w *world) releaseCheckOf(id string) *releaseCheck {
	for _, c := range w.releaseChecks.docs {
		if fmt.Sprint(c.ID) == id {
			return c
		}
	}
	return nil
}

// failures are the steps that went wrong, in the words of a report.
func (r *releaseCheck) failures() string {
	out := []string{}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.State == runFailed {
			out = append(out, s.title()+" "+s.Name+"："+s.Detail)
		}
	}
	return strings.Join(out, "；")
}

// releaseCount are the figures above a check's table.
type releaseCount struct{ Passed, Failed, Skipped, Left int }

func (r *releaseCheck) count() releaseCount {
	n := releaseCount{}
	for _, s := range r.Steps {
		switch s.State {
		case runPassed:
			n.Passed++
		case runFailed:
			n.Failed++
		case stepSkipped:
			n.Skipped++
		default:
			n.Left++
		}
	}
	return n
}

// releasePage starts checks and shows the newest, or the one that ?id= names.
func releasePage(w *world, now int64, r *http.Request) (view, error) {
	data := map[string]any{"Components": w.components.all(), "Chosen": r.URL.Query().Get("component_appid"), "Accounts": releaseAccounts}
	past := []*releaseCheck{}
	for _, id := range slices.Backward(w.releaseChecks.ids()) {
		past = append(past, w.releaseChecks.get(id))
	}
	shown := w.releaseCheckOf(r.URL.Query().Get("id"))
	if shown == nil && len(past) > 0 {
		shown = past[0]
	}
	data["Past"], data["Check"] = past, shown
	if shown != nil {
		data["Count"], data["Platform"] = shown.count(), shown.Component
		if c := w.components.get(shown.Component); c != nil {
			data["Platform"] = c.Name
		}
	}
	return w.console(r, now, "release", "release", data), nil
}

func (s *Simulator) releaseAction(f *form) runAction {
	req := releaseRequest{Component: f.plain("component_appid"), Group: f.intOr("group", 0), Scope: f.plain("scope")}
	return func(w *world, now int64, r *http.Request) (string, error) {
		started, err := s.startReleaseCheck(w, now, r, req)
		if err != nil {
			return "", err
		}
		return "", &goTo{fmt.Sprintf("/console/release-check?id=%d", started.(*releaseCheck).ID), "检测已开始，结果在下面逐步出现"}
	}
}

func scopeText(scope string) string {
	return map[string]string{releaseAll: "全部检测项", releaseBySets: "按平台申请的权限集", releaseLegacy: "全部检测项与旧版事件"}[scope]
}
