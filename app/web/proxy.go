package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// trustedPeer puts the address of the person behind our own proxies in the place of the peer's, so that counters and the
// operation log see people and not the proxy. From any other peer the header is a claim and is not believed.
func trustedPeer(r *http.Request, proxies []netip.Prefix) *http.Request {
	if len(proxies) == 0 {
		return r
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !within(proxies, peer.Addr()) {
		return r
	}
	at := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := readHop(hops[i])
		if !ok {
			break // what stands before it was not written by our proxies either
		}
		at = hop
		if !within(proxies, hop) {
			break
		}
	}
	out := r.WithContext(r.Context()) // a copy: the server's own stays as it is
	out.RemoteAddr = netip.AddrPortFrom(at, peer.Port()).String()
	return out
}

// readHop reads one entry of X-Forwarded-For, with or without a port.
func readHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a.Unmap(), true
	}
	ap, err := netip.ParseAddrPort(text)
	return ap.Addr().Unmap(), err == nil
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
