package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"minifleet/app/event"
	"minifleet/app/grant"
	"minifleet/plugins/sdk/pluginpb"
)

// deliverToSpaces hands an event to an extension once for each space that it concerns and that has the extension on, each
// time under a token for that space alone. The event of a mini program concerns its owner and those with a grant to read
// it; that of a platform app its merchant; an event of a space that space. One that concerns nobody is for extensions whose
// approval includes work for the platform. A space that fails does not keep the others from hearing; those that have heard
// are left out when the event comes again.
func (h *Host) deliverToSpaces(ctx context.Context, id string, e event.Event, wired *pluginpb.Event) error {
	concerned, err := h.concerned(ctx, e)
	if err != nil {
		return err
	}
	if len(concerned) == 0 {
		if h.offeredTo(ctx, authority{kind: byEvent}, id) != nil {
			return nil
		}
		a := authority{kind: byEvent, component: e.Component, appid: e.AppID, hops: e.Hops + 1, requestID: requestOf(e)}
		return h.hand(ctx, id, a, wired)
	}
	heard, err := h.heard(ctx, id, e.ID)
	if err != nil {
		return err
	}
	var failed []error
	var fresh []int64
	for _, space := range concerned {
		a := forSpace(space, requestOf(e))
		a.component, a.appid, a.hops = e.Component, e.AppID, e.Hops+1
		err := h.offeredTo(ctx, a, id)
		if slices.Contains(heard, space.ID) || IsUnknown(err) {
			continue
		}
		if err == nil {
			err = h.hand(ctx, id, a, wired)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("空间 %d：%w", space.ID, err))
			continue
		}
		fresh = append(fresh, space.ID)
	}
	if len(failed) == 0 {
		if len(heard) > 0 {
			_, err = h.options.DB.Exec(ctx, "DELETE FROM plugin_heard WHERE plugin=? AND event_id=?", id, e.ID)
		}
		return err
	}
	return errors.Join(append(failed, h.noteHeard(ctx, id, e.ID, fresh))...)
}

func requestOf(e event.Event) string { return "event-" + strconv.FormatInt(e.ID, 10) }

// hand gives one event to the plugin's process.
func (h *Host) hand(ctx context.Context, id string, a authority, wired *pluginpb.Event) error {
	return h.call(ctx, id, a, eventTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		_, err := client.HandleEvent(ctx, wired)
		return err
	})
}

// concerned are the spaces that an event is about, each once.
func (h *Host) concerned(ctx context.Context, e event.Event) ([]Space, error) {
	var ids []int64
	switch {
	case e.SpaceID != 0:
		ids = append(ids, e.SpaceID)
	case e.AppID != "":
		readers, err := h.readers(ctx, e.AppID)
		if err != nil {
			return nil, err
		}
		ids = readers
	case e.Component != "":
		apps, err := h.options.Components.List(ctx, forSpace(Space{}, "").actor, true)
		if err != nil {
			return nil, fmt.Errorf("platform app %s: %w", e.Component, err)
		}
		for _, c := range apps {
			if c.AppID == e.Component {
				ids = append(ids, c.SpaceID)
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := h.options.Spaces.Named(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("spaces of event %d: %w", e.ID, err)
	}
	return named, nil
}

// readers are the spaces that may read the mini program today: its owner and those with a grant.
func (h *Host) readers(ctx context.Context, appid string) ([]int64, error) {
	apps, _, err := h.options.MiniPrograms.List(ctx, MiniProgramQuery{System: true, AppIDs: []string{appid}, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("owner of %s: %w", appid, err)
	}
	var candidates []int64
	for _, app := range apps {
		candidates = append(candidates, app.OwnerSpace)
	}
	grants, err := h.options.Grants.List(ctx, forSpace(Space{}, "").actor, true, appid)
	if err != nil {
		return nil, fmt.Errorf("grants on %s: %w", appid, err)
	}
	for _, g := range grants {
		candidates = append(candidates, g.SpaceID)
	}
	var ids []int64
	for _, id := range candidates {
		if id == 0 || slices.Contains(ids, id) {
			continue
		}
		may, err := h.options.MiniPrograms.May(ctx, id, appid, grant.DataRead)
		if err != nil {
			return nil, fmt.Errorf("right of space %d on %s: %w", id, appid, err)
		}
		if may {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (h *Host) heard(ctx context.Context, id string, event int64) ([]int64, error) {
	var rows []struct{ SpaceID int64 }
	if err := h.options.DB.All(ctx, &rows, "SELECT space_id FROM plugin_heard WHERE plugin=? AND event_id=?", id, event); err != nil {
		return nil, fmt.Errorf("who has heard of event %d: %w", event, err)
	}
	var ids []int64
	for _, row := range rows {
		ids = append(ids, row.SpaceID)
	}
	return ids, nil
}

func (h *Host) noteHeard(ctx context.Context, id string, event int64, spaces []int64) error {
	for _, space := range spaces {
		_, err := h.options.DB.InsertIgnore(ctx, "plugin_heard", map[string]any{"plugin": id, "event_id": event, "space_id": space, "created_at": time.Now().UnixMilli()})
		if err != nil {
			return fmt.Errorf("note who has heard of event %d: %w", event, err)
		}
	}
	return nil
}

// pruneHeard forgets events that were given up.
func (h *Host) pruneHeard(ctx context.Context, before time.Time) (int64, error) {
	return h.options.DB.Exec(ctx, "DELETE FROM plugin_heard WHERE created_at<?", before.UnixMilli())
}
