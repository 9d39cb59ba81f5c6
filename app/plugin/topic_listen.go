package plugin

import (
	"context"
	"io"
	"net/http"
	"time"

	"minifleet/app/account"
)

// newsPatience is how long a browser may take to take one message.
const newsPatience = 10 * time.Second

// EndTopics ends every browser's connection to a topic, so that a server that stops has no open requests; they come again
// by themselves, to whoever serves then.
func (h *Host) EndTopics() { h.topics.end() }

// ServeTopic answers a browser that listens to a topic, as text/event-stream, until it goes, its rights go, or the platform
// stops. again authenticates the request anew; it is asked every half minute. The error says why nobody may listen; nothing
// was answered then. Messages have no numbers: what was missed is not told later (Last-Event-ID is not looked at), so a page
// reads what there is after it has connected.
func (h *Host) ServeTopic(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), plugin, name string) error {
	ctx := r.Context()
	if err := h.mayListen(ctx, actor, plugin, name); err != nil {
		return err
	}
	l, leave, err := h.topics.enter(subject{plugin, name, actor.SpaceID}, actor.AccountID)
	if err != nil {
		return err
	}
	defer leave()
	header := w.Header()
	quarantine(header)
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies of nginx's kind hold nothing back then
	out := eventStream{w, http.NewResponseController(w)}
	defer out.release()
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	still := func() bool {
		now, err := again(ctx)
		return err == nil && now.AccountID == actor.AccountID && now.SpaceID == actor.SpaceID && h.mayListen(ctx, now, plugin, name) == nil
	}
	h.listen(ctx, l, out, still)
	return nil
}

// listen passes on what comes.
func (h *Host) listen(ctx context.Context, l *listener, out eventStream, still func() bool) {
	beat, look := time.NewTicker(h.topics.beat), time.NewTicker(h.topics.recheck)
	defer beat.Stop()
	defer look.Stop()
	ok := out.write("retry: 3000\n: listening\n\n")
	for ok {
		select {
		case data, open := <-l.news:
			if !open {
				return
			}
			ok = out.write("data: " + string(data) + "\n\n")
			h.topics.took(l, data)
		case <-beat.C:
			ok = out.write(": still here\n\n")
		case <-look.C:
			ok = still()
		case <-l.again:
			ok = still()
		case <-h.topics.bye:
			return
		case <-ctx.Done():
			return
		}
	}
}

// eventStream writes to a browser that may have stopped reading.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s eventStream) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(newsPatience)) // without deadlines there is no connection to wait for
	if _, err := io.WriteString(s.w, text); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// release gives the connection back without our deadline.
func (s eventStream) release() { _ = s.control.SetWriteDeadline(time.Time{}) }
