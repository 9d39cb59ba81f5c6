package lane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// room is how many bytes of calls that are not answered yet a lane holds, and
// callsMost how many of them, given up or not. With a frame that gives it up for
// each, which the kernel counts as at least 768 bytes, they are less than a socket
// takes (208 KiB): sending does not wait for a plugin that is slow to read. What
// finds no room has a stream of its own, where only itself waits.
const (
	room      = 32 << 10
	callsMost = 80
)

// sendMost is how long sending may take nonetheless. A plugin that answers what
// it has not read could make it wait for ever: it loses the lane.
const sendMost = time.Second

// buffered is how much is read at once.
const buffered = 32 << 10

var errFull = errors.New("lane: no room")

// errUnasked ends a lane whose other end answered a call that nobody made.
var errUnasked = errors.New("lane: an answer to no call")

// Conn is a connection whose unary calls go over a lane where they can. It
// looks at no grpc.CallOption of those.
type Conn struct {
	grpc.ClientConnInterface
	raw     net.Conn
	most    int
	ready   chan struct{} // closed when the other end has taken the lane up
	secure  net.Conn      // from then on
	sending chan struct{} // holds one while something is written

	mu     sync.Mutex
	last   uint64
	used   int
	calls  map[uint64]*call
	ended  error // what every further call gets
	cause  error // why this end closed it
	closed bool
}

// call is one that is not answered yet.
type call struct {
	answer chan *frame // one, or closed with the lane
	weight int
}

// Open offers a lane to the other end of raw, and gives connection with it. Calls
// go over connection itself until the lane is taken up, and for ever where it is
// not. An answer has at most most bytes. ended is told once when a lane that was
// taken up ends, or could not be made secure, but not after Close.
func Open(raw net.Conn, key Key, connection grpc.ClientConnInterface, most int, ended func(error)) *Conn {
	c := &Conn{
		ClientConnInterface: connection, raw: raw, most: most, ready: make(chan struct{}), sending: make(chan struct{}, 1), calls: map[uint64]*call{},
	}
	go func() {
		if err := c.run(key); err != nil && !c.isClosed() {
			ended(err)
		}
	}()
	return c
}

// Close ends the lane; it ends nothing of the connection.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	if err := c.raw.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil // it had ended
}

// cut ends the lane, for a reason.
func (c *Conn) cut(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
	}
	_ = c.raw.Close() // it may have ended already
}

func (c *Conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Ready is closed when the lane is taken up.
func (c *Conn) Ready() <-chan struct{} { return c.ready }

func (c *Conn) run(key Key) (err error) {
	if c.secure, err = dial(c.raw, key); err != nil {
		if gone(err) {
			return nil // the other end does without
		}
		return err
	}
	close(c.ready)
	c.cut(c.read(bufio.NewReaderSize(c.secure, buffered)))
	return c.finish()
}

// read takes answers until the lane ends.
func (c *Conn) read(from *bufio.Reader) error {
	for {
		answer := &frame{answers: true}
		if err := answer.read(from, c.most); err != nil {
			return fmt.Errorf("lane: read an answer: %w", err)
		}
		if !c.arrived(answer) {
			return errUnasked
		}
	}
}

// arrived hands an answer to its caller, if there is one still, and tells
// whether the call was ever made.
func (c *Conn) arrived(answer *frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.calls[answer.id]
	if one == nil {
		return false
	}
	c.forget(answer.id)
	one.answer <- answer
	return true
}

// forget is called with mu held.
func (c *Conn) forget(id uint64) {
	c.used -= c.calls[id].weight
	delete(c.calls, id)
}

// finish fails every call, now and later, and tells why.
func (c *Conn) finish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = grpcstatus.Errorf(codes.Unavailable, "the lane of calls has ended: %v", c.cause)
	for id, one := range c.calls {
		c.forget(id)
		close(one.answer)
	}
	return c.cause
}

// begin gives a call its id. errFull says that it needs a stream of its own.
func (c *Conn) begin(ask *frame, message int) (*call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return nil, c.ended
	}
	weight := ask.weight(message)
	if c.used+weight > room || len(c.calls) == callsMost {
		return nil, errFull
	}
	c.last++
	c.used += weight
	ask.id = c.last
	one := &call{answer: make(chan *frame, 1), weight: weight}
	c.calls[ask.id] = one
	return one, nil
}

// unmake forgets a call that was never sent.
func (c *Conn) unmake(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[id] != nil {
		c.forget(id)
	}
}

// Invoke makes a unary call, with what gRPC's own would give in every case.
func (c *Conn) Invoke(ctx context.Context, method string, request, answer any, options ...grpc.CallOption) error {
	asked, isMessage := request.(proto.Message)
	answered, isAnswer := answer.(proto.Message)
	if !c.up() || !isMessage || !isAnswer {
		return c.ClientConnInterface.Invoke(ctx, method, request, answer, options...)
	}
	ask := &frame{method: method}
	if deadline, has := ctx.Deadline(); has {
		ask.timeout = max(time.Until(deadline), time.Microsecond)
	}
	if err := ctx.Err(); err != nil {
		return grpcstatus.FromContextError(err).Err()
	}
	if given, has := metadata.FromOutgoingContext(ctx); has {
		for name, values := range given {
			for _, value := range values {
				ask.metadata = append(ask.metadata, name, value)
			}
		}
	}
	size := proto.Size(asked)
	one, err := c.begin(ask, size)
	if errors.Is(err, errFull) {
		return c.ClientConnInterface.Invoke(ctx, method, request, answer, options...)
	}
	if err != nil {
		return err
	}
	whole, err := ask.seal(asked, size)
	if err != nil {
		c.unmake(ask.id)
		return grpcstatus.Errorf(codes.Internal, "lane: write a request: %v", err)
	}
	select {
	case c.sending <- struct{}{}:
		c.send(whole)
	case <-ctx.Done():
		whole.put()
		c.unmake(ask.id)
		return grpcstatus.FromContextError(ctx.Err()).Err()
	}
	select {
	case got, has := <-one.answer:
		if !has {
			return c.why()
		}
		return got.into(answered)
	case <-ctx.Done():
		// It keeps its room until the plugin has answered it all the same, so there are few of these.
		go func() {
			c.sending <- struct{}{}
			c.send((&frame{id: ask.id, cancel: true}).bare())
		}()
		return grpcstatus.FromContextError(ctx.Err()).Err()
	}
}

// up tells whether the lane is taken up.
func (c *Conn) up() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// send is called by the one who sends.
func (c *Conn) send(whole sealed) {
	defer func() { <-c.sending }()
	defer whole.put()
	err := c.secure.SetWriteDeadline(time.Now().Add(sendMost))
	if err == nil {
		_, err = c.secure.Write(*whole.bytes)
	}
	if err == nil {
		err = c.secure.SetWriteDeadline(time.Time{}) // TLS itself may have to write, when it reads
	}
	if err != nil {
		c.cut(fmt.Errorf("lane: send: %w", err)) // read hears of it, and tells all callers
	}
}

func (c *Conn) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// into reads an answer.
func (f *frame) into(answer proto.Message) error {
	defer f.free()
	if len(f.status) == 0 {
		if err := proto.Unmarshal(f.message, answer); err != nil {
			return grpcstatus.Errorf(codes.Internal, "lane: read an answer: %v", err)
		}
		return nil
	}
	var failed status.Status
	if err := proto.Unmarshal(f.status, &failed); err != nil || failed.GetCode() == int32(codes.OK) {
		return grpcstatus.Error(codes.Internal, "lane: a call failed without a reason")
	}
	return grpcstatus.FromProto(&failed).Err()
}
