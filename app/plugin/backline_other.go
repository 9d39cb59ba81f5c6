//go:build !unix

package plugin

import (
	"errors"
	"fmt"
	"net"
	"os"
)

func pair() (net.Conn, *os.File, error) {
	return nil, nil, fmt.Errorf("make a plugin's way back: %w", errors.ErrUnsupported)
}
