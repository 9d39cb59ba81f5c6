package simulator

import (
	"net/http"
	"slices"
)

// reviewKindText is what waits at the review desk. Read only.
var reviewKindText = map[string]string{reviewNickname: "小程序名称", reviewCategory: "服务类目", reviewInterface: "隐私接口", reviewICPWechat: "备案（平台初审）",
	reviewICPBureau: "备案（管局审核）", reviewCertify: "微信认证", reviewAppeal: "违规申诉", reviewTrialName: "试用小程序名称", reviewPlugin: "插件申请",
	reviewOrderPath: "购物订单页"}

// taskRow is one task with the buttons it has now.
type taskRow struct {
	*task
	Kind, State string
	Person      string
	Platform    string
	Choices     []taskChoice
}

func (w *world) taskRow(t *task) taskRow {
	row := taskRow{task: t, Kind: wordFor(taskTitles, t.Kind), State: wordFor(stepTexts, t.State), Person: t.Person, Platform: t.Component, Choices: t.choices()}
	if p := w.people.get(t.Person); p != nil {
		row.Person = p.Name
	}
	if c := w.components.get(t.Component); c != nil {
		row.Platform = c.Name
	}
	return row
}

// wordFor falls back to the key, so that a new one shows at all.
func wordFor(words map[string]string, key string) string {
	if word := words[key]; word != "" {
		return word
	}
	return key
}

// taskRows are the open tasks and the finished ones, newest first.
func (w *world) taskRows() (open, done []taskRow) {
	for _, t := range w.sortedTasks() {
		if t.open() {
			open = append(open, w.taskRow(t))
		} else {
			done = append(done, w.taskRow(t))
		}
	}
	return open, done
}

// phoneAction is a button of a task on the console.
func phoneAction(f *form) runAction {
	req := taskAction{Action: f.plain("action"), Status: f.intOr("status", 0), Person: f.plain("person")}
	return func(w *world, now int64, _ *http.Request) (string, error) {
		t := w.tasks.get(f.plain("id"))
		if t == nil {
			return "", notFound("id", "没有这个任务")
		}
		if err := w.hold(t, req, now); err != nil {
			return "", err
		}
		return wordFor(taskTitles, t.Kind) + "：" + wordFor(stepTexts, t.State), nil
	}
}

// reviewRow is one review with the name of its mini program.
type reviewRow struct {
	*review
	Kind, Name, Platform string
}

// reviewRows are what waits at the review desk, oldest first, and what was decided, newest first.
func (w *world) reviewRows() (waiting, decided []reviewRow) {
	for _, v := range w.reviews.all() {
		row := reviewRow{review: v, Kind: wordFor(reviewKindText, v.Kind), Name: v.AppID, Platform: v.Component}
		if m := w.miniPrograms.get(v.AppID); m != nil {
			row.Name = m.NickName
		}
		if c := w.components.get(v.Component); c != nil {
			row.Platform = c.Name
		}
		if v.State == reviewWaiting {
			waiting = append(waiting, row)
		} else {
			decided = append(decided, row)
		}
	}
	slices.SortStableFunc(decided, func(a, b reviewRow) int { return int(b.DecidedMs - a.DecidedMs) })
	return waiting, decided
}

// reviewAction is 通过 or 驳回 at the review desk.
func reviewAction(f *form) runAction {
	id := f.number("id")
	return func(w *world, now int64, _ *http.Request) (string, error) {
		if id == nil {
			return "", notFound("id", "审核台没有这条审核")
		}
		v, err := w.decideReview(*id, f.plain("result") == "pass", f.plain("reason"), now)
		if err != nil {
			return "", err
		}
		word := map[string]string{reviewPassed: "已通过", reviewRejected: "已驳回"}[v.State]
		return wordFor(reviewKindText, v.Kind) + "「" + v.Title + "」" + word, nil
	}
}

// Succeeded tells whether a finished task reached what it was made for.
func (t taskRow) Succeeded() bool { return t.task.State == stepDone }
