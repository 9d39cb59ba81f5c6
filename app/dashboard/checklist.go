package dashboard

import (
	"context"
	"fmt"
	"slices"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Lists of steps, one for each kind of space, and what a member has said about a step that nothing can tell.
const (
	ListStart  = "start"
	ListBackup = "backup" // state done: the operator says that backups are made
)

// States of a member's list.
const (
	ListOpen      = "open"
	ListFolded    = "folded"
	ListDismissed = "dismissed"
	ListDone      = "done"
)

// Step is one line of a checklist. It ticks itself by the real state; a step whose state cannot be read now is neither.
type Step struct {
	Key    string `json:"key" dc:"标识"`
	Title  string `json:"title" dc:"标题"`
	Why    string `json:"why" dc:"为什么要做"`
	Href   string `json:"href" dc:"去做的地址"`
	Button string `json:"button" dc:"按钮文字"`
	Done   bool   `json:"done" dc:"已完成（步骤），或完成的步数（清单）"`
	Known  bool   `json:"known" dc:"状态读得到"`
	Count  string `json:"count,omitempty" dc:"数量"`
	// Permission is what the page behind Href asks for; without it the step has no Href and no Button.
	Permission string `json:"-"`
	// Post says that the button is a form: the step is ticked by the member's own word.
	Post bool `json:"-"`
	// Number counts from 1.
	Number int `json:"-"`
}

// Checklist is the steps of a kind of space, and how the member shows it.
type Checklist struct {
	State string `json:"state" dc:"open 展开，folded 收起，dismissed 不再显示"` // open, folded or dismissed
	Steps []Step `json:"steps" dc:"步骤"`
	Done  int    `json:"done" dc:"已完成（步骤），或完成的步数（清单）"`
}

// Percent is how far the list is done.
func (c Checklist) Percent() int {
	if len(c.Steps) == 0 {
		return 100
	}
	return c.Done * 100 / len(c.Steps)
}

// Next is the first step that is open, nil when all are done.
func (c Checklist) Next() *Step {
	for i := range c.Steps {
		if !c.Steps[i].Done {
			return &c.Steps[i]
		}
	}
	return nil
}

// Checklist gives the actor's steps.
func (s *Service) Checklist(ctx context.Context, who account.Actor) (Checklist, error) {
	view, err := s.Snapshot(ctx, who)
	if err != nil {
		return Checklist{}, err
	}
	states, err := s.states(ctx, who)
	if err != nil {
		return Checklist{}, err
	}
	list := Checklist{State: ListOpen, Steps: []Step{}}
	if st := states[ListStart]; st == ListFolded || st == ListDismissed {
		list.State = st
	}
	switch who.SpaceKind {
	case account.Merchant:
		list.Steps = allowed(who, merchantSteps(view))
	case account.Platform:
		list.Steps = s.operatorSteps(view, states[ListBackup] == ListDone)
	default:
		if list.Steps, err = s.personSteps(ctx, who, view); err != nil {
			return Checklist{}, err
		}
	}
	for i := range list.Steps {
		list.Steps[i].Number = i + 1
		if list.Steps[i].Done {
			list.Done++
		}
	}
	return list, nil
}

// SetChecklist keeps how the member shows the list, or that backups are made.
func (s *Service) SetChecklist(ctx context.Context, who account.Actor, list, state string) error {
	allowed := map[string][]string{ListStart: {ListOpen, ListFolded, ListDismissed}, ListBackup: {ListOpen, ListDone}}
	if who.Nobody() {
		return fault.New(fault.Unauthenticated, "login_required", "请先登录")
	}
	if !slices.Contains(allowed[list], state) {
		return fault.InvalidInput().On("state", "没有这个状态")
	}
	err := s.o.DB.Upsert(ctx, "checklist", map[string]any{"id": s.o.DB.NewID(), "member_id": who.MemberID, "list": list, "state": state, "updated_at": clock.Millis(s.o.Clock.Now())}, "member_id", "list")
	if err != nil {
		return fmt.Errorf("dashboard: checklist: %w", err)
	}
	return nil
}

func (s *Service) states(ctx context.Context, who account.Actor) (map[string]string, error) {
	var rows []struct{ List, State string }
	if err := s.o.DB.All(ctx, &rows, "SELECT list, state FROM checklist WHERE member_id=?", who.MemberID); err != nil {
		return nil, fmt.Errorf("dashboard: checklist: %w", err)
	}
	out := map[string]string{}
	for _, r := range rows {
		out[r.List] = r.State
	}
	return out, nil
}

// by makes a step that is done when one of the figures is above nought.
func by(key, title, why, href, button string, figures ...Figure) Step {
	st := Step{Key: key, Title: title, Why: why, Href: href, Button: button}
	for _, f := range figures {
		if f.Known() {
			st.Known = true
			st.Count = f.Shown()
		}
		st.Done = st.Done || f.Positive()
	}
	if st.Done {
		for _, f := range figures {
			if f.Positive() {
				st.Count = f.Shown()
				break
			}
		}
	}
	return st
}

func (st Step) needs(permission string) Step {
	st.Permission = permission
	return st
}

// allowed takes the door away from a step that the member's role keeps closed; how far the list is, everybody may see.
func allowed(who account.Actor, steps []Step) []Step {
	for i := range steps {
		if p := steps[i].Permission; p != "" && !who.Can(p) {
			steps[i].Href, steps[i].Button = "", ""
		}
	}
	return steps
}

func merchantSteps(view Snapshot) []Step {
	bind := by("component", "绑定第三方平台", "填写 AppID、AppSecret 和消息配置，等微信推来票据", "/admin/components/new", "去绑定", view.Figure("components"))
	bind.Permission = "component.bind"
	if bind.Done {
		bind.Href, bind.Button, bind.Permission = "/admin/components", "查看", "component.read"
	}
	released := Step{Key: "release", Permission: "version.operate", Title: "首次发布", Why: "提交审核，通过后发布上线", Href: "/admin/info/version_lanes", Button: "去发布"}
	if card, ok := view.Card("version", "spread"); ok && card.Chart != nil {
		released.Known, released.Done = true, len(card.Chart.Points) > 0
	}
	return []Step{
		bind,
		by("draft", "上传代码", "用开发者工具把开发小程序的代码上传到草稿箱", "/admin/p/version/drafts", "去草稿箱", append(view.Figures("drafts"), view.Figure("templates"))...).needs("version.template"),
		by("template", "草稿设为模板", "给草稿定版本号和更新说明，放进模板库", "/admin/info/version_templates", "去模板库", view.Figure("templates")).needs("version.template"),
		by("authorize", "授权小程序", "把授权链接发给客户，或用自己的小程序先试一次", "/admin/miniprograms", "去授权", view.Figure("miniprograms")).needs("authorization.create"),
		released,
		by("listing", "上架 APP Store", "让用户自己找到模板、试用和安装", "/admin/info/market_listings", "去上架", view.Figure("listing_listed")).needs("market.listing"),
	}
}

func (s *Service) operatorSteps(view Snapshot, backup bool) []Step {
	return []Step{
		{Key: "mail", Title: "发信设置", Why: "没有它，验证码、邀请和通知都发不出去", Href: "/admin/guide/mail", Button: "怎么设置", Known: true, Done: s.o.MailReady},
		by("merchant", "第一个商户", "请商户注册并提交资质，或由你邀请", "/admin/spaces?kind=merchant", "查看商户", view.Figure("space_merchant")),
		by("component", "第一个第三方平台", "由商户在自己的后台绑定，你在这里看到它的健康", "/admin/components", "查看", view.Figure("components")),
		{Key: "backup", Title: "备份提醒", Why: "数据库和密钥文件要分开备份：没有密钥文件，数据库里的密文读不出来", Href: "/admin/guide/backup", Button: "怎么备份", Known: true, Done: backup, Post: true},
	}
}

// personSteps are the walk of an ordinary user.
func (s *Service) personSteps(ctx context.Context, who account.Actor, view Snapshot) ([]Step, error) {
	var tried []Figure
	for _, state := range []string{"choosing", "ready", "installing", "done", "failed", "abandoned"} {
		tried = append(tried, view.Figure("installation_"+state))
	}
	steps := []Step{
		by("find", "找模板", "在 APP Store 选一个合适的模板，点“立即试用”", "/market", "去逛 APP Store", tried...),
		by("authorize", "授权小程序", "用小程序管理员的微信扫码，把开发权限授权给模板的服务商", "/market/installations", "继续授权", view.Figure("miniprogram_active")),
		by("trial", "扫码体验", "安装完成后扫体验版二维码，在手机上看效果", "/market/installations", "看体验版", view.Figure("installation_done")),
	}
	entrust := Step{Key: "entrust", Title: "托管给服务商", Why: "把提审、发布交给服务商代办，你随时可以撤销", Href: "/my/miniprograms", Button: "去托管", Known: true}
	if e, ok := s.o.Grants.(interface {
		Entrusted(ctx context.Context, who account.Actor) (int64, error)
	}); ok {
		n, err := e.Entrusted(ctx, who)
		if err != nil {
			return nil, err
		}
		entrust.Done = n > 0
	}
	steps = append(steps, entrust)
	for i := range steps {
		steps[i].Count = ""
	}
	return steps, nil
}
