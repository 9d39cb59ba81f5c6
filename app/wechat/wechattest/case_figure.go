package wechattest

import "minifleet/app/wechat"

func linkCases() map[string]Case {
	type prefix struct {
		Prefix string `json:"prefix"`
	}
	return map[string]Case{
		wechat.EndpointQRCodeAddRule: app(func(c ctx, m wechat.MiniProgram, in struct {
			wechat.JumpRule
			Edit int `json:"is_edit"`
		}) (any, error) {
			return done(m.SetJumpRule(c, in.JumpRule, in.Edit == 1))
		}),
		wechat.EndpointQRCodeRules:       app(func(c ctx, m wechat.MiniProgram, in wechat.JumpRuleFilter) (any, error) { return m.JumpRules(c, in) }),
		wechat.EndpointQRCodeConfirmfile: plain(wechat.MiniProgram.JumpConfirmFile),
		wechat.EndpointQRCodePublishRule: app(func(c ctx, m wechat.MiniProgram, in prefix) (any, error) {
			return done(m.PublishJumpRule(c, in.Prefix))
		}),
		wechat.EndpointQRCodeDeleteRule: app(func(c ctx, m wechat.MiniProgram, in prefix) (any, error) { return done(m.DeleteJumpRule(c, in.Prefix)) }),
		wechat.EndpointQRCodeCode:       app(func(c ctx, m wechat.MiniProgram, in wechat.PathCode) (any, error) { return m.PathCode(c, in) }),
		wechat.EndpointQRCodeUnlimited:  app(func(c ctx, m wechat.MiniProgram, in wechat.UnlimitedCode) (any, error) { return m.UnlimitedCode(c, in) }),
		wechat.EndpointQRCodeSquare: app(func(c ctx, m wechat.MiniProgram, in struct {
			Path  string `json:"path"`
			Width int    `json:"width"`
		}) (any, error) {
			return m.SquareCode(c, in.Path, in.Width)
		}),
		wechat.EndpointLinkScheme: app(func(c ctx, m wechat.MiniProgram, in wechat.SchemeRequest) (any, error) { return m.Scheme(c, in) }),
		wechat.EndpointLinkNFCScheme: app(func(c ctx, m wechat.MiniProgram, in struct {
			Target wechat.LinkTarget `json:"jump_wxa"`
			Model  string            `json:"model_id"`
			Serial string            `json:"sn"`
		}) (any, error) {
			return m.NFCScheme(c, in.Target, in.Model, in.Serial)
		}),
		wechat.EndpointLinkQueryScheme: app(func(c ctx, m wechat.MiniProgram, in struct {
			Scheme string `json:"scheme"`
			Type   int    `json:"query_type"`
		}) (any, error) {
			return m.SchemeInfo(c, in.Scheme, in.Type)
		}),
		wechat.EndpointLinkURL: app(func(c ctx, m wechat.MiniProgram, in wechat.URLLinkRequest) (any, error) { return m.URLLink(c, in) }),
		wechat.EndpointLinkQueryURL: app(func(c ctx, m wechat.MiniProgram, in struct {
			Link string `json:"url_link"`
			Type int    `json:"query_type"`
		}) (any, error) {
			return m.URLLinkInfo(c, in.Link, in.Type)
		}),
		wechat.EndpointLinkShort: app(func(c ctx, m wechat.MiniProgram, in struct {
			Page      string `json:"page_url"`
			Title     string `json:"page_title"`
			Permanent bool   `json:"is_permanent"`
		}) (any, error) {
			return m.ShortLink(c, in.Page, in.Title, in.Permanent)
		}),
	}
}

// figure makes a case of a call that takes a span of days.
func figure[R any](call func(wechat.MiniProgram, ctx, wechat.Span) (R, error)) Case {
	return app(func(c ctx, m wechat.MiniProgram, in wechat.Span) (any, error) { return call(m, c, in) })
}

func figureCases() map[string]Case {
	return map[string]Case{
		wechat.EndpointAnalysisSummary:          figure(wechat.MiniProgram.Summary),
		wechat.EndpointAnalysisDailyVisits:      figure(wechat.MiniProgram.DailyVisits),
		wechat.EndpointAnalysisWeeklyVisits:     figure(wechat.MiniProgram.WeeklyVisits),
		wechat.EndpointAnalysisMonthlyVisits:    figure(wechat.MiniProgram.MonthlyVisits),
		wechat.EndpointAnalysisDistribution:     figure(wechat.MiniProgram.Distributions),
		wechat.EndpointAnalysisDailyRetention:   figure(wechat.MiniProgram.DailyRetention),
		wechat.EndpointAnalysisWeeklyRetention:  figure(wechat.MiniProgram.WeeklyRetention),
		wechat.EndpointAnalysisMonthlyRetention: figure(wechat.MiniProgram.MonthlyRetention),
		wechat.EndpointAnalysisPages:            figure(wechat.MiniProgram.VisitedPages),
		wechat.EndpointAnalysisPortrait:         figure(wechat.MiniProgram.Portraits),

		wechat.EndpointOperationJSErrors: app(func(c ctx, m wechat.MiniProgram, in wechat.ErrorFilter) (any, error) { return m.CodeErrors(c, in) }),
		wechat.EndpointOperationJSError:  app(func(c ctx, m wechat.MiniProgram, in wechat.ErrorDetail) (any, error) { return m.ErrorCases(c, in) }),
		wechat.EndpointOperationPerformance: app(func(c ctx, m wechat.MiniProgram, in wechat.PerformanceQuery) (any, error) {
			return m.Performance(c, in)
		}),
		wechat.EndpointOperationScenes:         plain(wechat.MiniProgram.Scenes),
		wechat.EndpointOperationClientVersions: plain(wechat.MiniProgram.ClientVersions),
		wechat.EndpointOperationLogs: app(func(c ctx, m wechat.MiniProgram, in struct {
			Date    string `json:"date"`
			Begin   int64  `json:"begintime,string"`
			End     int64  `json:"endtime,string"`
			Start   int    `json:"start,string"`
			Limit   int    `json:"limit,string"`
			TraceID string `json:"traceId"`
			URL     string `json:"url"`
			ID      string `json:"id"`
			Filter  string `json:"filterMsg"`
			Level   int    `json:"level,string"`
		}) (any, error) {
			return m.Logs(c, wechat.LogQuery(in))
		}),
		wechat.EndpointOperationFeedback: app(func(c ctx, m wechat.MiniProgram, in struct {
			Type int `json:"type,string"`
			Page int `json:"page,string"`
			Num  int `json:"num,string"`
		}) (any, error) {
			return m.Feedback(c, in.Type, in.Page, in.Num)
		}),
	}
}
