package admin

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/forward"
)

// Forwards is what the pages ask of the room that tells pushes to other addresses.
type Forwards interface {
	List(ctx context.Context, who account.Actor) ([]forward.Target, error)
	Get(ctx context.Context, who account.Actor, id int64) (forward.Target, error)
	Create(ctx context.Context, who account.Actor, f forward.Request) (forward.Target, string, error)
	Update(ctx context.Context, who account.Actor, id int64, f forward.Request) (forward.Target, error)
	RotateSecret(ctx context.Context, who account.Actor, id int64) (string, error)
	Switch(ctx context.Context, who account.Actor, id int64, on bool) (forward.Target, error)
	Delete(ctx context.Context, who account.Actor, id int64) error
	Test(ctx context.Context, who account.Actor, id int64) (forward.Attempt, error)
	Attempts(ctx context.Context, who account.Actor, id int64, failed bool, cursor int64, limit int) ([]forward.Attempt, int64, error)
	Attempt(ctx context.Context, who account.Actor, id, attempt int64) (forward.Attempt, error)
	Replay(ctx context.Context, who account.Actor, id, attempt int64) error
}

const forwardsBase = Prefix + "/forwards"

func (a *Admin) forwardPages() []Page {
	return []Page{
		{Pattern: "GET /forwards", Title: "消息转发", Kinds: merchants, Handle: a.forwardsPage},
		{Pattern: "GET /forwards/new", Title: "新建消息转发", Kinds: merchants, Handle: a.newForward},
		{Pattern: "POST /forwards/new", Title: "新建消息转发", Kinds: merchants, Handle: a.createForward},
		{Pattern: "GET /forwards/{id}", Title: "消息转发", Kinds: merchants, Query: []string{queryCursor, "failed"}, Handle: a.forwardPage},
		{Pattern: "GET /forwards/{id}/edit", Title: "修改消息转发", Kinds: merchants, Handle: a.editForward},
		{Pattern: "POST /forwards/{id}/edit", Title: "修改消息转发", Kinds: merchants, Handle: a.saveForward},
		{Pattern: "POST /forwards/{id}/{do}", Title: "消息转发", Kinds: merchants, Handle: a.actForward},
		{Pattern: "GET /forwards/{id}/attempts/{attempt}", Title: "转发记录", Kinds: merchants, Handle: a.attemptPage},
		{Pattern: "POST /forwards/{id}/attempts/{attempt}/replay", Title: "转发记录", Kinds: merchants, Handle: a.replayAttempt},
	}
}

// forwardView is a target as the screens show it.
type forwardView struct {
	forward.Target
	Color, Label string
	Titles       []string
	Platform     string // the platform app's name
}

func viewForward(t forward.Target, names map[string]string) forwardView {
	v := forwardView{Target: t, Platform: names[t.Component]}
	switch t.State {
	case forward.StateOff:
		v.Color, v.Label = "grey", "已停用"
	case forward.StatePaused:
		v.Color, v.Label = "red", "已自动暂停"
	case forward.StateFails:
		v.Color, v.Label = "orange", "转发失败中"
	default:
		v.Color, v.Label = "green", "正常"
	}
	for _, typ := range t.Types {
		if typ != forward.AllTypes {
			v.Titles = append(v.Titles, event.TitleOf(typ))
		}
	}
	return v
}

// platforms are the space's platform apps by their names.
func (a *Admin) platforms(ctx context.Context, actor account.Actor) ([]component.Component, map[string]string, error) {
	list, err := a.o.Services.Components.List(ctx, actor)
	names := map[string]string{}
	for _, c := range list {
		names[c.AppID] = c.Name
	}
	return list, names, err
}

func (a *Admin) forwardsPage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	list, err := a.o.Services.Forwards.List(ctx, actor)
	if err != nil {
		return View{}, err
	}
	_, names, err := a.platforms(ctx, actor)
	if err != nil {
		return View{}, err
	}
	rows := make([]forwardView, 0, len(list))
	for _, t := range list {
		rows = append(rows, viewForward(t, names))
	}
	return View{Subtitle: "把微信的推送转发到你自己的系统", Body: a.render("forwards", rows)}, nil
}

// forwardForm is the form of a target; what was typed stays through every answer.
type forwardForm struct {
	ID        int64
	Form      forward.Request
	Platforms []component.Component
	Groups    []kindGroup
	All       bool
	AppIDs    string
	Problem   *fault.Error
}

type kindGroup struct {
	Title string
	Kinds []kindChoice
}

type kindChoice struct {
	event.Kind
	On bool
}

// Error is the reason why a field was refused, or nothing.
func (f forwardForm) Error(name string) string {
	if f.Problem == nil {
		return ""
	}
	return fieldMessage(f.Problem, name)
}

// General reports whether the problem belongs to no field of the form.
func (f forwardForm) General() bool { return f.Problem != nil && len(f.Problem.Fields) == 0 }

func (a *Admin) forwardForm(ctx context.Context, actor account.Actor, id int64, in forward.Request, problem *fault.Error) (View, error) {
	list, _, err := a.platforms(ctx, actor)
	if err != nil {
		return View{}, err
	}
	v := forwardForm{ID: id, Form: in, Platforms: list, All: slices.Contains(in.Types, forward.AllTypes), AppIDs: strings.Join(in.AppIDs, "\n"), Problem: problem}
	for _, k := range forward.Kinds() {
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Title != k.Group {
			v.Groups = append(v.Groups, kindGroup{Title: k.Group})
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Kinds = append(g.Kinds, kindChoice{k, slices.Contains(in.Types, k.Type)})
	}
	out := View{Trail: []Link{{"消息转发", forwardsBase}}, Body: a.render("forward-form", v)}
	if problem != nil {
		out.Status = problem.Kind.Status()
	}
	return out, nil
}

func (a *Admin) newForward(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	if err := account.Require(actor, forward.Permission); err != nil {
		return View{}, err
	}
	return a.forwardForm(ctx, actor, 0, forward.Request{Form: forward.FormJSON}, nil)
}

// between splits pasted AppIDs.
var between = regexp.MustCompile(`[\s,，、;；]+`)

func readForward(r *http.Request) forward.Request {
	f := forward.Request{Component: r.PostForm.Get("component"), Name: r.PostForm.Get("name"), URL: r.PostForm.Get("url"), Form: r.PostForm.Get("form"), Token: r.PostForm.Get("token"), AESKey: r.PostForm.Get("aes_key")}
	if f.Types = r.PostForm["type"]; r.PostForm.Get("which") == "all" {
		f.Types = []string{forward.AllTypes}
	}
	if ids := strings.TrimSpace(r.PostForm.Get("appids")); ids != "" {
		f.AppIDs = between.Split(ids, -1)
	}
	return f
}

func (a *Admin) createForward(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := readForward(r)
	made, secret, err := a.o.Services.Forwards.Create(ctx, actor, f)
	if problem := fault.From(err); err != nil {
		if problem.Kind == fault.Internal || problem.Kind == fault.Forbidden {
			return View{}, err
		}
		return a.forwardForm(ctx, actor, 0, f, problem)
	}
	if secret == "" {
		a.flash.put(actor, "已创建，可以发送一条测试消息")
		return View{Redirect: forwardsBase + "/" + strconv.FormatInt(made.ID, 10)}, nil
	}
	return a.forwardSecret(made, secret), nil
}

// forwardSecret shows a secret on this one answer.
func (a *Admin) forwardSecret(t forward.Target, secret string) View {
	return View{Title: "签名密钥", Subtitle: t.Name, Trail: []Link{{"消息转发", forwardsBase}}, Body: a.render("forward-secret", struct {
		ID     int64
		Secret string
	}{t.ID, secret})}
}

func (a *Admin) forwardOf(ctx context.Context, actor account.Actor, r *http.Request) (forward.Target, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return forward.Target{}, fault.New(fault.NotFound, "forward_not_found", "没有找到这个转发")
	}
	return a.o.Services.Forwards.Get(ctx, actor, id)
}

func (a *Admin) forwardPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.forwardOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	cursor, err := strconv.ParseInt("0"+r.URL.Query().Get(queryCursor), 10, 64)
	if err != nil {
		return View{}, fault.New(fault.Invalid, "cursor", "翻页的位置已失效，请从第一页重新打开")
	}
	failed := r.URL.Query().Get("failed") == "1"
	rows, next, err := a.o.Services.Forwards.Attempts(ctx, actor, t.ID, failed, cursor, 20)
	if err != nil {
		return View{}, err
	}
	_, names, err := a.platforms(ctx, actor)
	if err != nil {
		return View{}, err
	}
	here := forwardsBase + "/" + strconv.FormatInt(t.ID, 10)
	v := struct {
		Forward     forwardView
		Rows        []forward.Attempt
		Failed      bool
		First, Next string
	}{Forward: viewForward(t, names), Rows: rows, Failed: failed}
	query := ""
	if failed {
		query = "failed=1"
	}
	if cursor > 0 {
		v.First = strings.TrimSuffix(here+"?"+query, "?")
	}
	if next > 0 {
		v.Next = here + "?" + queryCursor + "=" + strconv.FormatInt(next, 10)
		if failed {
			v.Next += "&" + query
		}
	}
	return View{Title: t.Name, Subtitle: t.URL, Trail: []Link{{"消息转发", forwardsBase}}, Body: a.render("forward", v)}, nil
}

func (a *Admin) editForward(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.forwardOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	return a.forwardForm(ctx, actor, t.ID, forward.Request{Component: t.Component, Name: t.Name, URL: t.URL, Form: t.Form, Types: t.Types, AppIDs: t.AppIDs}, nil)
}

func (a *Admin) saveForward(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.forwardOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	f := readForward(r)
	f.Component = t.Component
	_, err = a.o.Services.Forwards.Update(ctx, actor, t.ID, f)
	if problem := fault.From(err); err != nil {
		if problem.Kind == fault.Internal || problem.Kind == fault.Forbidden {
			return View{}, err
		}
		return a.forwardForm(ctx, actor, t.ID, f, problem)
	}
	a.flash.put(actor, "已保存")
	return View{Redirect: forwardsBase + "/" + strconv.FormatInt(t.ID, 10)}, nil
}

// actForward is what a button on the target's page does.
func (a *Admin) actForward(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.forwardOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	here, words := forwardsBase+"/"+strconv.FormatInt(t.ID, 10), ""
	switch r.PathValue("do") {
	case "test":
		tried, err := a.o.Services.Forwards.Test(ctx, actor, t.ID)
		if err != nil {
			return View{}, err
		}
		here += "/attempts/" + strconv.FormatInt(tried.ID, 10)
		if words = "测试消息已送达"; !tried.OK {
			words = "测试消息没有送达，原因见下"
		}
	case "secret":
		secret, err := a.o.Services.Forwards.RotateSecret(ctx, actor, t.ID)
		if err != nil {
			return View{}, err
		}
		return a.forwardSecret(t, secret), nil
	case "enable":
		_, err = a.o.Services.Forwards.Switch(ctx, actor, t.ID, true)
		words = "已启用"
	case "disable":
		_, err = a.o.Services.Forwards.Switch(ctx, actor, t.ID, false)
		words = "已停用，停用期间的事件不转发"
	case "delete":
		err = a.o.Services.Forwards.Delete(ctx, actor, t.ID)
		here, words = forwardsBase, "已删除「"+t.Name+"」"
	default:
		return View{}, fault.New(fault.NotFound, "not_found", "没有这个操作")
	}
	if err != nil {
		return View{}, err
	}
	a.flash.put(actor, words)
	return View{Redirect: here}, nil
}

func (a *Admin) attemptOf(ctx context.Context, actor account.Actor, r *http.Request) (forward.Target, forward.Attempt, error) {
	t, err := a.forwardOf(ctx, actor, r)
	if err != nil {
		return t, forward.Attempt{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("attempt"), 10, 64)
	if err != nil {
		return t, forward.Attempt{}, fault.New(fault.NotFound, "forward_attempt_not_found", "没有找到这次转发")
	}
	x, err := a.o.Services.Forwards.Attempt(ctx, actor, t.ID, id)
	return t, x, err
}

func (a *Admin) attemptPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, x, err := a.attemptOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	v := struct {
		forward.Attempt
		Forward int64
	}{x, t.ID}
	return View{Title: x.Title, Subtitle: "转发到 " + t.URL, Trail: []Link{{"消息转发", forwardsBase}, {t.Name, forwardsBase + "/" + strconv.FormatInt(t.ID, 10)}}, Body: a.render("forward-attempt", v)}, nil
}

func (a *Admin) replayAttempt(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, x, err := a.attemptOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	if err := a.o.Services.Forwards.Replay(ctx, actor, t.ID, x.ID); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已重新排队，几秒后刷新看结果")
	return View{Redirect: forwardsBase + "/" + strconv.FormatInt(t.ID, 10)}, nil
}
