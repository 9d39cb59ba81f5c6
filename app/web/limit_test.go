package web

import (
	"fmt"
	"testing"
	"time"

	"minifleet/app/account"
)

func TestAnAddressRegainsItsCallsWithTime(t *testing.T) {
	now := time.UnixMilli(1_760_000_000_000)
	l := newLimiter(2, 4, 10, func() time.Time { return now })
	take := func(who string, want bool) {
		t.Helper()
		if wait, ok := l.take(who); ok != want || !ok && (wait <= 0 || wait > 500*time.Millisecond) {
			t.Errorf("%s: %v, wait %v", who, ok, wait)
		}
	}
	for range 4 {
		take("192.0.2.1:1000", true)
	}
	take("192.0.2.1:2000", false) // another port is the same address
	take("192.0.2.2:1000", true)
	now = now.Add(time.Second)
	take("192.0.2.1:1000", true)
	take("192.0.2.1:1000", true)
	take("192.0.2.1:1000", false)
	for range 4 {
		take("[2001:db8::1]:1", true)
	}
	take("[2001:db8::ffff:2]:1", false) // the same network of 64 bits
	take("[2001:db8:0:1::1]:1", true)
	now = now.Add(-time.Hour) // a clock that steps back gives nothing and takes nothing
	take("192.0.2.1:1000", false)
}

func TestTheMemoryOfAddressesIsBounded(t *testing.T) {
	now := time.UnixMilli(1_760_000_000_000)
	l := newLimiter(1, 1, 100, func() time.Time { return now })
	for i := range 10_000 {
		l.take(fmt.Sprintf("10.%d.%d.1:1", i/256, i%256))
	}
	if len(l.buckets) != 100 || l.recent.Len() != 100 {
		t.Errorf("%d buckets, %d remembered", len(l.buckets), l.recent.Len())
	}
	if _, ok := l.take("10.39.15.1:1"); ok {
		t.Error("who was seen last was forgotten")
	}
}

func TestTooManyRESTCallsAreToldToWait(t *testing.T) {
	h := newHouse(t)
	h.server.limit = newLimiter(1, 3, 10, time.Now)
	token, _ := h.person(account.Personal, "a@example.test")
	for range 3 {
		if a := h.as(token, "GET", "/api/v1/me", ""); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	for _, path := range []string{"/api/v1/me", "/api/v1/version/miniprograms/x", "/api.json"} {
		a := h.as(token, "GET", path, "")
		if a.status != 429 || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := h.as(token, "GET", "/api/v1/me", ""); a.code() != "too_many_requests" {
		t.Errorf("%s", a.text)
	}
	for _, path := range []string{"/healthz", "/market", "/wechat/wx1/ticket"} {
		if a := h.do("GET", path, ""); a.status == 429 {
			t.Errorf("%s is counted", path)
		}
	}
}
