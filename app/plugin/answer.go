package plugin

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Upload is a request's body for Pass: it may be read while the answer goes out, and nobody waits for the rest of a body
// that the plugin does not want.
func Upload(w http.ResponseWriter, r *http.Request) io.Reader {
	if r.ContentLength == 0 {
		return http.NoBody
	}
	return &upload{body: r.Body, w: w, control: http.NewResponseController(w)}
}

type upload struct {
	body    io.Reader
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool // set before another goroutine may read; drain comes after it
	ended   bool // all of it was read; of the one who reads
	stopped bool
}

// begin makes the connection one that is read while it is written to. It comes before the first byte of an answer, from
// the goroutine that serves the request: the server looks at it when it writes the head, and would else read the body away.
func (u *upload) begin() {
	u.begun = true
	_ = u.control.EnableFullDuplex() // where there is no such thing, it is so anyway
}

// Read gives what the client sends.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	u.ended = err == io.EOF //nolint:errorlint // what Read promises
	return n, err
}

// stop makes a Read that waits for the client give up.
func (u *upload) stop() {
	u.stopped = true
	_ = u.control.SetReadDeadline(time.Now()) // without deadlines there is no connection to wait for
}

// drain leaves nothing for the server to read after the handler: in full duplex it would take the rest of a body for the
// next request. A body that was not read to its end costs the client its connection; so does stopping one that had just
// ended, for the server reads on by then, takes the deadline for the client's leaving, and tells all later requests so.
func (u *upload) drain() {
	if !u.begun || u.ended && !u.stopped {
		return
	}
	u.begun = false // once is enough
	if !u.stopped {
		u.stop()
		if _, err := io.Copy(io.Discard, u.body); err == nil { // all of it had arrived
			return
		}
	}
	u.part()
}

// part has the server close the connection after this answer, and wait for the client to read it. A handler can ask for that
// before the head of an answer alone; afterwards the way is what the server itself does for a body beyond its bound.
func (u *upload) part() {
	w := u.w
	for {
		wrapped, is := w.(interface{ Unwrap() http.ResponseWriter })
		if !is {
			break
		}
		w = wrapped.Unwrap()
	}
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1)) // an error is what it is for
}

// flushBelow is the size of a piece that is sent on at once: a plugin's own buffer is larger, so it wanted this one out.
const flushBelow = 32 << 10

// Send answers with what has no frame: bytes, or a stream as fast as the reader takes it. A stream that breaks off breaks
// the connection too (http.ErrAbortHandler), since its status is out: a reader must not take a part for the whole.
func (r Response) Send(w http.ResponseWriter, asked *http.Request) {
	header := w.Header()
	for name, values := range r.Header {
		header[name] = values
	}
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Stream == nil {
		header.Set("Content-Length", strconv.Itoa(len(r.Body)))
		w.WriteHeader(r.Status)
		if asked.Method != http.MethodHead {
			_, _ = w.Write(r.Body) // the reader may be gone
		}
		return
	}
	defer func() { _ = r.Stream.Close() }() // it never fails
	w.WriteHeader(r.Status)
	if asked.Method == http.MethodHead {
		return
	}
	if err := copyOut(w, r.Stream); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// copyOut passes pieces on as they come.
func copyOut(w http.ResponseWriter, from io.Reader) error {
	control := http.NewResponseController(w)
	if err := control.Flush(); err != nil { // the head, before a plugin that takes its time
		return err
	}
	buffer := make([]byte, chunkMost)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if n > 0 && n < flushBelow {
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF { //nolint:errorlint // what Read promises
			return nil
		}
		if err != nil {
			return err
		}
	}
}
