package simulator

import (
	"io"
	"net/http"
	"strings"
)

// builtinReceiver is a host that exists only inside the simulator: a platform that answers every push with success. A
// scenario gives it to its platforms, so that it runs without a network.
const builtinReceiver = "receiver.simulator"

// pushTransport carries pushes: to the built-in receiver by itself, everything else over HTTP.
type pushTransport struct{ outside http.RoundTripper }

func (t pushTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != builtinReceiver {
		return t.outside.RoundTrip(r)
	}
	if r.Body != nil {
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("success")), Request: r}, nil
}

var _ http.RoundTripper = pushTransport{}
