package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestThePersonsAddressIsBelievedFromOurProxiesOnly(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name    string
		peer    string
		headers []string
		want    string
	}{
		{"no header", "10.1.1.1:80", nil, "10.1.1.1"},
		{"one proxy", "10.1.1.1:80", []string{"203.0.113.5"}, "203.0.113.5"},
		{"two proxies", "10.1.1.1:80", []string{"203.0.113.5, 10.2.2.2"}, "203.0.113.5"},
		{"a claim before it", "10.1.1.1:80", []string{"1.2.3.4, 203.0.113.5"}, "203.0.113.5"},
		{"a claim in a header of its own", "10.1.1.1:80", []string{"1.2.3.4", "203.0.113.5"}, "203.0.113.5"},
		{"nonsense before it", "10.1.1.1:80", []string{"drop table, 203.0.113.5"}, "203.0.113.5"},
		{"only nonsense", "10.1.1.1:80", []string{"unknown"}, "10.1.1.1"},
		{"everything ours", "10.1.1.1:80", []string{"10.3.3.3"}, "10.3.3.3"},
		{"with a port", "10.1.1.1:80", []string{"203.0.113.5:4711"}, "203.0.113.5"},
		{"six", "[fd00::1]:80", []string{"2001:db8::9"}, "2001:db8::9"},
		{"a stranger claims", "198.51.100.1:80", []string{"203.0.113.5"}, "198.51.100.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.headers
			got, err := netip.ParseAddrPort(trustedPeer(r, ours).RemoteAddr)
			if err != nil || got.Addr().String() != tt.want {
				t.Fatalf("%v %v, want %s", got, err, tt.want)
			}
			if same := trustedPeer(r, nil); same.RemoteAddr != tt.peer {
				t.Fatal("without trusted proxies nothing is believed")
			}
		})
	}
}
