package command_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// heard gives the titles of a person's messages of a kind.
func (c client) heard(event string) []string {
	c.t.Helper()
	var list struct {
		Items []struct{ Title, Link string }
	}
	c.must(http.StatusOK, http.MethodGet, "/notices?event="+event, nil, &list)
	var titles []string
	for _, i := range list.Items {
		titles = append(titles, i.Title+" "+i.Link)
	}
	return titles
}

// TestWhatHappensIsToldToThoseItConcerns makes an act on all results end, a quota run out and an invitation go out, and
// looks at the messages of who should hear of it.
func TestWhatHappensIsToldToThoseItConcerns(t *testing.T) {
	d := startDemo(t, binary(t))
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	m, u, op := client{d, d.login("merchant@example.test")}, client{d, d.login("user@example.test")}, client{d, d.login("operator@example.test")}
	told := func(who client, event string, parts ...string) {
		t.Helper()
		d.eventually("a message of "+event, func() bool {
			titles := who.heard(event)
			if len(titles) != 1 {
				return false
			}
			for _, p := range parts {
				if !strings.Contains(titles[0], p) {
					t.Fatalf("%s says %q, want %q in it", event, titles[0], p)
				}
			}
			return true
		})
	}
	install(d, u)
	var bound struct{ Items []struct{ AppID string } }
	m.must(http.StatusOK, http.MethodGet, "/components", nil, &bound)
	d.control("/control/components", map[string]any{"appid": bound.Items[0].AppID, "audit_quota": 20, "audit_used": 19}, nil)
	op.must(http.StatusAccepted, http.MethodPost, "/jobs/version.read-quotas/run", map[string]any{}, nil)
	told(m, "quota.low", "提审额度不足：剩余 1 次", "/admin/p/version/drafts?component="+bound.Items[0].AppID)

	form := url.Values{"all": {"1"}, "query": {"state=listed"}, "expect": {"1"}}
	if status, page := click(t, d, m.token, "/admin/info/market_listings/act/delist", form); status != http.StatusSeeOther {
		t.Fatalf("the act on all results: %d %.300s", status, page)
	}
	told(m, "batch.finished", "批量「下架」已结束：成功 1 条", "/admin/info/market_listings?state=listed")

	m.must(http.StatusCreated, http.MethodPost, "/invitations", map[string]any{"login": "user@example.test", "role": "readonly"}, nil)
	told(u, "space.invitation", "邀请你加入「晨光软件」", "/invite/")
}
