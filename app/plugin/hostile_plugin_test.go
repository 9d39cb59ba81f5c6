package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// hostile speaks the wire by itself: it sends which token it likes, and answers what it likes.
type hostile struct {
	*sdk.Server
	dial func() (grpc.ClientConnInterface, error)
	id   string
	host atomic.Pointer[grpc.ClientConnInterface]
	kept atomic.Pointer[string]
}

// order is what the test asks a hostile plugin to do; report what came of it.
type order struct {
	Do    string `json:"do"`
	Text  string `json:"text"`
	ID    int64  `json:"id,string"`
	Space int64  `json:"space,string"`
	N     int    `json:"n"`
}

type report struct {
	Code  string `json:"code"` // "" where the host said yes
	Rows  int    `json:"rows"`
	Total int64  `json:"total"`
	Text  string `json:"text"`
	Done  int    `json:"done"`
	PID   int    `json:"pid"`
}

func hostilePlugin(id string) *sdk.Plugin {
	p := sdk.New(id, "敌人", "0.1.0")
	notes := sdk.Collect[note](p, "notes", sdk.Visible{Kind: sdk.Space})
	p.Table(sdk.Table{Name: "notes", Title: "备注", Collection: notes, CanCreate: true})
	p.Table(sdk.Table{Name: "computed", Title: "计算", Columns: []sdk.Column{{Name: "n", Title: "数", Type: "int"}}, Rows: numbers})
	p.API("POST /do", sdk.JSON(func(context.Context, order) (report, error) { return report{}, nil }))
	p.API("GET /answer", sdk.JSON(func(context.Context, struct{}) (report, error) { return report{}, nil }))
	return p
}

func serveHostile(id string) {
	_ = sdk.LaneConnection() // it never takes its lane up
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: sdk.Handshake(), Plugins: goplugin.PluginSet{sdk.WireName: &hostileWire{id: id}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(64<<20), grpc.MaxSendMsgSize(64<<20))...)
		},
	})
}

type hostileWire struct {
	goplugin.NetRPCUnsupportedPlugin
	id   string
	made *hostile // nil: made here
}

func (w *hostileWire) GRPCServer(_ *goplugin.GRPCBroker, registrar *grpc.Server) error {
	if w.made != nil {
		pluginpb.RegisterPluginServer(registrar, w.made)
		return nil
	}
	pluginpb.RegisterPluginServer(registrar, &hostile{Server: sdk.NewServer(hostilePlugin(w.id), nil, nil), dial: sdk.HostConnection(grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20))), id: w.id})
	return nil
}

func (*hostileWire) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("not a client")
}

func (h *hostile) Configure(context.Context, *pluginpb.ConfigureRequest) (*pluginpb.ConfigureResponse, error) {
	connection, err := h.dial()
	if err != nil {
		return nil, err
	}
	h.host.Store(&connection)
	return &pluginpb.ConfigureResponse{}, nil
}

// Rows answers what no table has.
func (h *hostile) Rows(ctx context.Context, request *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
	switch request.GetSearch() {
	case "giant row":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: []string{"n"}, Text: make([]byte, 20<<20), Sizes: []uint32{20 << 20}}}, nil
	case "short text":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: []string{"n"}, Text: []byte("<html>"), Sizes: []uint32{7}}}, nil
	case "long text":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: []string{"n"}, Text: []byte("<html>"), Sizes: []uint32{5}}}, nil
	case "no columns":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Text: []byte("<html>"), Sizes: []uint32{6}}, Total: -7, Next: "\x00"}, nil
	case "wide row":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: make([]string, 1_000_000), Sizes: make([]uint32, 1_000_000)}}, nil
	case "half a row":
		return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: []string{"id", "n"}, Text: []byte("123"), Sizes: []uint32{1, 1, 1}}}, nil
	case "many":
		answer := &pluginpb.Cells{Columns: []string{"n"}, Sizes: make([]uint32, 5000)}
		return &pluginpb.RowsResponse{Rows: answer}, nil
	case "deaf": // to the end of its call
		time.Sleep(20 * time.Second)
	}
	return &pluginpb.RowsResponse{Rows: &pluginpb.Cells{Columns: []string{"id", "n"}, Text: []byte("11"), Sizes: []uint32{1, 1}}}, nil
}

func (h *hostile) ServeHTTP(ctx context.Context, request *pluginpb.HTTPRequest) (*pluginpb.HTTPResponse, error) {
	var in order
	if err := json.Unmarshal(request.GetBody(), &in); err != nil {
		return nil, err
	}
	out := h.obey(metadata.NewOutgoingContext(ctx, nil), request.GetCall().GetToken(), in)
	body, err := json.Marshal(out)
	return &pluginpb.HTTPResponse{Status: 200, Body: body, Headers: []*pluginpb.Header{{Name: "Content-Type", Values: []string{"application/json"}}}}, err
}

// with puts tokens and a delegation into the metadata, whichever.
func with(ctx context.Context, delegation string, tokens ...string) context.Context {
	for _, token := range tokens {
		ctx = metadata.AppendToOutgoingContext(ctx, sdk.MetadataToken, token)
	}
	if delegation != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, sdk.MetadataDelegation, delegation)
	}
	return ctx
}

func code(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if f, ok := detail.(*pluginpb.Fault); ok {
			return f.GetCode()
		}
	}
	if err != nil {
		return status.Code(err).String()
	}
	return ""
}

func (h *hostile) obey(ctx context.Context, token string, in order) report {
	host := pluginpb.NewHostClient(*h.host.Load())
	find := func(ctx context.Context, request *pluginpb.FindRequest) report {
		answer, err := host.Find(ctx, request)
		return report{Code: code(err), Rows: len(answer.GetRows()), Total: answer.GetTotal(), Text: fmt.Sprintf("%s", answer.GetRows())}
	}
	notes := &pluginpb.FindRequest{Collection: "notes", Count: true}
	switch in.Do {
	case "find":
		return find(with(ctx, "", token), notes)
	case "find of space":
		notes.Where = []*pluginpb.Where{{Column: "space_id", Op: "eq", Values: [][]byte{fmt.Appendf(nil, "%d", in.Space)}}}
		return find(with(ctx, "", token), notes)
	case "find elsewhere": // another plugin's table, the database's own, SQL
		return find(with(ctx, "", token), &pluginpb.FindRequest{Collection: in.Text})
	case "find column":
		notes.Where = []*pluginpb.Where{{Column: in.Text, Op: "eq", Values: [][]byte{[]byte(`"x"`)}}}
		return find(with(ctx, "", token), notes)
	case "sort":
		notes.Sort = in.Text
		return find(with(ctx, "", token), notes)
	case "no token":
		return find(with(ctx, ""), notes)
	case "two tokens":
		return find(with(ctx, "", token, token), notes)
	case "forged":
		return find(with(ctx, "", in.Text), notes)
	case "delegation":
		return find(with(ctx, in.Text, token), notes)
	case "keep":
		h.kept.Store(&token)
		return report{}
	case "kept":
		return find(with(ctx, "", *h.kept.Load()), notes)
	case "show": // tells its live token to somebody else and stays
		if err := os.WriteFile(in.Text, []byte(token), 0o600); err != nil {
			return report{Code: err.Error()}
		}
		<-ctx.Done()
		return report{}
	case "write":
		return h.write(with(ctx, "", token), host, in)
	case "wechat":
		_, err := host.WeChat(with(ctx, "", token), &pluginpb.WeChatRequest{Endpoint: in.Text, Appid: "wxbob", Body: []byte("{}")})
		return report{Code: code(err)}
	case "settle":
		_, err := host.Settle(with(ctx, "", token), &pluginpb.SettleRequest{Key: in.Text, Happened: true})
		return report{Code: code(err)}
	case "call":
		_, err := host.Call(with(ctx, "", token), &pluginpb.CallRequest{Operation: in.Text, Input: []byte("{}")})
		return report{Code: code(err)}
	case "giant ask":
		_, err := host.Call(with(ctx, "", token), &pluginpb.CallRequest{Operation: "peer.who", Input: make([]byte, 30<<20)})
		return report{Code: code(err)}
	case "flood":
		return h.flood(with(ctx, "", token), host, in.N)
	case "fork":
		return fork()
	case "hang up":
		if err := (*h.host.Load()).(*grpc.ClientConn).Close(); err != nil {
			return report{Code: err.Error()}
		}
		return report{PID: os.Getpid()}
	}
	return report{Code: "unknown order"}
}

func (h *hostile) write(ctx context.Context, host pluginpb.HostClient, in order) report {
	op := &pluginpb.Op{Kind: in.Text, Collection: "notes", Id: in.ID}
	switch in.Text {
	case "insert":
		op.Row = fmt.Appendf(nil, `{"text":"planted","space_id":%d,"id":4711}`, in.Space)
	case "update":
		op.Row = []byte(`{"text":"changed"}`)
	case "move": // a row of one's own into another space
		op.Kind, op.Row = "update", fmt.Appendf(nil, `{"space_id":%d}`, in.Space)
	case "increment":
		op.Row = []byte(`{"count":5}`)
	}
	answer, err := host.Commit(ctx, &pluginpb.CommitRequest{Ops: []*pluginpb.Op{op}})
	return report{Code: code(err), Rows: len(answer.GetIds())}
}

// flood asks as fast as it can, a thousand at a time.
func (h *hostile) flood(ctx context.Context, host pluginpb.HostClient, n int) report {
	var group sync.WaitGroup
	var done atomic.Int64
	turns := make(chan struct{}, 1000)
	for range n {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			if _, err := host.WeChat(ctx, &pluginpb.WeChatRequest{Endpoint: wechat.EndpointBasicInfo, Appid: "wxa", Body: []byte("{}")}); err == nil {
				done.Add(1)
			}
		})
	}
	group.Wait()
	return report{Done: int(done.Load())}
}

// fork leaves two children behind, one of them in a session of its own.
func fork() report {
	near, far := exec.Command("/bin/sleep", "300"), exec.Command("/bin/sleep", "300")
	far.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(near.Start(), far.Start()); err != nil {
		return report{Code: err.Error()}
	}
	return report{PID: near.Process.Pid, Done: far.Process.Pid}
}
