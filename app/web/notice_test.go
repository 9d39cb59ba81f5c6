package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/notice"
	"minifleet/app/trail"
)

// told dispatches what waits, as the platform does by itself.
func (h *house) told() {
	h.t.Helper()
	if _, err := h.server.o.Notices.Dispatch(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestNoticesAreListedReadAndChosenByREST(t *testing.T) {
	h := newHouse(t)
	me, meSpace := h.person(account.Merchant, "m@example.test")
	other, _ := h.person(account.Merchant, "o@example.test")
	for i := range 3 {
		if err := h.server.o.Notices.Send(t.Context(), notice.Message{Event: notice.TicketLate, SpaceID: meSpace, Title: fmt.Sprint("票据延迟 ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	h.told()
	a := h.as(me, "GET", "/api/v1/notices?limit=2", "")
	var page struct {
		Items []notice.Item
		Next  *string
		Total int64
	}
	if err := json.Unmarshal([]byte(a.text), &page); err != nil || len(page.Items) != 2 || page.Next == nil || page.Total != 3 {
		t.Fatalf("%d %s %v", a.status, a.text, err)
	}
	id := page.Items[0].ID
	if a := h.as(other, "POST", "/api/v1/notices/read", fmt.Sprintf(`{"ids":["%d"]}`, id)); a.status != 404 {
		t.Fatalf("another's notice: %d %s", a.status, a.text)
	}
	if a := h.as(me, "POST", "/api/v1/notices/read", fmt.Sprintf(`{"ids":["%d"]}`, id)); a.status != 200 || !strings.Contains(a.text, `"unread":2`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "POST", "/api/v1/notices/read", `{"all":true}`); !strings.Contains(a.text, `"unread":0`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "PUT", "/api/v1/notices/preferences", `{"preferences":[{"event":"component.ticket_late","channel":"mail","on":false}]}`); a.status != 200 || !strings.Contains(a.text, `"event":"component.ticket_late","group":"第三方平台","title":"票据推送延迟","forced":false,"site":true,"mail":false`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "PUT", "/api/v1/notices/preferences", `{"preferences":[{"event":"account.new_device","channel":"mail","on":false}]}`); a.status != 400 {
		t.Fatalf("%d %s", a.status, a.text)
	}
}

func TestWebhooksAreManagedByRESTWithinTheirSpace(t *testing.T) {
	h := newHouse(t)
	me, _ := h.person(account.Merchant, "m@example.test")
	other, _ := h.person(account.Merchant, "o@example.test")
	for body, field := range map[string]string{
		`{"name":"","url":"https://example.com/hook"}`:                              "name",
		`{"name":"a","url":"http://example.com/hook"}`:                              "url",
		`{"name":"a","url":"https://127.0.0.1/hook"}`:                               "url",
		`{"name":"a","url":"https://[::ffff:10.0.0.1]/"}`:                           "url",
		`{"name":"a","url":"https://169.254.169.254/latest"}`:                       "url",
		`{"name":"a","url":"https://u:p@example.com/"}`:                             "url",
		`{"name":"a","url":"https://example.com/","events":["account.new_device"]}`: "events",
	} {
		if a := h.as(me, "POST", "/api/v1/webhooks", body); a.status != 400 || !strings.Contains(a.text, `"name":"`+field+`"`) {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	a := h.as(me, "POST", "/api/v1/webhooks", `{"name":"值班","url":"https://example.com/hook","events":["audit.rejected"]}`)
	var made struct{ ID, Secret string }
	if err := json.Unmarshal([]byte(a.text), &made); err != nil || a.status != 201 || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Fatalf("%d %s", a.status, a.text)
	}
	at := "/api/v1/webhooks/" + made.ID
	if a := h.as(me, "GET", at, ""); a.status != 200 || strings.Contains(a.text, "whsec_") {
		t.Fatalf("%d %s", a.status, a.text)
	}
	sent := h.as(me, "POST", at+"/test", "")
	var d struct{ ID string }
	if err := json.Unmarshal([]byte(sent.text), &d); err != nil || sent.status != 202 {
		t.Fatalf("%d %s", sent.status, sent.text)
	}
	for _, call := range []string{"GET " + at, "DELETE " + at, "POST " + at + "/secret", "POST " + at + "/test", "GET " + at + "/deliveries", "GET " + at + "/deliveries/" + d.ID, "POST " + at + "/deliveries/" + d.ID + "/retry"} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(other, method, path, ""); a.status != 404 {
			t.Errorf("%s by another space: %d %s", call, a.status, a.text)
		}
	}
	if a := h.as(me, "GET", at+"/deliveries", ""); !strings.Contains(a.text, `"event":"notice.test"`) {
		t.Errorf("%s", a.text)
	}
	if a := h.as(me, "POST", at+"/deliveries/"+d.ID+"/retry", ""); a.status != 202 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "PUT", at, `{"name":"夜班","url":"https://example.com/hook","enabled":false}`); a.status != 200 || !strings.Contains(a.text, `"enabled":false`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "POST", at+"/test", ""); a.status != 409 {
		t.Errorf("a disabled one: %d %s", a.status, a.text)
	}
	if a := h.as(me, "DELETE", at, ""); a.status != 200 && a.status != 204 {
		t.Errorf("%d %s", a.status, a.text)
	}
	log := h.as(me, "GET", "/api/v1/trail?act=webhook.", "").text
	if !strings.Contains(log, `"field":"name","before":"值班","after":"夜班"`) || !strings.Contains(log, "webhook.delete") || strings.Contains(log, made.Secret) {
		t.Errorf("the trail tells %s", log)
	}
}

func TestTheTrailIsFilteredOpenedAndVerifiedByREST(t *testing.T) {
	h := newHouse(t)
	operator, _ := h.person(account.Platform, "op@example.test")
	me, meSpace := h.person(account.Merchant, "m@example.test")
	other, otherSpace := h.person(account.Merchant, "o@example.test")
	for _, e := range []trail.Entry{
		{SpaceID: meSpace, Act: "webhook.create", Object: "甲", Actor: "王五"}, {SpaceID: otherSpace, Act: "wechat.release", Object: "乙", BehalfSpaceID: meSpace}, {SpaceID: otherSpace, Act: "webhook.create", Object: "丙"},
	} {
		if err := h.server.o.Trail.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{"act=webhook.": "甲", "act=wechat.": "乙", "actor=%E7%8E%8B": "甲", "object=%E7%94%B2": "甲"} {
		a := h.as(me, "GET", "/api/v1/trail?"+query, "")
		if strings.Count(a.text, `"act":`) != 1 || !strings.Contains(a.text, want) {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	var page struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(h.as(other, "GET", "/api/v1/trail?object=%E4%B8%99", "").text), &page); err != nil || len(page.Items) != 1 {
		t.Fatal(err, page)
	}
	if a := h.as(me, "GET", "/api/v1/trail/"+page.Items[0].ID, ""); a.status != 404 {
		t.Errorf("an entry of another space: %d", a.status)
	}
	if a := h.as(other, "GET", "/api/v1/trail/"+page.Items[0].ID, ""); a.status != 200 || !strings.Contains(a.text, "丙") {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.as(me, "POST", "/api/v1/trail/verify", ""); a.status != 403 {
		t.Errorf("a merchant verifies: %d", a.status)
	}
	if _, err := h.server.o.Chain.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := h.as(operator, "POST", "/api/v1/trail/verify", ""); a.status != 200 || !strings.Contains(a.text, `"ok":true`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if _, err := h.db.Exec(t.Context(), "UPDATE trail SET object='丁' WHERE object='丙'"); err != nil {
		t.Fatal(err)
	}
	if a := h.as(operator, "POST", "/api/v1/trail/verify", ""); a.status != 200 || !strings.Contains(a.text, `"kind":"edited"`) {
		t.Errorf("%d %s", a.status, a.text)
	}
}
