// Package trail is the operation log: who did what on whose behalf, to what, and what WeChat answered.
// It is append-only and decides nothing. Rooms that act record here; the owner of a mini program reads here.
//
// Entries are appended freely, also inside other rooms' transactions and on several replicas at once. A sealer, one among
// all replicas by a lease, gives them their places in a hash chain a moment later, so that appending never waits for
// another writer; Verify finds what was edited, removed, put in or moved since.
package trail

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/store"
)

// Outcomes of an act.
const (
	OK     = "ok"
	Failed = "failed"
)

// Entry is one act. Texts are cut to the column's width; Detail is free text without secrets. Actor and Behalf are stored as
// references, so that a closed account's name can be taken out; whoever reads gets the name of today.
type Entry struct {
	ID         int64  `json:"id,string"`
	At         int64  `json:"at"` // Unix milliseconds, platform time
	AccountID  int64  `json:"account_id,string"`
	SpaceID    int64  `json:"space_id,string"`
	Actor      string `json:"actor"`
	Plugin     string `json:"plugin,omitempty"`
	Component  string `json:"component,omitempty"`
	AppID      string `json:"appid,omitempty" orm:"appid"`
	Act        string `json:"act"`
	Object     string `json:"object,omitempty"`
	Outcome    string `json:"outcome"`
	ErrCode    int    `json:"errcode,omitempty" orm:"errcode"`
	RID        string `json:"rid,omitempty" orm:"rid"`
	RequestID  string `json:"request_id,omitempty"`
	Detail     string `json:"detail,omitempty"`
	DurationMS int64  `json:"duration_ms" orm:"duration_ms"`

	Via           string   `json:"via,omitempty"` // ViaToken, ViaDelegation or "": by hand
	ViaID         int64    `json:"via_id,string,omitempty" orm:"via_id"`
	ViaName       string   `json:"via_name,omitempty"`
	Behalf        string   `json:"behalf,omitempty"` // name of the space it was done for, when not the actor's own
	BehalfSpaceID int64    `json:"behalf_space_id,string,omitempty" orm:"behalf_space_id"`
	Changes       []Change `json:"changes,omitempty" orm:"-"`

	// Names are of the accounts and spaces that Object and Detail refer to by Ref.
	Names map[int64]string `json:"-" orm:"-"`
	// Office says that Actor is no person's name although an account stands behind the act, like 授权链接.
	Office bool `json:"-" orm:"-"`

	Seq  int64  `json:"seq,omitempty"`  // place in the chain; 0 until sealed
	Hash string `json:"hash,omitempty"` // hex SHA-256; "" until sealed
}

// Log writes and reads the trail.
type Log struct {
	db    *store.DB
	clk   clock.Clock
	joint joint
	noted noted
}

// New makes a Log; nothing is written yet.
func New(db *store.DB, clk clock.Clock) *Log { return &Log{db: db, clk: clk} }

// Record appends an entry. ID and At are set here when zero. Inside a transaction it stands or falls with it.
func (l *Log) Record(ctx context.Context, e Entry) error {
	if e.ID == 0 {
		e.ID = l.db.NewID()
	}
	if e.At == 0 {
		e.At = clock.Millis(l.clk.Now())
	}
	if e.Outcome == "" {
		e.Outcome = OK
	}
	if e.RequestID == "" {
		e.RequestID = RequestID(ctx)
	}
	if e.Via == "" {
		v := ViaOf(ctx)
		e.Via, e.ViaID, e.ViaName = v.Kind, v.ID, v.Name
	}
	if b := BehalfOf(ctx); e.BehalfSpaceID == 0 && b.SpaceID != e.SpaceID {
		e.BehalfSpaceID, e.Behalf = b.SpaceID, b.Name
	}
	changes, err := encode(e.Changes)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	names := e.referring()
	row := map[string]any{
		"id": e.ID, "at": e.At, "account_id": e.AccountID, "space_id": e.SpaceID,
		"actor": cut(e.Actor, 120), "plugin": cut(e.Plugin, 64), "component": cut(e.Component, 32), "appid": cut(e.AppID, 32),
		"act": cut(e.Act, 96), "object": cut(e.Object, 190), "outcome": e.Outcome, "errcode": e.ErrCode,
		"rid": cut(e.RID, 64), "request_id": cut(e.RequestID, 64), "detail": cut(e.Detail, 4000), "duration_ms": e.DurationMS,
		"via": cut(e.Via, 16), "via_id": e.ViaID, "via_name": cut(e.ViaName, 120), "behalf": cut(e.Behalf, 120), "behalf_space_id": e.BehalfSpaceID, "changes": changes,
	}
	if !l.db.InTx(ctx) {
		if err := l.together(ctx, row, names); err != nil {
			return fmt.Errorf("trail: %w", err)
		}
		return nil
	}
	if err := l.keepNames(ctx, names); err != nil {
		return fmt.Errorf("trail: names: %w", err)
	}
	if err := l.db.Insert(ctx, "trail", row); err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return nil
}

// cut shortens text to n characters and drops what is no UTF-8, which one of the databases would refuse.
func cut(s string, n int) string {
	if len(s) <= n && utf8.ValidString(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "�")
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

type requestKey struct{}

// WithRequestID notes the id of the HTTP request that an act belongs to.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id noted by WithRequestID, or empty.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
