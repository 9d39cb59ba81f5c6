package plugin

import (
	"context"
	"fmt"
)

// Usage is what a plugin's collections hold, for the operator's page.
type Usage struct {
	// RowsMost and BytesMost bound one space; 0: no bound. Spaces are only counted where the plugin's data is bounded.
	RowsMost, BytesMost int64
	Bounded             bool         // the plugin's data is counted
	Spaces              []SpaceUsage // those that keep most, largest first; at most 100
	Collections         []CollectionUsage
}

// SpaceUsage is what one space keeps; space 0 is the system.
type SpaceUsage struct {
	SpaceID, Rows, Bytes int64
	Name                 string
}

// CollectionUsage is how many rows a collection has: exact to 10,000, -1 beyond.
type CollectionUsage struct {
	Name string
	Rows int64
}

// Usage tells what the collections of a plugin hold. Who may ask is decided by the caller: it is the operator's business.
func (h *Host) Usage(ctx context.Context, plugin string) (Usage, error) {
	var usage Usage
	info, err := h.describedOf(plugin)
	if err != nil {
		return usage, err
	}
	if h.committer.quota.bounds(plugin) {
		usage.Bounded, usage.RowsMost, usage.BytesMost = true, h.committer.quota.Rows, h.committer.quota.Bytes
		var rows []struct{ SpaceID, RowsUsed, BytesUsed int64 }
		const query = "SELECT space_id, rows_used, bytes_used FROM plugin_usage WHERE plugin=? ORDER BY bytes_used DESC, space_id LIMIT 100"
		if err := h.options.DB.All(ctx, &rows, query, plugin); err != nil {
			return usage, fmt.Errorf("read usage of plugin %s: %w", plugin, err)
		}
		for _, row := range rows {
			usage.Spaces = append(usage.Spaces, SpaceUsage{row.SpaceID, row.RowsUsed, row.BytesUsed, "—"})
		}
		if err := h.nameSpaces(ctx, usage.Spaces); err != nil {
			return usage, err
		}
	}
	for _, declared := range info.manifest.GetCollections() {
		c := info.collections[declared.GetName()]
		rows, err := h.options.DB.CountUpTo(ctx, "", countUpTo, "`"+c.table+"`")
		if err != nil {
			return usage, fmt.Errorf("count %s: %w", c.table, err)
		}
		usage.Collections = append(usage.Collections, CollectionUsage{c.name, rows})
	}
	return usage, nil
}

// nameSpaces writes the names of spaces; one that is closed keeps its dash.
func (h *Host) nameSpaces(ctx context.Context, spaces []SpaceUsage) error {
	ids := make([]int64, len(spaces))
	for i, space := range spaces {
		ids[i] = space.SpaceID
	}
	named, err := h.options.Spaces.Named(ctx, ids)
	if err != nil {
		return fmt.Errorf("name spaces: %w", err)
	}
	for _, found := range named {
		for i := range spaces {
			if spaces[i].SpaceID == found.ID {
				spaces[i].Name = found.Name
			}
		}
	}
	return nil
}

// describedOf gives what a plugin declared last, also while it is down.
func (h *Host) describedOf(plugin string) (*described, error) {
	u := h.roster.get(plugin)
	if u == nil {
		return nil, unknownPlugin()
	}
	info := u.known()
	if info == nil {
		return nil, away(plugin, u.current())
	}
	return info, nil
}
