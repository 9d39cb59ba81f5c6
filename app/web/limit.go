package web

import (
	chain "container/list"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/fault"
)

// The bounds of REST calls from one address. Pushes from WeChat, pages and health are not counted here.
const (
	apiRate  = 50.0 // calls per second that an address regains
	apiBurst = 200  // calls that it may make at once
	// apiAddresses bounds the memory: that many addresses are remembered, the longest silent one is forgotten first. Who
	// is forgotten begins with a full bucket, which costs an attacker as many addresses as it gains calls.
	apiAddresses = 20_000
)

// limiter is a token bucket per address. An IPv6 network of 64 bits counts as one address: one customer has all of it.
type limiter struct {
	rate, burst float64
	most        int
	now         func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]*chain.Element
	recent  *chain.List // of *bucket, the last seen in front
}

type bucket struct {
	who  netip.Prefix
	left float64
	at   time.Time
}

func newLimiter(rate float64, burst, most int, now func() time.Time) *limiter {
	return &limiter{rate: rate, burst: float64(burst), most: most, now: now, buckets: map[netip.Prefix]*chain.Element{}, recent: chain.New()}
}

// network is what counts as one address; the zero value when there is none to read.
func network(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	bits, addr := 32, ap.Addr().Unmap().WithZone("")
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// take takes one call from the address's bucket, or says how long to wait for one.
func (l *limiter) take(remote string) (wait time.Duration, ok bool) {
	who, now := network(remote), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.buckets[who]
	if e == nil {
		if l.recent.Len() >= l.most {
			oldest := l.recent.Back()
			delete(l.buckets, oldest.Value.(*bucket).who)
			l.recent.Remove(oldest)
		}
		e = l.recent.PushFront(&bucket{who: who, left: l.burst, at: now})
		l.buckets[who] = e
	}
	l.recent.MoveToFront(e)
	b := e.Value.(*bucket)
	b.left = math.Min(l.burst, b.left+l.rate*max(now.Sub(b.at).Seconds(), 0))
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) / l.rate * float64(time.Second)), false
	}
	b.left--
	return 0, true
}

var errTooFast = fault.New(fault.TooMany, "too_many_requests", "请求太频繁，请按 Retry-After 稍等再试")

// limited answers 429 to an address that calls REST faster than anybody needs, and reports whether it did.
func (s *Server) limited(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/api/") && r.URL.Path != "/api.json" {
		return false
	}
	wait, ok := s.limit.take(r.RemoteAddr)
	if ok {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	fail(w, r, errTooFast)
	return true
}
