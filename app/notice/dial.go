package notice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Resolver looks up names; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// WebhookOptions bound what a webhook may reach.
type WebhookOptions struct {
	// Allowed are networks that may be reached though they are no public ones: an intranet's, or this machine in the demo.
	// With any of them, addresses may begin with http:// too.
	Allowed []netip.Prefix
	// Resolver and Dial are the system's unless set.
	Resolver Resolver
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds one delivery; default 10 s.
	Timeout time.Duration
}

// errForbiddenAddress says that a webhook leads into a network that is none of the public.
var errForbiddenAddress = errors.New("地址指向内网或本机，不允许投递")

// reserved are the networks beyond what netip knows as private, loopback, link-local or multicast: addresses of
// carriers, documentation, benchmarks, translations into IPv4, and those no one may use. See IANA's special-purpose registries.
func reserved() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// public reports whether an address belongs to the public internet.
func public(a netip.Addr) bool {
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(reserved(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// permits reports whether a webhook may reach the address.
func (o WebhookOptions) permits(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return public(a) || slices.ContainsFunc(o.Allowed, func(p netip.Prefix) bool { return p.Contains(a) })
}

// dial resolves the name itself and connects to the very address it has checked, so that a name which answers otherwise
// the next time it is asked leads nowhere.
func (o WebhookOptions) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(port); err != nil || n != 80 && n != 443 && n < 1024 {
		return nil, fmt.Errorf("端口 %s 不允许，应为 80、443 或 1024 以上", port)
	}
	addresses, err := o.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var failed error = errForbiddenAddress
	for _, a := range addresses {
		if !o.permits(a) {
			continue
		}
		conn, err := o.Dial(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

func (o WebhookOptions) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	found, err := o.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("域名解析失败：%w", err)
	}
	return found, nil
}

// Client makes the HTTP client of deliveries: only addresses that may be reached, no proxy, no redirects, no connection kept.
func (o WebhookOptions) Client() *http.Client {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: o.dial, DisableKeepAlives: true, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: 32 << 10,
		},
	}
}
