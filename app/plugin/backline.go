package plugin

import (
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"minifleet/plugins/sdk/pluginpb"
)

// hostEnv names the descriptor on which a plugin process reaches the Host service; the SDK holds the same word.
const hostEnv = "MINIFLEET_HOST_FD"

// backline is the host's end of the connection on which one plugin process calls back: a pair of sockets without a name,
// whose other end the child inherits. It is this process' alone, so it says which plugin asks, and it needs neither a
// certificate nor go-plugin's broker, which can be reached by another user's process only through the connection of the
// calls, at the price of multiplexing both.
type backline struct {
	conn net.Conn
	gone chan struct{} // closes with the connection, whoever closed it

	mu     sync.Mutex
	server *grpc.Server
	closed bool
}

func newBackline(conn net.Conn) *backline {
	b := &backline{gone: make(chan struct{})}
	b.conn = &told{Conn: conn, closed: sync.OnceFunc(func() { close(b.gone) })}
	return b
}

// firstCall is how long a plugin may go without calling back. gRPC gives a new connection two minutes to say something, as it
// must where anybody can connect; here it would end every plugin that has nothing to ask.
const firstCall = 10 * 365 * 24 * time.Hour

// serve answers calls until close.
func (b *backline) serve(host pluginpb.HostServer, options ...grpc.ServerOption) {
	server := grpc.NewServer(append(slices.Clip(options), grpc.ConnectionTimeout(firstCall))...)
	pluginpb.RegisterHostServer(server, host)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.server = server
	listener := &single{conns: make(chan net.Conn, 1), closed: make(chan struct{}), address: b.conn.LocalAddr()}
	listener.conns <- b.conn
	go func() { _ = server.Serve(listener) }() // ends with close, without a word to say
}

// close ends the service and the connection. Running calls are cut.
func (b *backline) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.server != nil {
		b.server.Stop()
	}
	_ = b.conn.Close() // the plugin's end says whether it minds
}

// told is a connection that tells when it is closed.
type told struct {
	net.Conn
	closed func()
}

func (t *told) Close() error {
	defer t.closed()
	return t.Conn.Close()
}

// single is a listener that hands out the one connection there is.
type single struct {
	conns   chan net.Conn
	once    sync.Once
	closed  chan struct{}
	address net.Addr
}

func (s *single) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *single) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *single) Addr() net.Addr { return s.address }

var (
	_ net.Listener = (*single)(nil)
	_ net.Conn     = (*told)(nil)
)
