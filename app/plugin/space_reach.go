package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// To whom an extension may be available.
const (
	ReachNone   = "none"
	ReachAll    = "all"
	ReachKinds  = "kinds"  // every space of some kinds
	ReachSpaces = "spaces" // chosen spaces
)

// PermissionOffer is the operator's right to decide it.
const PermissionOffer = "plugin.offer"

// reachMost bounds the chosen spaces of one extension.
const reachMost = 500

// Reach is to whom an extension is available.
type Reach struct {
	Plugin  string         `json:"plugin"`
	Reach   string         `json:"reach" dc:"none 不开放，all 所有空间，kinds 某些类型，spaces 指定的空间"` // none, all, kinds or spaces
	Kinds   []account.Kind `json:"kinds" dc:"reach 为 kinds 时：personal、merchant、platform"`
	Spaces  []Space        `json:"spaces" dc:"reach 为 spaces 时：指定的空间"`
	On      int64          `json:"on" dc:"开启了的空间有几个"` // how many spaces have it on
	Version int64          `json:"version,string"`
}

// Title says it in one phrase.
func (r Reach) Title() string {
	switch r.Reach {
	case ReachAll:
		return "所有空间"
	case ReachKinds:
		var words []string
		for _, k := range r.Kinds {
			words = append(words, k.Title())
		}
		return "部分类型的空间：" + strings.Join(words, "、")
	case ReachSpaces:
		return fmt.Sprintf("指定的 %d 个空间", len(r.Spaces))
	default:
		return "未开放"
	}
}

// ReachForm is what an operator fills in. Version is of the Reach that was shown; 0 is not compared.
type ReachForm struct {
	Reach    string
	Kinds    []account.Kind
	SpaceIDs []int64
	Version  int64
}

type offerRow struct {
	Plugin, Reach, Kinds string
	Version              int64
}

// operatorsOnly admits operators who may decide about extensions, and refuses what is none.
func (h *Host) operatorsOnly(who account.Actor, plugin string) error {
	if err := account.Require(who, PermissionOffer); err != nil {
		return err
	}
	third, known := h.extension(plugin)
	if !known {
		return unknownPlugin()
	}
	if !third {
		return fault.New(fault.Conflict, "plugin.builtin", "内置插件对所有空间开放，不需要设置")
	}
	return nil
}

// ReachOf tells an operator to whom an extension is available.
func (h *Host) ReachOf(ctx context.Context, who account.Actor, plugin string) (Reach, error) {
	if err := h.operatorsOnly(who, plugin); err != nil {
		return Reach{}, err
	}
	return h.reachOf(ctx, plugin)
}

func (h *Host) reachOf(ctx context.Context, plugin string) (Reach, error) {
	db := h.options.DB
	reach := Reach{Plugin: plugin, Reach: ReachNone, Kinds: []account.Kind{}, Spaces: []Space{}}
	var row offerRow
	found, err := db.One(ctx, &row, "SELECT plugin, reach, kinds, version FROM plugin_offer WHERE plugin=?", plugin)
	if err != nil {
		return reach, fmt.Errorf("reach of %s: %w", plugin, err)
	}
	if found {
		reach.Reach, reach.Version = row.Reach, row.Version
		for _, kind := range strings.Fields(row.Kinds) {
			reach.Kinds = append(reach.Kinds, account.Kind(kind))
		}
	}
	ids, err := h.chosen(ctx, plugin)
	if err != nil {
		return reach, err
	}
	if len(ids) > 0 {
		if reach.Spaces, err = h.options.Spaces.Named(ctx, ids); err != nil {
			return reach, fmt.Errorf("spaces of %s: %w", plugin, err)
		}
	}
	if reach.On, err = db.Int(ctx, "SELECT COUNT(*) FROM plugin_space WHERE plugin=? AND is_on=1", plugin); err != nil {
		return reach, fmt.Errorf("spaces with %s: %w", plugin, err)
	}
	return reach, nil
}

func (h *Host) chosen(ctx context.Context, plugin string) ([]int64, error) {
	var rows []struct{ SpaceID int64 }
	if err := h.options.DB.All(ctx, &rows, "SELECT space_id FROM plugin_offer_space WHERE plugin=? ORDER BY space_id LIMIT ?", plugin, reachMost); err != nil {
		return nil, fmt.Errorf("chosen spaces of %s: %w", plugin, err)
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.SpaceID
	}
	return ids, nil
}

// check refuses what cannot be, on the field at fault, and puts kinds and ids into order.
func (f *ReachForm) check() error {
	bad := fault.InvalidInput()
	slices.Sort(f.SpaceIDs)
	f.SpaceIDs = slices.Compact(f.SpaceIDs)
	slices.Sort(f.Kinds)
	f.Kinds = slices.Compact(f.Kinds)
	switch f.Reach {
	case ReachNone, ReachAll:
		f.Kinds, f.SpaceIDs = nil, nil
	case ReachKinds:
		f.SpaceIDs = nil
		if len(f.Kinds) == 0 {
			bad.On("kinds", "请至少选择一种空间")
		}
		for _, kind := range f.Kinds {
			if !slices.Contains([]account.Kind{account.Personal, account.Merchant, account.Platform}, kind) {
				bad.On("kinds", "没有这种空间："+strconv.Quote(string(kind)))
			}
		}
	case ReachSpaces:
		f.Kinds = nil
		if len(f.SpaceIDs) == 0 {
			bad.On("spaces", "请至少选择一个空间")
		}
		if len(f.SpaceIDs) > reachMost {
			bad.On("spaces", fmt.Sprintf("最多 %d 个空间，请改为按类型开放", reachMost))
		}
	default:
		bad.On("reach", "请选择对谁开放")
	}
	return bad.OrNil()
}

// SetReach makes an extension available, or takes it back: what is no longer reached is off at once, and on again as it was
// when it is reached again.
func (h *Host) SetReach(ctx context.Context, who account.Actor, plugin string, f ReachForm) (Reach, error) {
	if err := h.operatorsOnly(who, plugin); err != nil {
		return Reach{}, err
	}
	if err := f.check(); err != nil {
		return Reach{}, err
	}
	if err := h.knownSpaces(ctx, f.SpaceIDs); err != nil {
		return Reach{}, err
	}
	db, now := h.options.DB, clock.Millis(h.options.Clock.Now())
	err := db.Tx(ctx, func(ctx context.Context) error {
		before, err := h.reachOf(ctx, plugin)
		if err != nil {
			return err
		}
		had, err := UsedIn(ctx, db, h.options.Spaces, plugin)
		if err != nil {
			return err
		}
		if f.Version != 0 && f.Version != before.Version {
			return changedMeanwhile()
		}
		kinds := make([]string, len(f.Kinds))
		for i, kind := range f.Kinds {
			kinds[i] = string(kind)
		}
		row := map[string]any{"plugin": plugin, "reach": f.Reach, "kinds": strings.Join(kinds, " "), "version": max(now, before.Version+1), "updated_at": now}
		err = errors.Join(db.Upsert(ctx, "plugin_offer", row, "plugin"), h.choose(ctx, plugin, f.SpaceIDs))
		if err != nil {
			return err
		}
		after, err := h.reachOf(ctx, plugin)
		if err != nil {
			return err
		}
		have, err := UsedIn(ctx, db, h.options.Spaces, plugin)
		if err != nil {
			return err
		}
		lost := slices.DeleteFunc(had, func(id int64) bool { _, still := slices.BinarySearch(have, id); return still })
		return errors.Join(h.tellNarrowed(ctx, plugin, before, after, lost), h.record(ctx, who, "plugin.offer", plugin, reachChanges(before, after)))
	})
	if err != nil {
		return Reach{}, err
	}
	h.door.forget(0)
	return h.reachOf(ctx, plugin)
}

func (h *Host) choose(ctx context.Context, plugin string, ids []int64) error {
	if _, err := h.options.DB.Exec(ctx, "DELETE FROM plugin_offer_space WHERE plugin=?", plugin); err != nil {
		return err
	}
	for _, id := range ids {
		if err := h.options.DB.Insert(ctx, "plugin_offer_space", map[string]any{"plugin": plugin, "space_id": id}); err != nil {
			return err
		}
	}
	return nil
}

// knownSpaces refuses numbers that are no space's.
func (h *Host) knownSpaces(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	named, err := h.options.Spaces.Named(ctx, ids)
	if err != nil {
		return fmt.Errorf("chosen spaces: %w", err)
	}
	bad := fault.InvalidInput()
	for _, id := range ids {
		if !slices.ContainsFunc(named, func(s Space) bool { return s.ID == id }) {
			bad.On("spaces", "没有编号为 "+strconv.FormatInt(id, 10)+" 的空间")
			break
		}
	}
	return bad.OrNil()
}

func reachChanges(before, after Reach) []trail.Change {
	text := func(r Reach) string {
		var ids []string
		for _, s := range r.Spaces {
			ids = append(ids, strconv.FormatInt(s.ID, 10))
		}
		for _, k := range r.Kinds {
			ids = append(ids, string(k))
		}
		return strings.TrimSpace(r.Reach + " " + strings.Join(ids, " "))
	}
	if text(before) == text(after) {
		return nil
	}
	return []trail.Change{{Field: "reach", Before: text(before), After: text(after)}}
}

// record writes what somebody did about an extension.
func (h *Host) record(ctx context.Context, who account.Actor, act, plugin string, changes []trail.Change) error {
	return h.options.Trail.Record(ctx, trail.Entry{
		AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Object: plugin, Plugin: plugin, Changes: changes,
	})
}

func changedMeanwhile() error {
	return fault.New(fault.Conflict, "plugin.changed", "刚被别人改过，请刷新后重新修改")
}
