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
	conn, err := inherited(os.Getenv(HostEnv))
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

func inherited(number string) (net.Conn, error) {
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("sdk: %s=%q names no descriptor", HostEnv, number)
	}
	file := os.NewFile(uintptr(fd), "host")
	syscall.CloseOnExec(fd)
	conn, err := net.FileConn(file) // a copy
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("sdk: take the connection to the host: %w", err)
	}
	return conn, nil
}
