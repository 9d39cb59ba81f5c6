package simulator

import (
	"io"
	"net/http"
	"net/url"
	"time"
)

// exchange is one call on its way through the simulator.
type exchange struct {
	request *http.Request
	ep      *endpoint // nil: a path WeChat does not know
	query   url.Values
	body    []byte
	token   string
	record  *call
	hit     *fault        // injected fault, or nil
	wait    time.Duration // real time asked for by a fault and by the latency of the path
	holds   string        // mini program whose commit or submit this is, while it waits
	out     reply
	busy    bool // another commit or submit of the mini program is on its way
	done    bool
}

// serveAPI answers one endpoint; ep nil answers paths WeChat does not know. A call that meets no fault and no latency is
// one step of the world: effect, answer and record together.
func (s *Simulator) serveAPI(ep *endpoint) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, ep.bodyLimit()))
		if err != nil {
			http.Error(rw, "request body too large or broken", http.StatusRequestEntityTooLarge)
			return
		}
		start, query := s.wall(), r.URL.Query()
		x := &exchange{request: r, ep: ep, query: query, body: body, token: accessTokenOf(query), record: newCall(r, query, body)}
		err = s.update(r.Context(), func(w *world, now int64) error { return s.receive(w, x, now, start) })
		if err == nil && !x.done {
			if x.wait > 0 && !sleep(r.Context(), x.wait) {
				x.record.Fault += " (caller went away)"
			}
			err = s.update(r.Context(), func(w *world, now int64) error { return s.finish(w, x, now, start) })
		}
		if err != nil {
			s.unavailable(rw, r, err)
			return
		}
		if x.out.cut == cutAll {
			panic(http.ErrAbortHandler) // net/http's way to close the connection without an answer
		}
		s.send(rw, r, x.out)
	}
}

// receive notes who calls and what shall go wrong; when nothing shall, it finishes the call at once.
func (s *Simulator) receive(w *world, x *exchange, now int64, start time.Time) error {
	x.record.TimeMs, x.record.RID = now, w.ids.rid()
	x.record.attribute(w, x.token, x.body)
	x.hit, x.wait = w.takeFault(x.record), w.latencyOf(x.record.Path)
	if x.hit != nil {
		x.wait += time.Duration(x.hit.DelayMs) * time.Millisecond
	}
	if appID := x.record.AppID; appID != "" && operations[x.record.Path] {
		if w.operating[appID] {
			x.busy = true
			return s.finish(w, x, now, start)
		}
		if x.wait > 0 {
			w.operating[appID], x.holds = true, appID
		}
	}
	if x.hit != nil || x.wait > 0 {
		return nil
	}
	return s.finish(w, x, now, start)
}

// operations are the calls of which a mini program has one at a time (9402202). Read only.
var operations = map[string]bool{"/wxa/commit": true, "/wxa/submit_audit": true}

// finish lets the call take effect, unless a fault answers in its place, and writes it into the log of calls.
func (s *Simulator) finish(w *world, x *exchange, now int64, start time.Time) error {
	if x.holds != "" {
		delete(w.operating, x.holds)
	}
	if x.hit != nil && !x.hit.After && x.hit.answers() {
		x.out = x.hit.reply(x.record.RID)
	} else {
		out, err := s.execute(w, x, now)
		if err != nil {
			return err
		}
		x.out = out
		if x.hit != nil && x.hit.answers() {
			x.out = x.hit.reply(x.record.RID)
		}
	}
	if x.hit != nil {
		x.out = x.hit.spoil(x.out)
	}
	took := x.wait
	if !w.clock.Frozen {
		took = s.wall().Sub(start)
	}
	x.record.answered(x.out, took.Milliseconds())
	w.addCall(x.record)
	x.done = true
	return nil
}

// execute runs the endpoint.
func (s *Simulator) execute(w *world, x *exchange, now int64) (reply, error) {
	out := reply{status: http.StatusOK, contentType: "application/json; charset=utf-8"}
	if err := w.settle(now); err != nil {
		return out, err
	}
	c := &apiCall{now: now, query: x.query, body: x.body, mediaType: x.request.Header.Get("Content-Type"), ip: callerIP(x.request), rid: x.record.RID,
		publicURL: s.publicURL(x.request), knows: s.knows}
	var result any
	refusal := refuse(9402202)
	if !x.busy {
		result, refusal = x.ep.handle(w, c, x.request.Method, x.token)
	}
	if img, ok := result.(image); ok && refusal == nil {
		out.contentType, out.fileName, out.body = img.contentType, img.fileName, img.data
		return out, nil
	}
	var err error
	out.body, out.errcode, err = encodeAnswer(result, refusal, x.record.RID)
	return out, err
}

func accessTokenOf(query url.Values) string {
	if t := query.Get("access_token"); t != "" {
		return t
	}
	return query.Get("component_access_token")
}
