package command

import (
	"context"
	"html/template"
	"sync"

	"minifleet/app/account"
	"minifleet/app/dashboard"
	"minifleet/app/fault"
	"minifleet/app/schedule"
	"minifleet/app/web/portal"
	"minifleet/resource"
)

// demoMode is what a demo has beyond the platform: its people, and the tour through the walks.
type demoMode struct {
	mu     sync.Mutex
	people map[string]account.Actor
	board  *dashboard.Service
	jobs   *schedule.Service
}

// meet remembers a demo's person; outside a demo there is nobody to remember.
func (d *demoMode) meet(a account.Actor) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.people == nil {
		d.people = map[string]account.Actor{}
	}
	d.people[roleOf(a)] = a
}

func roleOf(a account.Actor) string {
	switch a.SpaceKind {
	case account.Platform:
		return "operator"
	case account.Merchant:
		return "merchant"
	default:
		return "user"
	}
}

// Enter gives the demo's person of the role; nobody while the demo's data are still being made.
func (d *demoMode) Enter(_ context.Context, role string) (account.Actor, error) {
	if role != "user" && role != "merchant" && role != "operator" {
		return account.Actor{}, fault.InvalidInput().On("role", "应为 user、merchant 或 operator")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.people[role], nil
}

// tags are what the tour adds to the end of every page.
func (d *demoMode) tags(assets *resource.Assets) template.HTML {
	script, sheet := assets.URL("tour.js"), assets.URL("tour.css")
	if d == nil || script == "" || sheet == "" {
		return ""
	}
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(sheet) + `"><script src="` + template.HTMLEscapeString(script) + `" defer></script>`)
}

// Tour gives the steps of the walk, ticked by what really is there.
func (d *demoMode) Tour(ctx context.Context, who account.Actor) (portal.Tour, error) {
	t := portal.Tour{
		Role: roleOf(who), Member: !who.Nobody(),
		Roles: []portal.TourRole{{Role: "user", Title: "普通用户"}, {Role: "merchant", Title: "商户"}, {Role: "operator", Title: "平台管理员"}},
	}
	for _, r := range t.Roles {
		if r.Role == t.Role {
			t.Title = r.Title
		}
	}
	if who.Nobody() {
		t.Steps = userTour(dashboard.Snapshot{})
		return t, nil
	}
	d.board.Forget(who) // the next step should be right at once, not in five seconds
	view, err := d.board.Snapshot(ctx, who)
	if err != nil {
		return t, err
	}
	switch t.Role {
	case "merchant":
		t.Steps = merchantTour(view)
	case "operator":
		t.Steps, err = d.operatorTour(ctx)
	default:
		t.Steps = userTour(view)
	}
	return t, err
}

// above reports whether any of the figures is known and larger than n.
func above(view dashboard.Snapshot, n int64, keys ...string) bool {
	for _, k := range keys {
		if f := view.Figure(k); f.Known() && *f.Value > n {
			return true
		}
	}
	return false
}

func userTour(view dashboard.Snapshot) []portal.TourStep {
	tried := above(view, 0, "installation_choosing", "installation_ready", "installation_installing", "installation_done", "installation_failed", "installation_abandoned")
	chosen := above(view, 0, "installation_ready", "installation_installing", "installation_done", "installation_failed")
	return []portal.TourStep{
		{Key: "find", Title: "找到模板", Text: "打开「扫码点餐」的详情页。", Href: "/market", Target: `[data-tour="listing"], main a.mf-item`, Done: tried},
		{Key: "try", Title: "立即试用", Text: "在详情页点“立即试用”，建立一次安装。", Href: "/market", Target: `[data-test="try"]`, Done: tried},
		{Key: "authorize", Title: "授权小程序", Text: "点“在本页打开授权页”，再在模拟器的手机上选张三和街角咖啡，点授权。", Href: "/market/installations", Target: `[data-test="open-landing"], [data-test="open-h5"]`, Done: above(view, 0, "miniprogram_active")},
		{Key: "configure", Title: "填写店铺名称", Text: "选小程序，填店铺名称，点下一步。", Href: "/market/installations", Target: `[data-test="start"]`, Done: chosen},
		{Key: "trial", Title: "扫码体验", Text: "四步走完后出现体验版二维码。", Href: "/market/installations", Target: `.mf-qr-trial`, Done: above(view, 0, "installation_done")},
		{Key: "lanes", Title: "提审上线", Text: "在版本页看三栏：线上、审核、体验；先在模拟器把时钟拨快一分钟，再提交审核。", Href: "/my/miniprograms", Target: `[data-test="versions"], [data-act="submit"]`, Visit: "/p/version/miniprograms", Look: true},
	}
}

func merchantTour(view dashboard.Snapshot) []portal.TourStep {
	return []portal.TourStep{
		{Key: "bind", Title: "绑定第三方平台", Text: "把模拟器里的「星河小程序平台」绑进来：在模拟器的控制台复制 AppID、AppSecret、Token 和 AES Key。", Href: "/admin/components/new", Target: `[name="appid"]`, Done: above(view, 1, "components")},
		{Key: "draft", Title: "同步草稿箱", Text: "选平台，点同步，看到开发者上传的草稿。", Href: "/admin/p/version/drafts", Target: `form[action$="/drafts/sync"] button`, Done: above(view, 0, "drafts")},
		{Key: "template", Title: "草稿设为模板", Text: "给草稿定版本号和更新说明。", Href: "/admin/p/version/drafts", Target: `a[href*="/drafts/template"]`, Done: above(view, 1, "templates")},
		{Key: "listing", Title: "上架 APP Store", Text: "在模板详情点上架，填名称、行业和简介。", Href: "/admin/info/version_templates", Target: `a[href*="/listings/new"]`, Done: above(view, 1, "listing_listed")},
		{Key: "authorize", Title: "授权小程序", Text: "生成授权链接发给客户；或换成普通用户走一遍试用。", Href: "/admin/miniprograms", Target: `form[action$="/miniprograms/links"] button`, Done: above(view, 0, "miniprograms")},
		{Key: "audit", Title: "提交审核", Text: "在版本与发布里打开小程序；审核结果在模拟器的审核台给。", Href: "/admin/info/version_lanes", Target: `[data-act="submit"]`, Done: above(view, 0, "audit_running", "audit_delayed", "audit_passed", "audit_rejected", "audit_released")},
		{Key: "release", Title: "全量发布", Text: "审核通过后点全量发布，线上版本随即更新。", Href: "/admin/info/version_lanes", Target: `[data-act="release"]`, Done: above(view, 0, "audit_released")},
	}
}

// operatorTour is mostly looking; running a job leaves a trace that can be read.
func (d *demoMode) operatorTour(ctx context.Context) ([]portal.TourStep, error) {
	jobs, err := d.jobs.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	asked := false
	for _, j := range jobs {
		asked = asked || j.Last != nil && j.Last.AskedBy != ""
	}
	return []portal.TourStep{
		{Key: "events", Title: "事件日志", Text: "微信推来的每一条消息都在这里：打开一条，解密查看，再重放。", Href: "/admin/events", Target: `a[href^="/admin/events/"]`, Visit: "/admin/events", Look: true},
		{Key: "jobs", Title: "立即执行定时任务", Text: "点“立即执行”，看它的运行记录。", Href: "/admin/jobs", Target: `form[action$="/run"] button`, Done: asked},
		{Key: "plugins", Title: "插件", Text: "三个插件各在自己的进程里：看状态、内存，也可以重启一个。", Href: "/admin/plugins", Target: `form[action$="/restart"] button`, Visit: "/admin/plugins", Look: true},
		{Key: "errors", Title: "微信返回的错误", Text: "近 24 小时的错误码和次数，点进去看是谁的哪一步。", Href: "/admin/errors", Visit: "/admin/errors", Look: true},
		{Key: "trail", Title: "操作日志", Text: "谁、什么时候、替谁、做了什么、微信怎么回答。", Href: "/admin/trail", Visit: "/admin/trail", Look: true},
	}, nil
}

// tour is the portal's view of the demo: a nil interface outside it, so that its addresses are not there.
func (p *platform) tour() portal.Demo {
	if p.demo == nil {
		return nil
	}
	return p.demo
}
