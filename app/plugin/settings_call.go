package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// Settings gives a plugin what the space of the call has filled in. A call for no space gets nothing.
func (s *hostService) Settings(ctx context.Context, _ *pluginpb.SettingsRequest) (answer *pluginpb.SettingsResponse, err error) {
	defer s.guard("Settings", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	schema, space := s.info.settings, a.home()
	if schema == nil || space == 0 {
		return &pluginpb.SettingsResponse{Values: []byte("{}")}, nil
	}
	row, _, err := s.host.spaceRow(ctx, s.plugin, space)
	if err != nil {
		return nil, err
	}
	stored, err := s.host.stored(row)
	if err != nil {
		return nil, err
	}
	values := schema.complete(stored)
	if problem := schema.check(values); problem != nil { // between an upgrade and what follows it
		return nil, fault.New(fault.Conflict, "plugin.settings", "这个扩展的设置需要重新填写").Because(problem)
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", s.plugin, err)
	}
	return &pluginpb.SettingsResponse{Values: encoded}, nil
}

// News tells the members of a space something; the room of notices is behind it.
type News interface {
	Tell(ctx context.Context, spaceID int64, news ExtensionNews) error
}

// ExtensionNews is what became of an extension without its space's doing.
type ExtensionNews struct {
	Plugin, Title, Text string
	Kind                NewsKind
}

// NewsKind says what the news are about, and so where they lead.
type NewsKind int

const (
	NewsStopped NewsKind = iota // off until the space fills its settings in again
	NewsTaken                   // taken back by an operator: there is nothing that the space itself could do
	NewsAuthor                  // to the merchant whose extension it is; spaces of operators hear nothing
)

// refit looks at what spaces have filled in under another schema than the one that serves now: what still fits goes on,
// for the others the extension is off until it is filled in again, and the space hears of it.
func (h *Host) refit(ctx context.Context, plugin string, info *described) error {
	if !info.third {
		return nil
	}
	shape := ""
	if info.settings != nil {
		shape = info.settings.hash
	}
	last := int64(0)
	for {
		var rows []spaceRow
		err := h.options.DB.All(ctx, &rows, "SELECT plugin, space_id, is_on, stopped_for, settings, shape, version FROM plugin_space WHERE plugin=? AND space_id>? AND is_on=1 AND shape<>? ORDER BY space_id LIMIT 200", plugin, last, shape)
		if err != nil {
			return fmt.Errorf("settings of %s: %w", plugin, err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			last = row.SpaceID
			if err := h.refitOne(ctx, row, info, shape); err != nil {
				return err
			}
		}
	}
}

func (h *Host) refitOne(ctx context.Context, row spaceRow, info *described, shape string) error {
	stored, err := h.stored(row)
	if err != nil { // one space's damaged row must not keep the plugin from the others; its own calls say what is wrong
		h.log.ErrorContext(ctx, "settings cannot be read", "plugin", row.Plugin, "space", row.SpaceID, "error", err)
		return nil
	}
	now := clock.Millis(h.options.Clock.Now())
	if info.settings == nil || info.settings.check(info.settings.complete(stored)) == nil {
		_, err := h.options.DB.Exec(ctx, "UPDATE plugin_space SET shape=? WHERE plugin=? AND space_id=? AND version=?", shape, row.Plugin, row.SpaceID, row.Version)
		return err
	}
	err = h.options.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := h.options.DB.Exec(ctx, "UPDATE plugin_space SET is_on=0, stopped_for=?, shape=?, version=?, updated_at=? WHERE plugin=? AND space_id=? AND version=? AND is_on=1",
			stoppedForSettings, shape, max(now, row.Version+1), now, row.Plugin, row.SpaceID, row.Version)
		if err != nil || n == 0 {
			return err
		}
		title := info.manifest.GetTitle()
		err = h.options.Trail.Record(ctx, trail.Entry{SpaceID: row.SpaceID, Actor: "系统", Plugin: row.Plugin, Act: "extension.stop", Object: row.Plugin, Detail: "升级到 " + info.manifest.GetVersion() + " 后设置不再适用"})
		if err != nil {
			return err
		}
		return h.options.News.Tell(ctx, row.SpaceID, ExtensionNews{
			Plugin: row.Plugin, Title: "扩展「" + title + "」已停用，需要重新填写设置",
			Text: "「" + title + "」升级到 " + info.manifest.GetVersion() + " 后设置有变化，原来填写的内容不再适用。请重新填写并开启，数据没有丢失。",
		})
	})
	h.door.forget(row.SpaceID)
	if err != nil {
		return fmt.Errorf("stop %s in space %s: %w", row.Plugin, strconv.FormatInt(row.SpaceID, 10), err)
	}
	return nil
}
