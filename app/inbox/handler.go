package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/wechat"
)

// Prefix is where the handler is mounted.
const Prefix = "/wechat/"

// Bounds of a push.
const (
	maxBody   = 1 << 20          // bytes
	maxQuery  = 4 << 10          // bytes
	freshness = 10 * time.Minute // between the push's timestamp and wall time, either way (01 A.3 step 4)
)

// Keys gives the tokens and AES keys of a bound 第三方平台, newest first; a fault NotFound for another appid.
type Keys interface {
	Keys(ctx context.Context, component string) (component.Keys, error)
}

// Owners knows whose the mini programs are.
type Owners interface {
	// Owner tells the gh_ id of a mini program that is authorised to the component. ok is false for every other appid.
	Owner(ctx context.Context, component, appid string) (userName string, ok bool, err error)
	// Foreign tells whether the house knows the mini program, but not as one that is authorised to the component.
	Foreign(ctx context.Context, component, appid string) (bool, error)
}

// Appender makes a push durable before it returns; event.Log is one.
type Appender interface {
	Append(ctx context.Context, r event.Record) error
}

// Options of a Handler; all are needed but Logger, Wall and PreviousUsed.
type Options struct {
	Keys     Keys
	Owners   Owners
	Events   Appender
	Clock    clock.Clock           // platform time, for when a push was received
	Wall     func() time.Time      // wall time, for freshness and caches; default time.Now
	Registry prometheus.Registerer // gets the counters
	Logger   *slog.Logger          // default slog.Default
	// PreviousUsed is told now and then that pushes still come under the previous keys of a component.
	PreviousUsed func(ctx context.Context, component string) error
}

// Handler serves POST /wechat/{component}/ticket and POST /wechat/{component}/message/{appid}.
type Handler struct {
	opts     Options
	keys     *keyring
	previous pace
	owners   *ownerCache
	failures *failureRing
	accepted *prometheus.CounterVec
	refused  *prometheus.CounterVec
	buffers  sync.Pool // of *bytes.Buffer, for bodies
}

// New makes a Handler and registers its counters.
func New(o Options) (*Handler, error) {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	h := &Handler{
		opts: o, keys: newKeyring(o.Keys, o.Wall), owners: newOwnerCache(o.Owners, o.Wall), failures: newFailureRing(),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_inbox_accepted_total", Help: "Pushes from WeChat that were made durable, by kind of callback URL."}, []string{"kind"}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_inbox_refused_total", Help: "Pushes that were refused, by inner reason."}, []string{"reason"}),
		buffers:  sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	for _, c := range []prometheus.Collector{h.accepted, h.refused} {
		if err := o.Registry.Register(c); err != nil {
			return nil, fmt.Errorf("inbox: %w", err)
		}
	}
	return h, nil
}

// Invalidate drops what is cached of a component: call it after its keys, or its authorisations, changed.
func (h *Handler) Invalidate(component string) {
	h.keys.drop(component)
	h.owners.drop(component)
}

// Failures lists the newest refused pushes of a bound component, newest first, for the binding wizard.
func (h *Handler) Failures(component string) []Failure { return h.failures.list(component) }

// ServeHTTP answers `success` when the push is durable, 503 when it could not be stored, and one 4xx without a reason for
// everything else. The few pushes that want another answer at once get it from the responder.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, ok := parsePath(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		h.refused.WithLabelValues(string(wechat.ReasonMethod)).Inc()
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	reply, err := h.receive(w, r, at)
	if err == nil {
		h.accepted.WithLabelValues(at.kind).Inc()
		header := w.Header()
		header["Content-Type"] = plainText
		if _, err := io.WriteString(w, reply); err != nil {
			h.opts.Logger.DebugContext(r.Context(), "answer to a push was not read", "error", err)
		}
		return
	}
	h.refuse(w, r, at, err)
}

var plainText = []string{"text/plain; charset=utf-8"}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, at address, err error) {
	reason := wechat.ReasonOf(err)
	h.refused.WithLabelValues(string(reason)).Inc()
	if reason == wechat.ReasonInternal {
		h.opts.Logger.ErrorContext(r.Context(), "push could not be taken", "component", at.component, "kind", at.kind, "error", err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	if h.keys.bound(at.component) { // strangers' inventions must not fill the memory
		h.failures.add(at.component, Failure{At: h.opts.Clock.Now().UnixMilli(), Kind: at.kind, Reason: string(reason), Label: reason.Label()})
	}
	h.opts.Logger.InfoContext(r.Context(), "push refused", "component", at.component, "kind", at.kind, "reason", string(reason), "cause", errors.Unwrap(err))
	http.Error(w, "bad request", http.StatusBadRequest)
}

// received is one push that passed every check of 01 A.3.
type received struct {
	at      address
	signed  wechat.Signed
	encrypt string
	keys    heldKeys
	msg     []byte
	push    wechat.Push
}

// receive takes one push through every check, in the order of 01 A.3, makes it durable and gives the answer.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, at address) (reply string, err error) {
	in := received{at: at}
	if in.signed, err = parameters(r.URL.RawQuery); err != nil {
		return "", err
	}
	if in.keys, err = h.keys.get(r.Context(), at.component); err != nil {
		return "", err
	}
	envelope, err := h.envelope(w, r)
	if err != nil {
		return "", err
	}
	in.encrypt = envelope.Encrypt
	if err := h.open(r.Context(), &in); err != nil {
		return "", err
	}
	if in.push, err = wechat.ParsePush(at.kind, in.msg); err != nil {
		return "", err
	}
	// An Event there need not name the platform: the cipher does.
	if at.kind == wechat.TicketURL && in.push.AppID != at.component && (in.push.AppID != "" || in.push.InfoType != "") {
		return "", wechat.Refuse(wechat.ReasonAppID, nil)
	}
	record, err := h.record(r.Context(), in, r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	if err := h.opts.Events.Append(r.Context(), record); err != nil {
		return "", err
	}
	h.notePrevious(r.Context(), in)
	return h.respond(in)
}

// parameters reads the three that matter; each must be there exactly once.
func parameters(rawQuery string) (wechat.Signed, error) {
	if len(rawQuery) > maxQuery {
		return wechat.Signed{}, wechat.Refuse(wechat.ReasonParameters, nil)
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return wechat.Signed{}, wechat.Refuse(wechat.ReasonParameters, err)
	}
	var s wechat.Signed
	for name, into := range map[string]*string{"timestamp": &s.Timestamp, "nonce": &s.Nonce, "msg_signature": &s.MsgSignature} {
		values := query[name]
		if len(values) != 1 || values[0] == "" {
			return wechat.Signed{}, wechat.Refuse(wechat.ReasonParameters, nil)
		}
		*into = values[0]
	}
	if _, err := strconv.ParseInt(s.Timestamp, 10, 64); err != nil {
		return wechat.Signed{}, wechat.Refuse(wechat.ReasonParameters, err)
	}
	return s, nil
}

func (h *Handler) envelope(w http.ResponseWriter, r *http.Request) (wechat.Envelope, error) {
	if r.ContentLength > maxBody {
		return wechat.Envelope{}, wechat.Refuse(wechat.ReasonTooLarge, nil)
	}
	buf := h.buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool holds nothing else
	defer h.buffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return wechat.Envelope{}, wechat.Refuse(wechat.ReasonTooLarge, nil)
		}
		return wechat.Envelope{}, wechat.Refuse(wechat.ReasonBody, err)
	}
	return wechat.ParseEnvelope(buf.Bytes())
}

// open checks signature and time and decrypts. When cached keys do not fit they are read again once, so that a token or
// key corrected on another replica is seen at once.
func (h *Handler) open(ctx context.Context, in *received) (err error) {
	in.msg, err = h.unseal(in.keys.crypter, *in)
	if err == nil || wechat.ReasonOf(err) == wechat.ReasonStale {
		return err
	}
	newer, changed, loadErr := h.keys.reload(ctx, in.at.component)
	if loadErr != nil {
		return loadErr
	}
	if !changed {
		return err
	}
	in.keys = newer
	in.msg, err = h.unseal(newer.crypter, *in)
	return err
}

func (h *Handler) unseal(c *wechat.Crypter, in received) ([]byte, error) {
	if err := c.Verify(in.signed, in.encrypt); err != nil {
		return nil, err
	}
	if err := h.fresh(in.signed.Timestamp); err != nil {
		return nil, err
	}
	return c.Decrypt(in.encrypt)
}

// pace lets something through once in a while for each key.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (p *pace) due(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.last[key]; ok && now.Sub(at) < previousEvery {
		return false
	}
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[key] = now
	return true
}

func (h *Handler) fresh(timestamp string) error {
	sec, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return wechat.Refuse(wechat.ReasonParameters, err)
	}
	now := h.opts.Wall().Unix()
	if sec < now-int64(freshness/time.Second) || sec > now+int64(freshness/time.Second) {
		return wechat.Refuse(wechat.ReasonStale, nil)
	}
	return nil
}
