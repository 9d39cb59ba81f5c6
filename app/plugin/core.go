package plugin

import (
	"context"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/wechat"
)

// The small interfaces below are what the host needs of other rooms; command wires them.

// Caller says on whose behalf a WeChat request goes out.
type Caller struct {
	Actor  account.Actor // nobody when System
	Plugin string
	System bool // an event or a job; the host has already made sure that the endpoint only reads
}

// Gateway is the one door to WeChat. It reads the grant on every call.
type Gateway interface {
	Do(ctx context.Context, caller Caller, request wechat.Request) (wechat.Response, error)
	// Settle tells what became of a keyed request whose outcome was unknown.
	Settle(ctx context.Context, caller Caller, key string, happened bool) error
}

// Actors finds who a person is today: fault NotFound or Forbidden when the account or the membership is gone.
type Actors interface {
	Actor(ctx context.Context, accountID, spaceID int64) (account.Actor, error)
}

// MiniPrograms is what the host needs of the rooms miniprogram and grant.
type MiniPrograms interface {
	// Visible is a SELECT of one column: the AppIDs on which the space may act with the scope today, its own and the
	// granted ones. Portable SQL with ? placeholders.
	Visible(spaceID int64, scope string) (query string, args []any)
	// May tells whether the space may act with the scope on this mini program today.
	May(ctx context.Context, spaceID int64, appid, scope string) (bool, error)
	// List reads one page, newest first.
	List(ctx context.Context, query MiniProgramQuery) (items []MiniProgram, next string, err error)
}

// MiniProgramQuery asks for a page of mini programs that the actor sees, or of all when System.
type MiniProgramQuery struct {
	Actor     account.Actor
	System    bool
	AppIDs    []string // nil: any
	Component string   // "" any
	Owner     int64    // 0 any
	Search    string   // in name, AppID and 主体
	Limit     int      // 1…200
	Cursor    string
}

// MiniProgram is the read-only view core.miniprograms.
type MiniProgram struct {
	AppID      string    `json:"appid"`
	NickName   string    `json:"nick_name"`
	HeadImg    string    `json:"head_img"`
	Principal  string    `json:"principal"`
	OwnerSpace int64     `json:"owner_space,string"`
	State      string    `json:"state"` // authorized | unauthorized | …
	Components []Binding `json:"components"`
	Scopes     []string  `json:"scopes"` // of the actor's space; empty for the system
	SyncedAt   int64     `json:"synced_at"`
}

// Binding is one authorisation of a mini program to a component.
type Binding struct {
	Component string `json:"component"`
	State     string `json:"state"` // for plugins: authorized | unauthorized
	Sets      []int  `json:"sets"`
}

// Grants is what the host needs of the room grant.
type Grants interface {
	// List gives the grants on a mini program, newest first: all for its owner, for operators and for the system,
	// otherwise those of the actor's space.
	List(ctx context.Context, actor account.Actor, system bool, appid string) ([]Grant, error)
	Create(ctx context.Context, actor account.Actor, request GrantRequest) (id int64, err error)
	Revoke(ctx context.Context, actor account.Actor, id int64) error
}

// Grant is the read-only view core.grants.
type Grant struct {
	ID        int64    `json:"id,string"`
	AppID     string   `json:"appid"`
	SpaceID   int64    `json:"space_id,string"`
	Space     string   `json:"space"`
	Scopes    []string `json:"scopes"`
	Until     int64    `json:"until"`
	Source    string   `json:"source"`
	State     string   `json:"state"`
	CreatedAt int64    `json:"created_at"`
}

// GrantRequest is the input of core.grant.create.
type GrantRequest struct {
	AppID   string   `json:"appid"`
	SpaceID int64    `json:"space_id,string"`
	Scopes  []string `json:"scopes"`
	Until   int64    `json:"until"` // Unix milliseconds, 0: no end
	Source  string   `json:"source"`
}

// Components is what the host needs of the room component.
type Components interface {
	// List gives the components of the actor's space, or all for the system.
	List(ctx context.Context, actor account.Actor, system bool) ([]Component, error)
}

// Component is the read-only view core.components.
type Component struct {
	AppID   string `json:"appid"`
	Name    string `json:"name"`
	State   string `json:"state"`
	SpaceID int64  `json:"space_id,string"`
}

// Spaces names spaces; unknown ids are left out.
type Spaces interface {
	Named(ctx context.Context, ids []int64) ([]Space, error)
}

// Space is the read-only view core.spaces.
type Space struct {
	ID       int64  `json:"id,string"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Approved bool   `json:"approved"` // a merchant whose application the platform has approved
}

// Authorizations makes and reads authorisation tickets.
type Authorizations interface {
	Create(ctx context.Context, actor account.Actor, request AuthorizeRequest) (Ticket, error)
	// State reads a ticket that the actor's space made; NotFound otherwise. The system reads any.
	State(ctx context.Context, actor account.Actor, system bool, id string) (Ticket, error)
}

// AuthorizeRequest is the input of core.authorize.
type AuthorizeRequest struct {
	Component string `json:"component"`
	ReturnTo  string `json:"return_to"`
	BizAppID  string `json:"biz_appid"`
}

// Ticket is an authorisation in the making.
type Ticket struct {
	ID        string `json:"ticket"`
	URL       string `json:"url"`
	State     string `json:"state"` // waiting authorized cancelled expired failed
	AppID     string `json:"appid"`
	Failure   string `json:"failure"`
	ExpiresAt int64  `json:"expires_at"` // Unix milliseconds
}

// Events is what the host needs of the event log; *event.Log is one.
type Events interface {
	AppendTx(ctx context.Context, records []event.Record) error
	Wake()
	Subscribe(ctx context.Context, subscriber event.Subscriber) error
	Unsubscribe(name string)
	// Forget removes a subscriber that will not come back, with what waited for it.
	Forget(ctx context.Context, name string) error
}

var _ Events = (*event.Log)(nil)
