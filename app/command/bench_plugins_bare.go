package command

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// bareWire is a go-plugin that knows nothing of ours but the shape of a page.
type bareWire struct {
	goplugin.NetRPCUnsupportedPlugin
	page *pluginpb.RowsResponse // of the process
}

func (w bareWire) GRPCServer(_ *goplugin.GRPCBroker, registrar *grpc.Server) error {
	pluginpb.RegisterPluginServer(registrar, bareRows{page: w.page})
	return nil
}

func (bareWire) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return pluginpb.NewPluginClient(c), nil
}

// bareRows answers every page with the same bytes.
type bareRows struct {
	pluginpb.UnimplementedPluginServer
	page *pluginpb.RowsResponse
}

func (s bareRows) Rows(context.Context, *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
	return s.page, nil
}

// barePlugin is the process of bareStart and barePages.
func barePlugin() error {
	server := sdk.NewServer(benchPage(), nil, nil)
	page, err := server.Rows(context.Background(), &pluginpb.RowsRequest{Table: "rows", Limit: pageRows})
	if err != nil {
		return err
	}
	goplugin.Serve(&goplugin.ServeConfig{HandshakeConfig: sdk.Handshake(), Plugins: goplugin.PluginSet{sdk.WireName: bareWire{page: page}}, GRPCServer: goplugin.DefaultGRPCServer, Logger: hclog.NewNullLogger()})
	return nil
}

func (b *pluginBench) bareClient() *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: sdk.Handshake(), Plugins: goplugin.PluginSet{sdk.WireName: bareWire{}}, Cmd: exec.Command(b.bare[0], b.bare[1:]...),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, AutoMTLS: true, SkipHostEnv: true, Logger: hclog.NewNullLogger(),
	})
}

// bareStart runs a bare go-plugin process to its first answer.
func (b *pluginBench) bareStart() (time.Duration, error) {
	began := time.Now()
	client := b.bareClient()
	defer client.Kill()
	rpc, err := client.Client()
	if err == nil {
		err = rpc.Ping()
	}
	return time.Since(began), err
}

// barePages gives a call for the same page to a bare go-plugin process, as go-plugin comes; end stops it.
func (b *pluginBench) barePages() (call func(context.Context) error, end func(), err error) {
	client := b.bareClient()
	rpc, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	raw, err := rpc.Dispense(sdk.WireName)
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	plain, ok := raw.(pluginpb.PluginClient)
	if !ok {
		client.Kill()
		return nil, nil, fmt.Errorf("dispensed %T", raw)
	}
	return func(ctx context.Context) error {
		answer, err := plain.Rows(ctx, &pluginpb.RowsRequest{Table: "rows", Limit: pageRows})
		if cells := answer.GetRows(); err == nil && len(cells.GetSizes()) != pageRows*len(cells.GetColumns()) {
			err = fmt.Errorf("a page of %d cells", len(cells.GetSizes()))
		}
		return err
	}, client.Kill, nil
}
