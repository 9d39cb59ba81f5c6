package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// Op is one change of one row, made by a Collection.
type Op struct {
	wire *pluginpb.Op
	err  error
}

// Event is what other plugins and the log learn. When publishing, Type is
// without the plugin's id and Data is anything that becomes JSON; when
// receiving, Type is complete and Decode reads the data.
type Event struct {
	ID        int64  // received only
	Type      string // published as "<plugin>.<Type>"
	Source    string // received only: "wechat", "core", "plugin:<id>"
	Component string // AppID of the third-party platform
	AppID     string // AppID of the mini program
	SpaceID   int64  // space concerned; 0 when published: the actor's
	Subject   string // id of the thing it is about
	At        int64  // received only: Unix milliseconds by the source's clock
	Data      any
}

// Decode reads a received event's data into v.
func (e Event) Decode(v any) error {
	raw, ok := e.Data.(json.RawMessage)
	if !ok {
		return fmt.Errorf("event %s: not a received event", e.Type)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("event %s %d: %w", e.Type, e.ID, err)
	}
	return nil
}

// Committed is the answer of a Commit.
type Committed struct {
	IDs      []int64 // id of each op's row, in the order of the ops
	Repeated bool    // the Once key was seen before; nothing was written now
}

// CommitOption adds events or a key to a Commit.
type CommitOption func(*pluginpb.CommitRequest) error

// WithEvents publishes events in the same transaction.
func WithEvents(events ...Event) CommitOption {
	return func(request *pluginpb.CommitRequest) error {
		for _, event := range events {
			data, err := json.Marshal(event.Data)
			if err != nil {
				return fmt.Errorf("event %s: %w", event.Type, err)
			}
			request.Events = append(request.Events, &pluginpb.NewEvent{
				Type: event.Type, Component: event.Component, Appid: event.AppID, SpaceId: event.SpaceID,
				Subject: event.Subject, Data: data,
			})
		}
		return nil
	}
}

// Once makes the commit take effect one time only for this key (1–120
// characters, unique within the plugin): a repetition writes nothing and gives
// the first answer with Repeated set.
func Once(key string) CommitOption {
	return func(request *pluginpb.CommitRequest) error {
		if key == "" || len(key) > 120 {
			return fmt.Errorf("idempotency key of %d characters", len(key))
		}
		request.IdempotencyKey = key
		return nil
	}
}

// Commit is the one way to write: all ops and events in one SQL transaction,
// or nothing. At most 500 ops. Fails with ErrAborted on an outdated version,
// ErrNotFound for rows the actor may not write, ErrConflict on a unique index.
func Commit(ctx context.Context, ops []Op, options ...CommitOption) (Committed, error) {
	request := &pluginpb.CommitRequest{}
	var failures []error
	for _, op := range ops {
		failures = append(failures, op.err)
		request.Ops = append(request.Ops, op.wire)
	}
	for _, option := range options {
		failures = append(failures, option(request))
	}
	if err := errors.Join(failures...); err != nil {
		return Committed{}, fmt.Errorf("commit: %w", err)
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return Committed{}, err
	}
	answer, err := host.Commit(ctx, request)
	if err != nil {
		return Committed{}, fmt.Errorf("commit: %w", DecodeError(err))
	}
	return Committed{IDs: answer.GetIds(), Repeated: answer.GetRepeated()}, nil
}
