package web

import (
	"testing"
	"time"

	"minifleet/app/account"
)

func TestTheTokenBrokerIsShutToLoginsAndBounded(t *testing.T) {
	h := newHouse(t)
	session, space := h.person(account.Personal, "owner@example.test")
	h.miniProgram("wxaaaaaaaaaaaaaaa0", space)
	const path = "/api/v1/miniprograms/wxaaaaaaaaaaaaaaa0/access-token"
	if a := h.as(session, "GET", path, ""); a.status != 403 || a.code() != "token_needed" {
		t.Errorf("a login: %d %s", a.status, a.text)
	}
	reads, _ := h.apiToken(session, "miniprogram.read")
	if a := h.as(reads, "GET", path, ""); a.status != 403 || a.code() != "token_scope" {
		t.Errorf("a token without the scope: %d %s", a.status, a.text)
	}
	secret, _ := h.apiToken(session, "token.access")
	// The mini program has no authorisation here: what is asked is who may ask, and how the answer travels.
	if a := h.as(secret, "GET", path, ""); a.status != 409 || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.as(secret, "GET", "/api/v1/miniprograms/wxbbbbbbbbbbbbbbb0/access-token", ""); a.status != 404 {
		t.Errorf("another's: %d %s", a.status, a.text)
	}
}

func TestTheBrokersPaceIsPerTokenAndMiniProgram(t *testing.T) {
	var p brokerPace
	now := time.Unix(1_760_000_040, 0)
	for range brokerPerMinute {
		if _, ok := p.take("1/a", now); !ok {
			t.Fatal("refused too early")
		}
	}
	if wait, ok := p.take("1/a", now); ok || wait <= 0 || wait > time.Minute {
		t.Errorf("%v %v", wait, ok)
	}
	if _, ok := p.take("1/b", now); !ok {
		t.Error("another mini program is refused")
	}
	if _, ok := p.take("1/a", now.Add(time.Minute)); !ok {
		t.Error("the next minute is refused")
	}
}
