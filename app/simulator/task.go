package simulator

import (
	"fmt"
	"slices"
	"strings"
)

// task is something that waits for a person with a phone: a registration, the conversion of a 试用小程序, a face check.
// It is acted on at the console, at its link and through /control/registrations/{id}.
type task struct {
	ID         string `json:"id"`   // what the platform was told: taskid, unique_id, task_id; made by us for enterprises
	Kind       string `json:"kind"` // a task… constant
	Component  string `json:"component_appid"`
	AppID      string `json:"appid"` // mini program it makes or is about
	State      string `json:"state"`
	Status     int    `json:"status"` // WeChat's number of the state
	Msg        string `json:"msg"`
	Person     string `json:"person"` // WeChat id it waits for
	Name       string `json:"name"`   // of the company, or of the 试用小程序
	Code       string `json:"code"`
	CodeType   int    `json:"code_type"`
	LegalName  string `json:"legal_name"`
	Phone      string `json:"component_phone"`
	OpenID     string `json:"openid"`
	URL        string `json:"authorize_url"`
	Checked    int    `json:"checked"`        // what the register of companies will answer: 0 or a status of B.3
	Data       string `json:"data,omitempty"` // along: the face check counts for a certification too; copy_wx_verify of a 公众号
	Used       bool   `json:"used"`           // what it gave was taken: a ticket, a taskid
	CreatedMs  int64  `json:"created_ms"`
	DeadlineMs int64  `json:"deadline_ms"`
	DoneMs     int64  `json:"done_ms"`
}

// Kinds of tasks.
const (
	taskEnterprise = "enterprise"     // fastregisterweapp
	taskPersonal   = "personal"       // fastregisterpersonalweapp
	taskTrial      = "trial"          // fastregisterbetaweapp
	taskConvert    = "convert"        // verifybetaweapp
	taskICP        = "icp_verify"     // create_icp_verifytask
	taskCertify    = "certification"  // wxaauth
	taskRebind     = "rebind_admin"   // componentrebindadmin
	taskLend       = "lend_official"  // getmpadminauth: the administrator of a 公众号 lends its 主体 to a 试用小程序
	taskAdopt      = "adopt_official" // mpverifybetaweapp: the administrator of the 试用小程序 takes it
	taskReuse      = "reuse_official" // fastregisterauth: the administrator of a 公众号 lends its 主体
)

// States of tasks. The last two end one.
const (
	stepWaiting  = "waiting"   // nobody did anything yet
	stepAgreed   = "agreed"    // the person opened the link and agreed
	stepRetry    = "retry"     // the face check failed and may be tried again
	stepFace     = "face"      // the face check passed
	stepAdmin    = "admin"     // the administrator has to confirm
	stepChecking = "checking"  // the register of companies is asked
	stepPay      = "paying"    // waits for the fee
	stepReview   = "in_review" // WeChat's reviewer has it
	stepDone     = "done"
	stepFailed   = "failed"
)

const taskLifeMs = 24 * 3600 * 1000

// step is one row of the table of tasks: in a state, an action leads to the next state and gives WeChat's status.
type step struct {
	kind, from, action, to string
	status                 int
}

// taskSteps is what people can do, by kind. Sources: 01 E.1, E.3, E.4, E.6, 02 I.1.
func taskSteps() []step {
	return []step{
		{taskEnterprise, stepWaiting, "face_pass", stepChecking, 89252},
		{taskEnterprise, stepWaiting, "face_fail", stepRetry, 89251},
		{taskEnterprise, stepWaiting, "face_other", stepFailed, 100004},
		{taskEnterprise, stepWaiting, "refuse", stepFailed, 100003},
		{taskEnterprise, stepWaiting, "timeout", stepFailed, 100001},
		{taskEnterprise, stepRetry, "face_pass", stepChecking, 89252},
		{taskEnterprise, stepRetry, "face_fail", stepRetry, 89251},
		{taskEnterprise, stepRetry, "face_other", stepFailed, 100004},
		{taskEnterprise, stepRetry, "timeout", stepFailed, 100002},
		{taskEnterprise, stepChecking, "approve", stepDone, 0},
		{taskEnterprise, stepChecking, "reject", stepFailed, 1000},

		{taskPersonal, stepWaiting, "agree", stepAgreed, 3},
		{taskPersonal, stepWaiting, "refuse", stepFailed, 2},
		{taskPersonal, stepWaiting, "timeout", stepFailed, 1},
		{taskPersonal, stepAgreed, "face_pass", stepFace, 6},
		{taskPersonal, stepAgreed, "face_fail", stepFailed, 5},
		{taskPersonal, stepAgreed, "face_other", stepFailed, 14},
		{taskPersonal, stepAgreed, "timeout", stepFailed, 1},
		{taskPersonal, stepFace, "phone_pass", stepDone, 12},
		{taskPersonal, stepFace, "phone_fail", stepFailed, 8},
		{taskPersonal, stepFace, "reject", stepFailed, 11},
		{taskPersonal, stepFace, "timeout", stepFailed, 1},

		{taskTrial, stepWaiting, "confirm", stepDone, 0},
		{taskTrial, stepWaiting, "refuse", stepFailed, 100003},
		{taskTrial, stepWaiting, "timeout", stepFailed, 100003},

		{taskConvert, stepWaiting, "face_pass", stepAdmin, 89252},
		{taskConvert, stepWaiting, "face_fail", stepWaiting, 89251},
		{taskConvert, stepWaiting, "face_other", stepFailed, 100004},
		{taskConvert, stepWaiting, "timeout", stepFailed, 100002},
		{taskConvert, stepWaiting, "reject", stepFailed, 1000},
		{taskConvert, stepAdmin, "confirm", stepDone, 0},
		{taskConvert, stepAdmin, "refuse", stepFailed, 100003},
		{taskConvert, stepAdmin, "timeout", stepFailed, 100003},
		{taskConvert, stepAdmin, "reject", stepFailed, 1000},

		{taskICP, stepWaiting, "face_pass", stepDone, 3},
		{taskICP, stepWaiting, "face_fail", stepFailed, 2},
		{taskICP, stepWaiting, "timeout", stepFailed, 2},

		{taskCertify, stepWaiting, "agree", stepAgreed, 3},
		{taskCertify, stepWaiting, "refuse", stepFailed, 2},
		{taskCertify, stepWaiting, "timeout", stepFailed, 1},
		{taskCertify, stepAgreed, "face_pass", stepFace, 6},
		{taskCertify, stepAgreed, "face_fail", stepFailed, 5},
		{taskCertify, stepAgreed, "timeout", stepFailed, 1},
		{taskCertify, stepFace, "phone_pass", stepPay, 15},
		{taskCertify, stepFace, "phone_fail", stepFailed, 8},
		{taskCertify, stepFace, "timeout", stepFailed, 1},
		{taskCertify, stepPay, "pay", stepReview, 12},

		{taskRebind, stepWaiting, "confirm", stepDone, 0},
		{taskRebind, stepWaiting, "refuse", stepFailed, 0},
		{taskRebind, stepWaiting, "timeout", stepFailed, 0},

		{taskLend, stepWaiting, "confirm", stepDone, 0},
		{taskLend, stepWaiting, "refuse", stepFailed, 100003},
		{taskLend, stepWaiting, "timeout", stepFailed, 100003},
		{taskAdopt, stepWaiting, "confirm", stepDone, 0},
		{taskAdopt, stepWaiting, "refuse", stepFailed, 100003},
		{taskAdopt, stepWaiting, "timeout", stepFailed, 100003},

		{taskReuse, stepWaiting, "confirm", stepDone, 0},
		{taskReuse, stepWaiting, "refuse", stepFailed, 0},
		{taskReuse, stepWaiting, "timeout", stepFailed, 0},
	}
}

// actions are what can be done with the task now.
func (t *task) actions() []string {
	out := []string{}
	for _, s := range taskSteps() {
		if s.kind == t.Kind && s.from == t.State {
			out = append(out, s.action)
		}
	}
	return out
}

func (t *task) open() bool { return t.State != stepDone && t.State != stepFailed }

// addTask stores a task and plans its timeout.
func (w *world) addTask(t *task, now int64) *task {
	if t.ID == "" {
		t.ID = w.ids.text(base62, 32)
	}
	t.State, t.CreatedMs, t.DeadlineMs = stepWaiting, now, now+taskLifeMs
	w.tasks.put(t.ID, t)
	w.later(t.DeadlineMs, timerTask, t.ID)
	return t
}

// actOnTask makes one step; status, where not 0, is the answer of WeChat's own checks (101, 1001…).
func (w *world) actOnTask(t *task, action string, status int, now int64) error {
	steps := taskSteps()
	i := slices.IndexFunc(steps, func(s step) bool { return s.kind == t.Kind && s.from == t.State && s.action == action })
	if i < 0 {
		if !t.open() {
			return conflict("action", "这个任务已经结束")
		}
		return badRequest("action", "现在可用的操作："+strings.Join(t.actions(), "、"))
	}
	s := steps[i]
	t.State, t.Status = s.to, s.status
	if status != 0 {
		switch {
		case action == "reject":
			t.Status = status
		default:
			t.Checked = status
		}
	}
	if !t.open() {
		t.DoneMs = now
	}
	w.tasks.put(t.ID, t)
	return w.taskMoved(t, action, now)
}

// taskMoved carries the new state into what the task is about and pushes what WeChat pushes then.
func (w *world) taskMoved(t *task, action string, now int64) error {
	c := w.components.get(t.Component)
	if c == nil {
		return fmt.Errorf("task %s: no platform %s", t.ID, t.Component)
	}
	switch t.Kind {
	case taskEnterprise:
		return w.enterpriseMoved(c, t, now)
	case taskPersonal:
		return w.personalMoved(c, t, now)
	case taskTrial:
		return w.trialMoved(c, t, now)
	case taskConvert:
		return w.convertMoved(c, t, now)
	case taskICP:
		if !t.open() {
			w.icpTaskMoved(c, t, now)
		}
	case taskCertify:
		return w.certifyMoved(c, t, now)
	case taskLend, taskAdopt:
		w.trialOfficialMoved(c, t, now)
	}
	return nil
}

// taskTimedOut ends a task nobody finished within its 24 hours.
func (w *world) taskTimedOut(id string, now int64) error {
	t := w.tasks.get(id)
	if t == nil || !t.open() || now < t.DeadlineMs || !slices.Contains(t.actions(), "timeout") {
		return nil
	}
	return w.actOnTask(t, "timeout", 0, now)
}

// taskChecked is the answer of the register of companies.
func (w *world) taskChecked(id string, now int64) error {
	t := w.tasks.get(id)
	if t == nil || t.State != stepChecking {
		return nil
	}
	if t.Checked != 0 {
		return w.actOnTask(t, "reject", t.Checked, now)
	}
	return w.actOnTask(t, "approve", 0, now)
}

// openTask finds a task that is not finished.
func (w *world) openTask(kind string, fits func(*task) bool) *task {
	for _, t := range w.tasks.docs {
		if t.Kind == kind && t.open() && fits(t) {
			return t
		}
	}
	return nil
}

// statusMsg is the English reason WeChat sends with a status.
func statusMsg(status int) string {
	switch status {
	case 0:
		return "OK"
	case 89251:
		return "wait for legal person"
	case 89252:
		return "wait for administrator"
	case 100001, 100002, 100003:
		return "real name check failed: time out"
	case 100004:
		return "real name check failed"
	case 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008:
		return "authorize third party failed"
	}
	return "open verity failed"
}
