package gateway

import (
	"net/url"
	"testing"

	"minifleet/app/wechat"
)

func TestSecretsOfTheEndpointTableAreBlottedAtAnyDepth(t *testing.T) {
	e := wechat.Endpoint{Name: "x", Secret: []string{"legal_name", "code"}}
	req := wechat.Request{
		Query: url.Values{"code": {"very-secret"}, "action": {"create"}},
		Body:  []byte(`{"legal_name":"张三","n":12345678901234567890,"list":[{"legal_name":"李四","kind":"a"}],"text":"示例"}`),
	}
	want := map[string]string{
		"code": blot, "action": "create", "legal_name": blot, "n": "12345678901234567890", "list": `[{"kind":"a","legal_name":"******"}]`, "text": "示例",
	}
	got := asked(e, req)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for _, c := range got {
		if want[c.Field] != c.After || c.Before != "" {
			t.Errorf("%s: %q, want %q", c.Field, c.After, want[c.Field])
		}
	}
	if e.ReadOnly = true; asked(e, req) != nil {
		t.Error("a read is kept")
	}
	if got := asked(wechat.Endpoint{}, wechat.Request{Body: []byte("not json")}); got != nil {
		t.Errorf("%+v", got)
	}
}
