package simulator

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// taskPages are what a person opens on the phone: the link of a task, the pages that start one, a url link.
func (s *Simulator) taskPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/task/{id}", s.page(taskPage))
	mux.HandleFunc("POST /sim/task/{id}", s.page(submitTaskPage))
	mux.HandleFunc("GET /sim/link/{id}", s.linkPage)
	mux.HandleFunc("GET /cgi-bin/fastregisterauth", s.page(openReusePage))
	mux.HandleFunc("GET /wxopen/componentrebindadmin", s.page(openRebindPage))
}

// taskTitles are what the kinds of tasks are called on screens. Read only.
var taskTitles = map[string]string{taskEnterprise: "企业小程序注册：法人验证", taskPersonal: "个人小程序注册", taskTrial: "创建试用小程序",
	taskConvert: "试用小程序转正", taskICP: "备案负责人核验", taskCertify: "小程序认证", taskRebind: "换绑管理员", taskReuse: "复用公众号主体注册",
	taskLend: "公众号授权转正试用小程序", taskAdopt: "试用小程序复用公众号主体转正"}

// stepTexts are the states of tasks on screens. Read only.
var stepTexts = map[string]string{stepWaiting: "等待操作", stepAgreed: "已同意", stepRetry: "人脸未通过，可重试", stepFace: "人脸已通过",
	stepAdmin: "等待管理员确认", stepChecking: "核对工商信息", stepPay: "等待支付", stepReview: "审核中", stepDone: "已完成", stepFailed: "已失败"}

// taskChoice is one button.
type taskChoice struct {
	Action, Text string
	Good         bool
}

// actionTexts are the buttons of tasks. Read only.
var actionTexts = map[string]taskChoice{
	"face_pass": {Text: "人脸核验通过", Good: true}, "face_fail": {Text: "人脸核验失败"}, "face_other": {Text: "换一个人核验"},
	"agree": {Text: "同意", Good: true}, "refuse": {Text: "拒绝"}, "confirm": {Text: "确认", Good: true},
	"phone_pass": {Text: "手机验证通过", Good: true}, "phone_fail": {Text: "手机验证失败"}, "pay": {Text: "支付", Good: true}, "reject": {Text: "微信核对不通过"},
}

// choices are the buttons of the task as it stands.
func (t *task) choices() []taskChoice {
	out := []taskChoice{}
	for _, action := range t.actions() {
		if c, ok := actionTexts[action]; ok {
			c.Action = action
			out = append(out, c)
		}
	}
	return out
}

func (w *world) taskView(t *task, problem string) view {
	return view{template: "task", data: map[string]any{"Task": t, "Title": taskTitles[t.Kind], "State": stepTexts[t.State], "Component": w.components.get(t.Component),
		"Choices": t.choices(), "CheckedByRegister": t.Kind == taskEnterprise || t.Kind == taskConvert, "Error": problem}}
}

func (w *world) taskOfPage(r *http.Request) (*task, error) {
	t := w.tasks.get(r.PathValue("id"))
	if t == nil || w.components.get(t.Component) == nil {
		return nil, &pageError{"链接无效", "没有找到这个任务，请回到第三方平台重新发起。"}
	}
	return t, nil
}

func taskPage(w *world, _ int64, r *http.Request) (view, error) {
	t, err := w.taskOfPage(r)
	if err != nil {
		return view{}, err
	}
	return w.taskView(t, ""), nil
}

func submitTaskPage(w *world, now int64, r *http.Request) (view, error) {
	t, err := w.taskOfPage(r)
	if err != nil {
		return view{}, err
	}
	if err := r.ParseForm(); err != nil {
		return view{}, badRequest("", "表单无法解析")
	}
	status := 0
	if text := r.PostForm.Get("status"); text != "" {
		if status, err = strconv.Atoi(text); err != nil {
			return w.taskView(t, "微信核对结果应为数字，0 表示无误"), nil
		}
	}
	err = w.hold(t, taskAction{Action: r.PostForm.Get("action"), Status: status, Person: r.PostForm.Get("person")}, now)
	var refused *controlError
	if errors.As(err, &refused) {
		return w.taskView(t, refused.message), nil
	}
	if err != nil {
		return view{}, err
	}
	if t.State == stepDone && t.URL != "" && (t.Kind == taskReuse || t.Kind == taskRebind) {
		return view{redirect: t.URL}, nil
	}
	return view{redirect: "/sim/task/" + t.ID}, nil
}

// startPageTask checks a link of the platform and makes the task its page is about. The person comes back to
// redirect_uri with the task's id in the parameter.
func (w *world) startPageTask(r *http.Request, kind, parameter string, now int64) (*task, *miniProgram, error) {
	q := r.URL.Query()
	c, m := w.components.get(q.Get("component_appid")), w.miniPrograms.get(q.Get("appid"))
	switch {
	case c == nil:
		return nil, nil, &pageError{"component_appid 无效", "没有找到这个第三方平台，请检查链接中的 component_appid。"}
	case m == nil || w.authorizationOf(c.AppID, m.AppID) == nil || !w.authorizationOf(c.AppID, m.AppID).Active:
		return nil, nil, &pageError{"appid 无效", "该帐号没有授权给这个第三方平台。"}
	case checkWebURL(q.Get("redirect_uri")) != nil || !sameDomain(q.Get("redirect_uri"), c.AuthDomain):
		return nil, nil, &pageError{"redirect_uri 无效", "回调 URL 所在域名必须与第三方平台配置的授权发起页域名「" + c.AuthDomain + "」一致。"}
	}
	t := &task{ID: w.ids.text(base62, 32), Kind: kind, Component: c.AppID, AppID: m.AppID, Name: m.NickName}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		return nil, nil, badRequest("redirect_uri", "回调 URL 无法解析")
	}
	values := back.Query()
	values.Set(parameter, t.ID)
	back.RawQuery = values.Encode()
	t.URL = back.String()
	return t, m, nil
}

// openReusePage is 复用公众号资质: the administrator of a 公众号 agrees (01 E.5).
func openReusePage(w *world, now int64, r *http.Request) (view, error) {
	t, m, err := w.startPageTask(r, taskReuse, "ticket", now)
	if err != nil {
		return view{}, err
	}
	if !m.Official {
		return view{}, &pageError{"不能复用", "只有公众号的主体资质可以复用。"}
	}
	t.Person, t.Data = m.Admin, r.URL.Query().Get("copy_wx_verify")
	w.addTask(t, now)
	return view{redirect: "/sim/task/" + t.ID}, nil
}

// openRebindPage is 换绑管理员: whoever confirms becomes the administrator (02 D.8).
func openRebindPage(w *world, now int64, r *http.Request) (view, error) {
	t, _, err := w.startPageTask(r, taskRebind, "taskid", now)
	if err != nil {
		return view{}, err
	}
	w.addTask(t, now)
	return view{redirect: "/sim/task/" + t.ID}, nil
}

// linkPage is a url link opened in a browser.
func (s *Simulator) linkPage(rw http.ResponseWriter, r *http.Request) {
	value := s.publicURL(r) + "/sim/link/" + r.PathValue("id")
	s.page(func(w *world, now int64, _ *http.Request) (view, error) {
		l := w.links.get(value)
		if l == nil || (l.ExpireMs > 0 && now >= l.ExpireMs) || w.miniPrograms.get(l.AppID) == nil {
			return view{}, &pageError{"链接已失效", "这个链接不存在或已过期。"}
		}
		return view{template: "link", data: map[string]any{"Link": l, "Program": w.miniPrograms.get(l.AppID)}}, nil
	})(rw, r)
}
