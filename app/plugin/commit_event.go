package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/plugins/sdk/pluginpb"
)

// mayPublish refuses an event about a mini program that this call may not see: whoever receives the event reads that mini
// program under an event token, so it would lend a right that the caller has not.
func (c committer) mayPublish(ctx context.Context, a authority, events []*pluginpb.NewEvent) error {
	for _, published := range events {
		if err := c.mayName(ctx, a, published); err != nil {
			return err
		}
		appid := published.GetAppid()
		if appid == "" || a.kind == byJob || a.kind == byEvent && appid == a.appid {
			continue
		}
		may := false
		if a.kind == byPerson || (a.kind == byDelegation || a.kind == bySpace) && (a.appid == "" || a.appid == appid) {
			var err error
			if may, err = c.apps.May(ctx, a.actor.SpaceID, appid, grant.DataRead); err != nil {
				return fmt.Errorf("publish %s of %s: %w", published.GetType(), appid, err)
			}
		}
		if !may {
			return fault.New(fault.Forbidden, "plugin.not_yours", "没有这个小程序的权限，不能发布它的事件").
				Because(fmt.Errorf("event %s of %s", published.GetType(), appid))
		}
	}
	return nil
}

// mayName refuses an event under a platform app that it has nothing to do with: the merchant's subscribers and logs would
// take it for theirs. A mini program's event names one that the mini program is authorised to; one of no mini program
// names a platform app of the actor's own, or one through which the actor sees a mini program.
func (c committer) mayName(ctx context.Context, a authority, published *pluginpb.NewEvent) error {
	component, appid := published.GetComponent(), published.GetAppid()
	if component == "" || a.kind == byJob || a.kind == byEvent && component == a.component && (appid == "" || appid == a.appid) {
		return nil
	}
	query := MiniProgramQuery{System: true, AppIDs: []string{appid}, Limit: 1}
	if appid == "" {
		query = MiniProgramQuery{Actor: a.actor, Component: component, Limit: 1}
	}
	items, _, err := c.apps.List(ctx, query)
	if err != nil {
		return fmt.Errorf("publish %s under %s: %w", published.GetType(), component, err)
	}
	acting := a.kind == byPerson || a.kind == byDelegation || a.kind == bySpace
	may := appid == "" && acting && len(items) > 0
	if appid != "" && len(items) > 0 {
		may = slices.ContainsFunc(items[0].Components, func(b Binding) bool { return b.Component == component })
	}
	if !may && appid == "" && acting {
		own, err := c.components.List(ctx, a.actor, false)
		if err != nil {
			return fmt.Errorf("publish %s under %s: %w", published.GetType(), component, err)
		}
		may = slices.ContainsFunc(own, func(one Component) bool { return one.AppID == component })
	}
	if !may {
		return fault.New(fault.Forbidden, "plugin.not_yours", "没有这个第三方平台的权限，不能发布它的事件").
			Because(fmt.Errorf("event %s of component %s", published.GetType(), component))
	}
	return nil
}

// records checks the events of a commit and files them under the plugin's name.
func (c committer) records(plugin string, a authority, events []*pluginpb.NewEvent) ([]event.Record, error) {
	records := make([]event.Record, 0, len(events))
	for _, published := range events {
		if published.GetType() == "" || len(published.GetData()) > maxEventRaw {
			return nil, mistake("event %q with %d bytes of data", published.GetType(), len(published.GetData()))
		}
		if !json.Valid(published.GetData()) {
			return nil, mistake("event %q: data is not JSON", published.GetType())
		}
		space := published.GetSpaceId()
		if space == 0 {
			space = a.actor.SpaceID
		}
		if space == 0 {
			space = a.space
		}
		records = append(records, event.Record{
			Type: plugin + "." + published.GetType(), Source: "plugin:" + plugin, Component: published.GetComponent(),
			AppID: published.GetAppid(), SpaceID: space, Subject: published.GetSubject(),
			CreateTime: c.clock.Now().Unix(), ReceivedAt: c.clock.Now().UnixMilli(), Payload: published.GetData(), Hops: a.hops,
		})
	}
	return records, nil
}
