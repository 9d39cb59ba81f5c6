package sdktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/lane"
	"minifleet/plugins/sdk/pluginpb"
)

// Options furnish the host. All may be left out.
type Options struct {
	Actor  sdk.ActorInfo    // who acts unless As says otherwise; default a merchant, account 1 of space 11
	WeChat wechat.Transport // what answers WeChat calls; default: every call is an error
	// Outside answers sdk.Fetch and sdk.Post; default: every request is an error. An error of it is a host that cannot be reached.
	Outside func(sdk.FetchRequest) (sdk.FetchResponse, error)
	Now     time.Time // the platform's clock; default 2026-11-22 12:00 in Shanghai
	Frame   string    // default sdk.FramePortal
	Log     io.Writer // the plugin's log; default discarded

	MiniPrograms []sdk.MiniProgramInfo // what the core knows; OwnerSpace and Rights decide who sees it
	Components   []sdk.ComponentInfo
	Spaces       []sdk.SpaceInfo
	// Rights are grants: AppID → space → scopes. The owner needs none.
	Rights map[string]map[int64][]string
	// Roles are what others than owners ("owner", "admin", "operation" may do all) may do: role → permissions ("coupon.coupons").
	Roles map[string][]string
	// Settings are what every space has filled in, as a struct or map that becomes the JSON of the plugin's settings; nil: nothing.
	Settings any
	// Beside are other plugins that run beside it, with data of their own: sdk.Call reaches their operations by the rules of the
	// platform. What is not there is played by Harness.Stub.
	Beside []*sdk.Plugin
	// House runs the plugin as one of MiniFleet's own, which need no capabilities and hear of an event once. Others are
	// extensions: held to what they ask for (Plugin.Asks), and told of an event once for each space that it concerns.
	House bool
	// RowsPerSpace and BytesPerSpace bound what a space keeps in the plugin's collections; 0: no bound.
	RowsPerSpace, BytesPerSpace int64
}

// Harness is a running plugin and its host.
type Harness struct {
	t      testing.TB
	actor  sdk.ActorInfo
	frame  string
	within time.Duration // 0: as long as the platform lets a call run
	host   *host
}

// New starts p and ends it with the test.
func New(t testing.TB, p *sdk.Plugin, options Options) *Harness {
	t.Helper()
	if options.Actor == (sdk.ActorInfo{}) {
		options.Actor = sdk.ActorInfo{AccountID: 1, SpaceID: 11, Name: "测试商户", Space: "测试商户", SpaceKind: "merchant", Role: "owner"}
	}
	if options.Now.IsZero() {
		options.Now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	}
	if options.Frame == "" {
		options.Frame = sdk.FramePortal
	}
	if options.Log == nil {
		options.Log = io.Discard
	}
	shared := newWorld(options)
	h := &Harness{t: t, actor: options.Actor, frame: options.Frame}
	for _, one := range append([]*sdk.Plugin{p}, options.Beside...) {
		started := start(t, shared, one, options.Log)
		if h.host == nil {
			h.host = started
		}
	}
	if err := h.host.checkSettings(); err != nil {
		t.Fatalf("the settings of the options are none that the platform would keep: %v", err)
	}
	return h
}

// start runs one plugin of the world.
func start(t testing.TB, shared *world, p *sdk.Plugin, out io.Writer) *host {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatalf("the declarations of plugin %s are wrong:\n%v", p.ID(), err)
	}
	h, err := shared.host(p)
	if err != nil {
		t.Fatalf("plugin %s: %v", p.ID(), err)
	}
	hostConnection := listen(t, func(server *grpc.Server) { pluginpb.RegisterHostServer(server, h) }, nil)
	log := slog.New(slog.NewTextHandler(out, nil))
	server := sdk.NewServer(p, log, func() (grpc.ClientConnInterface, error) { return hostConnection, nil })
	connection := onLane(t, server, listen(t, func(registrar *grpc.Server) { pluginpb.RegisterPluginServer(registrar, server) }, server.Intercept))
	h.client = pluginpb.NewPluginClient(pluginpb.Calling(connection))
	if _, err := h.client.Configure(t.Context(), &pluginpb.ConfigureRequest{}); err != nil {
		t.Fatalf("configure %s: %v", p.ID(), err)
	}
	return h
}

// onLane has the calls of a connection go by a lane, as they do to a process.
func onLane(t testing.TB, server *sdk.Server, connection grpc.ClientConnInterface) grpc.ClientConnInterface {
	t.Helper()
	key, err := lane.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := lane.Accept(theirs, key.Print())
		if err == nil {
			err = lane.Serve(conn, &pluginpb.Plugin_ServiceDesc, server, server.Intercept, most)
		}
		if err != nil {
			t.Errorf("lane: %v", err)
		}
	})
	laned := lane.Open(ours, key, connection, most, func(err error) { t.Errorf("the lane ended: %v", err) })
	<-laned.Ready()
	t.Cleanup(func() {
		if err := laned.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		serving.Wait()
	})
	return laned
}

// most bounds a message, as the wire of a process does.
const most = sdk.MaxBody + 1<<20

// listen serves on an in-memory connection and dials it.
func listen(t testing.TB, register func(*grpc.Server), intercept grpc.UnaryServerInterceptor) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(most), grpc.MaxSendMsgSize(most)}
	if intercept != nil {
		options = append(options, grpc.UnaryInterceptor(intercept))
	}
	server := grpc.NewServer(options...)
	register(server)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	connection, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(most), grpc.MaxCallSendMsgSize(most)))
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		server.Stop()
		serving.Wait()
	})
	return connection
}

// As gives the same plugin and data seen by another actor; the zero ActorInfo is a visitor.
func (h *Harness) As(actor sdk.ActorInfo) *Harness {
	other := *h
	other.actor = actor
	return &other
}

// In gives the same plugin seen in another frame.
func (h *Harness) In(frame string) *Harness {
	other := *h
	other.frame = frame
	return &other
}

// Within gives the same plugin whose calls have no more time than this, as on a platform that is about to give up.
func (h *Harness) Within(most time.Duration) *Harness {
	other := *h
	other.within = most
	return &other
}

// Advance moves the platform's clock.
func (h *Harness) Advance(by time.Duration) { h.host.advance(by) }

// Published are the events of all commits so far, with complete types and Data as json.RawMessage.
func (h *Harness) Published() []sdk.Event { return h.host.publishedEvents() }

// Stub answers an operation of another plugin or of the core ("version.install", "core.authorize") instead of the
// harness.
func (h *Harness) Stub(operation string, answer func(actor sdk.ActorInfo, input json.RawMessage) (any, error)) {
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	h.host.stubs[operation] = answer
}

// Grant changes a space's rights on a mini program; no scopes: none.
func (h *Harness) Grant(appid string, space int64, scopes ...string) {
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	if h.host.rights[appid] == nil {
		h.host.rights[appid] = map[int64][]string{}
	}
	h.host.rights[appid][space] = scopes
}

// run makes one call under a token that dies with it.
func (h *Harness) run(a authority, most time.Duration, call func(context.Context, pluginpb.PluginClient) error) error {
	if h.within > 0 {
		most = min(most, h.within)
	}
	return h.host.call(h.t.Context(), a, most, call)
}

// byActor is what the harness' actor may do.
func (h *Harness) byActor() authority {
	return authority{kind: byPerson, actor: h.actor, frame: h.frame}
}

// bySystem is the system at work: for a space, or (0) for the platform.
func bySystem(kind authorityKind, space int64) authority {
	return authority{kind: kind, space: space, actor: sdk.ActorInfo{System: true, SpaceID: space}}
}

// Response is a page's, download's or REST call's answer.
type Response struct {
	Status int
	Header http.Header
	Body   string
	View   *pluginpb.View // nil unless a page
}

func (h *Harness) serve(kind, method, address, contentType string, body []byte) (Response, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return Response{}, fmt.Errorf("address %s: %w", address, err)
	}
	request := &pluginpb.HTTPRequest{Type: kind, Method: method, Path: parsed.Path, Query: parsed.RawQuery, Body: body}
	if contentType != "" {
		request.Headers = []*pluginpb.Header{{Name: "Content-Type", Values: []string{contentType}}}
	}
	if err := h.host.admit(h.actor, kind, method, parsed.Path); err != nil {
		return Response{}, err
	}
	var response Response
	err = h.run(h.byActor(), pageWithin, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.ServeHTTP(ctx, request)
		if err != nil {
			return err
		}
		response = Response{Status: int(answer.GetStatus()), Header: http.Header{}, Body: string(answer.GetBody()), View: answer.GetView()}
		for _, header := range answer.GetHeaders() {
			response.Header[http.CanonicalHeaderKey(header.GetName())] = header.GetValues()
		}
		return nil
	})
	return response, err
}

// Get asks for a page, by its address below the plugin's prefix.
func (h *Harness) Get(address string) (Response, error) {
	return h.serve("page", http.MethodGet, address, "", nil)
}

// Raw asks for a raw answer.
func (h *Harness) Raw(address string) (Response, error) {
	return h.serve("raw", http.MethodGet, address, "", nil)
}

// PostForm sends a form to a page.
func (h *Harness) PostForm(address string, values url.Values) (Response, error) {
	return h.serve("page", http.MethodPost, address, "application/x-www-form-urlencoded", []byte(values.Encode()))
}

// API makes a REST call. in nil sends no body; out nil ignores the answer.
func (h *Harness) API(method, address string, in, out any) error {
	var body []byte
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode body: %w", err)
		}
		body = encoded
	}
	other := h.In(sdk.FrameAPI)
	response, err := other.serve("api", method, address, "application/json", body)
	if err != nil || out == nil {
		return err
	}
	if err := json.NewDecoder(strings.NewReader(response.Body)).Decode(out); err != nil {
		return fmt.Errorf("decode answer of %s %s: %w", method, address, err)
	}
	return nil
}
