package lane_test

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"minifleet/plugins/sdk/lane"
	"minifleet/plugins/sdk/pluginpb"
)

const most = 1 << 20

// rows is a service of one method.
type rows struct {
	pluginpb.UnimplementedPluginServer
	answer func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error)
}

func (r rows) Rows(ctx context.Context, request *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
	return r.answer(ctx, request)
}

func text(s string) *pluginpb.RowsResponse {
	return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Text: []byte(s)}}
}

// served is a service behind a connection.
type served struct {
	client      pluginpb.PluginClient
	conn        *lane.Conn
	byLane, own atomic.Int64 // calls that came in
	stop        func()
	ended       chan error
}

func count(n *atomic.Int64) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		n.Add(1)
		return next(ctx, request)
	}
}

func serve(t *testing.T, service pluginpb.PluginServer, laned bool) *served {
	t.Helper()
	s := &served{}
	s.dial(t, count(&s.own), func(server *grpc.Server) { pluginpb.RegisterPluginServer(server, service) }, func(conn net.Conn, host string) {
		if !laned {
			return
		}
		secure, err := lane.Accept(conn, host)
		if err == nil {
			err = lane.Serve(secure, &pluginpb.Plugin_ServiceDesc, service, count(&s.byLane), most)
		}
		if err != nil {
			t.Errorf("the lane: %v", err)
		}
	})
	if laned {
		<-s.conn.Ready()
	}
	return s
}

// dial connects with a server and with what another end does with its lane.
func (s *served) dial(t *testing.T, intercept grpc.UnaryServerInterceptor, register func(*grpc.Server), other func(net.Conn, string)) {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(grpc.UnaryInterceptor(intercept), grpc.MaxRecvMsgSize(most), grpc.MaxSendMsgSize(most))
	register(server)
	var group sync.WaitGroup
	group.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	connection, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(most), grpc.MaxCallSendMsgSize(most)))
	if err != nil {
		t.Fatal(err)
	}
	key, err := lane.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := pair(t)
	group.Go(func() { other(theirs, key.Print()) })
	s.ended = make(chan error, 1)
	s.conn = lane.Open(ours, key, connection, most, func(err error) { s.ended <- err })
	s.client = pluginpb.NewPluginClient(s.conn)
	s.stop = sync.OnceFunc(func() {
		server.Stop()
		_ = theirs.Close() // it may be closed already
	})
	t.Cleanup(func() {
		if err := errors.Join(s.conn.Close(), connection.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
		s.stop()
		group.Wait()
	})
}

// pair is a pair of sockets, as host and plugin have it.
func pair(t *testing.T) (net.Conn, net.Conn) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for i, end := range ends {
		file := os.NewFile(uintptr(end), "lane")
		if conns[i], err = net.FileConn(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return conns[0], conns[1]
}

// A call by lane and one of its own cannot be told apart by who makes it, nor by who answers.
func TestACallIsTheSameOnALane(t *testing.T) {
	handlerEnded := make(chan error, 1)
	waits := func(ctx context.Context, _ *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		<-ctx.Done()
		handlerEnded <- ctx.Err()
		return nil, ctx.Err()
	}
	detailed, err := status.New(codes.NotFound, "gone").WithDetails(&pluginpb.Fault{Code: "row.gone", Message: "没有这一行"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer  func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error)
		ctx     func(context.Context) (context.Context, context.CancelFunc)
		request *pluginpb.RowsRequest
		code    codes.Code
		text    string
		detail  string
		handler error
	}{
		"an answer": {
			answer: func(_ context.Context, r *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return text("表 " + r.GetTable()), nil
			},
			text: "表 优惠券",
		},
		"metadata": {
			answer: func(ctx context.Context, _ *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return text(strings.Join(metadata.ValueFromIncomingContext(ctx, "traceparent"), ",")), nil
			},
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return metadata.AppendToOutgoingContext(ctx, "Traceparent", "00-1", "traceparent", "00-2"), func() {}
			},
			text: "00-1,00-2",
		},
		"a failure with details": {
			answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return nil, detailed.Err()
			},
			code: codes.NotFound, detail: "row.gone",
		},
		"a failure that is no status": {
			answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return nil, errors.New("坏\xff了")
			},
			code: codes.Unknown,
		},
		"a deadline": {
			answer: waits, code: codes.DeadlineExceeded, handler: context.DeadlineExceeded,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 20*time.Millisecond)
			},
		},
		"one that is over": {
			answer: waits, code: codes.DeadlineExceeded,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, -time.Second)
			},
		},
		"giving up": {
			answer: waits, code: codes.Canceled, handler: context.Canceled,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			},
		},
		"an answer too large": {
			answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return text(strings.Repeat("x", most)), nil
			},
			code: codes.ResourceExhausted,
		},
		"an answer nearly so": {
			answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return text(strings.Repeat("x", most-200)), nil
			},
			text: strings.Repeat("x", most-200),
		},
		"a large request": {
			answer: func(_ context.Context, r *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return text(r.GetSearch()[:3]), nil
			},
			request: &pluginpb.RowsRequest{Search: strings.Repeat("abc", 100_000)},
			text:    "abc",
		},
		"a request too large": {
			answer:  func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) { return text("no"), nil },
			request: &pluginpb.RowsRequest{Search: strings.Repeat("x", most)},
			code:    codes.ResourceExhausted,
		},
		"a request that is no text": {
			answer:  func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) { return text("no"), nil },
			request: &pluginpb.RowsRequest{Search: "\xff"},
			code:    codes.Internal,
		},
		"an answer that is no text": {
			answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
				return &pluginpb.RowsResponse{Next: "\xff"}, nil
			},
			code: codes.Internal,
		},
	} {
		for _, laned := range []bool{true, false} {
			way := map[bool]string{true: "by lane", false: "by itself"}[laned]
			t.Run(name+" "+way, func(t *testing.T) {
				s := serve(t, rows{answer: c.answer}, laned)
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if c.ctx != nil {
					ctx, cancel = c.ctx(ctx)
				}
				defer cancel()
				request := c.request
				if request == nil {
					request = &pluginpb.RowsRequest{Table: "优惠券"}
				}
				answer, err := s.client.Rows(ctx, request)
				if status.Code(err) != c.code || string(answer.GetRows().GetText()) != c.text {
					t.Fatalf("%.100q, %v", answer.GetRows().GetText(), err)
				}
				if details := status.Convert(err).Details(); c.detail != "" && (len(details) != 1 || details[0].(*pluginpb.Fault).GetCode() != c.detail) {
					t.Errorf("details %v", details)
				}
				if c.handler != nil {
					// The handler's own timer and the caller's giving up come at the same time.
					if got := <-handlerEnded; !errors.Is(got, c.handler) && (c.code != codes.DeadlineExceeded || !errors.Is(got, context.Canceled)) {
						t.Errorf("the handler ends with %v", got)
					}
				}
				// Whatever it was, the next call is served, by the way that it should take.
				if _, err := s.client.Describe(t.Context(), &pluginpb.DescribeRequest{}); status.Code(err) != codes.Unimplemented {
					t.Errorf("then: %v", err)
				}
				if byLane := s.byLane.Load() > 0; byLane != laned {
					t.Errorf("by lane: %v", byLane)
				}
			})
		}
	}
}

func TestCallsOfALaneRunBesideEachOther(t *testing.T) {
	const callers = 50
	var inside sync.WaitGroup
	inside.Add(callers)
	s := serve(t, rows{answer: func(_ context.Context, r *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		inside.Done()
		inside.Wait() // for all
		return text(r.GetTable()), nil
	}}, true)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			name := strings.Repeat("x", i)
			if answer, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{Table: name}); err != nil || string(answer.GetRows().GetText()) != name {
				t.Errorf("%q, %v where %q was asked", answer.GetRows().GetText(), err, name)
			}
		})
	}
	group.Wait()
	if s.byLane.Load() != callers || s.own.Load() != 0 {
		t.Errorf("%d by lane, %d by themselves", s.byLane.Load(), s.own.Load())
	}
}

// Sending on a lane must never wait for a plugin that does not answer: what has no room goes by itself. Calls that were given
// up hold their room until they are answered.
func TestALaneThatIsFullIsPassedBy(t *testing.T) {
	hold, started := make(chan struct{}), make(chan struct{}, 100)
	s := serve(t, rows{answer: func(_ context.Context, r *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		if r.GetTable() == "held" {
			started <- struct{}{}
			<-hold
		}
		return text("x"), nil
	}}, true)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	const kept, piece = 3, 10 << 10
	for range kept {
		group.Go(func() {
			if _, err := s.client.Rows(ctx, &pluginpb.RowsRequest{Table: "held", Search: strings.Repeat("x", piece)}); status.Code(err) != codes.Canceled {
				t.Errorf("held: %v", err)
			}
		})
		<-started
	}
	ask := func() (byLane bool) {
		t.Helper()
		lanes, own := s.byLane.Load(), s.own.Load()
		if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{Table: "x", Search: strings.Repeat("x", piece)}); err != nil {
			t.Fatal(err)
		}
		lanes, own = s.byLane.Load()-lanes, s.own.Load()-own
		if lanes+own != 1 {
			t.Fatalf("%d by lane, %d by itself", lanes, own)
		}
		return lanes == 1
	}
	if ask() {
		t.Error("a full lane takes a call")
	}
	cancel()
	group.Wait()
	if ask() {
		t.Error("calls that were given up but not answered give their room back")
	}
	close(hold)
	for end := time.Now().Add(10 * time.Second); !ask(); {
		if time.Now().After(end) {
			t.Fatal("the lane stays full")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestALaneEndsWithItsServer(t *testing.T) {
	inside := make(chan struct{})
	s := serve(t, rows{answer: func(ctx context.Context, _ *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		close(inside)
		<-ctx.Done()
		return nil, ctx.Err()
	}}, true)
	go func() {
		<-inside
		s.stop()
	}()
	if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("a call that was cut off ends with %v", err)
	}
	if err := <-s.ended; err == nil {
		t.Error("it ended for no reason")
	}
	if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("the next one: %v", err)
	}
}

func TestAnEndThatDoesNotTakeTheLaneUpIsCalledWithoutIt(t *testing.T) {
	service := rows{answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) { return text("x"), nil }}
	for name, other := range map[string]func(net.Conn, string){
		"closes it": func(conn net.Conn, _ string) { _ = conn.Close() },
		"is silent": func(net.Conn, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := &served{}
			s.dial(t, count(&s.own), func(server *grpc.Server) { pluginpb.RegisterPluginServer(server, service) }, other)
			for range 3 {
				if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{}); err != nil {
					t.Error(err)
				}
				time.Sleep(5 * time.Millisecond)
			}
			if s.own.Load() != 3 {
				t.Errorf("%d calls by themselves", s.own.Load())
			}
			select {
			case err := <-s.ended:
				t.Errorf("it ended: %v", err)
			default:
			}
		})
	}
}

func TestALaneIsForWhoItWasAnnouncedTo(t *testing.T) {
	refused := make(chan error, 1)
	s := &served{}
	s.dial(t, nil, func(*grpc.Server) {}, func(conn net.Conn, host string) {
		_, err := lane.Accept(conn, strings.Repeat("0", len(host)))
		refused <- errors.Join(err, conn.Close())
	})
	if err := <-refused; err == nil || !strings.Contains(err.Error(), "announced") {
		t.Errorf("another host's key: %v", err)
	}
	select {
	case <-s.ended: // the host has been told by an alert, or
	case <-time.After(5 * time.Second):
		t.Error("the host does not hear of it")
	}

	s = &served{}
	s.dial(t, nil, func(*grpc.Server) {}, func(conn net.Conn, _ string) { _, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	select {
	case err := <-s.ended:
		if err == nil {
			t.Error("it ended for no reason")
		}
	case <-time.After(5 * time.Second):
		t.Error("what is no TLS is waited for")
	}
}

func TestAHandlerThatEndsItsGoroutineIsAnswered(t *testing.T) {
	s := serve(t, rows{answer: func(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
		runtime.Goexit()
		return nil, nil
	}}, true)
	for range 20 { // more than have a worker
		if _, err := s.client.Rows(t.Context(), &pluginpb.RowsRequest{}); status.Code(err) != codes.Internal {
			t.Fatal(err)
		}
	}
	if s.byLane.Load() != 20 {
		t.Errorf("%d by lane", s.byLane.Load())
	}
}
