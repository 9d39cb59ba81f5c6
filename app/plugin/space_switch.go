package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// PermissionExtension is a member's right to switch their space's extensions and fill in their settings. Owner and
// administrators have it; no API token carries it.
const PermissionExtension = "space.extension"

// Sealer keeps settings unreadable in the database; secret.Vault is one.
type Sealer interface {
	Seal(purpose string, plain []byte) ([]byte, error)
	Open(purpose string, sealed []byte) ([]byte, error)
}

// stoppedForSettings marks an extension that was switched off because its settings no longer fit.
const stoppedForSettings = "settings"

// Extension is one plugin as a space's people see it.
type Extension struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description" dc:"它是做什么的"`
	Author      string `json:"author" dc:"谁负责"`
	May         []May  `json:"may" dc:"它能做什么，由平台审核批准"` // what it may do
	State       State  `json:"state" dc:"运行状态；不是 serving 或 upgrading 时，它的部分页面和接口暂时不能使用"`
	On          bool   `json:"on" dc:"在当前空间开启了没有"`
	// Stopped says why it was switched off by itself: "" by a person, "settings": they have to be filled in anew.
	Stopped  string    `json:"stopped" dc:"自动停用的原因：空为没有，settings 为设置需要重新填写"`
	Settings []Setting `json:"settings" dc:"要填写的设置，没有为空"` // empty when there is nothing to fill in
	// Values are what is filled in, or the default. Secrets are not among them: Filled names those that are set.
	Values  map[string]any `json:"values" dc:"填写的内容或默认值，不含密钥"`
	Filled  []string       `json:"filled" dc:"已填写的密钥"`
	Ready   bool           `json:"ready" dc:"设置都填好了，可以开启"` // the settings fit
	Problem *fault.Error   `json:"-"`                      // which do not
	// Revision of what is stored; 0: nothing yet.
	Revision int64 `json:"revision,string" dc:"设置的版本，保存时带回来可以避免覆盖别人的修改"`
}

// Away tells that it is not running, Failing that this is because it does not start.
func (x Extension) Away() bool    { return !x.State.called() }
func (x Extension) Failing() bool { return x.State == Broken || x.State == Probing }

// spaceRow is what a space has made of an extension.
type spaceRow struct {
	Plugin     string
	SpaceID    int64
	IsOn       int64
	StoppedFor string
	Settings   []byte
	Shape      string
	Version    int64
}

// purposeOf binds sealed settings to their row.
func purposeOf(plugin string, space int64) string {
	return "plugin_space.settings:" + plugin + "/" + strconv.FormatInt(space, 10)
}

func (h *Host) spaceRow(ctx context.Context, plugin string, space int64) (spaceRow, bool, error) {
	row := spaceRow{Plugin: plugin, SpaceID: space}
	found, err := h.options.DB.One(ctx, &row, "SELECT plugin, space_id, is_on, stopped_for, settings, shape, version FROM plugin_space WHERE plugin=? AND space_id=?", plugin, space)
	if err != nil {
		return row, false, fmt.Errorf("settings of %s in space %d: %w", plugin, space, err)
	}
	return row, found, nil
}

// stored opens what a space has filled in; never nil.
func (h *Host) stored(row spaceRow) (map[string]any, error) {
	values := map[string]any{}
	if len(row.Settings) == 0 {
		return values, nil
	}
	plain, err := h.options.Sealer.Open(purposeOf(row.Plugin, row.SpaceID), row.Settings)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("settings of %s in space %d: %w", row.Plugin, row.SpaceID, err)
	}
	return values, nil
}

// available tells whether operators have made the extension available to the actor's space. That it is unknown and that it
// is not available are one answer.
func (h *Host) available(ctx context.Context, who account.Actor, plugin string) error {
	third, known := h.extension(plugin)
	if !known || !third || who.SpaceID == 0 {
		return unknownPlugin()
	}
	var row struct {
		Reach, Kinds string
		Chosen       int64
	}
	found, err := h.options.DB.One(ctx, &row, "SELECT o.reach, o.kinds, CASE WHEN c.space_id IS NULL THEN 0 ELSE 1 END AS chosen FROM plugin_offer o LEFT JOIN plugin_offer_space c ON c.plugin=o.plugin AND c.space_id=? WHERE o.plugin=?", who.SpaceID, plugin)
	if err != nil {
		return fmt.Errorf("reach of %s: %w", plugin, err)
	}
	if !found || !reaches(row.Reach, row.Kinds, row.Chosen == 1, string(who.SpaceKind)) {
		return unknownPlugin()
	}
	return nil
}

// Extensions lists what is available to the actor's space, in the order of the catalog.
func (h *Host) Extensions(ctx context.Context, who account.Actor) ([]Extension, error) {
	if err := account.Require(who, PermissionExtension); err != nil {
		return nil, err
	}
	list := []Extension{}
	for _, u := range h.roster.list() {
		err := h.available(ctx, who, u.id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		x, err := h.see(ctx, who, u.id)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// Extension gives one of them; NotFound when it is not available to the actor's space.
func (h *Host) Extension(ctx context.Context, who account.Actor, plugin string) (Extension, error) {
	if err := h.mayManage(ctx, who, plugin); err != nil {
		return Extension{}, err
	}
	return h.see(ctx, who, plugin)
}

// mayManage admits who may decide for their space about an extension that is available to it.
func (h *Host) mayManage(ctx context.Context, who account.Actor, plugin string) error {
	if err := account.Require(who, PermissionExtension); err != nil {
		return err
	}
	return h.available(ctx, who, plugin)
}

// see reads an extension for a space that it is available to.
func (h *Host) see(ctx context.Context, who account.Actor, plugin string) (Extension, error) {
	u := h.unit(plugin)
	if u == nil {
		return Extension{}, unknownPlugin()
	}
	x := Extension{ID: plugin, Title: plugin, State: u.current(), May: h.mayDo(plugin), Settings: []Setting{}, Values: map[string]any{}, Filled: []string{}}
	info := u.known()
	if info != nil {
		m := info.manifest
		x.Title, x.Version, x.Description, x.Author, x.Ready = m.GetTitle(), m.GetVersion(), m.GetDescription(), m.GetAuthor(), true
	} else if a := u.command().approved; a != nil { // it has not come up since the platform began
		x.Title, x.Version, x.Description, x.Author = a.spec.Title, a.spec.Version, a.spec.Description, a.spec.Author
	}
	row, _, err := h.spaceRow(ctx, plugin, who.SpaceID)
	if err != nil {
		return x, err
	}
	x.On, x.Stopped, x.Revision = row.IsOn == 1, row.StoppedFor, row.Version
	if info == nil || info.settings == nil {
		return x, nil
	}
	stored, err := h.stored(row)
	if err != nil {
		return x, err
	}
	x.Settings = info.settings.fields
	values := info.settings.complete(stored)
	x.Problem = info.settings.check(values)
	x.Ready = x.Problem == nil
	for _, f := range x.Settings {
		v, filled := values[f.Name]
		switch {
		case f.Secret && filled:
			x.Filled = append(x.Filled, f.Name)
		case !f.Secret && filled:
			x.Values[f.Name] = v
		}
	}
	return x, nil
}

// info is what a plugin has described, nil when nothing is known of it.
func (h *Host) info(plugin string) *described {
	u := h.unit(plugin)
	if u == nil {
		return nil
	}
	return u.known()
}

// notThere says of a plugin of which nothing is known whether it will be.
func (h *Host) notThere(plugin string) *fault.Error {
	u := h.unit(plugin)
	if u == nil {
		return unknownPlugin()
	}
	return away(plugin, u.current())
}

// SwitchOn turns an extension on for the actor's space; a second time changes nothing. Settings that do not fit are told by
// field.
func (h *Host) SwitchOn(ctx context.Context, who account.Actor, plugin string) (Extension, error) {
	return h.change(ctx, who, plugin, "extension.on", func(info *described, row *spaceRow, stored map[string]any) ([]trail.Change, error) {
		if info == nil {
			return nil, h.notThere(plugin)
		}
		if s := info.settings; s != nil {
			if problem := s.check(s.complete(stored)); problem != nil {
				problem.Kind, problem.Code, problem.Message = fault.Conflict, "plugin.settings", "请先填写设置，再开启这个扩展"
				return nil, problem
			}
			row.Shape = s.hash
		}
		row.IsOn, row.StoppedFor = 1, ""
		return nil, nil
	})
}

// SwitchOff turns it off: from the next call on it does not exist for the space. Settings and data are kept.
func (h *Host) SwitchOff(ctx context.Context, who account.Actor, plugin string) (Extension, error) {
	defer h.topics.look(plugin) // whoever listens here hears no more at once; other replicas look every half minute
	return h.change(ctx, who, plugin, "extension.off", func(_ *described, row *spaceRow, _ map[string]any) ([]trail.Change, error) {
		row.IsOn, row.StoppedFor = 0, ""
		return nil, nil
	})
}

// SettingsForm is what a person or program fills in: see settingsSchema.merge. Revision is of the Extension that was
// shown; 0 is not compared.
type SettingsForm struct {
	Values   map[string]any
	Revision int64
}

// SaveSettings keeps what is filled in for the actor's space.
func (h *Host) SaveSettings(ctx context.Context, who account.Actor, plugin string, f SettingsForm) (Extension, error) {
	return h.change(ctx, who, plugin, "extension.settings", func(info *described, row *spaceRow, stored map[string]any) ([]trail.Change, error) {
		if info == nil {
			return nil, h.notThere(plugin)
		}
		s := info.settings
		if s == nil {
			return nil, fault.New(fault.Conflict, "plugin.no_settings", "这个扩展没有设置")
		}
		if f.Revision != 0 && f.Revision != row.Version {
			return nil, changedMeanwhile()
		}
		values, err := s.merge(stored, f.Values)
		if err != nil {
			return nil, err
		}
		if problem := s.check(s.complete(values)); problem != nil {
			return nil, problem
		}
		plain, err := json.Marshal(values)
		if err != nil {
			return nil, fmt.Errorf("settings of %s: %w", plugin, err)
		}
		row.Shape = s.hash
		if row.Settings, err = h.options.Sealer.Seal(purposeOf(plugin, row.SpaceID), plain); err != nil {
			return nil, err
		}
		if row.StoppedFor == stoppedForSettings {
			row.StoppedFor = ""
		}
		return s.changes(stored, values), nil
	})
}

// FormSettings reads a browser's form against the schema; SaveSettings takes what it gives.
func (h *Host) FormSettings(plugin string, text func(name string) string, remove func(name string) bool) (map[string]any, error) {
	info := h.info(plugin)
	if info == nil {
		return nil, h.notThere(plugin)
	}
	if info.settings == nil {
		return nil, unknownPlugin()
	}
	return info.settings.fromForm(text, remove)
}

// changes tells the operation log which settings changed; of a secret only that it did.
func (s *settingsSchema) changes(before, after map[string]any) []trail.Change {
	var out []trail.Change
	for _, f := range s.fields {
		x, y := Shown(before[f.Name]), Shown(after[f.Name])
		switch {
		case x == y:
		case f.Secret:
			out = append(out, trail.Secret(f.Name))
		default:
			out = append(out, trail.Change{Field: f.Name, Before: x, After: y})
		}
	}
	return out
}

// change is one act on a space's row, with its entry in the operation log; what comes out as it was is not written.
func (h *Host) change(ctx context.Context, who account.Actor, plugin, act string,
	do func(info *described, row *spaceRow, stored map[string]any) ([]trail.Change, error),
) (Extension, error) {
	if err := h.mayManage(ctx, who, plugin); err != nil {
		return Extension{}, err
	}
	info := h.info(plugin)
	now := clock.Millis(h.options.Clock.Now())
	err := h.options.DB.Tx(ctx, func(ctx context.Context) error {
		row, found, err := h.spaceRow(ctx, plugin, who.SpaceID)
		if err != nil {
			return err
		}
		stored, err := h.stored(row)
		if err != nil {
			return err
		}
		before := row
		before.Settings = slices.Clone(row.Settings)
		changes, err := do(info, &row, stored)
		if err != nil {
			return err
		}
		if found && row.IsOn == before.IsOn && row.StoppedFor == before.StoppedFor && len(changes) == 0 && row.Shape == before.Shape {
			return nil
		}
		if err := h.keepRow(ctx, row, now); err != nil {
			return err
		}
		return h.record(ctx, who, act, plugin, changes)
	})
	if err != nil {
		return Extension{}, err
	}
	h.door.forget(who.SpaceID)
	return h.see(ctx, who, plugin)
}

func (h *Host) keepRow(ctx context.Context, row spaceRow, now int64) error {
	if row.Settings == nil {
		row.Settings = []byte{}
	}
	return h.options.DB.Upsert(ctx, "plugin_space", map[string]any{
		"plugin": row.Plugin, "space_id": row.SpaceID, "is_on": row.IsOn, "stopped_for": row.StoppedFor, "settings": row.Settings, "shape": row.Shape,
		"version": max(now, row.Version+1), "created_at": now, "updated_at": now,
	}, "plugin", "space_id")
}
