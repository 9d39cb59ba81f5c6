package command

import (
	"context"
	"strings"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/dashboard"
	"minifleet/app/fault"
)

// board builds the room that gathers the figures of the 工作台.
func (p *platform) board() *dashboard.Service {
	return dashboard.New(dashboard.Options{
		DB: p.db, Components: p.components, Grants: p.grants, Plugins: p.plugins, Jobs: p.jobs, Events: p.events, Trail: p.trail, Accounts: p.accounts,
		Waiting:   applicationsWaiting(account.NewSpaces(account.SpacesOptions{DB: p.db, Clock: p.clk, Trail: p.trail, Vault: p.vault, Accounts: p.accounts})), // to read only
		MailReady: p.cfg.Mail.Host != "", Clock: p.clk, Log: p.log,
	})
}

// behind are the lists behind the figures that no other page shows.
func (p *platform) behind() admin.Behind {
	return admin.Behind{
		FailedRuns: p.jobs.Failures, ErrCodes: p.trail.ErrCodes, Refusals: p.trail.Refusals,
		UnknownCodes: p.trail.UnknownCodes, Unsettled: p.gateway.Unsettled, Settle: p.gateway.SettleByHand, Directory: p.accounts.Directory, NamedSpaces: p.accounts.Spaces,
		MailReady: p.cfg.Mail.Host != "", SafeURL: strings.HasPrefix(p.cfg.Server.PublicURL, "https://"),
	}
}

// applicationsWaiting is what waits for the actor in the merchants' applications: an operator's review, a merchant's own
// papers.
func applicationsWaiting(spaces *account.Spaces) func(context.Context, account.Actor) ([]dashboard.Figure, error) {
	return func(ctx context.Context, who account.Actor) ([]dashboard.Figure, error) {
		switch who.SpaceKind {
		case account.Platform:
			page, err := spaces.Applications(ctx, who, account.ApplicationFilter{State: account.ApplicationSubmitted, Limit: 1})
			if fault.KindOf(err) == fault.Forbidden {
				return nil, nil
			}
			return []dashboard.Figure{{Key: "applications", Title: "入驻申请待审核", Tone: "orange", Value: &page.Total, Href: "/admin/applications?state=" + account.ApplicationSubmitted}}, err
		case account.Merchant:
			if !who.Can("space.application") {
				return nil, nil
			}
			own, err := spaces.Application(ctx, who)
			if err != nil {
				return nil, err
			}
			title := map[string]string{account.ApplicationRejected: "入驻资质被驳回，待补充", account.ApplicationDraft: "入驻资质待提交"}[own.State]
			if title == "" {
				return nil, nil
			}
			one := int64(1)
			return []dashboard.Figure{{Key: "application", Title: title, Tone: "orange", Value: &one, Href: "/admin/application"}}, nil
		}
		return nil, nil
	}
}
