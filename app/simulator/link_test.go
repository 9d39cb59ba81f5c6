package simulator

import (
	"bytes"
	"image/jpeg"
	"net/url"
	"strings"
	"testing"
	"time"
)

// released is a platform whose mini program is online.
func (g *rig) released() (ct, at string) {
	g.t.Helper()
	ct, at = g.ready()
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release?access_token="+at, "{}")
	return ct, at
}

func TestLinksAreMadeAskedForAndEnd(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.released()
	AT := "?access_token=" + at
	scheme := g.ok("POST", "/wxa/generatescheme"+AT, object{"jump_wxa": object{"path": "pages/index/index", "query": "a=1&b=<2>"}, "is_expire": true, "expire_type": 1, "expire_interval": 2})["openlink"]
	info := g.ok("POST", "/wxa/queryscheme"+AT, object{"scheme": scheme})["scheme_info"].(object)
	if info["query"] != "a=1&b=<2>" || info["env_version"] != "release" || info["expire_time"].(float64)-info["create_time"].(float64) != 2*24*3600 {
		t.Errorf("scheme %v", info)
	}
	link := g.ok("POST", "/wxa/generate_urllink"+AT, object{"path": "pages/index/index", "is_expire": true, "expire_type": 1, "expire_interval": 1, "cloud_base": object{"env": "e"}})["url_link"].(string)
	if got := g.ok("POST", "/wxa/query_urllink"+AT, object{"url_link": link})["url_link_info"].(object); got["cloud_base"].(object)["env"] != "e" {
		t.Errorf("url link %v", got)
	}
	page, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, body := g.openPage(page.Path); !strings.Contains(body, "pages/index/index") {
		t.Errorf("page of the link: %s", body)
	}
	g.advance(24*3600 + 1)
	if _, _, body := g.openPage(page.Path); !strings.Contains(body, "链接已失效") {
		t.Error("a link that ended still opens")
	}
	short := g.ok("POST", "/wxa/genwxashortlink"+AT, object{"page_url": "pages/index/index?a=1", "page_title": "首页", "is_permanent": true})["link"]
	if !strings.HasPrefix(short.(string), "#小程序://") {
		t.Errorf("short link %v", short)
	}
	g.ok("POST", "/wxa/generatenfcscheme"+AT, object{"jump_wxa": object{"path": "pages/index/index"}, "model_id": "m", "sn": "s"})
}

func TestLinksAreRefusedByNumber(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	AT := "?access_token=" + at
	scheme, link, short := "/wxa/generatescheme"+AT, "/wxa/generate_urllink"+AT, "/wxa/genwxashortlink"+AT
	g.refused(85079, "POST", scheme, object{})
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release"+AT, "{}")
	soon := time.Now().Unix() + 30
	g.refuses(t, []refusal{
		{"page", 40165, link, object{"path": "pages/none/none"}},
		{"query in the path", 40165, link, object{"path": "pages/index/index?a=1"}},
		{"query too long", 40212, link, object{"query": strings.Repeat("a", 1025)}},
		{"version", 85402, link, object{"env_version": "beta"}},
		{"time over", 85401, link, object{"is_expire": true, "expire_time": soon - 100}},
		{"time too near", 85401, link, object{"is_expire": true, "expire_time": soon}},
		{"time too far", 85401, link, object{"is_expire": true, "expire_time": soon + 40*24*3600}},
		{"31 days", 85401, link, object{"is_expire": true, "expire_type": 1, "expire_interval": 31}},
		{"scheme unknown", 85403, "/wxa/queryscheme" + AT, object{"scheme": "weixin://x"}},
		{"link unknown", 85403, "/wxa/query_urllink" + AT, object{"url_link": "https://x"}},
		{"title missing", 40225, short, object{"page_url": "pages/index/index"}},
		{"model missing", 40097, "/wxa/generatenfcscheme" + AT, object{}},
	})
	g.control("settings", object{"links_per_day": 1})
	g.ok("POST", link, object{})
	g.refused(44993, "POST", link, object{})
	g.program("wx00000000000000a6", object{"principal_type": 0})
	personal, _ := g.authorize(ct, "wx00000000000000a6")
	g.refused(40002, "POST", "/wxa/generate_urllink?access_token="+personal, object{})
}

func TestCodesAreRealPictures(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.released()
	AT := "?access_token=" + at
	width := func(path string, body object) int {
		t.Helper()
		status, raw := g.send("POST", path, body)
		img, err := jpeg.Decode(bytes.NewReader(raw))
		if err != nil || status != 200 {
			t.Fatalf("%s: HTTP %d, %v: %.200s", path, status, err, raw)
		}
		return img.Bounds().Dx()
	}
	if n := width("/wxa/getwxacode"+AT, object{"path": "pages/index/index?a=1", "width": 600}); n != 600 {
		t.Errorf("width %d", n)
	}
	if n := width("/wxa/getwxacodeunlimit"+AT, object{"scene": "a=1", "page": "pages/index/index", "width": 10}); n != minCodeWidth {
		t.Errorf("width %d", n)
	}
	width("/wxa/getwxacodeunlimit"+AT, object{"scene": "a=1", "page": "pages/not/released", "check_path": false})
	width("/cgi-bin/wxaapp/createwxaqrcode"+AT, object{"path": "pages/index/index"})
	code, unlimited, square := "/wxa/getwxacode"+AT, "/wxa/getwxacodeunlimit"+AT, "/cgi-bin/wxaapp/createwxaqrcode"+AT
	g.refuses(t, []refusal{
		{"no path", 40159, code, object{}},
		{"path too long", 40159, code, object{"path": strings.Repeat("a", 1025)}},
		{"page unknown", 41030, code, object{"path": "pages/none/none"}},
		{"version", 40097, code, object{"path": "pages/index/index", "env_version": "x"}},
		{"reserved", 85096, code, object{"path": "pages/index/index?scancode_time=1"}},
		{"scene missing", 40169, unlimited, object{}},
		{"scene too long", 40169, unlimited, object{"scene": strings.Repeat("a", 33)}},
		{"scene not visible", 40169, unlimited, object{"scene": "中文"}},
		{"page not released", 41030, unlimited, object{"scene": "a", "page": "pages/none/none"}},
		{"page with a slash", 41030, unlimited, object{"scene": "a", "page": "/pages/index/index"}},
		{"square path too long", 40159, square, object{"path": strings.Repeat("a", 129)}},
	})
	g.control("settings", object{"codes_total": 2, "codes_per_minute": 0})
	g.refused(45029, "POST", code, object{"path": "pages/index/index"})
	g.refused(45029, "POST", square, object{"path": "pages/index/index"})
	g.refused(45009, "POST", unlimited, object{"scene": "a"})
}

func TestJumpRulesAreAddedPublishedAndCounted(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	AT := "?access_token=" + at
	base := "/cgi-bin/wxopen/qrcodejump"
	rule := func(change object) object {
		body := object{"prefix": "https://h5.example.com/q", "permit_sub_rule": 1, "path": "pages/index/index", "open_version": 2,
			"debug_url": []string{"https://h5.example.com/q?a=1"}, "is_edit": 0}
		for k, v := range change {
			body[k] = v
		}
		return body
	}
	g.refuses(t, []refusal{
		{"no link", 85066, base + "add" + AT, rule(object{"prefix": "weixin://x"})},
		{"debug link outside", 85068, base + "add" + AT, rule(object{"debug_url": []string{"https://other.example.com/q"}})},
		{"check file", 85069, base + "add" + AT, rule(object{"prefix": "https://nofile.example.com/", "debug_url": []string{}})},
		{"edit what is not there", 85066, base + "add" + AT, rule(object{"is_edit": 1})},
		{"publish what is not there", 85066, base + "publish" + AT, object{"prefix": "x"}},
		{"delete what is not there", 85066, base + "delete" + AT, object{"prefix": "x"}},
	})
	if file := g.ok("POST", base+"download"+AT, "{}"); file["file_content"] == "" {
		t.Errorf("file %v", file)
	}
	g.ok("POST", base+"add"+AT, rule(nil))
	g.refused(85071, "POST", base+"add"+AT, rule(nil))
	g.ok("POST", base+"add"+AT, rule(object{"is_edit": 1, "open_version": 3}))
	g.program("wx00000000000000a5", nil)
	other, _ := g.authorize(ct, "wx00000000000000a5")
	g.refused(85072, "POST", base+"add?access_token="+other, rule(nil))
	g.control("settings", object{"jump_rule_limit": 1})
	g.refused(85073, "POST", base+"add"+AT, rule(object{"prefix": "https://h5.example.com/z", "debug_url": []string{}}))
	g.refused(85074, "POST", base+"publish"+AT, object{"prefix": "https://h5.example.com/q"})
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release"+AT, "{}")
	g.ok("POST", base+"publish"+AT, object{"prefix": "https://h5.example.com/q"})
	list := g.ok("POST", base+"get"+AT, "{}")
	if one := list["rule_list"].([]any)[0].(object); one["state"].(float64) != jumpPublished || one["open_version"].(float64) != 3 || list["qrcodejump_pub_quota"].(float64) != 99 {
		t.Errorf("rules %v", list)
	}
	if got := g.ok("POST", base+"get"+AT, object{"get_type": 1, "prefix_list": []string{"x"}}); got["list_size"].(float64) != 0 {
		t.Errorf("filtered %v", got)
	}
	for range 99 {
		g.ok("POST", base+"publish"+AT, object{"prefix": "https://h5.example.com/q"})
	}
	g.refused(886000, "POST", base+"publish"+AT, object{"prefix": "https://h5.example.com/q"})
	g.ok("POST", base+"delete"+AT, object{"prefix": "https://h5.example.com/q"})
	g.control("miniprograms", object{"appid": testProgram, "principal_type": 0})
	g.refused(85075, "POST", base+"add"+AT, rule(nil))
}
