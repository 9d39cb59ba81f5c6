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
	eventFailed   = "installation.failed"
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

// mostTries bounds how often a start begins again because the row was changed under it.
const mostTries = 6

// errBusy says that the installation went on changing for as long as a start tried.
func errBusy() error {
	return sdk.Conflict("market.busy", "这次安装刚刚有了变化，还没有开始安装，请刷新后再点一次")
}

func errAbandoned() error {
	return sdk.Conflict("market.abandoned", "这次安装已经放弃，请回到模板页重新试用")
}

// start chooses the mini program and the configuration and sets the installation going. What is answered without an
// error has been set going, by this call or by another one that chose the same. A change of the row in between (the
// event of the authorisation, a new ticket, a second click) is read and the start goes on from there.
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
	choice, err := choiceOf(listing, app, values)
	if err != nil {
		return installation, err
	}
	return m.choose(ctx, installation, choice)
}

// alreadyStarted answers a repeated start: fine for the same mini program, a conflict otherwise.
func alreadyStarted(installation Installation, appid string) (bool, error) {
	if _, ok := installation.State.after(actChoose); ok {
		return false, nil
	}
	switch {
	case installation.State == Abandoned:
		return false, errAbandoned()
	case installation.AppID != appid:
		return false, sdk.Conflict("market.other_app", "这次安装已经为另一个小程序开始，请回到模板页重新试用").On("appid", "这次安装已选定 "+installation.AppID)
	default:
		return true, nil
	}
}

// choice is what a start asks for: the mini program, its configuration and today's copy of the listing.
type choice struct {
	appid, extJSON string
	set            sdk.Set
}

func choiceOf(listing Listing, app sdk.MiniProgramInfo, values map[string]string) (choice, error) {
	extJSON, err := listing.Schema.extJSON(values)
	if err != nil {
		return choice{}, err
	}
	return choice{app.AppID, extJSON, sdk.Set{
		"state": Ready, "appid": app.AppID, "nick_name": app.NickName, "config": values, "ext_json": extJSON, "component": listing.Component,
		"template": listing.Template, "template_id": listing.TemplateID, "release_no": listing.Release, "domains": listing.Domains,
	}}, nil
}

// chosenIn tells that the installation already stands on this choice.
func (c choice) chosenIn(installation Installation) bool {
	return installation.AppID == c.appid && installation.ExtJSON == c.extJSON
}

// choose stores the choice, so that of two clicks with different ones only the first goes on, and launches it.
func (m *market) choose(ctx context.Context, installation Installation, choice choice) (Installation, error) {
	for range mostTries {
		_, err := sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, choice.set)})
		if err != nil && !errors.Is(err, sdk.ErrAborted) {
			return installation, fmt.Errorf("choose %s for installation %d: %w", choice.appid, installation.ID, err)
		}
		found, failure := m.mine(ctx, installation.ID)
		if failure != nil {
			return installation, failure
		}
		if done, failure := alreadyStarted(found, choice.appid); done || failure != nil {
			return found, failure
		}
		switch {
		case choice.chosenIn(found):
			return m.launch(ctx, found)
		case found.AppID != installation.AppID || found.ExtJSON != installation.ExtJSON:
			return found, otherChoice()
		}
		installation = found
	}
	return installation, errBusy()
}

// otherChoice refuses a start beside which another one chose something else.
func otherChoice() error {
	return sdk.Conflict("market.other_choice", "另一次操作刚刚为这次安装选了别的小程序或配置，请刷新后核对再点“下一步”")
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
	launched, err := m.launchUnder(ctx, installation, delegation)
	if launched.Delegation != delegation {
		m.endDelegation(ctx, delegation)
	} else if installation.Delegation != 0 {
		m.endDelegation(ctx, installation.Delegation)
	}
	return launched, err
}

// launchUnder sets the installation going under a delegation. Where the row has moved it goes on with what stands there
// now, unless another launch, another choice or the end of the installation came in between.
func (m *market) launchUnder(ctx context.Context, installation Installation, delegation int64) (Installation, error) {
	grant, err := m.grantMerchant(ctx, installation)
	if err != nil {
		return installation, err
	}
	for range mostTries {
		attempt := installation.Attempt + 1
		_, err := sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, sdk.Set{
			"state": Installing, "delegation": delegation, "grant_id": grant, "attempt": attempt, "started_at": sdk.Now(ctx).UnixMilli(),
			"ended_at": 0, "failure": "", "remedy": "", "errcode": 0, "rid": "", "hint": "",
		})}, sdk.WithEvents(startedEvent(installation, attempt)))
		if err != nil && !errors.Is(err, sdk.ErrAborted) {
			return installation, fmt.Errorf("start installation %d: %w", installation.ID, err)
		}
		found, failure := m.mine(ctx, installation.ID)
		if failure != nil && err == nil {
			installation.Delegation = delegation // it runs, only how it stands is not known
		}
		if failure != nil {
			return installation, failure
		}
		if err == nil {
			return found, nil
		}
		if again, failure := m.launchable(ctx, installation, found, grant); !again || failure != nil {
			return found, failure
		}
		installation = found
	}
	return installation, errBusy()
}

// launchable tells whether a launch that found its row changed goes on with the row as it is now. Without an error and
// false, somebody else has set the same choice going.
func (m *market) launchable(ctx context.Context, before, now Installation, grant int64) (bool, error) {
	switch {
	case now.State == Abandoned:
		if err := m.revokeMerchant(ctx, grant); err != nil {
			return false, err
		}
		return false, errAbandoned()
	case now.AppID != before.AppID || now.ExtJSON != before.ExtJSON:
		return false, otherChoice()
	default:
		return now.Attempt == before.Attempt && now.State != Done, nil
	}
}

// grantMerchant gives the template's merchant its rights on the chosen mini program, unless it has them. The same
// installation gives the same grant, however often it is asked for.
func (m *market) grantMerchant(ctx context.Context, installation Installation) (int64, error) {
	if installation.Grant != 0 || installation.MerchantSpace == installation.OwnerSpace {
		return installation.Grant, nil
	}
	grant, err := sdk.GrantCreate(ctx, sdk.GrantRequest{
		AppID: installation.AppID, Space: installation.MerchantSpace, Scopes: merchantScopes(), Source: "installation:" + installation.key(),
	})
	if err != nil {
		return 0, fmt.Errorf("grant for installation %d: %w", installation.ID, err)
	}
	return grant, nil
}

// revokeMerchant takes the merchant's rights back; 0 and a grant that is gone are fine.
func (m *market) revokeMerchant(ctx context.Context, grant int64) error {
	if grant == 0 {
		return nil
	}
	if err := sdk.GrantRevoke(ctx, grant); err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return fmt.Errorf("revoke grant %d: %w", grant, err)
	}
	return nil
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
	if err := m.revokeMerchant(ctx, installation.Grant); err != nil {
		return installation, fmt.Errorf("abandon installation %d: %w", id, err)
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
