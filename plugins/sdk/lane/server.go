package lane

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// workers answer calls on stacks that have grown already; more calls at once
// than these have goroutines of their own.
const workers = 8

// Serve answers calls of one gRPC service on a connection that Accept gave, until
// it ends, closes it, and returns after the last handler; their contexts end
// with it. intercept may be nil. An answer of more than most bytes is refused, to
// its caller alone.
func Serve(conn net.Conn, desc *grpc.ServiceDesc, service any, intercept grpc.UnaryServerInterceptor, most int) error {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{
		conn: conn, service: service, methods: make(map[string]grpc.MethodHandler, len(desc.Methods)), intercept: intercept, most: most,
		ctx: ctx, running: map[uint64]context.CancelFunc{},
	}
	for _, method := range desc.Methods {
		s.methods["/"+desc.ServiceName+"/"+method.MethodName] = method.Handler
	}
	next := make(chan *started)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for call := range next {
				s.answer(call)
			}
		})
	}
	defer group.Wait()
	defer func() { _ = conn.Close() }() // the other end may have
	defer close(next)
	defer cancel()
	for from := bufio.NewReaderSize(conn, buffered); ; {
		asked := &frame{}
		if err := asked.read(from, most); gone(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("lane: read a call: %w", err)
		}
		if asked.cancel {
			s.giveUp(asked.id)
			asked.free()
			continue
		}
		call, err := s.start(asked)
		if err != nil {
			return err
		}
		select {
		case next <- call:
		default:
			group.Go(func() { s.answer(call) })
		}
	}
}

// server is one lane.
type server struct {
	conn      net.Conn
	service   any
	methods   map[string]grpc.MethodHandler
	intercept grpc.UnaryServerInterceptor
	most      int
	ctx       context.Context
	sending   sync.Mutex

	mu      sync.Mutex
	running map[uint64]context.CancelFunc
}

// started is one call.
type started struct {
	*frame
	ctx    context.Context
	cancel context.CancelFunc
}

// start makes the context of a call before the next frame is read, which may
// give it up.
func (s *server) start(asked *frame) (*started, error) {
	ctx, cancel := s.ctx, context.CancelFunc(nil)
	if asked.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, asked.timeout)
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	given := metadata.MD{}
	for texts := asked.metadata; len(texts) > 1; texts = texts[2:] {
		given.Append(texts[0], texts[1])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[asked.id] != nil {
		cancel()
		return nil, fmt.Errorf("lane: call %d runs already", asked.id)
	}
	s.running[asked.id] = cancel
	return &started{asked, metadata.NewIncomingContext(ctx, given), cancel}, nil
}

func (s *server) giveUp(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil { // else it was just answered
		cancel()
	}
}

// answer runs a call's handler and sends what it gives.
func (s *server) answer(call *started) {
	var result any
	err := status.Error(codes.Internal, "lane: the handler ended its goroutine")
	defer func() {
		if cause := recover(); cause != nil {
			panic(cause) // as a handler of gRPC's own: it ends the process
		}
		call.free()
		call.cancel()
		s.mu.Lock()
		delete(s.running, call.id)
		s.mu.Unlock()
		whole := s.pack(call.id, result, err)
		s.sending.Lock()
		defer s.sending.Unlock()
		_, _ = s.conn.Write(*whole.bytes) // fails where the lane has ended, which Serve hears from reading
		whole.put()
	}()
	result, err = s.handle(call)
}

func (s *server) handle(call *started) (any, error) {
	handle := s.methods[call.method]
	if handle == nil {
		return nil, status.Errorf(codes.Unimplemented, "lane: no method %q", strings.ToValidUTF8(call.method, "?"))
	}
	return handle(s.service, call.ctx, func(request any) error {
		message, is := request.(proto.Message)
		if !is {
			return status.Errorf(codes.Internal, "lane: a request of type %T", request)
		}
		if err := proto.Unmarshal(call.message, message); err != nil {
			return status.Errorf(codes.Internal, "lane: read a request: %v", err)
		}
		return nil
	}, s.intercept)
}

// pack makes the frame of a result, or that of its failure.
func (s *server) pack(id uint64, result any, failure error) sealed {
	if failure == nil {
		whole, err := s.packed(id, result)
		if err == nil {
			return whole
		}
		failure = err
	}
	said, isStatus := status.FromError(failure)
	if !isStatus {
		said = status.FromContextError(failure)
	}
	told := said.Proto()
	told.Message = strings.ToValidUTF8(told.GetMessage(), "\uFFFD") // as HTTP/2's headers would bring it
	answer := &frame{id: id}
	var err error
	if answer.status, err = proto.Marshal(told); err != nil || len(answer.status) > statusMost {
		answer.status = unsaid(said.Code())
	}
	return answer.bare()
}

// unsaid is a status without what could not be sent.
func unsaid(code codes.Code) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "lane: what it said could not be sent")
}

func (s *server) packed(id uint64, result any) (sealed, error) {
	message, is := result.(proto.Message)
	if !is {
		return sealed{}, status.Errorf(codes.Internal, "lane: an answer of type %T", result)
	}
	answer, size := &frame{id: id}, proto.Size(message)
	if answer.weight(size) > s.most {
		return sealed{}, status.Errorf(codes.ResourceExhausted, "lane: an answer of %d bytes, of at most %d", size, s.most)
	}
	whole, err := answer.seal(message, size)
	if err != nil {
		return sealed{}, status.Errorf(codes.Internal, "lane: write an answer: %v", err)
	}
	return whole, nil
}
