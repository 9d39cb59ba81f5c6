package web

import (
	"strconv"
	"testing"

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

func TestTheBrokersBoundSaysWhenToComeAgain(t *testing.T) {
	h := newHouse(t)
	session, space := h.person(account.Personal, "owner@example.test")
	h.miniProgram("wxaaaaaaaaaaaaaaa0", space)
	secret, _ := h.apiToken(session, "token.access")
	refused := false
	for range 61 { // a minute may end in between
		a := h.as(secret, "GET", "/api/v1/miniprograms/wxaaaaaaaaaaaaaaa0/access-token", "")
		if refused = a.status == 429; refused {
			wait, err := strconv.Atoi(a.header.Get("Retry-After"))
			if err != nil || wait < 1 || wait > 60 {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
			break
		}
		if a.status != 409 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if !refused {
		t.Error("61 calls at once were let through")
	}
}
