package admin

import (
	"context"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

// step is one line of the onboarding checklist.
type step struct {
	Number                   int
	Title, Why, Href, Button string
	Count                    string
	Done, Known              bool
}

type homeView struct {
	Actor      account.Actor
	Steps      []step
	Done       int
	Percent    int
	Components int
	Troubled   int
	Minis      string
}

// homePage is the work bench: what is set up, with real counts, and what comes next.
func (a *Admin) homePage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	v := homeView{Actor: actor}
	s := a.o.Services
	if s.Components != nil {
		list, err := s.Components.List(ctx, actor)
		if err != nil {
			return View{}, err
		}
		v.Components = len(list)
		for _, c := range list {
			if c.State != "ok" {
				v.Troubled++
			}
		}
	}
	minis, err := a.miniCount(ctx, actor)
	if err != nil {
		return View{}, err
	}
	v.Minis = grouped(minis)
	if actor.SpaceKind == account.Merchant {
		v.Steps = a.steps(ctx, actor, v.Components, minis)
		for i, st := range v.Steps {
			v.Steps[i].Number = i + 1
			if st.Done {
				v.Done++
			}
		}
		v.Percent = v.Done * 100 / len(v.Steps)
	}
	return View{Title: "工作台", Body: a.render("home", v)}, nil
}

func (a *Admin) miniCount(ctx context.Context, actor account.Actor) (int64, error) {
	if a.o.Services.MiniPrograms == nil {
		return 0, nil
	}
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, miniprogram.Filter{Limit: 1})
	return page.Total, err
}

// steps asks the plugins that keep templates, lanes and listings how far the merchant is. One that is down leaves its
// step open and says so, instead of showing a nought.
func (a *Admin) steps(ctx context.Context, actor account.Actor, components int, minis int64) []step {
	templates := a.total(ctx, actor, "version", "templates", nil)
	online := a.released(ctx, actor)
	listed := a.total(ctx, actor, "market", "listings", map[string]string{"state": "listed"})
	first := step{Title: "绑定第三方平台", Why: "填写 AppID、AppSecret 和消息配置，等微信推来票据", Href: Prefix + "/components/new", Button: "去绑定", Count: grouped(int64(components)), Known: true, Done: components > 0}
	if first.Done {
		first.Href, first.Button = Prefix+"/components", "查看"
	}
	drafts := templates // a template can only come from an uploaded draft
	return []step{
		first,
		drafts.step("上传代码", "用开发者工具把开发小程序的代码上传到草稿箱", Prefix+"/p/version/drafts", "去草稿箱"),
		templates.step("草稿设为模板", "给草稿定版本号和更新说明，放进模板库", Prefix+"/info/version_templates", "去模板库"),
		{Title: "授权小程序", Why: "把授权链接发给客户，或用自己的小程序先试一次", Href: Prefix + "/miniprograms", Button: "去授权", Count: grouped(minis), Known: true, Done: minis > 0},
		online.step("首次发布", "提交审核，通过后发布上线", Prefix+"/miniprograms", "去发布"),
		listed.step("上架 APP Store", "让用户自己找到模板、试用和安装", Prefix+"/info/market_listings", "去上架"),
	}
}

type tally struct {
	n     int64
	known bool
}

func (t tally) step(title, why, href, button string) step {
	s := step{Title: title, Why: why, Href: href, Button: button, Known: t.known, Done: t.known && t.n > 0}
	if s.Count = "暂时读不到"; t.known {
		s.Count = grouped(t.n)
	}
	return s
}

// total counts the rows of a plugin's table.
func (a *Admin) total(ctx context.Context, actor account.Actor, plugin, table string, filters map[string]string) tally {
	page, ok := a.rows(ctx, actor, plugin, table, TableQuery{Filters: filters, Limit: 1})
	if ok && page.Total != nil {
		return tally{*page.Total, true}
	}
	return tally{int64(len(page.Rows)), ok}
}

// released counts the mini programs that have an online version, among the newest hundred.
func (a *Admin) released(ctx context.Context, actor account.Actor) tally {
	page, ok := a.rows(ctx, actor, "version", "lanes", TableQuery{Limit: 100})
	t := tally{known: ok}
	for _, r := range page.Rows {
		if r.Values["online_version"] != "" {
			t.n++
		}
	}
	return t
}

// rows reads a plugin's table for a count, false when it cannot be read now.
func (a *Admin) rows(ctx context.Context, actor account.Actor, plugin, table string, q TableQuery) (TablePage, bool) {
	if a.o.Plugins == nil {
		return TablePage{}, false
	}
	page, err := a.o.Plugins.Rows(ctx, actor, plugin, table, q)
	if err != nil {
		if k := fault.KindOf(err); k != fault.Unavailable && k != fault.NotFound {
			a.log.ErrorContext(ctx, "admin: count rows", "plugin", plugin, "table", table, "error", err)
		}
		return TablePage{}, false
	}
	return page, true
}
