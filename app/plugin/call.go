package plugin

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"minifleet/plugins/sdk/pluginpb"
)

// Deadlines of calls to plugins.
const (
	pageTimeout  = 30 * time.Second
	eventTimeout = time.Minute
	jobTimeout   = 10 * time.Minute
)

// Metadata of the wire; plugin.proto describes it.
const (
	metadataToken      = "minifleet-token"
	metadataDelegation = "minifleet-delegation"
)

// opened is one call of a plugin that may begin: its process, the context that carries its fresh token, and what ends both.
type opened struct {
	process               *process
	ctx                   context.Context
	dead, cancel, release func()
}

// end ends the token, then the call's time, and lets the process go.
func (o *opened) end() {
	o.dead()
	o.cancel()
	o.release()
}

// open prepares a call: the process is held and the token lives until end, which is called once. within gives the call its
// time; its end is the call's too. Failures are faults: at once, and counted, when the plugin is not serving.
func (h *Host) open(ctx context.Context, id string, a authority, within func(context.Context) (context.Context, func())) (opened, error) {
	u := h.unit(id)
	if u == nil {
		return opened{}, unknownPlugin()
	}
	p, release, err := u.acquire()
	if err != nil {
		h.seen.absent.WithLabelValues(id).Inc()
		return opened{}, err
	}
	ctx, cancel := within(ctx)
	a.bound = ctx
	call := h.callContext(a)
	token, dead := h.tokens.mint(id, a)
	call.Token = token
	return opened{p, pluginpb.WithCall(ctx, call), dead, cancel, release}, nil
}

// call runs one RPC of a plugin under a fresh token that dies with it.
func (h *Host) call(ctx context.Context, id string, a authority, timeout time.Duration, run func(context.Context, pluginpb.PluginClient) error) error {
	o, err := h.open(ctx, id, a, func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, timeout) })
	if err != nil {
		return err
	}
	defer o.end()
	err = run(o.ctx, o.process.rpc)
	if err == nil {
		return nil
	}
	if _, isStatus := status.FromError(err); isStatus && overdue(o.ctx) {
		return fromWire(id, status.FromContextError(context.DeadlineExceeded).Err())
	}
	if o.ctx.Err() == nil && status.Code(err) == codes.Canceled && len(status.Convert(err).Details()) == 0 {
		// Nobody gave up: the connection was closed under the call because the process is gone.
		return unavailable(id).Because(err)
	}
	return fromWire(id, err)
}

// overdue tells whether the deadline of a call is over, also while the host's own timer has not rung yet: a plugin hears of
// the deadline from a timer of its own, and on a busy machine what it says to that may come first.
func overdue(ctx context.Context) bool {
	deadline, has := ctx.Deadline()
	return has && !time.Now().Before(deadline)
}

// callContext tells the plugin who acts. It is news, not proof: the token is.
func (h *Host) callContext(a authority) *pluginpb.CallContext {
	return &pluginpb.CallContext{
		Actor: &pluginpb.Actor{
			AccountId: max(a.actor.AccountID, 0), SpaceId: a.actor.SpaceID, Name: a.actor.Name, Space: a.actor.Space,
			SpaceKind: string(a.actor.SpaceKind), Role: a.actor.Role, System: a.system(),
		},
		NowMs: h.options.Clock.Now().UnixMilli(), RequestId: a.requestID, Frame: a.frame, Prefix: a.prefix, Caller: a.caller,
	}
}
