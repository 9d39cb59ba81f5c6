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
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
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
	// Settings are what every space has filled in, as a struct or map that becomes the JSON of the plugin's settings; nil: nothing.
	Settings any
	// Extension holds the plugin to the capabilities that its manifest asks for, as those of others are; plugins of the house
	// need none.
	Extension bool
	// RowsPerSpace and BytesPerSpace bound what a space keeps in the plugin's collections; 0: no bound.
	RowsPerSpace, BytesPerSpace int64
}

// Harness is a running plugin and its host.
type Harness struct {
	t      testing.TB
	actor  sdk.ActorInfo
	frame  string
	host   *host
	client pluginpb.PluginClient
}

// New starts p and ends it with the test.
func New(t testing.TB, p *sdk.Plugin, options Options) *Harness {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatalf("the plugin's declarations are wrong:\n%v", err)
	}
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
	h := &Harness{t: t, actor: options.Actor, frame: options.Frame, host: newHost(p, options)}
	hostConnection := listen(t, func(server *grpc.Server) { pluginpb.RegisterHostServer(server, h.host) }, nil)
	log := slog.New(slog.NewTextHandler(options.Log, nil))
	server := sdk.NewServer(p, log, func(uint32) (grpc.ClientConnInterface, error) { return hostConnection, nil })
	connection := listen(t, func(registrar *grpc.Server) { pluginpb.RegisterPluginServer(registrar, server) }, server.Intercept)
	h.client = pluginpb.NewPluginClient(connection)
	if _, err := h.client.Configure(t.Context(), &pluginpb.ConfigureRequest{HostBrokerId: 1}); err != nil {
		t.Fatalf("configure: %v", err)
	}
	return h
}

// listen serves on an in-memory connection and dials it.
func listen(t testing.TB, register func(*grpc.Server), intercept grpc.UnaryServerInterceptor) *grpc.ClientConn {
	t.Helper()
	const most = sdk.MaxBody + 1<<20
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
func (h *Harness) run(kind authorityKind, limits authority, call func(context.Context) error) error {
	limits.kind = kind
	if kind == byPerson {
		limits.actor = h.actor
	} else {
		limits.actor = sdk.ActorInfo{System: true, SpaceID: limits.space}
	}
	token, end := h.host.mint(limits)
	defer end()
	encoded, err := proto.Marshal(h.host.callContext(limits.actor, h.frame, "", 0))
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	ctx := metadata.AppendToOutgoingContext(h.t.Context(), sdk.MetadataToken, token, sdk.MetadataCall, string(encoded))
	return sdk.DecodeError(call(ctx))
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
	var response Response
	err = h.run(byPerson, authority{}, func(ctx context.Context) error {
		answer, err := h.client.ServeHTTP(ctx, request)
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

// Event delivers an event: the call acts as the system, limited to the event's mini program and space. One of Published is
// as deep as it was published, see sdk.MaxHops.
func (h *Harness) Event(event sdk.Event) error {
	data, err := json.Marshal(event.Data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if event.At == 0 {
		event.At = h.host.now().UnixMilli()
	}
	limits := authority{component: event.Component, appid: event.AppID, space: event.SpaceID, hops: h.host.depth(event.ID) + 1}
	return h.run(byEvent, limits, func(ctx context.Context) error {
		_, err := h.client.HandleEvent(ctx, &pluginpb.Event{
			Id: h.host.nextID(), Type: event.Type, Source: event.Source, Component: event.Component, Appid: event.AppID,
			SpaceId: event.SpaceID, Subject: event.Subject, AtMs: event.At, Data: data,
		})
		return err
	})
}

// Job runs a cron job: for the actor's space, or for the platform when it is declared so.
func (h *Harness) Job(name string) (note string, err error) {
	kind, limits := byJob, authority{}
	for _, declared := range h.host.plugin.GetJobs() {
		if declared.GetName() == name && !declared.GetPlatform() {
			kind, limits = bySpace, authority{space: h.actor.SpaceID}
		}
	}
	err = h.run(kind, limits, func(ctx context.Context) error {
		answer, err := h.client.RunJob(ctx, &pluginpb.RunJobRequest{Name: name})
		note = answer.GetNote()
		return err
	})
	return note, err
}

// Call runs an operation of the plugin, as another plugin would. name is without the plugin's id.
func (h *Harness) Call(name string, in, out any) error {
	input, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	return h.run(byPerson, authority{}, func(ctx context.Context) error {
		answer, err := h.client.Operate(ctx, &pluginpb.OperateRequest{Name: name, Input: input})
		if err != nil || out == nil {
			return err
		}
		return json.Unmarshal(answer.GetOutput(), out)
	})
}

// Rows reads a page of a computed table.
func (h *Harness) Rows(table string, query sdk.TableQuery) (rows []map[string]any, next string, err error) {
	err = h.run(byPerson, authority{}, func(ctx context.Context) error {
		answer, err := h.client.Rows(ctx, &pluginpb.RowsRequest{
			Table: table, Filters: query.Filters, Search: query.Search, Sort: query.Sort, Limit: int32(query.Limit), Cursor: query.Cursor,
		})
		if err != nil {
			return err
		}
		for _, raw := range answer.GetRows() {
			var row map[string]any
			if err := json.Unmarshal(raw, &row); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		next = answer.GetNext()
		return nil
	})
	return rows, next, err
}

// Save runs a table's save hook.
func (h *Harness) Save(table string, id, version int64, values map[string]string) (saved int64, err error) {
	err = h.run(byPerson, authority{}, func(ctx context.Context) error {
		answer, err := h.client.Save(ctx, &pluginpb.SaveRequest{Table: table, Id: id, Version: version, Values: values})
		saved = answer.GetId()
		return err
	})
	return saved, err
}

// Act runs an action of a table.
func (h *Harness) Act(table, action string, ids ...int64) (sdk.Result, error) {
	var result sdk.Result
	err := h.run(byPerson, authority{}, func(ctx context.Context) error {
		answer, err := h.client.Act(ctx, &pluginpb.ActRequest{Table: table, Action: action, Ids: ids})
		result = sdk.Result{Message: answer.GetMessage(), Redirect: answer.GetRedirect()}
		return err
	})
	return result, err
}
