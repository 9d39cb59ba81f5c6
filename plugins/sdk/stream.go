package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"

	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of streamed bodies, in both directions. The host keeps them too.
const (
	MaxStream     = 256 << 20
	LongestStream = 15 * time.Minute
)

// chunkSize is how much of an answer travels in one message.
const chunkSize = 128 << 10

// Streaming lets the bodies of a raw address or a REST call travel in pieces
// instead of whole: the request's body is read from r.Body as it comes, and
// what Content.Write writes goes out as it is written. maxBody bounds the
// request's body in bytes (0: 8 MiB, at most MaxStream), timeout the whole
// call (0: 30 s, at most LongestStream); an answer may have MaxStream bytes.
// A slow reader makes Write wait. When the reader is gone, ctx ends and Write
// fails. An error after the first byte breaks the reader's connection off, so
// that nobody takes a part for the whole.
func Streaming(maxBody int64, timeout time.Duration) RouteOption {
	return func(r *pluginpb.Route) {
		r.Stream, r.MaxBody, r.TimeoutSeconds = true, maxBody, int32(timeout/time.Second)
	}
}

// checkRoute finds at the declaration what the host would refuse.
func checkRoute(r *pluginpb.Route) error {
	pattern := r.GetPattern()
	switch {
	case strings.HasPrefix(pattern, "/topics/") || strings.HasPrefix(pattern, "/assets/") && r.GetType() != "api":
		return fmt.Errorf("addresses below /topics and /assets are the host's own")
	case r.GetStream() && r.GetType() == "page":
		return fmt.Errorf("a page cannot be Streaming")
	case r.GetMaxBody() < 0 || r.GetMaxBody() > MaxStream:
		return fmt.Errorf("Streaming: a body of %d bytes is more than %d", r.GetMaxBody(), MaxStream)
	case r.GetTimeoutSeconds() < 0 || time.Duration(r.GetTimeoutSeconds())*time.Second > LongestStream:
		return fmt.Errorf("Streaming: %d seconds are more than %s", r.GetTimeoutSeconds(), LongestStream)
	}
	return nil
}

// answer is what a route answers: a head with its body, or with what writes it.
type answer struct {
	*pluginpb.HTTPResponse
	write func(io.Writer) error
}

// whole writes the body into the head, for a call that is not streamed.
func (a answer) whole() (*pluginpb.HTTPResponse, error) {
	if a.write != nil {
		body := &bounded{most: MaxBody}
		if err := a.write(body); err != nil {
			return nil, err
		}
		a.Body = body.bytes
	}
	if len(a.GetBody()) > MaxBody {
		return nil, errTooLarge
	}
	return a.HTTPResponse, nil
}

var errTooLarge = &Error{Kind: KindInternal, Code: "plugin.answer_too_large", Message: "插件的回答超过 8 MiB，无法显示"}

// bounded refuses to hold more than a body may have.
type bounded struct {
	bytes []byte
	most  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.bytes)+len(p) > b.most {
		return 0, errTooLarge
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

// Flush sends what was written so far, for an answer that is read while it is
// made. It does nothing to a writer that is no streamed answer.
func Flush(w io.Writer) error {
	if out, ok := w.(*chunkWriter); ok {
		return out.Flush()
	}
	return nil
}

// StreamHTTP runs a raw address or REST call whose bodies travel in pieces.
func (s *Server) StreamHTTP(stream grpc.BidiStreamingServer[pluginpb.HTTPChunk, pluginpb.HTTPChunk]) (err error) {
	ctx, err := s.enter(stream.Context(), nil)
	if err != nil {
		return EncodeError(err)
	}
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("handler panicked", "method", "StreamHTTP", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()), "request_id", RequestID(ctx))
			err = &Error{Kind: KindInternal, Code: "plugin.panic", Message: "插件处理时出错，请稍后重试"}
		} else if err != nil && ctx.Err() == nil && faultOf(err).GetKind() == string(KindInternal) {
			s.log.Error("call failed", "method", "StreamHTTP", "error", err.Error(), "request_id", RequestID(ctx))
		}
		err = EncodeError(err)
	}()
	first, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	request := first.GetRequest()
	if request == nil {
		return Fail("plugin.request", "请求地址有误")
	}
	found, r, err := s.request(ctx, request, &chunkReader{stream: stream, rest: first.GetData()})
	if err != nil {
		return err
	}
	head, err := found.serve(ctx, r)
	if err != nil {
		return err
	}
	body := head.GetBody()
	head.Body = nil
	if err := stream.Send(&pluginpb.HTTPChunk{Response: head.HTTPResponse}); err != nil {
		return fmt.Errorf("send the head: %w", err)
	}
	out := &chunkWriter{stream: stream}
	if head.write == nil {
		_, err = out.Write(body)
	} else {
		err = head.write(out)
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

// chunkReader is a request's body as it comes.
type chunkReader struct {
	stream grpc.BidiStreamingServer[pluginpb.HTTPChunk, pluginpb.HTTPChunk]
	rest   []byte
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		chunk, err := c.stream.Recv()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fmt.Errorf("read the body: %w", err)
		}
		c.rest = chunk.GetData()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// chunkWriter is an answer's body on its way. Small writes are gathered.
type chunkWriter struct {
	stream grpc.BidiStreamingServer[pluginpb.HTTPChunk, pluginpb.HTTPChunk]
	held   []byte
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if len(c.held) == 0 && len(p) >= chunkSize {
			if err := c.send(p[:chunkSize]); err != nil {
				return written - len(p), err
			}
			p = p[chunkSize:]
			continue
		}
		if c.held == nil {
			c.held = make([]byte, 0, chunkSize)
		}
		n := min(len(p), chunkSize-len(c.held))
		c.held = append(c.held, p[:n]...)
		p = p[n:]
		if len(c.held) == chunkSize {
			if err := c.Flush(); err != nil {
				return written - len(p), err
			}
		}
	}
	return written, nil
}

// Flush sends what is held.
func (c *chunkWriter) Flush() error {
	if len(c.held) == 0 {
		return nil
	}
	err := c.send(c.held)
	c.held = c.held[:0]
	return err
}

func (c *chunkWriter) send(p []byte) error {
	if err := c.stream.Send(&pluginpb.HTTPChunk{Data: p}); err != nil {
		return fmt.Errorf("send the answer: %w", err)
	}
	return nil
}

// Bytes makes a Handler of a function that reads the request itself (r.Body,
// its path values and query) and answers with any content: a file that comes
// in or goes out by REST. Declare it with Streaming when it may be large.
func Bytes(run RawHandler) Handler {
	return Handler{status: http.StatusOK, raw: run}
}

// bytesRoute is the route of a Bytes handler.
func bytesRoute(handler Handler) func(context.Context, *http.Request) (answer, error) {
	return func(ctx context.Context, r *http.Request) (answer, error) {
		content, err := handler.raw(ctx, r)
		if err != nil {
			return answer{}, err
		}
		if content.Status == 0 {
			content.Status = handler.status
		}
		return content.answer(), nil
	}
}
