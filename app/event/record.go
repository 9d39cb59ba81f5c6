package event

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/wechat"
)

// Sources of an event. A plugin's is "plugin:" and its id.
const (
	SourceWeChat = "wechat"
	SourceCore   = "core"
)

// Record is an event to append. The log seals Payload; everything else stays readable columns.
type Record struct {
	ID         int64  // 0: the log makes one
	Type       string // InfoType, Event, message.* or a name like version.installed; up to 64 bytes
	Source     string // SourceWeChat, SourceCore or plugin:<id>
	Component  string // appid of the 第三方平台, "" for none
	AppID      string // appid of the mini program, "" for none
	SpaceID    int64  // 0 for none
	Subject    string // what it is about, for lists; never secret; cut at 190 bytes
	URLKind    string // wechat.TicketURL or wechat.MessageURL for a push
	CreateTime int64  // unix seconds by the sender's clock, 0 when unknown
	ReceivedAt int64  // unix milliseconds; 0: the log's clock
	Dedupe     []byte // up to 32 bytes, nil for none; a record whose Dedupe is known already is dropped without error
	Payload    []byte // in clear
	Raw        []byte // as it was received, when that is something else; kept as it is, so it must be no secret
	Inert      bool   // kept and shown, but never delivered
	Hops       int    // events that led to it; 0 for what began by itself
}

// Event is what a subscriber receives.
type Event struct {
	ID         int64
	Type       string
	Source     string
	Component  string
	AppID      string
	SpaceID    int64
	Subject    string
	URLKind    string
	CreateTime int64 // unix seconds; compare it, since WeChat delivers out of order
	ReceivedAt int64 // unix milliseconds
	Payload    []byte
	Attempt    int // 1 for the first try
	Hops       int // of the record
}

// Push parses the payload of an event whose Source is SourceWeChat.
func (e Event) Push() (wechat.Push, error) {
	if e.Source != SourceWeChat {
		return wechat.Push{}, fmt.Errorf("event %d: not a push", e.ID)
	}
	return wechat.ParsePush(e.URLKind, e.Payload)
}

// Sealer encrypts payloads; secret.Vault is one.
type Sealer interface {
	Seal(purpose string, plain []byte) ([]byte, error)
	Open(purpose string, sealed []byte) ([]byte, error)
}

// purpose binds every sealed payload to its use; a payload of another table does not open here.
const purpose = "event_log.payload"

// Errors of the log.
var (
	ErrStopped  = errors.New("event: the log has stopped")
	ErrNotFound = errors.New("event: no such event")
	ErrInert    = errors.New("event: stored without effect, cannot be replayed")
)

// Limits of a record, from the columns of event_log.
const (
	maxType    = 64
	maxSubject = 190
	maxAppID   = 32
	maxDedupe  = 32
	maxPayload = 16 << 20
)

// row is a record ready to insert.
type row struct {
	Record
	sealed []byte
}

func (l *Log) prepare(r Record) (row, error) {
	switch {
	case r.Type == "" || len(r.Type) > maxType:
		return row{}, fmt.Errorf("event: type of 1 to %d bytes needed", maxType)
	case len(r.Component) > maxAppID || len(r.AppID) > maxAppID:
		return row{}, errors.New("event: appid too long")
	case r.Source == "" || len(r.Source) > 72:
		return row{}, errors.New("event: source of 1 to 72 bytes needed")
	case len(r.Dedupe) > maxDedupe:
		return row{}, fmt.Errorf("event: dedupe key longer than %d bytes", maxDedupe)
	case len(r.Payload) > maxPayload || len(r.Raw) > maxPayload:
		return row{}, errors.New("event: payload too long")
	}
	r.Subject = cut(r.Subject, maxSubject)
	if r.ID == 0 {
		r.ID = l.opts.DB.NewID()
	}
	if r.ReceivedAt == 0 {
		r.ReceivedAt = l.opts.Clock.Now().UnixMilli()
	}
	sealed, err := l.opts.Sealer.Seal(purpose, r.Payload)
	if err != nil {
		return row{}, fmt.Errorf("event: seal %s: %w", r.Type, err)
	}
	return row{Record: r, sealed: sealed}, nil
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// Handler takes one event. It must be idempotent: after a crash, or a lost lease, the same event comes again.
type Handler func(ctx context.Context, e Event) error
