package dictionary

import (
	"html/template"
	"strings"
	"testing"
)

func TestAKnownCodeNamesReasonActorAndOneClick(t *testing.T) {
	r := Refusal{ErrCode: 61007, ErrMsg: "component is unauthorized", RID: "aa-bb", Endpoint: "code.commit", AppID: "wx1", Component: "wx2", At: 1_700_000_000_000}.Explain()
	if !r.Known || r.Class != User || r.Who != "小程序管理员" || r.Mend == nil || r.Mend.Href != "/mend/reauthorize?appid=wx1&component=wx2" {
		t.Fatalf("%+v %+v", r, r.Mend)
	}
	want := "errcode: 61007\nerrmsg: component is unauthorized\nrid: aa-bb\nendpoint: code.commit\nappid: wx1\ncomponent: wx2\ntime: 2023-11-15 06:13:20 +0800"
	if r.Diagnosis() != want {
		t.Fatalf("%s", r.Diagnosis())
	}
	if r := (Refusal{ErrCode: 61007}).Explain(); r.Mend != nil {
		t.Fatalf("a click that leads nowhere: %+v", r.Mend)
	}
}

func TestAnUnknownCodeShowsWeChatsOwnWords(t *testing.T) {
	r := Refusal{ErrCode: 123456789, ErrMsg: "new\nrid: fake", RID: "r-1"}.Explain()
	if r.Known || r.Class != Bug || !strings.Contains(r.Reason, "123456789") {
		t.Fatalf("%+v", r)
	}
	if strings.Count(r.Diagnosis(), "\nrid: ") != 1 {
		t.Fatalf("foreign text fakes a line:\n%s", r.Diagnosis())
	}
	html := render(t, &r)
	for _, want := range []string{"微信原文", "new\nrid: fake", "r-1", "复制诊断信息", "平台管理员"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not shown:\n%s", want, html)
		}
	}
}

func TestTheBlockEscapesAndShowsNothingForNothing(t *testing.T) {
	if html := render(t, nil); strings.TrimSpace(html) != "" {
		t.Fatalf("%q", html)
	}
	r := Refusal{ErrCode: 1234567, ErrMsg: `<script>"x"</script>`}.Explain()
	if html := render(t, &r); strings.Contains(html, "<script") {
		t.Fatal(html)
	}
	r = Refusal{ErrCode: 50002, AppID: "wx1"}.Explain()
	if html := render(t, &r); !strings.Contains(html, `href="https://mp.weixin.qq.com/"`) || !strings.Contains(html, `rel="noopener noreferrer"`) {
		t.Fatal(html)
	}
}

func render(t *testing.T, r *Refusal) string {
	t.Helper()
	var b strings.Builder
	if err := template.Must(template.New("").Parse(Block())).ExecuteTemplate(&b, "wechat-refusal", r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
