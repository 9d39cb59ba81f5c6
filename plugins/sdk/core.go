package sdk

import (
	"context"
	"encoding/json"
	"fmt"
)

// MiniProgramInfo is a mini program as the core knows it. The actor sees those
// of their space, those they hold a grant on, and (as the component's
// merchant) unclaimed ones.
type MiniProgramInfo struct {
	AppID      string               `json:"appid"`
	NickName   string               `json:"nick_name"`
	HeadImg    string               `json:"head_img"`
	Principal  string               `json:"principal"`          // 主体
	OwnerSpace int64                `json:"owner_space,string"` // 0: 未认领
	State      string               `json:"state"`              // "authorized" or "unauthorized" and what the core adds
	Components []MiniProgramBinding `json:"components"`
	Scopes     []string             `json:"scopes"` // what the actor's space may do; the owner has every scope
	SyncedAt   int64                `json:"synced_at"`
}

// MiniProgramBinding is one authorisation to a component.
type MiniProgramBinding struct {
	Component string `json:"component"`
	State     string `json:"state"` // "authorized" or "unauthorized"
	Sets      []int  `json:"sets"`  // permission set ids
}

// Has tells whether a live authorisation holds the permission set, and whose.
func (m MiniProgramInfo) Has(set int) (component string, ok bool) {
	for _, binding := range m.Components {
		if binding.State != "authorized" {
			continue
		}
		for _, held := range binding.Sets {
			if held == set {
				return binding.Component, true
			}
		}
	}
	return "", false
}

// Grant is a right of a space on a mini program.
type Grant struct {
	ID     int64    `json:"id,string"`
	AppID  string   `json:"appid"`
	Space  int64    `json:"space_id,string"`
	Name   string   `json:"space"` // the space's name
	Scopes []string `json:"scopes"`
	Until  int64    `json:"until"`  // Unix milliseconds, 0: no end
	Source string   `json:"source"` // e.g. "installation:123"
	State  string   `json:"state"`  // "active" "revoked" "expired"
	MadeAt int64    `json:"created_at"`
}

// ComponentInfo is a third-party platform app of the actor's space.
type ComponentInfo struct {
	AppID string `json:"appid"`
	Name  string `json:"name"`
	State string `json:"state"`
	Space int64  `json:"space_id,string"`
}

// SpaceInfo is a space's name and kind.
type SpaceInfo struct {
	ID   int64  `json:"id,string"`
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Approved: the platform has approved the merchant's application.
	Approved bool `json:"approved"`
}

func decodeInto[T any](raw []byte, into *T) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decode %T: %w", into, err)
	}
	return nil
}

// MiniPrograms lists what the actor sees. Query.Search looks in name, AppID
// and 主体; Where knows Eq("component", …), In("appid", …), Eq("owner_space", …).
// A job sees every mini program, an event its own only.
func MiniPrograms(ctx context.Context, query Query) (Rows[MiniProgramInfo], error) {
	return find(ctx, "core.miniprograms", query, decodeInto[MiniProgramInfo])
}

// GetMiniProgram reads one; ErrNotFound when the actor may not see it.
func GetMiniProgram(ctx context.Context, appid string) (MiniProgramInfo, error) {
	page, err := MiniPrograms(ctx, Query{Where: []Where{Eq("appid", appid)}, Limit: 1})
	if err != nil {
		return MiniProgramInfo{}, err
	}
	if len(page.Items) == 0 {
		return MiniProgramInfo{}, fmt.Errorf("mini program %s: %w", appid, ErrNotFound)
	}
	return page.Items[0], nil
}

// Grants lists who may act on a mini program, newest first. For its owner and
// for operators; another space sees its own grants only.
func Grants(ctx context.Context, appid string) ([]Grant, error) {
	page, err := find(ctx, "core.grants", Query{Where: []Where{Eq("appid", appid)}, Limit: 200}, decodeInto[Grant])
	return page.Items, err
}

// Components lists the third-party platform apps of the actor's space; a job
// sees all.
func Components(ctx context.Context) ([]ComponentInfo, error) {
	page, err := find(ctx, "core.components", Query{Limit: 200}, decodeInto[ComponentInfo])
	return page.Items, err
}

// Spaces gives names and kinds by id; unknown ids are left out. At most 200.
func Spaces(ctx context.Context, ids ...int64) (map[int64]SpaceInfo, error) {
	names := map[int64]SpaceInfo{}
	if len(ids) == 0 {
		return names, nil
	}
	page, err := find(ctx, "core.spaces", Query{Where: []Where{In("id", ids...)}, Limit: 200}, decodeInto[SpaceInfo])
	for _, space := range page.Items {
		names[space.ID] = space
	}
	return names, err
}

// AuthorizeRequest asks for an authorisation ticket.
type AuthorizeRequest struct {
	Component string `json:"component"`
	ReturnTo  string `json:"return_to"` // local path the person lands on afterwards
	BizAppID  string `json:"biz_appid"` // only this mini program; "" any
}

// Ticket is an authorisation in the making.
type Ticket struct {
	ID        string `json:"ticket"`
	URL       string `json:"url"`   // landing page, complete address
	State     string `json:"state"` // waiting authorized cancelled expired failed
	AppID     string `json:"appid"` // once authorized
	Failure   string `json:"failure"`
	ExpiresAt int64  `json:"expires_at"` // Unix milliseconds
}

// Authorize makes a ticket. Only inside a page or REST call.
func Authorize(ctx context.Context, request AuthorizeRequest) (Ticket, error) {
	var ticket Ticket
	err := Call(ctx, "core.authorize", request, &ticket)
	return ticket, err
}

// AuthorizeState reads a ticket that the actor's space made.
func AuthorizeState(ctx context.Context, id string) (Ticket, error) {
	var ticket Ticket
	err := Call(ctx, "core.authorize.state", map[string]string{"ticket": id}, &ticket)
	return ticket, err
}

// GrantRequest gives another space rights on a mini program of the actor's.
type GrantRequest struct {
	AppID  string   `json:"appid"`
	Space  int64    `json:"space_id,string"`
	Scopes []string `json:"scopes"`
	Until  int64    `json:"until"`  // Unix milliseconds, 0: no end
	Source string   `json:"source"` // e.g. "installation:123"
}

// GrantCreate makes a grant. Only the owner, inside a page or REST call.
func GrantCreate(ctx context.Context, request GrantRequest) (int64, error) {
	var made struct {
		ID int64 `json:"id,string"`
	}
	err := Call(ctx, "core.grant.create", request, &made)
	return made.ID, err
}

// GrantRevoke ends a grant at once. The owner or the grant's holder, inside a
// page or REST call.
func GrantRevoke(ctx context.Context, id int64) error {
	return Call(ctx, "core.grant.revoke", grantID{ID: id}, nil)
}

type grantID struct {
	ID int64 `json:"id,string"`
}

// Can tells whether the actor's role holds a permission today.
func Can(ctx context.Context, permission string) (bool, error) {
	var answer struct {
		Can bool `json:"can"`
	}
	err := Call(ctx, "core.can", map[string]string{"permission": permission}, &answer)
	return answer.Can, err
}

// DelegationRequest lets the plugin go on acting for the actor after this call
// has ended.
type DelegationRequest struct {
	AppID   string   `json:"appid"`   // only on this mini program; "" any of the actor's
	Scopes  []string `json:"scopes"`  // what WeChat calls it may make
	Until   int64    `json:"until"`   // Unix milliseconds, at most 30 days ahead
	Purpose string   `json:"purpose"` // Chinese, shown to the owner
}

// Delegate stores a delegation and gives its id; keep it in a row. Only inside
// a page or REST call.
func Delegate(ctx context.Context, request DelegationRequest) (int64, error) {
	var made struct {
		ID int64 `json:"id,string"`
	}
	err := Call(ctx, "core.delegate", request, &made)
	return made.ID, err
}

// EndDelegation ends one before its time.
func EndDelegation(ctx context.Context, id int64) error {
	return Call(ctx, "core.delegate.end", grantID{ID: id}, nil)
}

// WithDelegation makes a context whose host calls act as the delegation's
// actor, whatever call it came from and after that call has ended. The host
// checks the actor's rights of today at every use. In a goroutine that outlives
// a call start from context.WithoutCancel.
func WithDelegation(ctx context.Context, id int64) context.Context {
	current := scopeOf(ctx)
	current.delegation = id
	return context.WithValue(ctx, scopeKey{}, current)
}
