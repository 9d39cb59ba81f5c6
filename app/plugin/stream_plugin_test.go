package plugin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing/fstest"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// flow is a plugin whose bodies travel in pieces, well behaved and not.
type flow struct {
	sent  atomic.Int64 // bytes that Write has taken of the last /down
	gone  atomic.Int64 // calls that heard that their reader is gone
	saved chan context.Context
}

type flowState struct {
	Sent int64 `json:"sent"`
	Gone int64 `json:"gone"`
}

func flowPlugin() *sdk.Plugin {
	p := sdk.New("flow", "传输", "0.1.0")
	f := &flow{saved: make(chan context.Context, 1)}
	long := sdk.Streaming(128<<20, time.Minute)
	p.Raw("GET /down", f.down, long, sdk.PublicAccess())
	p.API("GET /down", sdk.Bytes(f.down), long)
	p.Raw("GET /whole", f.down)
	p.Raw("POST /up", f.up, long)
	p.API("POST /up", sdk.Bytes(f.up), long)
	p.Raw("POST /small", f.up, sdk.Streaming(1<<10, time.Minute))
	p.Raw("POST /echo", func(_ context.Context, r *http.Request) (sdk.Content, error) {
		return sdk.Content{Type: "text/plain", Write: func(w io.Writer) error {
			_, err := io.Copy(flushing{w}, r.Body)
			return err
		}}, nil
	}, long)
	p.Raw("GET /endless", func(ctx context.Context, r *http.Request) (sdk.Content, error) {
		r.SetPathValue("fate", "endless")
		return f.meets(ctx, r)
	}, sdk.Streaming(0, 5*time.Minute))
	p.Raw("GET /{fate}", f.meets, sdk.Streaming(0, 2*time.Second))
	p.API("GET /state", sdk.JSON(func(context.Context, struct{}) (flowState, error) {
		return flowState{f.sent.Load(), f.gone.Load()}, nil
	}))
	p.API("GET /usekept", sdk.JSON(func(context.Context, struct{}) (struct{}, error) {
		_, err := sdk.MiniPrograms(<-f.saved, sdk.Query{})
		return struct{}{}, err
	}))
	return p
}

type flushing struct{ io.Writer }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	return n, errors.Join(err, sdk.Flush(f.Writer))
}

// pattern is n bytes that differ along the way, by their place.
type pattern struct{ at, n int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.n {
		return 0, io.EOF
	}
	n := min(int64(len(b)), p.n-p.at)
	for i := range b[:n] {
		b[i] = byte((p.at + int64(i)) >> 9)
	}
	p.at += n
	return int(n), nil
}

func (f *flow) down(_ context.Context, r *http.Request) (sdk.Content, error) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil {
		return sdk.Content{}, sdk.Fail("flow.n", "缺少长度").On("n", "应为数字")
	}
	f.sent.Store(0)
	content := sdk.Content{Type: "image/png", Write: func(w io.Writer) error {
		_, err := io.Copy(io.MultiWriter(w, counting{&f.sent}), &pattern{n: n})
		return err
	}}
	if r.URL.Query().Get("sized") != "" {
		content.Size = n
	}
	return content, nil
}

type counting struct{ n *atomic.Int64 }

func (c counting) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func (f *flow) up(_ context.Context, r *http.Request) (sdk.Content, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		return sdk.Content{}, err
	}
	return sdk.Content{Type: "text/plain", Body: []byte(fmt.Sprint(n, " ", r.ContentLength, " ", hex.EncodeToString(sum.Sum(nil))))}, nil
}

// meets are the ways an answer can go wrong.
func (f *flow) meets(ctx context.Context, r *http.Request) (sdk.Content, error) {
	fate := r.PathValue("fate")
	if fate == "refuse" {
		return sdk.Content{}, sdk.Fail("flow.refused", "不能下载").On("n", "太多")
	}
	if fate == "silent" {
		<-ctx.Done()
		f.gone.Add(1)
		return sdk.Content{}, ctx.Err()
	}
	return sdk.Content{Type: "text/plain", Write: func(w io.Writer) error {
		if _, err := flushing.Write(flushing{w}, []byte("begun ")); err != nil {
			return err
		}
		switch fate {
		case "die":
			time.Sleep(500 * time.Millisecond) // the reader has the head
			os.Exit(3)
		case "fail":
			return errors.New("in the middle")
		case "panic":
			panic("in the middle")
		case "calls":
			page, err := sdk.MiniPrograms(ctx, sdk.Query{})
			if err != nil {
				return err
			}
			f.saved <- context.WithoutCancel(ctx)
			_, err = fmt.Fprint(w, len(page.Items), " apps")
			return err
		case "endless":
			for piece := make([]byte, 64<<10); ; {
				if _, err := w.Write(piece); err != nil {
					f.gone.Add(1)
					return err
				}
			}
		}
		<-ctx.Done()
		f.gone.Add(1)
		return ctx.Err()
	}}, nil
}

// rogue speaks the wire by itself and keeps to nothing.
type rogue struct {
	*sdk.Server
	asked *atomic.Int64 // for static files
}

func serveRogue() {
	p := sdk.New("rogue", "无赖", "0.1.0")
	nothing := func(context.Context, *http.Request) (sdk.Content, error) { return sdk.Content{}, nil }
	p.Raw("GET /{how}", nothing, sdk.Streaming(0, 10*time.Second))
	p.Raw("GET /whole/{how}", nothing)
	p.API("GET /whole/{how}", sdk.Bytes(nothing))
	for _, name := range []string{"liar", "babble", "giant", "honest"} {
		p.Operation(name, sdk.JSON(func(context.Context, walk) (walked, error) { return walked{}, nil }))
	}
	p.Assets(fstest.MapFS{"true.css": {Data: []byte("b{}")}, "liar.css": {Data: []byte("a{}")}, "longer.css": {Data: []byte("a{}")}, "img/a.svg": {Data: []byte("<svg/>")}})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: sdk.Handshake(), Plugins: goplugin.PluginSet{sdk.WireName: rogueWire{p: p}}, GRPCServer: goplugin.DefaultGRPCServer,
	})
}

type rogueWire struct {
	goplugin.NetRPCUnsupportedPlugin
	p *sdk.Plugin
}

func (w rogueWire) GRPCServer(_ *goplugin.GRPCBroker, registrar *grpc.Server) error {
	pluginpb.RegisterPluginServer(registrar, rogue{
		sdk.NewServer(w.p, slog.Default(), sdk.HostConnection()), new(atomic.Int64),
	})
	return nil
}

func (rogueWire) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin is not a client")
}

// smuggled are heads that try to be more than a browser should get.
func smuggled(how string) *pluginpb.HTTPResponse {
	header := func(name string, values ...string) *pluginpb.Header {
		return &pluginpb.Header{Name: name, Values: values}
	}
	head := &pluginpb.HTTPResponse{Status: 200, Headers: []*pluginpb.Header{header("Content-Type", "text/plain")}}
	switch how {
	case "line":
		head.Headers = []*pluginpb.Header{header("Content-Type", "text/plain\r\nSet-Cookie: minifleet_session=mine")}
	case "twotypes":
		head.Headers = []*pluginpb.Header{header("Content-Type", "image/png", "text/html")}
	case "twice":
		head.Headers = append(head.Headers, header("content-type", "text/html"))
	case "cookie":
		head.Headers = append(head.Headers, header("Set-Cookie", "minifleet_session=mine"), header("Refresh", "0; url=https://evil.test"), header("Location", "https://evil.test"),
			header("Content-Security-Policy", "default-src *"), header("Access-Control-Allow-Origin", "*"), header("Cache-Control", "public, max-age=31536000"), header("Service-Worker-Allowed", "/"))
	case "html":
		head.Headers, head.Body = []*pluginpb.Header{header("Content-Type", "text/html")}, []byte("<script>1</script>")
	case "svg":
		head.Headers, head.Body = []*pluginpb.Header{header("Content-Type", "image/svg+xml")}, []byte("<svg onload=1/>")
	case "script":
		head.Headers, head.Body = []*pluginpb.Header{header("Content-Type", "text/javascript")}, []byte("steal()")
	case "away":
		head.Status, head.Headers = 302, append(head.Headers, header("Location", "https://evil.test"))
	case "odd":
		head.Status = 99
	case "length":
		head.Headers = append(head.Headers, header("Content-Length", "-5"))
	case "short":
		head.Headers = append(head.Headers, header("Content-Length", "1000"))
	case "long":
		head.Headers = append(head.Headers, header("Content-Length", "2"))
	}
	return head
}

func (r rogue) ServeHTTP(ctx context.Context, request *pluginpb.HTTPRequest) (*pluginpb.HTTPResponse, error) {
	if request.GetType() == "asset" {
		r.asked.Add(1)
		switch request.GetPath() {
		case "liar.css":
			return &pluginpb.HTTPResponse{Status: 200, Body: []byte("x{}")}, nil
		case "longer.css":
			return &pluginpb.HTTPResponse{Status: 200, Body: make([]byte, 7<<20)}, nil
		}
		return r.Server.ServeHTTP(ctx, request)
	}
	if strings.HasSuffix(request.GetPath(), "/asked") {
		return &pluginpb.HTTPResponse{Status: 200, Body: fmt.Append(nil, r.asked.Load())}, nil
	}
	return smuggled(request.GetPath()[strings.LastIndex(request.GetPath(), "/")+1:]), nil
}

func (rogue) StreamHTTP(stream grpc.BidiStreamingServer[pluginpb.HTTPChunk, pluginpb.HTTPChunk]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	how := strings.TrimPrefix(first.GetRequest().GetPath(), "/")
	data := func(n int) *pluginpb.HTTPChunk { return &pluginpb.HTTPChunk{Data: bytes.Repeat([]byte("x"), n)} }
	if how == "headless" {
		return stream.Send(data(5))
	}
	head := smuggled(how)
	head.Body = nil
	if err := stream.Send(&pluginpb.HTTPChunk{Response: head}); err != nil || how == "empty" {
		return err
	}
	switch how {
	case "giant":
		return stream.Send(data(4 << 20))
	case "large":
		return stream.Send(data(300 << 10))
	case "heads":
		return errors.Join(stream.Send(data(5)), stream.Send(&pluginpb.HTTPChunk{Response: head}), stream.Send(data(5)))
	}
	return stream.Send(data(5))
}
