package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
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
	note        string // for the log of calls, instead of the body
	cut         string // cutAll or cutHalf: the connection ends before the answer does
}

// How an answer is cut.
const (
	cutAll  = "all"
	cutHalf = "half"
)

func (s *Simulator) send(rw http.ResponseWriter, r *http.Request, out reply) {
	rw.Header().Set("Content-Type", out.contentType)
	if out.fileName != "" {
		rw.Header().Set("Content-Disposition", `attachment; filename="`+out.fileName+`"`)
	}
	body := out.body
	if out.cut == cutHalf { // the caller is promised more than it gets
		rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	rw.WriteHeader(out.status)
	if _, err := rw.Write(body); err != nil {
		s.log.Debug("simulator answer not delivered", "path", r.URL.Path, "err", err)
	}
	if out.cut == cutHalf {
		if err := http.NewResponseController(rw).Flush(); err != nil {
			s.log.Debug("simulator answer not delivered", "path", r.URL.Path, "err", err)
		}
		panic(http.ErrAbortHandler)
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
