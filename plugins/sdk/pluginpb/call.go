package pluginpb

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// A call's context travels inside the request. As metadata, whose values are new with every call, it would be compressed
// and entered into HTTP/2's tables on both sides each time, which cost a call to a plugin a tenth of its CPU. A stream,
// which has no request of its own, has it as metadata.

// metadataCall is the CallContext of a stream.
const metadataCall = "minifleet-call-bin"

type callKey struct{}

// WithCall gives every request that is made with ctx on a Calling connection the context of a call.
func WithCall(ctx context.Context, call *CallContext) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// Calling is a connection to a plugin whose requests carry what WithCall gave.
func Calling(c grpc.ClientConnInterface) grpc.ClientConnInterface { return calling{c} }

type calling struct{ grpc.ClientConnInterface }

// called is a request that has room for a CallContext.
type called interface {
	GetCall() *CallContext
	setCall(*CallContext)
}

func (c calling) Invoke(ctx context.Context, method string, request, answer any, options ...grpc.CallOption) error {
	if call, is := ctx.Value(callKey{}).(*CallContext); is {
		message, has := request.(called)
		if !has {
			return fmt.Errorf("%T has no room for a call's context", request)
		}
		message.setCall(call)
	}
	return c.ClientConnInterface.Invoke(ctx, method, request, answer, options...)
}

func (c calling) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	if call, is := ctx.Value(callKey{}).(*CallContext); is {
		encoded, err := proto.Marshal(call)
		if err != nil {
			return nil, fmt.Errorf("encode call: %w", err)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, metadataCall, string(encoded))
	}
	return c.ClientConnInterface.NewStream(ctx, desc, method, options...)
}

// CallOf is the context of a call on the plugin's side; request is nil for a stream. It is empty, not nil, for one without.
func CallOf(ctx context.Context, request any) (*CallContext, error) {
	if message, has := request.(called); has {
		if call := message.GetCall(); call != nil {
			return call, nil
		}
		return &CallContext{}, nil
	}
	call := &CallContext{}
	if raw := metadata.ValueFromIncomingContext(ctx, metadataCall); len(raw) == 1 {
		if err := proto.Unmarshal([]byte(raw[0]), call); err != nil {
			return nil, fmt.Errorf("decode call: %w", err)
		}
	}
	return call, nil
}

func (x *RowsRequest) setCall(c *CallContext)    { x.Call = c }
func (x *RowRequest) setCall(c *CallContext)     { x.Call = c }
func (x *SaveRequest) setCall(c *CallContext)    { x.Call = c }
func (x *RemoveRequest) setCall(c *CallContext)  { x.Call = c }
func (x *ActRequest) setCall(c *CallContext)     { x.Call = c }
func (x *HTTPRequest) setCall(c *CallContext)    { x.Call = c }
func (x *Event) setCall(c *CallContext)          { x.Call = c }
func (x *RunJobRequest) setCall(c *CallContext)  { x.Call = c }
func (x *OperateRequest) setCall(c *CallContext) { x.Call = c }
