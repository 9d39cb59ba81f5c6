package simulator

import "net/http"

// taskAction is what a person does with a phone, or WeChat's own check answers.
type taskAction struct {
	Action string `json:"action"` // one of the task's actions
	Status int    `json:"status"` // with face_pass and reject: what WeChat's checks find (101, 1001…); 0 finds nothing wrong
	Person string `json:"person"` // WeChat id of who holds the phone; "" is the person the task waits for
}

// taskRoutes are the addresses of tasks and reviews.
func (s *Simulator) taskRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /control/registrations", control(s, listTasks))
	mux.HandleFunc("GET /control/registrations/{id}", control(s, showTask))
	mux.HandleFunc("POST /control/registrations/{id}", control(s, moveTask))
	mux.HandleFunc("POST /control/logincodes", control(s, makeLoginCode))
	mux.HandleFunc("GET /control/violations", control(s, listViolations))
	mux.HandleFunc("POST /control/violations", control(s, addViolation))
	mux.HandleFunc("POST /control/violations/{id}", control(s, addAppeal))
	mux.HandleFunc("GET /control/reviews", control(s, listReviews))
	mux.HandleFunc("POST /control/reviews/{id}", control(s, decideByReviewer))
}

// view is a task with what can be done now.
func (t *task) view() map[string]any { return map[string]any{"task": t, "actions": t.actions()} }

// listTasks gives the open tasks, newest first; ?kind= and ?appid= narrow, ?all=1 adds finished ones.
func listTasks(w *world, _ int64, r *http.Request, _ none) (any, error) {
	q, items := r.URL.Query(), []any{}
	for _, t := range w.sortedTasks() {
		if (q.Get("kind") != "" && q.Get("kind") != t.Kind) || (q.Get("appid") != "" && q.Get("appid") != t.AppID) || (!t.open() && q.Get("all") == "") {
			continue
		}
		items = append(items, t.view())
	}
	return map[string]any{"items": items}, nil
}

func showTask(w *world, _ int64, r *http.Request, _ none) (any, error) {
	t := w.tasks.get(r.PathValue("id"))
	if t == nil {
		return nil, notFound("id", "没有这个任务")
	}
	return t.view(), nil
}

func moveTask(w *world, now int64, r *http.Request, req taskAction) (any, error) {
	t := w.tasks.get(r.PathValue("id"))
	if t == nil {
		return nil, notFound("id", "没有这个任务")
	}
	if err := w.hold(t, req, now); err != nil {
		return nil, err
	}
	return t.view(), nil
}

// hold is a person doing something with a task. A face that is not the awaited one is another action.
func (w *world) hold(t *task, req taskAction, now int64) error {
	switch {
	case req.Action == "timeout" || req.Action == "approve":
		return badRequest("action", "这一步由平台自己完成，请快进时钟或在审核台处理")
	case req.Person == "":
	case t.Person == "":
		t.Person = w.person(req.Person).WechatID
	case req.Person != t.Person && req.Action == "face_pass":
		req.Action = "face_other"
	}
	return w.actOnTask(t, req.Action, req.Status, now)
}

// reviewVerdict is the body of POST /control/reviews/{id}.
type reviewVerdict struct {
	Result string `json:"result"` // pass or reject
	Reason string `json:"reason"` // needed to reject
}

// listReviews gives what waits at the review desk; ?kind= and ?appid= narrow, ?all=1 adds decided ones.
func listReviews(w *world, _ int64, r *http.Request, _ none) (any, error) {
	q, items := r.URL.Query(), []any{}
	for _, v := range w.reviews.all() {
		if (q.Get("kind") != "" && q.Get("kind") != v.Kind) || (q.Get("appid") != "" && q.Get("appid") != v.AppID) ||
			(v.State != reviewWaiting && q.Get("all") == "") {
			continue
		}
		items = append(items, v)
	}
	return map[string]any{"items": items}, nil
}

func decideByReviewer(w *world, now int64, r *http.Request, req reviewVerdict) (any, error) {
	if req.Result != "pass" && req.Result != "reject" {
		return nil, badRequest("result", "审核结果只能是 pass 或 reject")
	}
	id, err := parseID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return w.decideReview(id, req.Result == "pass", req.Reason, now)
}

// loginRequest is a person opening a mini program.
type loginRequest struct {
	AppID  string `json:"appid"`
	Person string `json:"person"` // WeChat id or name; made when unknown
}

func makeLoginCode(w *world, now int64, _ *http.Request, req loginRequest) (any, error) {
	m := w.miniPrograms.get(req.AppID)
	if m == nil {
		return nil, notFound("appid", "模拟平台没有这个小程序，请先创建")
	}
	if req.Person == "" || len(req.Person) > 64 {
		return nil, badRequest("person", "请填写打开小程序的微信号")
	}
	p := w.person(req.Person)
	code := w.newLoginCode(m.AppID, p.WechatID, now)
	return map[string]any{"js_code": code.Code, "openid": w.openIDOf(m.AppID, p.WechatID), "expires_in": loginCodeLifeMs / 1000}, nil
}
