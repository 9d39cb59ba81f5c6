package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxUploadBody bounds an upload: a video of 10 MB, which is too large at 10 MB and a little, and the form around it.
const maxUploadBody = 12 << 20

// maxAPIBody bounds the body of every call; ext_json is the largest thing sent and stays far below.
const maxAPIBody = 1 << 20

// reply is what goes back over HTTP.
type reply struct {
	status      int
	contentType string
	fileName    string // not empty: Content-Disposition: attachment
	body        []byte
	errcode     int
}

// serveAPI answers one endpoint; ep nil answers paths WeChat does not know.
func (s *Simulator) serveAPI(ep *endpoint) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, ep.bodyLimit()))
		if err != nil {
			http.Error(rw, "request body too large or broken", http.StatusRequestEntityTooLarge)
			return
		}
		start, token := s.wall(), accessTokenOf(r)
		var record *call
		var hit *fault
		err = s.update(r.Context(), func(w *world, now int64) error {
			record = newCall(r, body, now)
			record.attribute(w, token, body)
			hit = w.takeFault(record)
			return nil
		})
		if err != nil {
			s.unavailable(rw, r, err)
			return
		}
		if hit != nil && hit.DelayMs > 0 && !sleep(r.Context(), time.Duration(hit.DelayMs)*time.Millisecond) {
			record.Fault += " (caller went away)"
		}
		var out reply
		if hit != nil && !hit.After && hit.answers() {
			out, err = hit.reply(record.RID), nil
		} else {
			out, err = s.execute(r, ep, record, body, token)
		}
		if err == nil && hit != nil && hit.After && hit.answers() {
			out = hit.reply(record.RID)
		}
		if err != nil {
			s.unavailable(rw, r, err)
			return
		}
		if err := s.recordCall(r.Context(), record, out, s.wall().Sub(start)); err != nil {
			s.unavailable(rw, r, err)
			return
		}
		if hit != nil && hit.Drop {
			panic(http.ErrAbortHandler) // net/http's way to close the connection without an answer
		}
		s.send(rw, r, out)
	}
}

// execute runs the endpoint in one step of the world.
func (s *Simulator) execute(r *http.Request, ep *endpoint, record *call, body []byte, token string) (reply, error) {
	out := reply{status: http.StatusOK, contentType: "application/json; charset=utf-8"}
	err := s.update(r.Context(), func(w *world, now int64) error {
		if err := w.settle(now); err != nil {
			return err
		}
		c := &apiCall{now: now, query: r.URL.Query(), body: body, mediaType: r.Header.Get("Content-Type"), ip: callerIP(r),
			rid: record.RID, publicURL: s.publicURL(r)}
		result, refusal := ep.handle(w, c, r.Method, token)
		if img, ok := result.(image); ok && refusal == nil {
			out.contentType, out.fileName, out.body = img.contentType, img.fileName, img.data
			return nil
		}
		var err error
		out.body, out.errcode, err = encodeAnswer(result, refusal, record.RID)
		return err
	})
	return out, err
}

// recordCall puts the finished call into the log of calls.
func (s *Simulator) recordCall(ctx context.Context, record *call, out reply, took time.Duration) error {
	return s.update(ctx, func(w *world, _ int64) error {
		record.Errcode, record.HTTPStatus, record.DurationMs = out.errcode, out.status, took.Milliseconds()
		if out.fileName == "" {
			record.Answer = redactJSON(out.body)
		} else {
			record.Answer = fmt.Sprintf("%s, %d bytes", out.contentType, len(out.body))
		}
		w.addCall(record)
		return nil
	})
}

func (s *Simulator) send(rw http.ResponseWriter, r *http.Request, out reply) {
	rw.Header().Set("Content-Type", out.contentType)
	if out.fileName != "" {
		rw.Header().Set("Content-Disposition", `attachment; filename="`+out.fileName+`"`)
	}
	rw.WriteHeader(out.status)
	if _, err := rw.Write(out.body); err != nil {
		s.log.Debug("simulator answer not delivered", "path", r.URL.Path, "err", err)
	}
}

// unavailable reports the simulator's own trouble (its state file), which is never WeChat's answer.
func (s *Simulator) unavailable(rw http.ResponseWriter, r *http.Request, err error) {
	s.log.Error("simulator cannot work", "path", r.URL.Path, "err", err)
	http.Error(rw, "simulator state is not available: "+err.Error(), http.StatusInternalServerError)
}

// callerIP is the address a call came from, without its port.
func callerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func accessTokenOf(r *http.Request) string {
	q := r.URL.Query()
	if t := q.Get("access_token"); t != "" {
		return t
	}
	return q.Get("component_access_token")
}

// encodeAnswer writes a result or a refusal in WeChat's form and tells the errcode.
func encodeAnswer(result any, refusal error, rid string) (body []byte, errcode int, err error) {
	if refusal != nil {
		var e *apiError
		if !errors.As(refusal, &e) {
			return nil, 0, refusal
		}
		body, err = plainJSON(map[string]any{"errcode": e.Code, "errmsg": e.Msg + " rid: " + rid})
		return body, e.Code, err
	}
	switch v := result.(type) {
	case bareFields:
		body, err = plainJSON(map[string]any(v))
	case fields:
		all := map[string]any{"errcode": 0, "errmsg": "ok"}
		for k, value := range v {
			all[k] = value
		}
		if code, ok := all["errcode"].(int); ok && code != 0 {
			errcode = code
			all["errmsg"] = fmt.Sprint(all["errmsg"], " rid: ", rid)
		}
		body, err = plainJSON(all)
	default:
		err = fmt.Errorf("endpoint gave an answer of an unknown kind %T", result)
	}
	return body, errcode, err
}

// plainJSON encodes without escaping < > &, as WeChat does.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// sleep waits in real time and tells whether the whole wait passed before the caller went away.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
