package wechattest

import (
	"strconv"

	"minifleet/app/wechat"
)

func codeCases() map[string]Case {
	type audit struct {
		ID int64 `json:"auditid"`
	}
	return map[string]Case{
		wechat.EndpointCommit:     app(func(c ctx, m wechat.MiniProgram, in wechat.Commit) (any, error) { return done(m.Commit(c, in)) }),
		wechat.EndpointPages:      plain(wechat.MiniProgram.Pages),
		wechat.EndpointCategories: plain(wechat.MiniProgram.Categories),
		wechat.EndpointTrialQRCode: app(func(c ctx, m wechat.MiniProgram, in struct {
			Path string `json:"path"`
		}) (any, error) {
			return m.TrialQRCode(c, in.Path)
		}),
		wechat.EndpointUploadMedia: func(c ctx, by Callers, g Golden) (any, error) { return by.App.UploadMedia(c, upload(g)) },
		wechat.EndpointSubmitAudit: app(func(c ctx, m wechat.MiniProgram, in wechat.Submit) (any, error) { return m.SubmitAudit(c, in) }),
		wechat.EndpointCodePrivacy: plain(wechat.MiniProgram.CodePrivacy),
		wechat.EndpointAuditStatus: app(func(c ctx, m wechat.MiniProgram, in audit) (any, error) { return m.AuditStatus(c, in.ID) }),
		wechat.EndpointLatestAudit: app(func(c ctx, m wechat.MiniProgram, _ none) (any, error) {
			s, _, err := m.LatestAudit(c)
			return s, err
		}),
		wechat.EndpointUndoAudit:   app(func(c ctx, m wechat.MiniProgram, _ none) (any, error) { return done(m.UndoAudit(c)) }),
		wechat.EndpointSpeedUp:     app(func(c ctx, m wechat.MiniProgram, in audit) (any, error) { return done(m.SpeedUp(c, in.ID)) }),
		wechat.EndpointQuota:       plain(wechat.MiniProgram.Quota),
		wechat.EndpointRelease:     app(func(c ctx, m wechat.MiniProgram, _ none) (any, error) { return done(m.Release(c)) }),
		wechat.EndpointGrayRelease: app(func(c ctx, m wechat.MiniProgram, in wechat.Gray) (any, error) { return done(m.GrayRelease(c, in)) }),
		wechat.EndpointGrayPlan:    plain(wechat.MiniProgram.GrayPlan),
		wechat.EndpointRevertGray:  app(func(c ctx, m wechat.MiniProgram, _ none) (any, error) { return done(m.RevertGray(c)) }),
		wechat.EndpointRollback: app(func(c ctx, m wechat.MiniProgram, in struct {
			Version string `json:"app_version"`
		}) (any, error) {
			n, err := strconv.ParseInt(in.Version, 10, 64)
			if err != nil {
				return nil, err
			}
			return done(m.Rollback(c, n))
		}),
		wechat.EndpointHistory: plain(wechat.MiniProgram.History),
		wechat.EndpointChangeVisit: app(func(c ctx, m wechat.MiniProgram, in struct {
			Action string `json:"action"`
		}) (any, error) {
			return done(m.ChangeVisitStatus(c, in.Action == "open"))
		}),
		wechat.EndpointVisitStatus:    plain(wechat.MiniProgram.VisitStatus),
		wechat.EndpointSupportVersion: plain(wechat.MiniProgram.SupportVersion),
		wechat.EndpointSetSupport: app(func(c ctx, m wechat.MiniProgram, in struct {
			Version string `json:"version"`
		}) (any, error) {
			return done(m.SetSupportVersion(c, in.Version))
		}),
		wechat.EndpointVersionInfo:  plain(wechat.MiniProgram.VersionInfo),
		wechat.EndpointBindTester:   app(func(c ctx, m wechat.MiniProgram, in wechat.Tester) (any, error) { return m.BindTester(c, in.WechatID) }),
		wechat.EndpointUnbindTester: app(func(c ctx, m wechat.MiniProgram, in wechat.Tester) (any, error) { return done(m.UnbindTester(c, in)) }),
		wechat.EndpointTesters: app(func(c ctx, m wechat.MiniProgram, _ struct {
			Action string `json:"action"`
		}) (any, error) {
			return m.Testers(c)
		}),
	}
}

func domainCases() map[string]Case {
	type change struct {
		Action string `json:"action"`
		wechat.Domains
	}
	type webview struct {
		Action  string   `json:"action"`
		Domains []string `json:"webviewdomain"`
	}
	return map[string]Case{
		wechat.EndpointModifyDomain: app(func(c ctx, m wechat.MiniProgram, in change) (any, error) {
			return m.ModifyDomain(c, in.Action, in.Domains)
		}),
		wechat.EndpointDomainGet: app(func(c ctx, m wechat.MiniProgram, _ change) (any, error) { return m.ServerDomainLists(c) }),
		wechat.EndpointDomainModifyDirectly: app(func(c ctx, m wechat.MiniProgram, in change) (any, error) {
			return m.ModifyDomainDirectly(c, in.Action, in.Domains)
		}),
		wechat.EndpointDomainGetDirectly: app(func(c ctx, m wechat.MiniProgram, _ change) (any, error) { return m.DirectDomainLists(c) }),
		wechat.EndpointDomainWebview: app(func(c ctx, m wechat.MiniProgram, in webview) (any, error) {
			return m.SetWebviewDomains(c, in.Action, in.Domains)
		}),
		wechat.EndpointDomainGetWebview: app(func(c ctx, m wechat.MiniProgram, _ webview) (any, error) { return m.WebviewDomains(c) }),
		wechat.EndpointDomainWebviewDirectly: app(func(c ctx, m wechat.MiniProgram, in webview) (any, error) {
			return m.SetWebviewDomainsDirectly(c, in.Action, in.Domains)
		}),
		wechat.EndpointDomainGetWebviewDirectly: app(func(c ctx, m wechat.MiniProgram, _ webview) (any, error) { return m.DirectWebviewDomains(c) }),
		wechat.EndpointDomainWebviewConfirmfile: plain(wechat.MiniProgram.WebviewConfirmFile),
		wechat.EndpointDomainEffective:          plain(wechat.MiniProgram.EffectiveDomains),
		wechat.EndpointDomainEffectiveWebview:   plain(wechat.MiniProgram.EffectiveWebviewDomains),
		wechat.EndpointDomainGetPrefetch:        plain(wechat.MiniProgram.PrefetchDomains),
		wechat.EndpointDomainSetPrefetch: app(func(c ctx, m wechat.MiniProgram, in struct {
			List []wechat.PrefetchDomain `json:"prefetch_dns_domain"`
		}) (any, error) {
			hosts := make([]string, len(in.List))
			for i, d := range in.List {
				hosts[i] = d.URL
			}
			return done(m.SetPrefetchDomains(c, hosts))
		}),
	}
}
