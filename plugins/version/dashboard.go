package version

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"minifleet/plugins/sdk"
)

// reviewSample is how many of the newest reviews the times are computed of.
const reviewSample = 1000

const (
	lanesAddress  = "/admin/info/version_lanes"
	auditsAddress = "/admin/info/version_audits"
	draftsAddress = "/admin/p/version/drafts"
)

// dashboard is the plugin's cards on a merchant's 工作台.
func (v *plugin) dashboard(ctx context.Context) ([]sdk.Card, error) {
	if sdk.Actor(ctx).SpaceKind != "merchant" {
		return nil, nil
	}
	var cards []sdk.Card
	for _, make := range []func(context.Context) (sdk.Card, error){v.auditCard, v.spreadCard, v.reviewCard, v.libraryCard} {
		card, err := make(ctx)
		if err != nil {
			return nil, err
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// auditCard is the mini programs by the state of their review, and what waits for somebody here.
func (v *plugin) auditCard(ctx context.Context) (sdk.Card, error) {
	card := sdk.Card{Key: "audits", Title: "审核状态", Permission: permissionOperate}
	for _, state := range []string{auditRunning, auditDelayed, auditPassed, auditRejected, auditReleased} {
		page, err := v.lanes.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("audit_state", state)}, Limit: 1, Count: true})
		if err != nil {
			return card, err
		}
		t := auditTag(state)
		figure := sdk.Counted("audit_"+state, t.Label, lanesAddress+"?audit_state="+state, t.Color, page.Total)
		card.Figures = append(card.Figures, figure)
		switch state {
		case auditRejected:
			figure.Title = "驳回待处理"
			card.Todo = append(card.Todo, figure)
		case auditPassed:
			figure.Title = "审核通过待发布"
			card.Todo = append(card.Todo, figure)
		}
	}
	return card, nil
}

// spreadCard is how many mini programs run each version.
func (v *plugin) spreadCard(ctx context.Context) (sdk.Card, error) {
	card := sdk.Card{Key: "spread", Title: "线上版本分布", Permission: permissionOperate}
	chart := &sdk.Chart{Title: "每个线上版本的小程序数", Kind: "bar", Unit: "个小程序", Points: []sdk.Point{}}
	groups, err := v.lanes.Aggregate(ctx, sdk.Figures{By: []string{"online_version"}, Where: []sdk.Where{sdk.Ne("online_version", "")}, Limit: 12})
	if err != nil {
		return card, err
	}
	for _, g := range groups.Groups {
		name := g.Text("online_version")
		chart.Points = append(chart.Points, sdk.Point{Label: name, Value: float64(g.Figure(0)), Href: lanesAddress + "?online_version=" + url.QueryEscape(name)})
	}
	switch {
	case groups.Partial:
		chart.Note = "小程序超过 10,000 个，按其中 10,000 个统计"
	case groups.Others > 0:
		chart.Note = "另有 " + strconv.FormatInt(groups.Others, 10) + " 个小程序在更少见的版本上"
	case len(groups.Groups) == 0:
		chart.Reason = "还没有小程序发布过线上版本"
	}
	card.Chart = chart
	return card, nil
}

// reviewCard is how long reviews take and how many pass at once, in the last thirty days.
func (v *plugin) reviewCard(ctx context.Context) (sdk.Card, error) {
	card := sdk.Card{Key: "reviews", Title: "近 30 天审核", Permission: permissionOperate}
	now := sdk.Now(ctx)
	address := func(result string) string {
		return auditsAddress + "?days=" + strconv.Itoa(reviewWindow) + "&result=" + result
	}
	totals := map[string]*int64{}
	for _, result := range []string{resultDecided, resultFirst, resultFirstOK} {
		page, err := v.audits.Find(ctx, sdk.Query{Where: reviewsSince(now, reviewWindow, result), Limit: 1, Count: true})
		if err != nil {
			return card, err
		}
		totals[result] = page.Total
	}
	card.Figures = append(card.Figures, sdk.Counted("decided", "已出结果", address(resultDecided), "blue", totals[resultDecided]))
	times, err := v.reviewTimes(ctx, now)
	if err != nil {
		return card, err
	}
	none := "近 30 天没有出结果的审核"
	median := sdk.Figure{Key: "median", Title: "审核用时中位数", Href: address(resultDecided), Reason: none}
	slow := sdk.Figure{Key: "p90", Title: "九成在此时间内", Href: address(resultDecided), Reason: none}
	if len(times) > 0 {
		sample := "样本 " + strconv.Itoa(len(times)) + " 次"
		median.Value, median.Text, median.Note, median.Reason = minutes(quantile(times, 50)), span(quantile(times, 50)), sample, ""
		slow.Value, slow.Text, slow.Note, slow.Reason = minutes(quantile(times, 90)), span(quantile(times, 90)), sample, ""
	}
	card.Figures = append(card.Figures, median, slow, firstPass(totals[resultFirst], totals[resultFirstOK], address(resultFirstOK)))
	return card, nil
}

func minutes(d time.Duration) *int64 { return sdk.Number(int64(d / time.Minute)) }

// firstPass is the share of versions that passed at their first submit; its list is those that did.
func firstPass(all, passed *int64, href string) sdk.Figure {
	figure := sdk.Figure{Key: "first_pass", Title: "首次过审", Href: href, Tone: "green"}
	switch {
	case all == nil || passed == nil:
		figure.Reason = "超过 10,000 次，点开列表查看"
	case *all == 0:
		figure.Reason = "近 30 天没有首次提审的结果"
	default:
		figure.Value = passed
		figure.Note = "首次过审率 " + strconv.FormatInt((*passed*100+*all/2) / *all, 10) + "%（" + strconv.FormatInt(*passed, 10) + " / " + strconv.FormatInt(*all, 10) + "）"
	}
	return figure
}

// reviewTimes are the lengths of the newest decided reviews, shortest first.
func (v *plugin) reviewTimes(ctx context.Context, now time.Time) ([]time.Duration, error) {
	var times []time.Duration
	query := sdk.Query{Where: reviewsSince(now, reviewWindow, resultDecided), Limit: 200}
	for range reviewSample / query.Limit {
		page, err := v.audits.Find(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			if took, ok := a.took(); ok {
				times = append(times, took)
			}
		}
		if query.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	slices.Sort(times)
	return times, nil
}

// quantile is the value below which percent of the sorted values lie (nearest rank).
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}

// libraryCard is drafts, templates and the month's quota, as last read.
func (v *plugin) libraryCard(ctx context.Context) (sdk.Card, error) {
	card := sdk.Card{Key: "library", Title: "草稿、模板与额度", Permission: permissionTemplate}
	libraries, err := v.libraries.Find(ctx, sdk.Query{Limit: 200})
	if err != nil {
		return card, err
	}
	templates, err := v.templates.Find(ctx, sdk.Query{Limit: 1, Count: true})
	if err != nil {
		return card, err
	}
	several := len(libraries.Items) > 1
	card.Figures = append(card.Figures, draftFigures(libraries.Items)...)
	card.Figures = append(card.Figures, sdk.Counted("templates", "模板", "/admin/info/version_templates", "", templates.Total))
	for _, l := range libraries.Items {
		card.Figures = append(card.Figures, quotaFigures(l, several)...)
	}
	if len(libraries.Items) == 0 {
		card.Figures = append(card.Figures, sdk.Figure{Key: "quota", Title: "本月剩余提审额度", Href: "/admin/components", Reason: "绑定第三方平台并同步草稿箱后才能读到"})
	}
	return card, nil
}

// draftFigures are the drafts of each platform app, whose draft box is a page of its own.
func draftFigures(libraries []Library) []sdk.Figure {
	var figures []sdk.Figure
	for _, l := range libraries {
		if l.SyncedAt == 0 {
			continue
		}
		figure := sdk.Figure{
			Key: "drafts", Title: "草稿", Value: sdk.Number(int64(len(l.Drafts))), Href: draftsAddress + "?component=" + url.QueryEscape(l.Component), Note: "同步于 " + when(l.SyncedAt),
		}
		if len(libraries) > 1 {
			figure.Key, figure.Title = "drafts_"+l.Component, "草稿（"+l.Component+"）"
		}
		figures = append(figures, figure)
	}
	if figures == nil {
		return []sdk.Figure{{Key: "drafts", Title: "草稿", Href: draftsAddress, Reason: "还没有同步过草稿箱"}}
	}
	return figures
}

// quotaFigures are what is left of the month's quota of one platform app; the page of its drafts shows it too.
func quotaFigures(l Library, several bool) []sdk.Figure {
	suffix := ""
	if several {
		suffix = "（" + l.Component + "）"
	}
	page := draftsAddress + "?component=" + url.QueryEscape(l.Component)
	audit := sdk.Figure{Key: "quota_" + l.Component, Title: "本月剩余提审额度" + suffix, Href: page}
	fast := sdk.Figure{Key: "speedup_" + l.Component, Title: "本月剩余加急次数" + suffix, Href: page}
	if l.QuotaAt == 0 {
		reason := "还没有读到：每小时读取一次，需要至少一个已授权的小程序"
		audit.Reason, fast.Reason = reason, reason
		return []sdk.Figure{audit, fast}
	}
	audit.Value, audit.Note = sdk.Number(l.QuotaRest), "共 "+strconv.FormatInt(l.QuotaLimit, 10)+"，读取于 "+when(l.QuotaAt)
	fast.Value, fast.Note = sdk.Number(l.SpeedUpRest), "共 "+strconv.FormatInt(l.SpeedUpLimit, 10)+"，读取于 "+when(l.QuotaAt)
	if l.auditLow() {
		audit.Tone = "orange"
	}
	if l.speedUpLow() {
		fast.Tone = "orange"
	}
	return []sdk.Figure{audit, fast}
}
