package lane

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"syscall"
	"time"
)

// Key is what one end of a lane shows to the other. It is made for one process
// and never leaves the one that made it.
type Key struct{ certificate tls.Certificate }

// NewKey makes one.
func NewKey() (Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("lane: make a key: %w", err)
	}
	// Nobody looks at what stands in it: it is known by its fingerprint.
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(1<<30, 0), NotAfter: time.Unix(1<<34, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, form, form, public, private)
	if err != nil {
		return Key{}, fmt.Errorf("lane: make a certificate: %w", err)
	}
	return Key{tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: private}}, nil
}

// Print is the SHA-256 of the certificate, in hex.
func (k Key) Print() string { return printOf(k.certificate.Certificate[0]) }

func printOf(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

var errStranger = errors.New("lane: the other end is not the one that was announced")

func (k Key) config() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{k.certificate}, MinVersion: tls.VersionTLS13,
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	}
}

// Accept makes a connection secure from the side of the one who serves. host is
// the Print of the other's key.
func Accept(conn net.Conn, host string) (net.Conn, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	config := key.config()
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyPeerCertificate = func(shown [][]byte, _ [][]*x509.Certificate) error {
		if len(shown) == 0 || printOf(shown[0]) != host {
			return errStranger
		}
		return nil
	}
	secure := tls.Server(conn, config)
	if err := secure.Handshake(); err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	return secure, nil
}

// dial makes a connection secure from the other side. Whatever certificate the
// other end shows is its own: it alone has that end, and made its key by itself.
func dial(conn net.Conn, key Key) (net.Conn, error) {
	config := key.config()
	config.InsecureSkipVerify = true //nolint:gosec // see above
	secure := tls.Client(conn, config)
	if err := secure.Handshake(); err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	return secure, nil
}

// gone tells whether an error says no more than that the connection was closed,
// at this end or the other.
func gone(err error) bool {
	return slices.ContainsFunc([]error{io.EOF, net.ErrClosed, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE}, func(one error) bool { return errors.Is(err, one) })
}
