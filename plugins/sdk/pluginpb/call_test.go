package pluginpb

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// wireTap is a connection that keeps what would be sent.
type wireTap struct {
	request any
	sent    metadata.MD
}

func (w *wireTap) Invoke(ctx context.Context, _ string, request, _ any, _ ...grpc.CallOption) error {
	w.request = request
	w.sent, _ = metadata.FromOutgoingContext(ctx)
	return nil
}

var errNoStream = errors.New("no stream here")

func (w *wireTap) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	w.sent, _ = metadata.FromOutgoingContext(ctx)
	return nil, errNoStream
}

func TestACallsContextArrives(t *testing.T) {
	tap := &wireTap{}
	client := NewPluginClient(Calling(tap))
	call := &CallContext{Token: "token", RequestId: "r1", Actor: &Actor{AccountId: 7, Name: "店主"}}
	ctx := WithCall(t.Context(), call)
	if _, err := client.Rows(ctx, &RowsRequest{Table: "rows"}); err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(tap.request.(*RowsRequest))
	if err != nil {
		t.Fatal(err)
	}
	var arrived RowsRequest
	if err := proto.Unmarshal(raw, &arrived); err != nil {
		t.Fatal(err)
	}
	if got, err := CallOf(t.Context(), &arrived); err != nil || !proto.Equal(got, call) || len(tap.sent) != 0 {
		t.Errorf("a request brings %v, %v and metadata %v", got, err, tap.sent)
	}
	if _, err := client.StreamHTTP(ctx); !errors.Is(err, errNoStream) {
		t.Fatal(err)
	}
	if got, err := CallOf(metadata.NewIncomingContext(t.Context(), tap.sent), nil); err != nil || !proto.Equal(got, call) {
		t.Errorf("a stream brings %v, %v", got, err)
	}
	if got, err := CallOf(t.Context(), &RowsRequest{}); err != nil || got.GetToken() != "" {
		t.Errorf("a request without one brings %v, %v", got, err)
	}
	if _, err := CallOf(metadata.NewIncomingContext(t.Context(), metadata.Pairs(metadataCall, "\xff")), nil); err == nil {
		t.Error("what is no context is taken for one")
	}
	if _, err := client.Describe(ctx, &DescribeRequest{}); err == nil {
		t.Error("a request without room for it lost its context in silence")
	}
}

// TestEveryCallHasRoomForItsContext: a new call of the service would be refused at its first use; this says so before.
func TestEveryCallHasRoomForItsContext(t *testing.T) {
	bare := map[protoreflect.Name]bool{"Describe": true, "Configure": true} // no person and no token
	methods := File_minifleet_plugin_v1_plugin_proto.Services().ByName("Plugin").Methods()
	for i := range methods.Len() {
		m := methods.Get(i)
		kind, ok := proto.Message(nil), false
		for _, one := range []proto.Message{&RowsRequest{}, &RowRequest{}, &SaveRequest{}, &RemoveRequest{}, &ActRequest{}, &HTTPRequest{}, &Event{}, &RunJobRequest{}, &OperateRequest{}} {
			if one.ProtoReflect().Descriptor().FullName() == m.Input().FullName() {
				kind, ok = one, true
			}
		}
		if _, room := kind.(called); !bare[m.Name()] && !m.IsStreamingClient() && (!ok || !room) {
			t.Errorf("%s has no room for a call's context", m.Name())
		}
	}
}
