package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/plugins/sdk"
)

// Events that market publishes, without its id.
const (
	eventStarted  = "installation.started"
	eventFinished = "installation.finished"
)

// delegationLife is how long an installation may act for its owner.
const delegationLife = 24 * time.Hour

// stalledAfter is when an installation that says nothing may be started again by hand.
const stalledAfter = 2 * time.Minute

// installScopes are what an installation does at WeChat.
func installScopes() []string {
	return []string{"data.read", "domain.write", "code.commit", "code.trial"}
}

// merchantScopes are what installing gives to the template's merchant.
func merchantScopes() []string { return []string{"code.commit", "code.trial"} }

// startedData is the data of eventStarted.
type startedData struct {
	Installation string `json:"installation"`
	Attempt      int64  `json:"attempt"`
}

// start chooses the mini program and the configuration and sets the installation going. Choosing is stored first, so
// that of two clicks one goes on: the other finds the row at a newer version and gets what the first one made.
func (m *market) start(ctx context.Context, id int64, appid string, config map[string]string) (Installation, error) {
	installation, err := m.mine(ctx, id)
	if err != nil {
		return Installation{}, err
	}
	if done, err := alreadyStarted(installation, appid); done || err != nil {
		return installation, err
	}
	listing, err := m.listings.Get(ctx, installation.Listing)
	if errors.Is(err, sdk.ErrNotFound) || err == nil && listing.State != Listed {
		return installation, sdk.Conflict("market.delisted", "这个模板已经下架，不能再安装，请换一个模板")
	}
	if err != nil {
		return installation, err
	}
	app, err := choosable(ctx, listing, appid)
	if err != nil {
		return installation, err
	}
	values, err := listing.Schema.check(config)
	if err != nil {
		return installation, err
	}
	chosen, err := m.choose(ctx, installation, listing, app, values)
	if errors.Is(err, sdk.ErrAborted) {
		return m.otherClick(ctx, id, appid)
	}
	if err != nil {
		return installation, err
	}
	return m.launch(ctx, chosen)
}

// alreadyStarted answers a repeated start: fine for the same mini program, a conflict otherwise.
func alreadyStarted(installation Installation, appid string) (bool, error) {
	if _, ok := installation.State.after(actChoose); ok {
		return false, nil
	}
	switch {
	case installation.State == Abandoned:
		return false, sdk.Conflict("market.abandoned", "这次安装已经放弃，请回到模板页重新试用")
	case installation.AppID != appid:
		return false, sdk.Conflict("market.other_app", "这次安装已经为另一个小程序开始，请回到模板页重新试用").On("appid", "这次安装已选定 "+installation.AppID)
	default:
		return true, nil
	}
}

// choose stores mini program, configuration and today's copy of the listing.
func (m *market) choose(ctx context.Context, installation Installation, listing Listing, app sdk.MiniProgramInfo, values map[string]string) (Installation, error) {
	extJSON, err := listing.Schema.extJSON(values)
	if err != nil {
		return installation, err
	}
	_, err = sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, sdk.Set{
		"state": Ready, "appid": app.AppID, "nick_name": app.NickName, "config": values, "ext_json": extJSON, "component": listing.Component,
		"template": listing.Template, "template_id": listing.TemplateID, "release_no": listing.Release, "domains": listing.Domains,
	})})
	if err != nil {
		return installation, fmt.Errorf("choose %s for installation %d: %w", app.AppID, installation.ID, err)
	}
	return m.mine(ctx, installation.ID)
}

// otherClick gives what a start that came at the same time made of the installation.
func (m *market) otherClick(ctx context.Context, id int64, appid string) (Installation, error) {
	installation, err := m.mine(ctx, id)
	if err != nil {
		return installation, err
	}
	if installation.AppID == appid && installation.State != Abandoned {
		return installation, nil
	}
	return installation, sdk.Conflict("market.busy", "这次安装刚刚有了变化，请刷新后重试")
}

// launch gives the rights and sets a chosen, failed or stalled installation going. The delegation and the grant come
// first: an installation that says 安装中 always has what it needs.
func (m *market) launch(ctx context.Context, installation Installation) (Installation, error) {
	delegation, err := sdk.Delegate(ctx, sdk.DelegationRequest{
		AppID: installation.AppID, Scopes: installScopes(), Purpose: "安装模板「" + installation.Title + "」",
		Until: sdk.Now(ctx).Add(delegationLife).UnixMilli(),
	})
	if err != nil {
		return installation, fmt.Errorf("delegate installation %d: %w", installation.ID, err)
	}
	grant := installation.Grant
	if grant == 0 && installation.MerchantSpace != installation.OwnerSpace {
		grant, err = sdk.GrantCreate(ctx, sdk.GrantRequest{
			AppID: installation.AppID, Space: installation.MerchantSpace, Scopes: merchantScopes(), Source: "installation:" + installation.key(),
		})
		if err != nil {
			m.endDelegation(ctx, delegation)
			return installation, fmt.Errorf("grant for installation %d: %w", installation.ID, err)
		}
	}
	attempt := installation.Attempt + 1
	_, err = sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, sdk.Set{
		"state": Installing, "delegation": delegation, "grant_id": grant, "attempt": attempt, "started_at": sdk.Now(ctx).UnixMilli(),
		"ended_at": 0, "failure": "", "remedy": "", "errcode": 0, "rid": "", "hint": "",
	})}, sdk.WithEvents(startedEvent(installation, attempt)))
	if err != nil {
		m.endDelegation(ctx, delegation)
		if errors.Is(err, sdk.ErrAborted) {
			return m.otherClick(ctx, installation.ID, installation.AppID)
		}
		return installation, fmt.Errorf("start installation %d: %w", installation.ID, err)
	}
	if installation.Delegation != 0 {
		m.endDelegation(ctx, installation.Delegation)
	}
	return m.mine(ctx, installation.ID)
}

func startedEvent(installation Installation, attempt int64) sdk.Event {
	return sdk.Event{
		Type: eventStarted, Component: installation.Component, AppID: installation.AppID, SpaceID: installation.OwnerSpace,
		Subject: installation.key(), Data: startedData{Installation: installation.key(), Attempt: attempt},
	}
}

// endDelegation ends a delegation that is of no more use. Failing is harmless: it ends by itself within a day.
func (m *market) endDelegation(ctx context.Context, id int64) {
	if err := sdk.EndDelegation(ctx, id); err != nil {
		sdk.Log(ctx).Warn("delegation stays until it expires", "delegation", id, "error", err.Error())
	}
}

// retry goes on from the step that failed, or from where a stalled installation stopped.
func (m *market) retry(ctx context.Context, id int64) (Installation, error) {
	installation, err := m.mine(ctx, id)
	if err != nil {
		return installation, err
	}
	if _, ok := installation.State.after(actRetry); !ok {
		return installation, sdk.Conflict("market.no_retry", "这次安装现在不需要重试，请刷新查看")
	}
	if installation.State == Installing && !stalled(installation, sdk.Now(ctx)) {
		return installation, nil // it is running: a second click starts nothing
	}
	return m.launch(ctx, installation)
}

// stalled tells that an installation which should be running has not been heard of for a while.
func stalled(installation Installation, now time.Time) bool {
	return installation.State == Installing && now.Sub(time.UnixMilli(installation.UpdatedAt)) > stalledAfter
}

// abandon gives up: the merchant's right and the delegation end at once. The trial version at WeChat stays until the
// next upload replaces it.
func (m *market) abandon(ctx context.Context, id int64) (Installation, error) {
	installation, err := m.mine(ctx, id)
	if err != nil || installation.State == Abandoned {
		return installation, err
	}
	next, ok := installation.State.after(actAbandon)
	if !ok {
		return installation, sdk.Conflict("market.no_abandon", "这次安装不能放弃，请刷新查看")
	}
	if installation.Grant != 0 {
		if err := sdk.GrantRevoke(ctx, installation.Grant); err != nil && !errors.Is(err, sdk.ErrNotFound) {
			return installation, fmt.Errorf("abandon installation %d: %w", id, err)
		}
	}
	_, err = sdk.Commit(ctx, []sdk.Op{m.installations.Update(id, installation.Version, sdk.Set{
		"state": next, "ended_at": sdk.Now(ctx).UnixMilli(), "hint": "",
	})})
	if err != nil {
		return installation, fmt.Errorf("abandon installation %d: %w", id, err)
	}
	if installation.Delegation != 0 {
		m.endDelegation(ctx, installation.Delegation)
	}
	return m.mine(ctx, id)
}
