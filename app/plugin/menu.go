package plugin

import (
	"context"
	"slices"
	"sort"
	"strings"

	"minifleet/app/account"
)

// MenuItem is one entry for a person, with its complete address.
type MenuItem struct {
	Plugin, Title, Icon, Group, Path string
	// Table is set when the entry opens a declared table; Path is empty then.
	Table string
	Order int
}

// Menu lists the plugins' entries that the actor sees in a frame ("admin" or "portal"), in order.
func (h *Host) Menu(ctx context.Context, actor account.Actor, frame string) []MenuItem {
	var items []MenuItem
	met, err := h.ManifestsFor(ctx, actor)
	if err != nil { // a menu that lacks entries is better than a page that does not come
		h.log.ErrorContext(ctx, "menu of extensions", "error", err)
		met = slices.DeleteFunc(h.Manifests(), func(m *Manifest) bool { third, _ := h.extension(m.GetId()); return third })
	}
	for _, manifest := range met {
		for _, declared := range manifest.GetMenu() {
			if declared.GetFrame() != frame || allow(manifest, actor, declared.GetKinds(), declared.GetPermission()) != nil {
				continue
			}
			item := MenuItem{
				Plugin: manifest.GetId(), Title: declared.GetTitle(), Icon: declared.GetIcon(), Group: declared.GetGroup(), Order: int(declared.GetOrder()),
			}
			if table, isTable := strings.CutPrefix(declared.GetPath(), "table:"); isTable {
				item.Table = table
			} else {
				item.Path = address(manifest, frame, declared.GetPath())
			}
			items = append(items, item)
		}
	}
	sort.SliceStable(items, func(i, j int) bool { return items[i].Order < items[j].Order })
	return items
}

// address prefers the fixed path that a plugin has claimed in the portal.
func address(manifest *Manifest, frame, below string) string {
	prefix := Request{Plugin: manifest.GetId(), Frame: frame}.prefix()
	if frame == FramePortal && slices.Contains(manifest.GetMounts(), manifest.GetId()) {
		prefix = "/" + manifest.GetId()
	}
	return strings.TrimSuffix(prefix+"/"+strings.TrimPrefix(below, "/"), "/")
}
