package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/transfer"
)

// Notices is what the pages ask of the room of notices.
type Notices interface {
	Webhooks(ctx context.Context, who account.Actor) ([]notice.Webhook, error)
	Webhook(ctx context.Context, who account.Actor, id int64) (notice.Webhook, error)
	CreateWebhook(ctx context.Context, who account.Actor, f notice.WebhookForm) (notice.Webhook, string, error)
	UpdateWebhook(ctx context.Context, who account.Actor, id int64, f notice.WebhookForm) (notice.Webhook, error)
	RotateSecret(ctx context.Context, who account.Actor, id int64) (string, error)
	DeleteWebhook(ctx context.Context, who account.Actor, id int64) error
	TestWebhook(ctx context.Context, who account.Actor, id int64) (notice.Attempt, error)
	Deliveries(ctx context.Context, who account.Actor, id, cursor int64, limit int) ([]notice.Attempt, int64, error)
	Attempt(ctx context.Context, who account.Actor, id, delivery int64) (notice.Attempt, error)
	Retry(ctx context.Context, who account.Actor, id, delivery int64) (notice.Attempt, error)
}

const webhooksBase = Prefix + "/webhooks"

func (a *Admin) webhookPages() []Page {
	return []Page{
		{Pattern: "GET /webhooks", Title: "Webhook", Query: listQuery("state"), Handle: a.webhooksPage},
		{Pattern: "GET /webhooks/new", Title: "新建 Webhook", Handle: a.newWebhook},
		{Pattern: "POST /webhooks/new", Title: "新建 Webhook", Handle: a.createWebhook},
		{Pattern: "GET /webhooks/{id}", Title: "Webhook", Query: []string{queryCursor}, Handle: a.webhookPage},
		{Pattern: "GET /webhooks/{id}/edit", Title: "修改 Webhook", Handle: a.editWebhook},
		{Pattern: "POST /webhooks/{id}/edit", Title: "修改 Webhook", Handle: a.saveWebhook},
		{Pattern: "POST /webhooks/{id}/{do}", Title: "Webhook", Handle: a.actWebhook},
		{Pattern: "GET /webhooks/{id}/deliveries/{delivery}", Title: "投递", Handle: a.deliveryPage},
		{Pattern: "POST /webhooks/{id}/deliveries/{delivery}/retry", Title: "投递", Handle: a.retryDelivery},
	}
}

// hookView is a webhook as the screens show it.
type hookView struct {
	notice.Webhook
	Color, Label string
	Titles       []string
}

var hookStates = []Option{{"on", "正常", ""}, {"failing", "投递失败中", ""}, {"off", "已停用", ""}}

// state is what the list is narrowed by.
func (v hookView) state() string {
	switch {
	case !v.Enabled:
		return "off"
	case v.FailingSince > 0:
		return "failing"
	default:
		return "on"
	}
}

// told are the events in words.
func (v hookView) told() string {
	if len(v.Titles) == 0 {
		return "全部事件"
	}
	return strings.Join(v.Titles, "、")
}

func viewHook(h notice.Webhook) hookView {
	v := hookView{Webhook: h}
	v.Color = map[string]string{"on": "green", "failing": "orange", "off": "grey"}[v.state()]
	v.Label = labelsOf(hookStates)[v.state()]
	for _, e := range h.Events {
		v.Titles = append(v.Titles, notice.TitleOf(e))
	}
	return v
}

// attemptView is a delivery as the screens show it.
type attemptView struct {
	notice.Attempt
	Hook         int64
	Title        string
	Color, Label string
}

func viewAttempt(hook int64, t notice.Attempt) attemptView {
	v := attemptView{Attempt: t, Hook: hook, Title: notice.TitleOf(t.Event), Color: "green", Label: "已送达"}
	switch {
	case t.State == "failed":
		v.Color, v.Label = "red", "已放弃"
	case t.State == "waiting" && t.Attempts > 0:
		v.Color, v.Label = "orange", "等待重试"
	case t.State == "waiting":
		v.Color, v.Label = "blue", "等待投递"
	}
	return v
}

// hookList is the list of a space's webhooks. Their secrets are no part of it.
func hookList(s Services) shortList[hookView] {
	return shortList[hookView]{
		name: listWebhooks, title: "Webhook", address: webhooksBase, search: "名称或地址", empty: "还没有 Webhook", admit: func(who account.Actor) error { return account.Require(who, notice.PermissionWebhook) },
		rows: func(ctx context.Context, who account.Actor) ([]hookView, error) {
			list, err := s.Notices.Webhooks(ctx, who)
			rows := make([]hookView, 0, len(list))
			for _, h := range list {
				rows = append(rows, viewHook(h))
			}
			return rows, err
		},
		key: func(row hookView) string { return strconv.FormatInt(row.ID, 10) }, label: func(row hookView) string { return row.Name },
		filters: []shortFilter[hookView]{{"state", "状态", hookStates, func(row hookView, v string) bool { return row.state() == v }}},
		columns: []shortColumn[hookView]{
			{name: "name", title: "名称", cell: "hook-name", found: true, text: func(row hookView) string { return row.Name }, order: func(x, y hookView) int { return cmp.Compare(x.Name, y.Name) }},
			{name: "url", title: "地址", cell: "hook-url", found: true, text: func(row hookView) string { return row.URL }},
			{name: "events", title: "事件", cell: "hook-events", text: hookView.told},
			{name: "state", title: "状态", cell: "hook-state", text: hookView.state, labels: labelsOf(hookStates)},
			{name: "created_at", title: "创建时间", cell: "hook-since", kind: transfer.Time, text: func(row hookView) string { return strconv.FormatInt(row.CreatedAt, 10) }, order: func(x, y hookView) int { return cmp.Compare(x.CreatedAt, y.CreatedAt) }},
		},
		ops: func(_ account.Actor, row hookView) []theme.Op {
			base := webhooksBase + "/" + strconv.FormatInt(row.ID, 10)
			return []theme.Op{{Title: "详情", Href: base}, {Title: "修改", Href: base + "/edit"}}
		},
	}
}

func (a *Admin) webhooksPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := showShort(ctx, a, actor, r, hookList(a.o.Services), func(l *shownList) {
		l.Tools = a.render("webhooks-tools", nil)
		l.Empty, l.Step = "还没有 Webhook。审核结果、授权变化等事件发生时，会以签名的 POST 请求推送到你填写的地址。", Link{"新建 Webhook", webhooksBase + "/new"}
	})
	v.Subtitle = "发生事件时，把消息推送到你自己的系统"
	return v, err
}

// hookForm is the form of a webhook; what was typed stays through every answer.
type hookForm struct {
	ID      int64
	Form    notice.WebhookForm
	Groups  []hookGroup
	All     bool // told of everything
	Problem *fault.Error
}

type hookGroup struct {
	Title string
	Kinds []hookKind
}

type hookKind struct {
	notice.Kind
	On bool
}

// Error is the reason why a field was refused, or nothing.
func (f hookForm) Error(name string) string {
	if f.Problem == nil {
		return ""
	}
	return fieldMessage(f.Problem, name)
}

// General reports whether the problem belongs to no field of the form.
func (f hookForm) General() bool { return f.Problem != nil && len(f.Problem.Fields) == 0 }

func (a *Admin) hookForm(actor account.Actor, id int64, form notice.WebhookForm, problem *fault.Error) View {
	v := hookForm{ID: id, Form: form, All: len(form.Events) == 0, Problem: problem}
	for _, k := range notice.HookKinds(actor.SpaceKind) {
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Title != k.Group {
			v.Groups = append(v.Groups, hookGroup{Title: k.Group})
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Kinds = append(g.Kinds, hookKind{k, slices.Contains(form.Events, k.Event)})
	}
	out := View{Trail: []Link{{"Webhook", webhooksBase}}, Body: a.render("webhook-form", v)}
	if problem != nil {
		out.Status = problem.Kind.Status()
	}
	return out
}

func (a *Admin) newWebhook(_ context.Context, actor account.Actor, _ *http.Request) (View, error) {
	if !actor.Can(notice.PermissionWebhook) {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有管理 Webhook 的权限，请联系空间的所有者")
	}
	return a.hookForm(actor, 0, notice.WebhookForm{Enabled: true}, nil), nil
}

func readHook(r *http.Request) notice.WebhookForm {
	f := notice.WebhookForm{Name: r.PostForm.Get("name"), URL: r.PostForm.Get("url"), Enabled: r.PostForm.Get("enabled") == "1"}
	if r.PostForm.Get("which") == "some" {
		f.Events = r.PostForm["event"]
	}
	return f
}

// someEvents refuses a choice of none, which the room would take for all.
func someEvents(r *http.Request, f notice.WebhookForm) error {
	if r.PostForm.Get("which") == "some" && len(f.Events) == 0 {
		return fault.InvalidInput().On("events", "请至少选择一个事件，或选择全部事件")
	}
	return nil
}

func (a *Admin) createWebhook(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := readHook(r)
	f.Enabled = true
	err := someEvents(r, f)
	var made notice.Webhook
	var secret string
	if err == nil {
		made, secret, err = a.o.Services.Notices.CreateWebhook(ctx, actor, f)
	}
	if problem := fault.From(err); err != nil {
		if problem.Kind == fault.Internal || problem.Kind == fault.Forbidden {
			return View{}, err
		}
		return a.hookForm(actor, 0, f, problem), nil
	}
	return a.secretPage(made, secret), nil
}

// secretPage shows a secret on this one answer.
func (a *Admin) secretPage(h notice.Webhook, secret string) View {
	return View{Title: "签名密钥", Subtitle: h.Name, Trail: []Link{{"Webhook", webhooksBase}}, Body: a.render("webhook-secret", struct {
		ID     int64
		Secret string
	}{h.ID, secret})}
}

func pathID(r *http.Request, name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "webhook_not_found", "没有找到这个 Webhook")
	}
	return id, nil
}

func (a *Admin) hook(ctx context.Context, actor account.Actor, r *http.Request) (notice.Webhook, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return notice.Webhook{}, err
	}
	return a.o.Services.Notices.Webhook(ctx, actor, id)
}

func (a *Admin) webhookPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, err := a.hook(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	cursor, err := strconv.ParseInt("0"+r.URL.Query().Get(queryCursor), 10, 64)
	if err != nil {
		return View{}, fault.New(fault.Invalid, "cursor", "翻页的位置已失效，请从第一页重新打开")
	}
	rows, next, err := a.o.Services.Notices.Deliveries(ctx, actor, h.ID, cursor, 20)
	if err != nil {
		return View{}, err
	}
	v := struct {
		Hook        hookView
		Rows        []attemptView
		First, Next string
	}{Hook: viewHook(h)}
	for _, t := range rows {
		v.Rows = append(v.Rows, viewAttempt(h.ID, t))
	}
	here := webhooksBase + "/" + strconv.FormatInt(h.ID, 10)
	if cursor > 0 {
		v.First = here
	}
	if next > 0 {
		v.Next = here + "?" + queryCursor + "=" + strconv.FormatInt(next, 10)
	}
	return View{Title: h.Name, Subtitle: h.URL, Trail: []Link{{"Webhook", webhooksBase}}, Body: a.render("webhook", v)}, nil
}

func (a *Admin) editWebhook(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, err := a.hook(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	return a.hookForm(actor, h.ID, notice.WebhookForm{Name: h.Name, URL: h.URL, Events: h.Events, Enabled: h.Enabled}, nil), nil
}

func (a *Admin) saveWebhook(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, err := a.hook(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	f := readHook(r)
	if err = someEvents(r, f); err == nil {
		_, err = a.o.Services.Notices.UpdateWebhook(ctx, actor, h.ID, f)
	}
	if problem := fault.From(err); err != nil {
		if problem.Kind == fault.Internal || problem.Kind == fault.Forbidden {
			return View{}, err
		}
		return a.hookForm(actor, h.ID, f, problem), nil
	}
	a.flash.put(actor, "已保存")
	return View{Redirect: webhooksBase + "/" + strconv.FormatInt(h.ID, 10)}, nil
}

// actWebhook is what a button on the webhook's page does.
func (a *Admin) actWebhook(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, err := a.hook(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	here, words := webhooksBase+"/"+strconv.FormatInt(h.ID, 10), ""
	switch r.PathValue("do") {
	case "test":
		_, err = a.o.Services.Notices.TestWebhook(ctx, actor, h.ID)
		words = "测试消息已发出，几秒后刷新看结果"
	case "secret":
		secret, err := a.o.Services.Notices.RotateSecret(ctx, actor, h.ID)
		if err != nil {
			return View{}, err
		}
		return a.secretPage(h, secret), nil
	case "enable", "disable":
		on := r.PathValue("do") == "enable"
		_, err = a.o.Services.Notices.UpdateWebhook(ctx, actor, h.ID, notice.WebhookForm{Name: h.Name, URL: h.URL, Events: h.Events, Enabled: on})
		if words = "已停用，不再推送"; on {
			words = "已启用"
		}
	case "delete":
		err = a.o.Services.Notices.DeleteWebhook(ctx, actor, h.ID)
		here, words = webhooksBase, "已删除「"+h.Name+"」"
	default:
		return View{}, fault.New(fault.NotFound, "not_found", "没有这个操作")
	}
	if err != nil {
		return View{}, err
	}
	a.flash.put(actor, words)
	return View{Redirect: here}, nil
}

func (a *Admin) delivery(ctx context.Context, actor account.Actor, r *http.Request) (notice.Webhook, notice.Attempt, error) {
	h, err := a.hook(ctx, actor, r)
	if err != nil {
		return h, notice.Attempt{}, err
	}
	id, err := pathID(r, "delivery")
	if err != nil {
		return h, notice.Attempt{}, err
	}
	t, err := a.o.Services.Notices.Attempt(ctx, actor, h.ID, id)
	return h, t, err
}

func (a *Admin) deliveryPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, t, err := a.delivery(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	here := webhooksBase + "/" + strconv.FormatInt(h.ID, 10)
	return View{Title: notice.TitleOf(t.Event), Subtitle: "投递到 " + h.URL, Trail: []Link{{"Webhook", webhooksBase}, {h.Name, here}}, Body: a.render("delivery", viewAttempt(h.ID, t))}, nil
}

func (a *Admin) retryDelivery(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	h, t, err := a.delivery(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	if _, err := a.o.Services.Notices.Retry(ctx, actor, h.ID, t.ID); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已重发，几秒后刷新看结果")
	return View{Redirect: webhooksBase + "/" + strconv.FormatInt(h.ID, 10) + "/deliveries/" + strconv.FormatInt(t.ID, 10)}, nil
}
