package lane_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"minifleet/plugins/sdk/lane"
	"minifleet/plugins/sdk/pluginpb"
)

// liar takes a lane up and answers as it is told to.
func liar(answer func(*pluginpb.Frame, liarsEnd) error) func(net.Conn, string) {
	return func(conn net.Conn, host string) {
		defer func() { _ = conn.Close() }()
		secure, err := lane.Accept(conn, host)
		end := liarsEnd{secure}
		for err == nil {
			var asked *pluginpb.Frame
			if asked, err = end.recv(); err == nil {
				err = answer(asked, end)
			}
		}
	}
}

// liarsEnd writes and reads frames by what the schema says.
type liarsEnd struct{ conn net.Conn }

func (l liarsEnd) send(f *pluginpb.Frame) error {
	b, err := proto.Marshal(f)
	if err == nil {
		_, err = l.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	}
	return err
}

func (l liarsEnd) recv() (*pluginpb.Frame, error) {
	length := make([]byte, 4)
	if _, err := io.ReadFull(l.conn, length); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(length))
	if _, err := io.ReadFull(l.conn, b); err != nil {
		return nil, err
	}
	f := &pluginpb.Frame{}
	return f, proto.Unmarshal(b, f)
}

var errEnough = errors.New("enough")

func TestAPluginThatLiesOnItsLane(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*pluginpb.Frame, liarsEnd) error
		code   codes.Code
		ends   bool
	}{
		"no reason": {func(f *pluginpb.Frame, l liarsEnd) error {
			return l.send(&pluginpb.Frame{Id: f.GetId(), Status: []byte{8, 0}})
		}, codes.Internal, false},
		"no status": {func(f *pluginpb.Frame, l liarsEnd) error {
			return l.send(&pluginpb.Frame{Id: f.GetId(), Status: []byte{255}})
		}, codes.Internal, false},
		"no message": {func(f *pluginpb.Frame, l liarsEnd) error {
			return l.send(&pluginpb.Frame{Id: f.GetId(), Message: []byte{255}})
		}, codes.Internal, false},
		"a call": {func(f *pluginpb.Frame, l liarsEnd) error {
			return l.send(&pluginpb.Frame{Id: f.GetId(), Metadata: []string{"", ""}})
		}, codes.Unavailable, true},
		"another's answer": {func(_ *pluginpb.Frame, l liarsEnd) error { return l.send(&pluginpb.Frame{Id: 77}) }, codes.Unavailable, true},
		"one answer twice": {func(f *pluginpb.Frame, l liarsEnd) error {
			return errors.Join(l.send(&pluginpb.Frame{Id: f.GetId()}), l.send(&pluginpb.Frame{Id: f.GetId()}))
		}, codes.OK, true},
		"a giant": {func(f *pluginpb.Frame, l liarsEnd) error {
			return l.send(&pluginpb.Frame{Id: f.GetId(), Message: make([]byte, 2*most)})
		}, codes.Unavailable, true},
		"no frame": {func(_ *pluginpb.Frame, l liarsEnd) error {
			_, err := l.conn.Write([]byte{0, 0, 0, 2, 255, 255})
			return err
		}, codes.Unavailable, true},
		"the end": {func(*pluginpb.Frame, liarsEnd) error { return errEnough }, codes.Unavailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &served{}
			s.dial(t, nil, func(*grpc.Server) {}, liar(c.answer))
			<-s.conn.Ready()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if _, err := s.client.Rows(ctx, &pluginpb.RowsRequest{}); status.Code(err) != c.code {
				t.Errorf("%v", err)
			}
			if !c.ends {
				return
			}
			select {
			case <-s.ended:
			case <-ctx.Done():
				t.Fatal("the lane goes on")
			}
			if _, err := s.client.Rows(ctx, &pluginpb.RowsRequest{}); status.Code(err) != codes.Unavailable {
				t.Errorf("then: %v", err)
			}
		})
	}
}

// A plugin that is stopped for a while, or starved, costs each caller its own deadline and is not ended for it.
func TestAPluginThatDoesNotReadForAWhileKeepsItsLane(t *testing.T) {
	wake := make(chan struct{})
	s := &served{}
	service := rows{answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) { return text("x"), nil }}
	s.dial(t, count(&s.own), func(server *grpc.Server) { pluginpb.RegisterPluginServer(server, service) }, func(conn net.Conn, host string) {
		secure, err := lane.Accept(conn, host)
		if err == nil {
			<-wake
			err = lane.Serve(secure, &pluginpb.Plugin_ServiceDesc, service, count(&s.byLane), most)
		}
		if err != nil {
			t.Errorf("the lane: %v", err)
		}
	})
	<-s.conn.Ready()
	var group sync.WaitGroup
	for i := range 400 {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := s.client.Rows(ctx, &pluginpb.RowsRequest{Search: strings.Repeat("x", i)})
			if took := time.Since(began); err != nil && status.Code(err) != codes.DeadlineExceeded || took > 3*time.Second { // a lane that waits ends, which the code tells
				t.Errorf("%v after %s", err, took)
			}
		})
	}
	group.Wait()
	close(wake)
	for end := time.Now().Add(10 * time.Second); s.byLane.Load() == 0; {
		if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{}); err != nil || time.Now().After(end) {
			t.Fatalf("the lane is not used again, %v", err)
		}
	}
}

// A plugin that reads nothing and answers all the same, since it can guess the calls' numbers, gets back for itself the room that
// keeps sending from waiting.
func TestNobodyWaitsForAPluginThatAnswersWhatItHasNotRead(t *testing.T) {
	answer := make(chan uint64, 100)
	s := &served{}
	s.dial(t, nil, func(*grpc.Server) {}, func(conn net.Conn, host string) {
		secure, err := lane.Accept(conn, host)
		for err == nil {
			select {
			case id := <-answer:
				err = liarsEnd{secure}.send(&pluginpb.Frame{Id: id})
			case <-t.Context().Done():
				return
			}
		}
	})
	<-s.conn.Ready()
	const deadline = 300 * time.Millisecond
	ask := func() (time.Duration, error) {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		began := time.Now()
		_, err := s.client.Rows(ctx, &pluginpb.RowsRequest{Search: strings.Repeat("x", 30<<10)})
		return time.Since(began), err
	}
	for id := uint64(1); ; id++ { // until the sockets are full
		time.AfterFunc(20*time.Millisecond, func() { answer <- id }) // the number of the call that is made now
		if _, err := ask(); err != nil {
			break
		}
		if id == 100 {
			t.Fatal("4 MiB went into a connection that nobody reads")
		}
	}
	var group sync.WaitGroup
	for range 5 { // one of them sends, the others wait for their turn
		group.Go(func() {
			if took, err := ask(); err == nil || took > deadline+3*time.Second {
				t.Errorf("%v after %s", err, took)
			}
		})
	}
	group.Wait()
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		t.Error("the lane goes on")
	}
}

// What a host of another make might say wrong ends the lane rather than a call of somebody else.
func TestACallThatRunsIsNotBegunAgain(t *testing.T) {
	inside := make(chan struct{}, 2)
	service := rows{answer: func(ctx context.Context, _ *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		inside <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	ours, theirs := pair(t)
	ended := make(chan error, 1)
	go func() { ended <- lane.Serve(theirs, &pluginpb.Plugin_ServiceDesc, service, nil, most) }()
	host := liarsEnd{ours}
	for _, f := range []*pluginpb.Frame{{Id: 9, Cancel: true}, {Id: 1, Method: "/nobody/Knows"}, {Id: 2, Method: pluginpb.Plugin_Rows_FullMethodName, Message: []byte{255}}} {
		if err := host.send(f); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if answer, err := host.recv(); err != nil || len(answer.GetStatus()) == 0 {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	for range 2 {
		if err := host.send(&pluginpb.Frame{Id: 3, Method: pluginpb.Plugin_Rows_FullMethodName}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "call 3 runs") {
		t.Errorf("%v", err)
	}
	<-inside
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
}
