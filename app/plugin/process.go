package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"minifleet/plugins/sdk/lane"
	"minifleet/plugins/sdk/pluginpb"
)

// The handshake both sides agree on; the SDK holds the same words.
const (
	magicKey   = "MINIFLEET_PLUGIN"
	magicValue = "b7c5f0a4d1e94be79d2f3ac1f5a6e0d8"
	wireName   = "minifleet"
	lifeEnv    = "MINIFLEET_LIFE_FD"
	laneEnv    = "MINIFLEET_LANE_FD"
	lanePrint  = "MINIFLEET_LANE_HOST"
	// maxBody bounds bodies in both directions, maxMessage a whole message.
	maxBody    = 8 << 20
	maxMessage = maxBody + 1<<20

	startTimeout = 20 * time.Second
	killTimeout  = 4 * time.Second
	deafTimeout  = time.Second // for a process whose connection closes because it ends
)

// process is one running plugin process. It is made by start and ended by stop; exited closes when it is gone, however.
type process struct {
	pid       int
	startedAt time.Time
	client    *goplugin.Client
	rpc       pluginpb.PluginClient
	back      *backline // the plugin's way to call the host
	road      net.Conn  // our end of the pair that the lane lies on
	lane      *lane.Conn
	life      io.Closer // our end of the pipe whose closing ends the child
	program   program
	sockets   string // a folder of its own for an extension, "" otherwise
	exited    chan struct{}
	lines     *logLines
	calls     openCalls
}

// openCalls counts the calls that run in a process. Once nobody begins one any more, idle tells when the last has ended.
type openCalls struct {
	group sync.WaitGroup
	open  atomic.Int64
}

// Add is called while the process is the one that is called, so never after idle.
func (c *openCalls) Add(n int)  { c.open.Add(int64(n)); c.group.Add(n) }
func (c *openCalls) Done()      { c.open.Add(-1); c.group.Done() }
func (c *openCalls) count() int { return int(c.open.Load()) }

// idle closes when no call runs.
func (p *process) idle() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		p.calls.group.Wait()
		close(done)
	}()
	return done
}

// wireClient is the host's half of go-plugin's handshake. called makes of its connection the one that is called.
type wireClient struct {
	goplugin.NetRPCUnsupportedPlugin
	called func(grpc.ClientConnInterface) grpc.ClientConnInterface
}

func (wireClient) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host is not a plugin")
}

func (w wireClient) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return pluginpb.NewPluginClient(w.called(connection)), nil
}

// start runs a program as a plugin process and connects to it. spawn runs a function on the one thread that may fork
// children, watch sees every call of the connection.
func start(run program, sockets string, memory int64, log *slog.Logger, spawn func(func()), watch func(grpc.ClientConnInterface) grpc.ClientConnInterface) (_ *process, err error) {
	reading, life, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("life pipe: %w", err)
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, errors.Join(err, reading.Close(), life.Close())
	}
	road, theirRoad, err := pair()
	if err != nil {
		return nil, errors.Join(err, reading.Close(), life.Close(), ours.Close(), theirs.Close())
	}
	p := &process{life: life, back: newBackline(ours), road: road, program: run, exited: make(chan struct{}), startedAt: time.Now(), lines: &logLines{log: log}}
	left := func() error { return errors.Join(reading.Close(), theirs.Close(), theirRoad.Close()) } // the child has its own copies
	key, err := lane.NewKey()
	if err != nil {
		return nil, errors.Join(err, left(), p.letGo())
	}
	command, done, err := p.command([]*os.File{reading, theirs, theirRoad}, sockets)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", run, err), left(), p.letGo())
	}
	// A plugin has one processor: it cannot take the others from the host, and a call, which passes through half a dozen
	// goroutines, need not wake a sleeping thread for each. Its heap is a few megabytes, which Go would collect a hundred
	// times a second under load, a tenth of what a page costs it; the limit bounds it.
	command.Env = append(command.Env, lifeEnv+"=3", hostEnv+"=4", laneEnv+"=5", lanePrint+"="+key.Print(), fmt.Sprintf("GOMEMLIMIT=%d", memory), "GOGC=300", "GOMAXPROCS=1", "TZ=UTC")
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: protocol, MagicCookieKey: magicKey, MagicCookieValue: magicValue},
		Plugins: goplugin.PluginSet{wireName: wireClient{called: func(c grpc.ClientConnInterface) grpc.ClientConnInterface {
			p.lane = lane.Open(road, key, c, maxMessage, p.unlaned)
			return pluginpb.Calling(watch(p.lane))
		}}},
		Cmd:              command,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     startTimeout,
		Logger:           hclog.NewNullLogger(),
		Stderr:           p.lines,
		// A fixed window bounds what waits for a slow reader of a stream; gRPC's own would grow to 16 MiB each.
		GRPCDialOptions: []grpc.DialOption{grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(4 * streamWindow), grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))},
	})
	spawn(func() {
		if run.approved != nil {
			if err = gainNothing(); err != nil {
				return
			}
		}
		_, err = p.client.Start()
	})
	closeErr := errors.Join(left(), done())
	if err = errors.Join(err, closeErr); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", run, err), p.letGo())
	}
	p.pid = command.Process.Pid
	go func() {
		awaitExit(p.pid, p.client)
		close(p.exited)
	}()
	if err := p.connect(); err != nil {
		p.stop()
		return nil, fmt.Errorf("connect to %s: %w", run, err)
	}
	if run.approved != nil {
		if err := limitProcess(p.pid); err != nil {
			p.stop()
			return nil, fmt.Errorf("bounds of %s: %w", run, err)
		}
	}
	return p, nil
}

func (p *process) connect() error {
	protocolClient, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocolClient.Dispense(wireName)
	if err != nil {
		return err
	}
	rpc, ok := raw.(pluginpb.PluginClient)
	if !ok {
		return fmt.Errorf("dispensed %T", raw)
	}
	p.rpc = rpc
	return nil
}

// offer serves the Host service for this process. A process that closes its way back can never call again, so it is ended,
// which starts it anew.
func (p *process) offer(host pluginpb.HostServer, see grpc.UnaryServerInterceptor, bound *pressure) {
	p.back.serve(host, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.MaxConcurrentStreams(bound.streams()),
		grpc.ChainUnaryInterceptor(see, bound.intercept))
	go func() {
		select {
		case <-p.exited:
		case <-p.back.gone:
			p.cutOff("a plugin closed its connection to the host: it is ended")
		}
	}()
}

// unlaned ends a process that ended its lane: calls went astray, or would from now on.
func (p *process) unlaned(err error) {
	p.cutOff("a plugin ended the lane of its calls: it is ended", "error", err.Error())
}

// cutOff ends a process that closed what it is called or calls by, unless it does so because it ends.
func (p *process) cutOff(why string, more ...any) {
	select {
	case <-p.exited:
	case <-time.After(deafTimeout):
		if !p.lines.stopping.Load() {
			p.lines.log.Warn(why, more...)
			killGroup(p.pid)
		}
	}
}

// letGo gives back what a process holds outside itself.
func (p *process) letGo() error {
	p.back.close()
	road := p.road.Close
	if p.lane != nil {
		road = p.lane.Close
	}
	return errors.Join(road(), p.life.Close(), p.tidy())
}

// stop asks the process to end, and makes sure: a child that ignores it is killed with its whole group.
func (p *process) stop() {
	p.lines.stopping.Store(true)
	killed := make(chan struct{})
	go func() {
		p.client.Kill()
		close(killed)
	}()
	select {
	case <-p.exited:
	case <-time.After(killTimeout):
		killGroup(p.pid)
		<-p.exited
	}
	killGroup(p.pid) // children that it left behind hold the group's number until they are gone
	if err := p.letGo(); err != nil {
		p.lines.log.Warn("what a plugin's process left was not all removed", "error", err.Error())
	}
	select {
	case <-killed:
	case <-time.After(killTimeout):
	}
}
