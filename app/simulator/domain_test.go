package simulator

import (
	"fmt"
	"testing"
)

func TestDomainsTakeEffectWithARelease(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.ok("POST", "/wxa/modify_domain"+AT, object{"action": "add", "requestdomain": []string{"https://api.example.com"}})
	g.ok("POST", "/wxa/modify_domain_directly"+AT, object{"action": "add", "requestdomain": []string{"https://own.example.net"}, "tcpdomain": []string{"tcp://own.example.net"}})
	effective := func() string {
		got := g.ok("POST", "/wxa/get_effective_domain"+AT, "{}")
		if fmt.Sprint(got["third_domain"].(object)["requestdomain"]) != "[https://api.example.com]" {
			t.Errorf("third %v", got["third_domain"])
		}
		return fmt.Sprint(got["effective_domain"].(object)["requestdomain"], got["effective_domain"].(object)["tcpdomain"])
	}
	if got := effective(); got != "[] []" {
		t.Errorf("effective before a release: %s", got)
	}
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release"+AT, "{}")
	if got := effective(); got != "[https://api.example.com https://own.example.net] [tcp://own.example.net]" {
		t.Errorf("effective after the release: %s", got)
	}
}

func TestDomainChangesAreLimitedPerMonth(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	g.control("settings", object{"domain_edits": 1})
	add := object{"action": "add", "requestdomain": []string{"https://api.example.com"}}
	g.ok("POST", "/wxa/modify_domain"+AT, add)
	g.refused(85017, "POST", "/wxa/modify_domain"+AT, add)
	g.refused(86102, "POST", "/wxa/modify_domain"+AT, object{"action": "set"})
	g.refused(86102, "POST", "/wxa/modify_domain_directly"+AT, object{"action": "add", "requestdomain": []string{"https://own.example.net"}})
	g.ok("POST", "/wxa/modify_domain"+AT, object{"action": "get"})
	g.advance(32 * 24 * 3600)
	g.ok("POST", "/wxa/modify_domain"+AT, object{"action": "set"})
}

func TestDomainsWithoutICPOrOfAWrongForm(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("components", object{"appid": testComponent, "domains": []string{"api.example.com", "noicp.example.com"}})
	AT := "?access_token=" + at
	request := func(domains ...string) object { return object{"action": "add", "requestdomain": domains} }
	direct, through := "/wxa/modify_domain_directly"+AT, "/wxa/modify_domain"+AT
	g.refuses(t, []refusal{
		{"no ICP", 85302, through, request("https://noicp.example.com")},
		{"no ICP and malformed", 85303, through, request("https://noicp.example.com", "http://api.example.com")},
		{"direct: scheme", 86100, direct, request("http://own.example.net")},
		{"direct: WeChat's own", 86101, direct, request("https://api.weixin.qq.com")},
		{"direct: no ICP", 45082, direct, request("https://noicp.example.net")},
		{"direct: action", 85022, direct, object{"action": "x"}},
	})
	out := g.call("POST", through, request("https://noicp.example.com"))
	if fmt.Sprint(out["no_icp_domain"]) != "[https://noicp.example.com]" {
		t.Errorf("answer %v", out)
	}
}

func TestBusinessDomainsComeFromThePlatformsPool(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	AT := "?access_token=" + at
	pool, path := "/cgi-bin/component/modify_wxa_jump_domain?access_token="+ct, "/wxa/setwebviewdomain"+AT
	add := func(domains ...string) object { return object{"action": "add", "webviewdomain": domains} }
	g.refused(89020, "POST", path, add("https://h5.example.com"))
	got := g.ok("POST", pool, object{"action": "add", "wxa_jump_h5_domain": "h5.example.com;bad_host", "is_modify_published_together": true})
	if got["published_wxa_jump_h5_domain"] != "h5.example.com" || got["invalid_wxa_jump_h5_domain"] != "bad_host" {
		t.Errorf("pool %v", got)
	}
	if file := g.ok("POST", "/cgi-bin/component/get_domain_confirmfile?access_token="+ct, "{}"); file["file_name"] == "" || file["file_content"] == "" {
		t.Errorf("file %v", file)
	}
	g.refuses(t, []refusal{
		{"not in the pool", 89021, path, add("https://other.example.com")},
		{"with a port", 89021, path, add("https://h5.example.com:8443")},
		{"delete what is not there", 89022, path, object{"action": "delete", "webviewdomain": []string{"https://h5.example.com"}}},
		{"action", 85022, path, object{"action": "x"}},
		{"check file", 86103, "/wxa/setwebviewdomain_directly" + AT, add("https://nofile.example.com")},
	})
	g.ok("POST", path, add("https://a.h5.example.com")) // below a registered one
	g.refused(89019, "POST", path, add("https://a.h5.example.com"))
	g.ok("POST", path, object{}) // everything of the pool
	if got := g.ok("POST", path, object{"action": "get"}); fmt.Sprint(got["webviewdomain"]) != "[https://a.h5.example.com https://h5.example.com]" {
		t.Errorf("domains %v", got)
	}
	g.control("settings", object{"webview_limit": 2, "jump_domain_limit": 1})
	g.refused(89029, "POST", path, add("https://b.h5.example.com"))
	g.refused(85016, "POST", pool, object{"action": "add", "wxa_jump_h5_domain": "more.example.com"})
	g.ok("POST", "/wxa/setwebviewdomain_directly"+AT, add("https://own.example.net"))
	g.program("wx00000000000000a6", object{"principal_type": 0})
	personal, _ := g.authorize(ct, "wx00000000000000a6")
	g.refused(89231, "POST", "/wxa/setwebviewdomain?access_token="+personal, add("https://h5.example.com"))
	for range 48 {
		g.ok("POST", pool, object{"action": "delete", "wxa_jump_h5_domain": "none.example.com"})
	}
	g.ok("POST", pool, object{"action": "get"})
	g.ok("POST", pool, object{"action": "delete", "wxa_jump_h5_domain": "none.example.com"})
	g.refused(45104, "POST", pool, object{"action": "delete", "wxa_jump_h5_domain": "none.example.com"})
}

func TestPrefetchDomainsAndBaseLibrary(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	url := func(hosts ...string) object {
		list := []object{}
		for _, h := range hosts {
			list = append(list, object{"url": h})
		}
		return object{"prefetch_dns_domain": list}
	}
	g.ok("POST", "/wxa/set_prefetchdnsdomain"+AT, url("cdn.example.com"))
	if got := g.ok("GET", "/wxa/get_prefetchdnsdomain"+AT, nil); len(got["prefetch_dns_domain"].([]any)) != 1 || got["size_limit"].(float64) != 5 {
		t.Errorf("prefetch %v", got)
	}
	g.refuses(t, []refusal{
		{"no host", 85301, "/wxa/set_prefetchdnsdomain" + AT, url("https://cdn.example.com")},
		{"six", 85016, "/wxa/set_prefetchdnsdomain" + AT, url("a.b.cc", "b.b.cc", "c.b.cc", "d.b.cc", "e.b.cc", "f.b.cc")},
		{"library form", 85015, "/cgi-bin/wxopen/setweappsupportversion" + AT, object{"version": "3"}},
		{"library unknown", 89014, "/cgi-bin/wxopen/setweappsupportversion" + AT, object{"version": "9.9.9"}},
	})
	g.ok("POST", "/cgi-bin/wxopen/setweappsupportversion"+AT, object{"version": "3.0.0"})
	if got := g.ok("POST", "/cgi-bin/wxopen/getweappsupportversion"+AT, "{}"); got["now_version"] != "3.0.0" {
		t.Errorf("version %v", got)
	}
}
