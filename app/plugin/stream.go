package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of streamed bodies. A route may ask for less, never for more.
const (
	chunkSent     = 64 << 10  // bytes of a request's body in one message
	streamWindow  = 1 << 20   // bytes of one stream on their way to the host
	chunkMost     = 256 << 10 // bytes that a plugin may put into one message
	streamMost    = 256 << 20 // bytes of a body, in either direction
	streamDefault = 30 * time.Second
	streamLongest = 15 * time.Minute
	// headTimeout is how long a plugin may take to begin its answer, whatever the whole may take.
	headTimeout = 30 * time.Second
	// Streams that are open at once: of one plugin on this replica, and of one person with one plugin. Visitors count as one
	// person with the share of four.
	streamsOfPlugin = 64
	streamsOfPerson = 8
)

// checkRoute looks at an address of a manifest: some are the host's own, and a stream has its bounds.
func checkRoute(route *Route) error {
	pattern := route.GetPattern()
	switch {
	case strings.HasPrefix(pattern, "/topics/") || strings.HasPrefix(pattern, "/assets/") && route.GetType() != "api":
		return fmt.Errorf("route %s %s: addresses below /topics and /assets are the host's", route.GetMethod(), pattern)
	case !route.GetStream() && (route.GetMaxBody() != 0 || route.GetTimeoutSeconds() != 0):
		return fmt.Errorf("route %s %s has bounds of a stream but is none", route.GetMethod(), route.GetPattern())
	case !route.GetStream():
		return nil
	case route.GetType() != "raw" && route.GetType() != "api":
		return fmt.Errorf("route %s %s: a %s cannot be a stream", route.GetMethod(), route.GetPattern(), route.GetType())
	case route.GetMaxBody() < 0 || route.GetMaxBody() > streamMost:
		return fmt.Errorf("route %s %s: a body of %d bytes is more than %d", route.GetMethod(), route.GetPattern(), route.GetMaxBody(), int64(streamMost))
	case route.GetTimeoutSeconds() < 0 || time.Duration(route.GetTimeoutSeconds())*time.Second > streamLongest:
		return fmt.Errorf("route %s %s: %d seconds are more than %s", route.GetMethod(), route.GetPattern(), route.GetTimeoutSeconds(), streamLongest)
	}
	return nil
}

// stoppable is a request's body whose reader can be made to give up; see Upload.
type stoppable interface {
	begin() // before another goroutine reads
	stop()
	drain()
}

// exchange is one open stream: its call token lives from begin to end.
type exchange struct {
	rpc    grpc.BidiStreamingClient[pluginpb.HTTPChunk, pluginpb.HTTPChunk]
	ctx    context.Context
	cancel context.CancelCauseFunc
	end    func() // ends the token and all that the stream holds; more than once is harmless
	plugin string
	upload stoppable     // stops a reader of the request's body; nil when nothing can
	pumped chan struct{} // closed when nothing reads the request's body any more
}

// stream carries a request to a plugin and gives the head of its answer; the body is read from Response.Stream, which the
// caller closes in any case. body is read as fast as the plugin takes it.
func (h *Host) stream(ctx context.Context, a authority, request Request, route *Route, body io.Reader) (Response, error) {
	most := cmp.Or(route.GetMaxBody(), int64(maxBody))
	if request.Length > most {
		return Response{}, bodyTooLarge(most)
	}
	leave, err := h.streams.enter(request.Plugin, a.actor)
	if err != nil {
		return Response{}, err
	}
	x, err := h.begin(ctx, a, request, route, leave)
	if err != nil {
		leave()
		return Response{}, err
	}
	slow := time.AfterFunc(headTimeout, func() {
		x.cancel(fault.New(fault.Unavailable, "plugin.slow", "插件没有及时回答，请稍后重试"))
	})
	wired := wireRequest(route, request)
	if request.Length > 0 {
		wired.Headers = append(wired.Headers, &pluginpb.Header{Name: "Content-Length", Values: []string{strconv.FormatInt(request.Length, 10)}})
	}
	if err := x.rpc.Send(&pluginpb.HTTPChunk{Request: wired}); err != nil && !errors.Is(err, io.EOF) { // what EOF means is what Recv says
		slow.Stop()
		close(x.pumped)
		return Response{}, x.fail(err)
	}
	if x.upload, _ = body.(stoppable); x.upload != nil {
		x.upload.begin()
	}
	go x.pump(body, most)
	first, err := x.rpc.Recv()
	if !slow.Stop() && err == nil {
		<-x.ctx.Done()
		err = context.Cause(x.ctx)
	}
	if err == nil && first.GetResponse() == nil {
		err = fmt.Errorf("plugin %s streams an answer without a head", request.Plugin)
	}
	if err != nil {
		return Response{}, x.fail(err)
	}
	response, err := respond(request.Plugin, route, first.GetResponse())
	if err != nil {
		return Response{}, x.fail(err)
	}
	size, err := declaredSize(first.GetResponse())
	if err != nil {
		return Response{}, x.fail(err)
	}
	if size >= 0 {
		response.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	response.Body, response.Stream = nil, &answerBody{exchange: x, rest: first.GetData(), size: size}
	return response, nil
}

// begin opens the stream under a fresh token.
func (h *Host) begin(ctx context.Context, a authority, request Request, route *Route, leave func()) (*exchange, error) {
	timeout := cmp.Or(time.Duration(route.GetTimeoutSeconds())*time.Second, streamDefault)
	var cancel context.CancelCauseFunc
	o, err := h.open(ctx, request.Plugin, a, func(ctx context.Context) (context.Context, func()) {
		var late context.CancelFunc
		ctx, cancel = context.WithCancelCause(ctx)
		ctx, late = context.WithTimeoutCause(ctx, timeout,
			fault.New(fault.Unavailable, "plugin.timeout", fmt.Sprintf("插件处理超过 %d 秒，已停止", int(timeout.Seconds()))).Because(context.DeadlineExceeded))
		return ctx, func() {
			cancel(nil)
			late()
		}
	})
	if err != nil {
		return nil, err
	}
	end := sync.OnceFunc(func() {
		o.end()
		leave()
	})
	context.AfterFunc(o.ctx, end) // also when nobody reads the answer any more
	rpc, err := o.process.rpc.StreamHTTP(o.ctx, grpc.MaxCallRecvMsgSize(chunkMost+64<<10))
	if err != nil {
		err = fromWire(request.Plugin, err)
		end()
		return nil, err
	}
	return &exchange{rpc: rpc, ctx: o.ctx, cancel: cancel, end: end, plugin: request.Plugin, pumped: make(chan struct{})}, nil
}

// fail ends the stream and says why it failed: what the host ended it for, or what the plugin said.
func (x *exchange) fail(err error) error {
	if overdue(x.ctx) {
		<-x.ctx.Done()
	}
	cause := context.Cause(x.ctx)
	x.finish()
	var own *fault.Error
	switch {
	case errors.As(cause, &own):
		return own
	case cause != nil: // whoever asked is gone
		return fmt.Errorf("stream of %s: %w", x.plugin, cause)
	case status.Code(err) == codes.Canceled && len(status.Convert(err).Details()) == 0:
		// Nobody gave up: the connection was closed under the stream because the process is gone.
		return unavailable(x.plugin).Because(err)
	}
	if _, isStatus := status.FromError(err); isStatus {
		return fromWire(x.plugin, err)
	}
	return err
}

// finish ends the plugin's call and its token, and whatever still reads the request's body.
func (x *exchange) finish() {
	x.cancel(context.Canceled)
	x.end()
	if x.upload == nil {
		return
	}
	select {
	case <-x.pumped:
	default:
		x.upload.stop()
		<-x.pumped
	}
	x.upload.drain()
}

// pump sends the request's body. It waits for the plugin by the wire's own flow control, so no more than a window of it is
// in memory.
func (x *exchange) pump(body io.Reader, most int64) {
	defer close(x.pumped)
	if body != nil {
		buffer := make([]byte, chunkSent)
		for sent := int64(0); ; {
			n, err := body.Read(buffer)
			if sent += int64(n); sent > most {
				x.cancel(bodyTooLarge(most))
				return
			}
			if n > 0 && x.rpc.Send(&pluginpb.HTTPChunk{Data: buffer[:n]}) != nil {
				return // the stream has ended; Recv says why
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				x.cancel(fault.New(fault.Invalid, "plugin.body_broken", "提交的内容没有传完，请重试").Because(err))
				return
			}
		}
	}
	_ = x.rpc.CloseSend() // of a stream that has ended: Recv says why
}

// answerBody is the body of a streamed answer. Reading waits for the plugin, and a reader that does not come makes the
// plugin wait.
type answerBody struct {
	*exchange
	rest []byte
	read int64
	size int64 // what the plugin has said it would be, -1 unknown
	err  error
}

// next waits for more and keeps it in rest.
func (b *answerBody) next() error {
	if b.err != nil {
		return b.err
	}
	chunk, err := b.rpc.Recv()
	switch {
	case errors.Is(err, io.EOF) && b.size >= 0 && b.read != b.size:
		err = fmt.Errorf("plugin %s promised %d bytes and sent %d", b.plugin, b.size, b.read)
	case errors.Is(err, io.EOF):
		b.err = io.EOF
		b.end()
		return b.err
	case err == nil && (chunk.GetRequest() != nil || chunk.GetResponse() != nil):
		err = fmt.Errorf("plugin %s streams a second head", b.plugin)
	case err == nil && len(chunk.GetData()) > chunkMost:
		err = fmt.Errorf("plugin %s sends %d bytes in one piece", b.plugin, len(chunk.GetData()))
	case err == nil && b.read+int64(len(chunk.GetData())) > streamMost:
		err = fault.New(fault.Internal, "plugin.answer_too_large", "插件的回答超过 256 MiB，已中断")
	case err == nil && b.size >= 0 && b.read+int64(len(chunk.GetData())) > b.size:
		err = fmt.Errorf("plugin %s promised %d bytes and sends more", b.plugin, b.size)
	}
	if err != nil {
		b.err = b.fail(err)
		return b.err
	}
	b.rest = chunk.GetData()
	b.read += int64(len(b.rest))
	return nil
}

// Read gives what has come; io.EOF only after the plugin has ended its answer properly.
func (b *answerBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close ends the plugin's call, if it has not ended, and its token.
func (b *answerBody) Close() error {
	b.finish()
	return nil
}

// declaredSize is the Content-Length that a plugin announces, -1 for none.
func declaredSize(answer *pluginpb.HTTPResponse) (int64, error) {
	for _, header := range answer.GetHeaders() {
		if http.CanonicalHeaderKey(header.GetName()) != "Content-Length" {
			continue
		}
		if len(header.GetValues()) == 1 {
			if size, err := strconv.ParseInt(header.GetValues()[0], 10, 64); err == nil && size >= 0 && size <= streamMost {
				return size, nil
			}
		}
		return 0, fmt.Errorf("a plugin announces a length of %q", header.GetValues())
	}
	return -1, nil
}

func bodyTooLarge(most int64) *fault.Error {
	return fault.New(fault.Invalid, "plugin.body_too_large", fmt.Sprintf("提交的内容超过 %s，请减小后重试", humanBytes(most)))
}

func humanBytes(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
}

// openStreams counts what is open, so that nobody holds all of it.
type openStreams struct {
	mu         sync.Mutex
	plugins    map[string]int
	visitors   map[visitor]int
	operations map[string]int // that a plugin has running in others
}

type visitor struct {
	plugin  string
	account int64
}

func newOpenStreams() *openStreams {
	return &openStreams{plugins: map[string]int{}, visitors: map[visitor]int{}, operations: map[string]int{}}
}

// enter counts one stream in; leave takes it out.
func (s *openStreams) enter(plugin string, actor account.Actor) (leave func(), err error) {
	who, share := visitor{plugin, actor.AccountID}, streamsOfPerson
	if actor.Nobody() {
		share *= 4
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plugins[plugin] >= streamsOfPlugin || s.visitors[who] >= share {
		return nil, fault.New(fault.TooMany, "plugin.streams", "同时进行的传输太多，请等前面的传输完成后再试").Later(5 * time.Second)
	}
	s.plugins[plugin]++
	s.visitors[who]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.plugins[plugin]--; s.plugins[plugin] == 0 {
			delete(s.plugins, plugin)
		}
		if s.visitors[who]--; s.visitors[who] == 0 {
			delete(s.visitors, who)
		}
	}), nil
}
