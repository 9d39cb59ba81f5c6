package wechat_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"minifleet/app/wechat"
)

// goldenPushes are the golden pushes by file name without .xml: the type, and after a dot a variant.
func goldenPushes(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(goldenDir + "/push/*.xml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".xml")] = body
	}
	return all
}

func urlOf(doc []byte) string {
	if bytes.Contains(doc, []byte("<InfoType>")) {
		return wechat.TicketURL
	}
	return wechat.MessageURL
}

func TestEveryPushOfTheFactsIsRead(t *testing.T) {
	seen := map[string]bool{}
	for name, doc := range goldenPushes(t) {
		t.Run(name, func(t *testing.T) {
			p, err := wechat.ParsePush(urlOf(doc), doc)
			if err != nil {
				t.Fatal(err)
			}
			if name != p.Type() && !strings.HasPrefix(name, p.Type()+".") {
				t.Errorf("holds %s", p.Type())
			}
			kind, ok := wechat.LookupPush(p.Type())
			if !ok || kind.URL != "" && kind.URL != urlOf(doc) {
				t.Errorf("row %+v %v, came on %s", kind, ok, urlOf(doc))
			}
			seen[p.Type()] = true
			content, unknown, err := p.Content()
			if err != nil || content == nil || len(unknown) > 0 {
				t.Fatalf("%+v, unknown %v, %v", content, unknown, err)
			}
			// No field can change without the content changing.
			for path, text := range p.Fields {
				if strings.Contains(" AppId CreateTime InfoType ToUserName FromUserName MsgType Event ", " "+path+" ") {
					continue
				}
				p.Fields[path] = text + "1"
				if other, _, err := p.Content(); err != nil || reflect.DeepEqual(other, content) {
					t.Errorf("the content does not carry %s (%v)", path, err)
				}
				p.Fields[path] = text
			}
		})
	}
	for _, kind := range wechat.PushTypes() {
		if !seen[kind.Name] {
			t.Errorf("%s has no golden push", kind.Name)
		}
	}
}

func TestUnknownFieldsOfAPushAreKept(t *testing.T) {
	doc := `<xml><AppId>wxc</AppId><InfoType>notify_3rd_wxa_auth</InfoType><appid>wxa</appid><task_status>soon</task_status>
<dispatch_info/><news><a>1</a></news></xml>`
	p, err := wechat.ParsePush(wechat.TicketURL, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	content, unknown, err := p.Content()
	got, ok := content.(*wechat.CertificationContent)
	if !ok || got.AppID != "wxa" || !reflect.DeepEqual(unknown, map[string]string{"news.a": "1"}) {
		t.Errorf("%+v %v", content, unknown)
	}
	if err == nil || !strings.Contains(err.Error(), "task_status") {
		t.Errorf("a number that is none: %v", err)
	}
	p, err = wechat.ParsePush(wechat.TicketURL, []byte(`<xml><InfoType>brand_new</InfoType><x>1</x></xml>`))
	if err != nil {
		t.Fatal(err)
	}
	if content, unknown, err := p.Content(); content != nil || err != nil || unknown["x"] != "1" {
		t.Errorf("%v %v %v", content, unknown, err)
	}
}

func TestTypedContentAgreesWithTheShortReaders(t *testing.T) {
	all := goldenPushes(t)
	p, err := wechat.ParsePush(wechat.MessageURL, all["weapp_audit_fail"])
	if err != nil {
		t.Fatal(err)
	}
	content, _, err := p.Content()
	r, ok := p.AuditResult()
	if c, typed := content.(*wechat.AuditContent); err != nil || !typed || !ok || c.Reason != r.Reason || c.FailedAt != r.At {
		t.Errorf("%+v %+v %v", content, r, err)
	}
	p, err = wechat.ParsePush(wechat.TicketURL, all["authorized"])
	if err != nil {
		t.Fatal(err)
	}
	a, ok := p.Authorization()
	if content, _, err := p.Content(); err != nil || !ok || *content.(*wechat.AuthorizationContent) != wechat.AuthorizationContent(a) {
		t.Errorf("%+v %+v %v", content, a, err)
	}
}

// FuzzPushContent begins with every golden push; what was found once stays in testdata/fuzz.
func FuzzPushContent(f *testing.F) {
	for _, doc := range goldenPushes(f) {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, url := range []string{wechat.TicketURL, wechat.MessageURL} {
			p, err := wechat.ParsePush(url, doc)
			if err != nil {
				continue
			}
			before := len(p.Fields)
			content, unknown, err := p.Content()
			if content == nil && err != nil {
				t.Errorf("no content, but %v", err)
			}
			if len(p.Fields) != before || len(unknown) > before {
				t.Errorf("%d fields became %d, %d unknown", before, len(p.Fields), len(unknown))
			}
		}
	})
}
