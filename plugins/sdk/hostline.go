package sdk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"minifleet/plugins/sdk/lane"
)

// hostWindow is how much of one answer of the host may wait to be read.
const hostWindow = 1 << 20

// errHostLine says that the one connection to the host is used up.
var errHostLine = errors.New("sdk: the connection to the host was closed")

// HostConnection takes the connection to the Host service that this process
// inherited, and gives what dials it. It is called once, early: whatever the
// process starts later must not inherit it too. Serve does; only a program that
// speaks the wire by itself needs it, with options of its own beside ours.
func HostConnection(options ...grpc.DialOption) func() (grpc.ClientConnInterface, error) {
	conn, err := inherited(HostEnv)
	if err != nil {
		return func() (grpc.ClientConnInterface, error) { return nil, err }
	}
	var once sync.Once
	dial := func(context.Context, string) (net.Conn, error) {
		given, err := net.Conn(nil), errHostLine
		once.Do(func() { given, err = conn, nil })
		return given, err
	}
	return func() (grpc.ClientConnInterface, error) {
		connection, err := grpc.NewClient("passthrough:///host", append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dial),
			grpc.WithIdleTimeout(0), // it cannot be dialled again
			grpc.WithInitialWindowSize(hostWindow), grpc.WithInitialConnWindowSize(4 * hostWindow),
			// A call waits for a host that a busy machine is slow to bring up; when it is gone, the life pipe ends us.
			grpc.WithDefaultCallOptions(grpc.WaitForReady(true), grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))}, options...)...)
		if err != nil {
			return nil, fmt.Errorf("dial the host: %w", err)
		}
		return connection, nil
	}
}

// LaneConnection takes the connection of the lane that this process inherited, and
// gives what makes it ready to serve, which waits for the host. It is called once
// and early, as HostConnection is, and for the same.
func LaneConnection() func() (net.Conn, error) {
	conn, err := inherited(LaneEnv)
	return func() (net.Conn, error) {
		if err != nil {
			return nil, err
		}
		secure, err := lane.Accept(conn, os.Getenv(LaneHostEnv))
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secure, nil
	}
}

func inherited(env string) (net.Conn, error) {
	number := os.Getenv(env)
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("sdk: %s=%q names no descriptor", env, number)
	}
	file := os.NewFile(uintptr(fd), env)
	syscall.CloseOnExec(fd)
	conn, err := net.FileConn(file) // a copy
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("sdk: take the connection of %s: %w", env, err)
	}
	return conn, nil
}
