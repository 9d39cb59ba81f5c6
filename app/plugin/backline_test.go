package plugin

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"minifleet/plugins/sdk/pluginpb"
)

// theirEnd is a backline and the child's end of it.
func theirEnd(t *testing.T, options ...grpc.ServerOption) (*backline, net.Conn) {
	t.Helper()
	ours, file, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBackline(ours)
	b.serve(pluginpb.UnimplementedHostServer{}, options...)
	t.Cleanup(func() { b.close(); _ = theirs.Close() })
	return b, theirs
}

func TestAPluginMayTakeItsTimeBeforeItCallsTheHost(t *testing.T) {
	b, theirs := theirEnd(t, grpc.ConnectionTimeout(20*time.Millisecond)) // what the house sets comes after it
	select {
	case <-b.gone:
		t.Fatal("a plugin that has not called yet is cut off")
	case <-time.After(300 * time.Millisecond):
	}
	connection, err := grpc.NewClient("passthrough:///host", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return theirs, nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err := pluginpb.NewHostClient(connection).Find(t.Context(), &pluginpb.FindRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("its first call answers %v", err)
	}
}

func TestTheHostHearsThatAPluginHungUp(t *testing.T) {
	b, theirs := theirEnd(t)
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.gone:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody noticed")
	}
}

func TestABacklineThatWasClosedServesNobody(t *testing.T) {
	ours, file, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	b := newBackline(ours)
	b.close()
	b.serve(pluginpb.UnimplementedHostServer{})
	select {
	case <-b.gone:
	default:
		t.Error("it is not gone")
	}
	if n, err := file.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the other end reads %d, %v", n, err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
