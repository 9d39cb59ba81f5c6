package web

import (
	"context"
	"net/http"
	"testing"
)

type waiting bool

func (w waiting) Needed(context.Context) (bool, error) { return bool(w), nil }

func TestNothingButSetupAndHealthAnswersBeforeTheFirstOperator(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Setup = waiting(true) })
	for _, path := range []string{"/", "/market", "/login", "/admin", "/p/version/x", "/swagger", "/demo/tour"} {
		if a := h.do(http.MethodGet, path, ""); a.status != http.StatusSeeOther || a.header.Get("Location") != "/setup" {
			t.Errorf("%s: %d to %q", path, a.status, a.header.Get("Location"))
		}
	}
	for _, path := range []string{"/api/v1/me", "/api/v1/sessions", "/api/v1/version/x"} {
		if a := h.do(http.MethodGet, path, ""); a.status != http.StatusServiceUnavailable || a.code() != "setup_required" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	for _, path := range []string{"/setup", "/healthz", "/wechat/x/ticket"} {
		if a := h.do(http.MethodGet, path, ""); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	done := newHouse(t, func(o *Options) { o.Setup = waiting(false); o.Name += "-done" })
	if a := done.do(http.MethodGet, "/market", ""); a.status != http.StatusOK {
		t.Errorf("with an operator: %d", a.status)
	}
}

func TestOtherSitesCannotSetUpOrSwitchThePerson(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/setup", "/demo/login"} {
		if a := h.do(http.MethodPost, path, "role=operator", "Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, a.status)
		}
		if a := h.do(http.MethodPost, path, "role=operator"); a.status != http.StatusForbidden {
			t.Errorf("%s without a word of where from: %d", path, a.status)
		}
	}
}
