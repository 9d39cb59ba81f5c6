package dashboard

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/trail"
)

// window is how far the operator's figures look back.
const window = 24 * time.Hour

// shanghai is the zone of the screens; China has no summer time.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// errorsShown bounds the codes of the error chart.
const errorsShown = 15

func (s *Service) components(ctx context.Context, who account.Actor, card *Card) error {
	list, err := s.o.Components.List(ctx, who)
	if err != nil {
		return err
	}
	card.Figures = append(card.Figures, counted("components", "全部", "/admin/components", "", int64(len(list))))
	for _, state := range []struct{ state, title, tone string }{
		{component.StateOK, "正常", "green"}, {component.StateWaitingTicket, "等待票据", "blue"}, {component.StateTicketLate, "票据延迟", "orange"},
		{component.StateTicketExpired, "票据过期", "red"}, {component.StateTokenFailing, "令牌获取失败", "red"},
	} {
		n := int64(0)
		for _, c := range list {
			if c.State == state.state {
				n++
			}
		}
		f := counted("component_"+state.state, state.title, "/admin/components?state="+state.state, state.tone, n)
		card.Figures = append(card.Figures, f)
		if state.state != component.StateOK {
			f.Title = "第三方平台" + state.title
			card.Todo = append(card.Todo, f)
		}
	}
	return nil
}

func (s *Service) miniPrograms(ctx context.Context, who account.Actor, card *Card) error {
	tally, err := s.o.Grants.Tally(ctx, who)
	if err != nil {
		return err
	}
	list := "/admin/miniprograms"
	if who.SpaceKind == account.Personal {
		list = "/my/miniprograms"
	}
	card.Figures = append(card.Figures, counted("miniprograms", "全部", list, "", tally.Total))
	for _, state := range []struct{ state, title, tone string }{
		{miniprogram.Active, "已授权", "green"}, {miniprogram.NeedsReauth, "授权失效", "red"}, {miniprogram.Revoked, "已取消授权", "grey"},
	} {
		f := counted("miniprogram_"+state.state, state.title, list+"?state="+state.state, state.tone, tally.States[state.state])
		card.Figures = append(card.Figures, f)
		if state.state == miniprogram.NeedsReauth {
			card.Todo = append(card.Todo, f)
		}
	}
	if who.SpaceKind == account.Personal { // the portal's list has no such filter: no way to a list that is another
		for i := range card.Figures[1:] {
			card.Figures[1+i].Href = ""
		}
		card.Todo = nil
	}
	return nil
}

func (s *Service) processes(_ context.Context, _ account.Actor, card *Card) error {
	counts, restarts := map[plugin.State]int64{}, int64(0)
	list := s.o.Plugins.Status()
	for _, p := range list {
		counts[p.State]++
		restarts += int64(p.Restarts)
	}
	all := counted("plugins", "全部", "/admin/plugins", "", int64(len(list)))
	if restarts > 0 {
		all.Note = "本次启动以来共重启 " + grouped(restarts) + " 次"
	}
	card.Figures = append(card.Figures, all)
	for _, state := range []struct {
		state plugin.State
		title string
		tone  string
	}{{plugin.Serving, "运行中", "green"}, {plugin.Starting, "启动中", "blue"}, {plugin.Backoff, "等待重启", "orange"}, {plugin.Stopped, "已停止", "grey"}} {
		f := counted("plugin_"+string(state.state), state.title, "/admin/plugins?state="+string(state.state), state.tone, counts[state.state])
		card.Figures = append(card.Figures, f)
		if state.state == plugin.Backoff || state.state == plugin.Stopped {
			f.Title = "插件" + state.title
			card.Todo = append(card.Todo, f)
		}
	}
	return nil
}

func (s *Service) jobs(ctx context.Context, _ account.Actor, card *Card) error {
	list, err := s.o.Jobs.Jobs(ctx)
	if err != nil {
		return err
	}
	var never, failing int64
	newest := int64(0)
	for _, j := range list {
		switch {
		case j.Last == nil:
			never++
		case j.Last.State == schedule.Failed:
			failing++
		}
		if j.Last != nil {
			newest = max(newest, j.Last.StartedAt)
		}
	}
	_, failures, err := s.o.Jobs.Failures(ctx, s.o.Clock.Now().Add(-window), 0, 1)
	if err != nil {
		return err
	}
	all := counted("jobs", "全部任务", "/admin/jobs", "", int64(len(list)))
	if all.Note = "还没有任务运行过"; newest > 0 {
		all.Note = "最近一次运行 " + time.UnixMilli(newest).In(shanghai).Format("01-02 15:04:05")
	}
	bad := counted("job_failing", "最近一次失败的任务", "/admin/jobs?newest=failed", "red", failing)
	card.Figures = append(card.Figures, all, bad,
		counted("job_never", "还没运行过的任务", "/admin/jobs?newest=never", "grey", never),
		counted("job_failures", "近 24 小时失败的运行", "/admin/jobs/failures", "red", failures))
	bad.Title = "定时任务最近一次失败"
	card.Todo = append(card.Todo, bad)
	return nil
}

func (s *Service) events(ctx context.Context, _ account.Actor, card *Card) error {
	now := s.o.Clock.Now()
	rates, err := s.o.Events.Rates(ctx, now.Add(-window))
	if err != nil {
		return err
	}
	total := Figure{Key: "events", Title: "近 24 小时收到", Href: "/admin/events", Reason: "每 15 分钟统计一次，第一次统计后显示"}
	peak := Figure{Key: "event_peak", Title: "最忙的 15 分钟", Href: "/admin/events", Reason: total.Reason}
	chart := &Chart{Title: "每 15 分钟收到的事件", Kind: "line", Unit: "个事件", Points: []Point{}}
	var sum, most, end int64
	for _, r := range rates {
		sum, end = sum+r.N, r.At+event.RateBucket.Milliseconds()
		href := eventsBetween(r.At, end)
		chart.Points = append(chart.Points, Point{Label: time.UnixMilli(r.At).In(shanghai).Format("15:04"), Value: float64(r.N), Href: href})
		if r.N >= most {
			most, peak.Href, peak.Note = r.N, href, time.UnixMilli(r.At).In(shanghai).Format("01-02 15:04")+" 起，平均每秒 "+perSecond(r.N, event.RateBucket)+" 个"
		}
	}
	if len(rates) == 0 {
		chart.Reason = total.Reason
	} else {
		chart.Note = "统计到 " + time.UnixMilli(end).In(shanghai).Format("01-02 15:04")
		total.atMost(sum)
		peak.atMost(most)
		total.Note, total.Href = chart.Note+"，平均每秒 "+perSecond(sum, time.Duration(len(rates))*event.RateBucket)+" 个", eventsBetween(rates[0].At, end)
		if total.More {
			total.Note = "合计 " + grouped(sum) + " 个，" + total.Note
		}
	}
	card.Figures, card.Chart = append(card.Figures, total, peak), chart
	return nil
}

// atMost is a count as the list behind it shows it: exact to 10,000.
func (f *Figure) atMost(n int64) {
	f.Value, f.More, f.Reason = number(min(n, 10_000)), n > 10_000, ""
}

// perSecond is n over a time, with two digits.
func perSecond(n int64, over time.Duration) string {
	return strconv.FormatFloat(float64(n*100/int64(over/time.Second))/100, 'f', -1, 64)
}

func eventsBetween(from, to int64) string {
	const layout = "2006-01-02T15:04"
	v := url.Values{"from": {time.UnixMilli(from).In(shanghai).Format(layout)}, "to": {time.UnixMilli(to).In(shanghai).Format(layout)}}
	return "/admin/events?" + v.Encode()
}

func (s *Service) errors(ctx context.Context, _ account.Actor, card *Card) error {
	since := s.o.Clock.Now().Add(-window)
	codes, err := s.o.Trail.ErrCodes(ctx, since)
	if err != nil {
		return err
	}
	chart := &Chart{Title: "次数最多的错误码", Kind: "bar", Unit: "次", Points: []Point{}}
	slices.SortStableFunc(codes, func(a, b trail.ErrCount) int { return int(b.N - a.N) })
	total := Figure{Key: "errors", Title: "合计", Value: number(0), Href: "/admin/errors", Tone: "red"}
	for i, c := range codes {
		*total.Value += c.N
		total.More = total.More || c.More
		if i < errorsShown {
			code := strconv.FormatInt(c.Code, 10)
			chart.Points = append(chart.Points, Point{Label: code, Value: float64(c.N), Href: "/admin/errors?errcode=" + code, Tone: "red"})
		}
	}
	if len(codes) == 0 {
		chart.Reason = "近 24 小时没有错误"
	}
	if len(codes) > errorsShown {
		chart.Note = "另有 " + strconv.Itoa(len(codes)-errorsShown) + " 种更少见的错误码"
	}
	card.Figures, card.Chart = append(card.Figures, total), chart
	return nil
}

func (s *Service) spaces(ctx context.Context, who account.Actor, card *Card) error {
	for _, kind := range []account.Kind{account.Merchant, account.Personal, account.Platform} {
		_, _, total, err := s.o.Accounts.Directory(ctx, who, account.SpaceFilter{Kind: kind, Limit: 1})
		if err != nil {
			return err
		}
		card.Figures = append(card.Figures, counted("space_"+string(kind), kind.Title(), "/admin/spaces?kind="+string(kind), "", total))
	}
	return nil
}
