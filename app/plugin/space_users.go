package plugin

import (
	"context"
	"fmt"

	"minifleet/app/store"
)

// usersStep is how many spaces are looked at together.
const usersStep = 200

// UsedIn lists the spaces that have an extension on and that what operators have decided reaches, by their numbers.
func UsedIn(ctx context.Context, db *store.DB, spaces Spaces, plugin string) ([]int64, error) {
	var used []int64
	for last := int64(0); ; {
		var rows []struct {
			SpaceID      int64
			Reach, Kinds string
			Chosen       int64
		}
		err := db.All(ctx, &rows, "SELECT s.space_id, o.reach, o.kinds, CASE WHEN c.space_id IS NULL THEN 0 ELSE 1 END AS chosen FROM plugin_space s JOIN plugin_offer o ON o.plugin=s.plugin LEFT JOIN plugin_offer_space c ON c.plugin=s.plugin AND c.space_id=s.space_id WHERE s.plugin=? AND s.is_on=1 AND s.space_id>? ORDER BY s.space_id LIMIT ?", plugin, last, usersStep)
		if err != nil {
			return nil, fmt.Errorf("spaces with %s: %w", plugin, err)
		}
		if len(rows) == 0 {
			return used, nil
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.SpaceID
		}
		last = ids[len(ids)-1]
		named, err := spaces.Named(ctx, ids)
		if err != nil {
			return nil, fmt.Errorf("spaces with %s: %w", plugin, err)
		}
		kinds := map[int64]string{}
		for _, space := range named {
			kinds[space.ID] = space.Kind
		}
		for _, row := range rows {
			if kind, there := kinds[row.SpaceID]; there && reaches(row.Reach, row.Kinds, row.Chosen == 1, kind) {
				used = append(used, row.SpaceID)
			}
		}
	}
}

// TakenBack is what a space hears whose extension an operator has taken back; reason is the operator's, "" for none.
func TakenBack(plugin, title, reason string) ExtensionNews {
	text := "页面、接口和定时任务已停止。数据和设置都保留，重新上架后自动恢复；需要继续使用请联系平台管理员。"
	if reason != "" {
		text = "原因：" + reason + "\n" + text
	}
	return ExtensionNews{Plugin: plugin, Kind: NewsTaken, Title: "扩展「" + title + "」已由平台下架，现已停用", Text: text}
}

// tellNarrowed tells the spaces that a decision of an operator has cost the extension, and the merchant whose extension it
// is. It works in the decision's transaction.
func (h *Host) tellNarrowed(ctx context.Context, plugin string, before, after Reach, lost []int64) error {
	if len(lost) == 0 {
		return nil
	}
	title := plugin
	if info := h.info(plugin); info != nil {
		title = info.manifest.GetTitle()
	}
	news := ExtensionNews{
		Plugin: plugin, Kind: NewsTaken, Title: "扩展「" + title + "」不再对你的空间开放，现已停用",
		Text: "平台调整了它的可用范围，页面、接口和定时任务已停止。数据和设置都保留，重新开放后自动恢复；需要继续使用请联系平台管理员。",
	}
	for _, space := range lost {
		if err := h.options.News.Tell(ctx, space, news); err != nil {
			return fmt.Errorf("tell space %d of %s: %w", space, plugin, err)
		}
	}
	if h.options.Catalog == nil {
		return nil
	}
	e, _, err := h.options.Catalog.entry(ctx, plugin)
	if err != nil || e.SpaceID == 0 {
		return err
	}
	return h.options.News.Tell(ctx, e.SpaceID, ExtensionNews{
		Plugin: plugin, Kind: NewsAuthor, Title: "插件「" + title + "」的可用范围已缩小",
		Text: fmt.Sprintf("原来：%s\n现在：%s\n有 %d 个空间因此停用。有疑问请联系平台管理员。", before.Title(), after.Title(), len(lost)),
	})
}
