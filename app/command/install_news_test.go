package command_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestAFailedInstallationIsToldOnceToThoseItConcerns lets WeChat refuse the upload of an installation: the owner and the
// template's merchant each hear of it once, with what went wrong and a link that opens for them; nobody else does. The
// second try ends well, which is its own news.
func TestAFailedInstallationIsToldOnceToThoseItConcerns(t *testing.T) {
	d := startDemo(t, binary(t))
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	u, m, op := client{d, d.login("user@example.test")}, client{d, d.login("merchant@example.test")}, client{d, d.login("operator@example.test")}
	i, start := authorised(d, u)
	d.control("/control/faults", map[string]any{"path": "/wxa/commit", "errcode": 85014, "times": -1}, nil)
	u.must(http.StatusOK, http.MethodPost, "/market/installations/"+i.ID+"/start", start, nil)
	ends := func(state string) {
		t.Helper()
		d.eventually("an installation that is "+state, func() bool {
			u.must(http.StatusOK, http.MethodGet, "/market/installations/"+i.ID, nil, &i)
			return i.State == state
		})
	}
	ends("failed")

	for _, c := range []struct {
		name string
		who  client
		link string
	}{
		{"the owner", u, "/p/market/installations/" + i.ID},
		{"the merchant of the template", m, "/admin/info/market_installations?appid=" + walkShop},
	} {
		d.eventually("a message for "+c.name, func() bool { return len(c.who.heard("install.failed")) > 0 })
		n := c.who.failures()[0]
		if !strings.Contains(n.Title, "「青禾小馆」安装模板「") || !strings.Contains(n.Text, "代码模板不存在") || !strings.Contains(n.Text, "处理：") || n.Link != c.link {
			t.Errorf("%s is told %+v, want the link %s", c.name, n, c.link)
		}
		if status, page := send(t, d, c.who.token, http.MethodGet, n.Link, nil); status != http.StatusOK || !strings.Contains(page, "代码模板不存在") && !strings.Contains(page, "安装失败") {
			t.Errorf("the link of %s opens with %d and says nothing of the failure: %.600s", c.name, status, page)
		}
	}
	u.times(3, "/market/installations/"+i.ID+"/start", start) // a start that is repeated is no second failure
	if status := d.call(http.MethodDelete, d.sim+"/control/faults", "", nil, nil); status >= http.StatusMultipleChoices {
		t.Fatalf("take the fault back: %d", status)
	}
	u.must(http.StatusOK, http.MethodPost, "/market/installations/"+i.ID+"/retry", map[string]any{}, nil)
	ends("done")
	d.eventually("the news of the end", func() bool { return len(u.heard("install.finished")) == 1 && len(m.heard("install.finished")) == 1 })
	for name, c := range map[string]struct {
		who  client
		want int
	}{"the owner": {u, 1}, "the merchant": {m, 1}, "the operator": {op, 0}} {
		if n := c.who.heard("install.failed"); len(n) != c.want {
			t.Errorf("%s heard %d times of the failure, want %d: %v", name, len(n), c.want, n)
		}
	}
}

type toldNews struct{ Title, Text, Link string }

// failures gives what a person was told of installations that failed.
func (c client) failures() []toldNews {
	c.t.Helper()
	var list struct{ Items []toldNews }
	c.must(http.StatusOK, http.MethodGet, "/notices?event=install.failed", nil, &list)
	return list.Items
}
