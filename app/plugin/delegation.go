package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"minifleet/app/fault"
)

// delegationRequest is the input of core.delegate.
type delegationRequest struct {
	AppID   string   `json:"appid"`
	Scopes  []string `json:"scopes"`
	Until   int64    `json:"until"`
	Purpose string   `json:"purpose"`
}

// maxDelegation bounds how long a plugin may go on without its person.
const maxDelegation = 30 * 24 * time.Hour

// delegate stores that a plugin may act on for the person of this call. Only a person's own call can make one.
func (h *Host) delegate(ctx context.Context, a authority, plugin string, request delegationRequest) (int64, error) {
	if err := needPerson(a); err != nil {
		return 0, err
	}
	now := h.options.Clock.Now()
	switch {
	case request.Until <= now.UnixMilli() || request.Until > now.Add(maxDelegation).UnixMilli():
		return 0, mistake("delegation until %d", request.Until)
	case request.Purpose == "" || utf8.RuneCountInString(request.Purpose) > 200:
		return 0, mistake("delegation purpose %q", request.Purpose)
	case len(request.Scopes) > 20 || slices.Contains(request.Scopes, ""):
		return 0, mistake("delegation scopes %v", request.Scopes)
	}
	for _, scope := range request.Scopes {
		if request.AppID == "" {
			break
		}
		may, err := h.options.MiniPrograms.May(ctx, a.actor.SpaceID, request.AppID, scope)
		if err != nil {
			return 0, fmt.Errorf("delegate %s on %s: %w", scope, request.AppID, err)
		}
		if !may {
			return 0, fault.New(fault.Forbidden, "plugin.scope", "你没有这个小程序的该项权限，无法委托")
		}
	}
	scopes, err := json.Marshal(request.Scopes)
	if err != nil {
		return 0, fmt.Errorf("encode scopes: %w", err)
	}
	id := h.options.DB.NewID()
	return id, h.options.DB.Insert(ctx, "plugin_delegation", map[string]any{
		"id": id, "plugin": plugin, "account_id": a.actor.AccountID, "space_id": a.actor.SpaceID, "appid": request.AppID,
		"scopes": string(scopes), "purpose": request.Purpose, "until_at": request.Until, "ended_at": 0, "created_at": now.UnixMilli(),
	})
}

type delegationRow struct {
	AccountID, SpaceID int64
	Appid, Scopes      string
	UntilAt, EndedAt   int64
}

// delegated reads a delegation and who its person is today. It is called at every use: what was ended, has run out,
// or belongs to a person who left the space works no more.
func (h *Host) delegated(ctx context.Context, id int64, plugin string) (authority, error) {
	var row delegationRow
	known, err := h.options.DB.One(ctx, &row,
		"SELECT account_id, space_id, appid, scopes, until_at, ended_at FROM plugin_delegation WHERE id=? AND plugin=?", id, plugin)
	if err != nil {
		return authority{}, fmt.Errorf("read delegation %d: %w", id, err)
	}
	if !known || row.EndedAt != 0 || row.UntilAt <= h.options.Clock.Now().UnixMilli() {
		return authority{}, noDelegation()
	}
	a := authority{kind: byDelegation, delegation: id, holder: plugin, appid: row.Appid}
	if err := json.Unmarshal([]byte(row.Scopes), &a.scopes); err != nil {
		return authority{}, fmt.Errorf("read scopes of delegation %d: %w", id, err)
	}
	a.actor, err = h.options.Actors.Actor(ctx, row.AccountID, row.SpaceID)
	if err != nil {
		return authority{}, fmt.Errorf("actor of delegation %d: %w", id, err)
	}
	return a, nil
}

// endDelegation ends one before its time: by the plugin that holds it, whoever acts.
func (h *Host) endDelegation(ctx context.Context, plugin string, id int64) error {
	_, err := h.options.DB.Exec(ctx, "UPDATE plugin_delegation SET ended_at=? WHERE id=? AND plugin=? AND ended_at=0",
		h.options.Clock.Now().UnixMilli(), id, plugin)
	return err
}

func noDelegation() error {
	return fault.New(fault.Forbidden, "plugin.delegation", "委托已结束或已过期，请由小程序主体重新发起")
}

// needPerson refuses what only a person at a page may do.
func needPerson(a authority) error {
	if a.kind != byPerson {
		return fault.New(fault.Forbidden, "plugin.needs_person", "这个操作需要由本人在页面上发起")
	}
	if a.actor.Nobody() {
		return fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	return nil
}
