package plugin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/fault"
)

// Outside is how plugins reach hosts on the internet. The zero value reaches nobody.
type Outside struct {
	// Client dials public addresses only and follows no redirect; that of notice.WebhookOptions is one.
	Client *http.Client
	// Plain lets addresses begin with http:// too, for an intranet that the operator has allowed.
	Plain bool
}

// Bounds of core.http.
const (
	outMost     = 1 << 20 // bytes of a request's body
	inMost      = 4 << 20 // bytes of an answer's body
	outTimeout  = 15 * time.Second
	outHeaders  = 32   // headers of a request
	outBurst    = 30   // requests of one plugin for one space at a stretch
	outPerSec   = 2.0  // and per second over time
	outSpaces   = 4096 // spaces whose pace is remembered
	outAddress  = 2048 // characters of an address
	agentPrefix = "MiniFleet-Plugin/"
)

type fetchRequest struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

type fetchAnswer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// fetch is core.http: one request to a host that the plugin asked for in its capabilities. Every one leaves a line in the
// log, without path and query, which often hold a secret.
func (h *Host) fetch(ctx context.Context, a authority, plugin string, in fetchRequest) (fetchAnswer, error) {
	manifest, _ := h.Manifest(plugin)
	target, err := reachable(in.URL, manifest.GetCapabilities().GetHosts(), h.options.Outside.Plain)
	if err != nil {
		return fetchAnswer{}, err
	}
	if h.options.Outside.Client == nil {
		return fetchAnswer{}, fault.New(fault.Unavailable, "plugin.http_off", "平台没有开启插件对外访问")
	}
	request, err := outRequest(ctx, plugin, target, in)
	if err != nil {
		return fetchAnswer{}, err
	}
	space := cmp.Or(a.actor.SpaceID, a.space)
	if wait := h.pace.take(plugin, space, time.Now()); wait > 0 {
		return fetchAnswer{}, fault.New(fault.TooMany, "plugin.http_rate", "插件对外访问太频繁，请稍后重试").Later(wait)
	}
	began := time.Now()
	answer, err := reachOut(h.options.Outside.Client, request)
	log := h.log.With("plugin", plugin, "method", request.Method, "host", target.Host, "space", space, "request_id", a.requestID,
		"took_ms", time.Since(began).Milliseconds())
	if err != nil {
		log.Warn("plugin reached out in vain", "error", withoutAddress(err).Error())
		return fetchAnswer{}, outFailure(target.Host, err)
	}
	log.Info("plugin reached out", "status", answer.Status, "bytes", len(answer.Body))
	return answer, nil
}

// reachable reads an address and holds it against the hosts that the plugin may reach.
func reachable(address string, hosts []string, plain bool) (*url.URL, error) {
	target, err := url.Parse(address)
	if err != nil || len(address) > outAddress || target.Host == "" || target.User != nil {
		return nil, fault.New(fault.Invalid, "plugin.http_address", "访问的地址不正确，应形如 https://example.com/path")
	}
	usual := "443"
	switch {
	case target.Scheme == "https":
	case target.Scheme == "http" && plain:
		usual = "80"
	default:
		return nil, fault.New(fault.Invalid, "plugin.http_address", "访问的地址应以 https:// 开头")
	}
	name := strings.ToLower(target.Hostname())
	full := name
	if port := target.Port(); port != "" && port != usual {
		full = name + ":" + port
	}
	if !slices.Contains(hosts, full) {
		return nil, fault.Newf(fault.Forbidden, "plugin.http_host", "插件没有获准访问 %s，请联系插件作者在 capabilities.hosts 中申请", full)
	}
	return target, nil
}

// outRequest builds the request; headers that belong to the connection are not the plugin's to set.
func outRequest(ctx context.Context, plugin string, target *url.URL, in fetchRequest) (*http.Request, error) {
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, in.Method) {
		return nil, mistake("method %q", in.Method)
	}
	if len(in.Body) > outMost || len(in.Header) > outHeaders {
		return nil, fault.Newf(fault.Invalid, "plugin.http_too_large", "请求太大：正文最多 %d KiB，请求头最多 %d 个", outMost>>10, outHeaders)
	}
	request, err := http.NewRequestWithContext(ctx, in.Method, target.String(), bytes.NewReader(in.Body))
	if err != nil {
		return nil, mistake("request: %v", err)
	}
	for name, value := range in.Header {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive":
			return nil, mistake("header %q", name)
		default:
			request.Header.Set(name, value)
		}
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", agentPrefix+plugin)
	}
	return request, nil
}

// errAnswerTooLarge says that the other side sent more than a plugin may take in.
var errAnswerTooLarge = errors.New("the answer is too large")

func reachOut(client *http.Client, request *http.Request) (fetchAnswer, error) {
	ctx, cancel := context.WithTimeout(request.Context(), outTimeout)
	defer cancel()
	response, err := client.Do(request.WithContext(ctx))
	if err != nil {
		return fetchAnswer{}, err
	}
	defer func() { _ = response.Body.Close() }() // read as far as wanted
	body, err := io.ReadAll(io.LimitReader(response.Body, inMost+1))
	if err != nil {
		return fetchAnswer{}, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > inMost {
		return fetchAnswer{}, errAnswerTooLarge
	}
	answer := fetchAnswer{Status: response.StatusCode, Header: map[string]string{}, Body: body}
	for name, values := range response.Header {
		if name != "Set-Cookie" {
			answer.Header[name] = strings.Join(values, ", ")
		}
	}
	return answer, nil
}

// withoutAddress takes the address, with what secret it may hold, out of an error.
func withoutAddress(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

func outFailure(host string, err error) error {
	if errors.Is(err, errAnswerTooLarge) {
		return fault.Newf(fault.Unavailable, "plugin.http_too_large", "%s 的回答超过 %s，没有读完", host, strconv.Itoa(inMost>>20)+" MiB")
	}
	return fault.Newf(fault.Unavailable, "plugin.http_failed", "没有连上 %s，请检查地址和网络", host).Because(withoutAddress(err))
}

// pace keeps each plugin, in each space, to a number of requests over time.
type pace struct {
	mu    sync.Mutex
	spent map[paceKey]spending
}

type paceKey struct {
	plugin string
	space  int64
}

type spending struct {
	left float64
	at   time.Time
}

// take spends one request, or says how long to wait for it.
func (p *pace) take(plugin string, space int64, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spent == nil {
		p.spent = map[paceKey]spending{}
	}
	if len(p.spent) >= outSpaces { // those that have rested are as good as new ones
		maps.DeleteFunc(p.spent, func(_ paceKey, s spending) bool { return now.Sub(s.at).Seconds()*outPerSec >= outBurst })
	}
	key := paceKey{plugin, space}
	s, known := p.spent[key]
	if !known {
		s = spending{left: outBurst, at: now}
	}
	s.left = min(outBurst, s.left+now.Sub(s.at).Seconds()*outPerSec)
	s.at = now
	defer func() { p.spent[key] = s }()
	if s.left < 1 {
		return time.Duration((1 - s.left) / outPerSec * float64(time.Second))
	}
	s.left--
	return 0
}
