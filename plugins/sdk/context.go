package sdk

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"

	"minifleet/plugins/sdk/pluginpb"
)

// Frames a page may be shown in.
const (
	FramePortal = "portal"
	FrameAdmin  = "admin"
	FrameAPI    = "api"
)

// Metadata keys of the wire; see plugin.proto.
const (
	MetadataToken      = "minifleet-token"
	MetadataDelegation = "minifleet-delegation"
	// MetadataTrace is W3C's traceparent: what the host sends comes back with every callback, so that a trace goes on.
	MetadataTrace = "traceparent"
)

// ActorInfo is who acts in this call. All zero: a visitor without login.
type ActorInfo struct {
	AccountID int64
	SpaceID   int64
	Name      string // of the account
	Space     string // name of the space
	SpaceKind string // "personal" "merchant" "platform"
	Role      string
	System    bool // an event or a job
}

// scope is what travels in a context: the call and the way back to the host.
type scope struct {
	token      string
	call       *pluginpb.CallContext
	delegation int64
	trace      string // traceparent of the host's call, "" when it is not traced
	host       pluginpb.HostClient
	log        *slog.Logger
	began      time.Time // wall time at which call.NowMs was true
}

type scopeKey struct{}

// incoming builds the call's context from what came with a request.
func incoming(ctx context.Context, request any, host pluginpb.HostClient, log *slog.Logger) (context.Context, error) {
	call, err := pluginpb.CallOf(ctx, request)
	if err != nil {
		return nil, (&Error{Kind: KindInternal, Code: "wire.call", Message: "调用信息无法解析"}).Because(err)
	}
	return context.WithValue(ctx, scopeKey{}, scope{
		token: call.GetToken(), call: call, delegation: call.GetDelegation(), trace: received(ctx, MetadataTrace), host: host, log: log, began: time.Now(),
	}), nil
}

// received is a value of the metadata, "" unless it stands there once.
func received(ctx context.Context, name string) string {
	values := metadata.ValueFromIncomingContext(ctx, name)
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

func scopeOf(ctx context.Context) scope {
	found, _ := ctx.Value(scopeKey{}).(scope)
	if found.call == nil {
		found.call = &pluginpb.CallContext{}
	}
	return found
}

// outgoing is the context for a call to the host and the client to make it
// with. It appends to metadata that is already there.
func outgoing(ctx context.Context) (context.Context, pluginpb.HostClient, error) {
	current := scopeOf(ctx)
	if current.host == nil {
		return nil, nil, &Error{Kind: KindInternal, Code: "sdk.no_call", Message: "这里不在一次平台调用之内"}
	}
	pairs := []string{MetadataToken, current.token}
	if current.delegation != 0 {
		pairs = append(pairs, MetadataDelegation, strconv.FormatInt(current.delegation, 10))
	}
	if current.trace != "" {
		pairs = append(pairs, MetadataTrace, current.trace)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...), current.host, nil
}

// Actor tells who acts in this call.
func Actor(ctx context.Context) ActorInfo {
	actor := scopeOf(ctx).call.GetActor()
	return ActorInfo{
		AccountID: actor.GetAccountId(), SpaceID: actor.GetSpaceId(), Name: actor.GetName(), Space: actor.GetSpace(),
		SpaceKind: actor.GetSpaceKind(), Role: actor.GetRole(), System: actor.GetSystem(),
	}
}

// Caller is the id of the plugin that called this operation, "" elsewhere.
func Caller(ctx context.Context) string { return scopeOf(ctx).call.GetCaller() }

// Frame tells where a page will be shown: FramePortal, FrameAdmin or FrameAPI.
func Frame(ctx context.Context) string { return scopeOf(ctx).call.GetFrame() }

// Path makes a complete address from one below the plugin's prefix, for links,
// forms and redirects: in the back office Path(ctx, "/drafts") is
// /admin/p/version/drafts.
func Path(ctx context.Context, below string) string {
	prefix := strings.TrimSuffix(scopeOf(ctx).call.GetPrefix(), "/")
	if below == "" || below == "/" {
		if prefix == "" {
			return "/"
		}
		return prefix
	}
	return prefix + "/" + strings.TrimPrefix(below, "/")
}

// RequestID is the id shown on error pages and written in logs.
func RequestID(ctx context.Context) string { return scopeOf(ctx).call.GetRequestId() }

// Now is the platform's clock. In the demo it follows the
// simulator's clock; never use time.Now for anything that is stored or shown.
func Now(ctx context.Context) time.Time {
	current := scopeOf(ctx)
	if at := current.call.GetNowMs(); at != 0 {
		return time.UnixMilli(at).Add(time.Since(current.began))
	}
	return time.Now()
}

// Log is the plugin's logger with the request id. Never log tokens or personal
// data.
func Log(ctx context.Context) *slog.Logger {
	current := scopeOf(ctx)
	if current.log == nil {
		return slog.Default()
	}
	return current.log.With("request_id", current.call.GetRequestId())
}
