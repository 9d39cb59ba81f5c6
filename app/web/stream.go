package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"

	"minifleet/app/transfer"
)

// download is the answer of a call that sends a file instead of JSON. Size is -1 while unknown.
type download struct {
	Name, Type string
	Size       int64
	Body       io.ReadCloser
}

// streamed is the input of a call whose answer is a download: it is sent as it is read and never kept for repetition.
type streamed interface{ streamed() }

// ownBody is the input of a call whose body is no JSON: it takes what it needs of the request.
type ownBody interface{ take(r *http.Request) error }

// sendFile calls a handler that answers with a download and sends it.
func sendFile(w http.ResponseWriter, r *http.Request, ctx context.Context, fn, in reflect.Value) {
	out := fn.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := out[1].Interface().(error); err != nil {
		fail(w, r, err)
		return
	}
	d, ok := out[0].Interface().(*download)
	if !ok || d == nil {
		fail(w, r, errors.New("web: a download without a file"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", d.Type)
	h.Set("Content-Disposition", transfer.Disposition(d.Name))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if d.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	}
	_, err := io.Copy(w, d.Body)
	if err = errors.Join(err, d.Body.Close()); err != nil {
		// The status is out: only a connection that breaks off tells the reader that the file is not whole.
		slog.WarnContext(ctx, "a download was broken off", "path", loggedPath(r), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// uploadBody is the file of a request: a multipart form's field "file", or the body itself.
func uploadBody(r *http.Request, limit int64) (name string, body io.Reader, err error) {
	r.Body = http.MaxBytesReader(nil, r.Body, limit+1<<20)
	form, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		return "", r.Body, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("web: upload: %w", err)
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", nil, fmt.Errorf("web: upload: %w", err)
		}
		if part.FormName() == "file" {
			return part.FileName(), part, nil
		}
	}
}
