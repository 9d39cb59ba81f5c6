package sdk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"minifleet/plugins/sdk/lane"
	"minifleet/plugins/sdk/pluginpb"
)

// Names both sides of the handshake agree on.
const (
	Magic     = "MINIFLEET_PLUGIN"
	MagicHash = "b7c5f0a4d1e94be79d2f3ac1f5a6e0d8"
	WireName  = "minifleet"
	// LifeEnv names the descriptor that closes when the host is gone.
	LifeEnv = "MINIFLEET_LIFE_FD"
	// HostEnv names the descriptor of the connection to the Host service.
	HostEnv = "MINIFLEET_HOST_FD"
	// LaneEnv names the descriptor of the connection that calls come by, and
	// LaneHostEnv the fingerprint of who calls.
	LaneEnv     = "MINIFLEET_LANE_FD"
	LaneHostEnv = "MINIFLEET_LANE_HOST"
)

// maxMessage leaves room around a body of MaxBody.
const maxMessage = MaxBody + 1<<20

// Handshake is what go-plugin compares before anything else.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: Protocol, MagicCookieKey: Magic, MagicCookieValue: MagicHash}
}

// Serve is the main of a plugin process: it answers the host until the host
// ends it, and never returns before. Log lines go to the host. Run by hand,
// "describe" prints the manifest as JSON, and anything else tells what the
// program is for and exits with 2; with mistakes of the author in it, it
// prints them and exits with 1.
func Serve(p *Plugin) {
	if os.Getenv(Magic) != MagicHash {
		os.Exit(byHand(p, os.Args[1:], os.Stdout, os.Stderr))
	}
	followHost()
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})).With("plugin", p.ID())
	wire := &wire{plugin: p, log: log, host: HostConnection(), road: LaneConnection()}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: Handshake(),
		Plugins:         goplugin.PluginSet{WireName: wire},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				// A fixed window bounds what waits for a handler that reads a stream slowly.
				grpc.InitialWindowSize(1<<20), grpc.InitialConnWindowSize(4<<20),
				grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
				grpc.UnaryInterceptor(wire.intercept))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Name: p.ID(), Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
}

// byHand answers a person who starts the program, and "minifleet plugin pack".
func byHand(p *Plugin, args []string, stdout, stderr io.Writer) (status int) {
	if err := p.Err(); err != nil {
		_, _ = fmt.Fprintf(stderr, "插件 %s 的声明有误：\n%v\n", p.ID(), err)
		return 1
	}
	if len(args) != 1 || args[0] != "describe" {
		_, _ = fmt.Fprintf(stderr, "这是 MiniFleet 的插件 %s（%s %s），由平台启动。打包：minifleet plugin pack；查看声明：加参数 describe\n",
			p.ID(), p.manifest.GetTitle(), p.manifest.GetVersion())
		return 2
	}
	encoded, err := protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Marshal(p.manifest)
	if err == nil {
		_, err = stdout.Write(append(encoded, '\n'))
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "describe:", err)
		return 1
	}
	return 0
}

// followHost ends this process when the pipe from the host closes: it holds
// for every way a host can die.
func followHost() {
	number, err := strconv.Atoi(os.Getenv(LifeEnv))
	if err != nil || number < 3 {
		return
	}
	life := os.NewFile(uintptr(number), "life")
	go func() {
		if _, err := io.Copy(io.Discard, life); err != nil {
			fmt.Fprintln(os.Stderr, "life pipe:", err)
		}
		os.Exit(0)
	}()
}

// wire joins a Plugin with go-plugin.
type wire struct {
	goplugin.NetRPCUnsupportedPlugin
	plugin *Plugin
	log    *slog.Logger
	host   func() (grpc.ClientConnInterface, error)
	road   func() (net.Conn, error)
	server *Server
}

// serveLane takes calls by the lane as long as there is one. Where it cannot, the
// host calls by go-plugin's connection.
func (w *wire) serveLane() {
	conn, err := w.road()
	if err == nil {
		err = lane.Serve(conn, &pluginpb.Plugin_ServiceDesc, w.server, w.server.Intercept, maxMessage)
	}
	if err != nil {
		w.log.Error("the lane of the host's calls is not served", "error", err.Error())
	}
}

// GRPCServer registers the Plugin service.
func (w *wire) GRPCServer(_ *goplugin.GRPCBroker, registrar *grpc.Server) error {
	w.server = NewServer(w.plugin, w.log, w.host)
	pluginpb.RegisterPluginServer(registrar, w.server)
	go w.serveLane()
	return nil
}

// GRPCClient is the host's half and never runs here.
func (*wire) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("sdk: a plugin is not a client")
}

func (w *wire) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if w.server == nil {
		return next(ctx, request)
	}
	return w.server.Intercept(ctx, request, info, next)
}
