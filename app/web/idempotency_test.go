package web

import (
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
)

func TestARepeatedKeyGivesTheSameAnswerAndActsOnce(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	first := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1")
	again := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1")
	if first.status != 201 || again.status != 201 || first.text != again.text {
		t.Fatalf("%d %s\n%d %s", first.status, first.text, again.status, again.text)
	}
	other := h.as(token, "POST", "/api/v1/components", strings.Replace(bindBody, "示例平台", "另一个", 1), "Idempotency-Key", "k1")
	if other.status != 409 || other.code() != "idempotency_key_reused" {
		t.Errorf("another body: %d %s", other.status, other.text)
	}
	stranger, _ := h.person(account.Merchant, "o@example.test")
	if a := h.as(stranger, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1"); a.text == first.text {
		t.Error("another person got the stored answer")
	}
}

func TestAFailedCallFreesItsKey(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	if a := h.as(token, "POST", "/api/v1/components", `{"appid":"x"}`, "Idempotency-Key", "k1"); a.status != 400 {
		t.Fatal(a.text)
	}
	if a := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1"); a.status != 201 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestAPluginIsAskedOnceForOneKey(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	for range 2 {
		if a := h.as(token, "POST", "/api/v1/version/miniprograms/wx1/audit", `{}`, "Idempotency-Key", "k1"); a.status != 200 || a.text != `{"trial":null}` {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if n := len(h.plugins.asked); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestTwoAtOnceWithOneKeyActOnce(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	var wg sync.WaitGroup
	answers := make([]reply, 8)
	for i := range answers {
		wg.Go(func() {
			answers[i] = h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1")
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.status != 201 && a.code() != "idempotency_in_progress" {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
}

func TestASessionTokenIsNeverKeptForRepetition(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	a := h.as(token, "POST", "/api/v1/sessions", `{"login":"m@example.test","password":"`+password+`"}`, "Idempotency-Key", "k1")
	if a.status != 201 {
		t.Fatal(a.text)
	}
	rows, err := h.db.Maps(t.Context(), "SELECT answer FROM idempotency")
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := a.json(t)["token"].(string)
	for _, row := range rows {
		if raw, _ := row["answer"].([]byte); strings.Contains(string(raw), fresh) {
			t.Error("the fresh token lies in the table")
		}
	}
	if len(rows) != 0 {
		t.Errorf("%d rows are kept of a login", len(rows))
	}
}

func TestAKeyIsFreedWhenTheHandlerPanics(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Platform, "op@example.test")
	jobs := h.server.o.Jobs
	h.server.o.Jobs = nil
	if a := h.as(token, "POST", "/api/v1/jobs/component.tokens/run", "", "Idempotency-Key", "k1"); a.status != 500 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	h.server.o.Jobs = jobs
	if a := h.as(token, "POST", "/api/v1/jobs/component.tokens/run", "", "Idempotency-Key", "k1"); a.status != 202 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestACallLostWithItsReplicaIsTakenOver(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	if a := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1"); a.status != 201 {
		t.Fatal(a.text)
	}
	lost := func(age time.Duration) {
		if _, err := h.db.Exec(t.Context(), "UPDATE idempotency SET status=0, created_at=?", time.Now().Add(-age).UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	lost(time.Minute)
	if a := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1"); a.code() != "idempotency_in_progress" {
		t.Errorf("one that may still be at work: %d %s", a.status, a.text)
	}
	lost(2 * idempotencyLost)
	// The platform app is bound already, which is what the work answers when it really runs again.
	if a := h.as(token, "POST", "/api/v1/components", bindBody, "Idempotency-Key", "k1"); a.status == 201 || a.code() == "idempotency_in_progress" {
		t.Errorf("one that is lost: %d %s", a.status, a.text)
	}
}

func TestAPluginsRefusalFreesTheKey(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	h.plugins.answer.Status = 409
	for range 2 {
		if a := h.as(token, "POST", "/api/v1/version/x", "{}", "Idempotency-Key", "k1"); a.status != 409 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if n := len(h.plugins.asked); n != 2 {
		t.Errorf("asked %d times", n)
	}
}
