package wechat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestEnvelope(t *testing.T) {
	good := map[string]Envelope{
		`<xml><AppId>wx1</AppId><Encrypt>abc=</Encrypt></xml>`:                                                                       {AppID: "wx1", Encrypt: "abc="},
		"<?xml version=\"1.0\"?>\n<xml>\n<ToUserName><![CDATA[gh_1]]></ToUserName>\n<Encrypt>\n<![CDATA[abc=]]>\n</Encrypt></xml>\n": {ToUserName: "gh_1", Encrypt: "abc="},
		`<xml><Encrypt>abc=</Encrypt><AppId/></xml>`:                                                                                 {Encrypt: "abc="},
	}
	for doc, want := range good {
		if got, err := ParseEnvelope([]byte(doc)); err != nil || got != want {
			t.Errorf("%s: %+v %v", doc, got, err)
		}
	}
	deep := strings.Repeat("<a>", 9) + strings.Repeat("</a>", 9)
	bad := map[string]string{
		"nothing":                "",
		"no Encrypt":             `<xml><AppId>wx1</AppId></xml>`,
		"empty Encrypt":          `<xml><Encrypt></Encrypt></xml>`,
		"two Encrypt":            `<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>`,
		"two AppId":              `<xml><AppId>a</AppId><AppId>b</AppId><Encrypt>b</Encrypt></xml>`,
		"doctype":                `<!DOCTYPE xml><xml><Encrypt>a</Encrypt></xml>`,
		"doctype after the root": `<xml><Encrypt>a</Encrypt></xml><!DOCTYPE xml>`,
		"external entity":        `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Encrypt>&e;</Encrypt></xml>`,
		"unknown entity":         `<xml><Encrypt>&e;</Encrypt></xml>`,
		"inner doctype":          `<xml><!DOCTYPE x><Encrypt>a</Encrypt></xml>`,
		"comment":                `<xml><!-- a --><Encrypt>a</Encrypt></xml>`,
		"instruction":            `<xml><?php x?><Encrypt>a</Encrypt></xml>`,
		"attribute":              `<xml a="b"><Encrypt>a</Encrypt></xml>`,
		"other root":             `<html><Encrypt>a</Encrypt></html>`,
		"two roots":              `<xml><Encrypt>a</Encrypt></xml><xml/>`,
		"crossed tags":           `<xml><a><b></a></b><Encrypt>a</Encrypt></xml>`,
		"too deep":               `<xml><Encrypt>a</Encrypt>` + deep + `</xml>`,
		"too many":               `<xml><Encrypt>a</Encrypt><b>` + strings.Repeat("<a/>", 1100) + `</b></xml>`,
		"long name":              `<xml><Encrypt>a</Encrypt><` + strings.Repeat("a", 65) + `/></xml>`,
		"no UTF-8":               "<xml><Encrypt>a</Encrypt><b>\xff</b></xml>",
		"JSON":                   `{"Encrypt":"a"}`,
		"cut off":                `<xml><Encrypt>a</Encrypt>`,
		"open CDATA":             `<xml><Encrypt><![CDATA[a</Encrypt></xml>`,
		"open declaration":       `<?xml version="1.0"<xml><Encrypt>a</Encrypt></xml>`,
		"NUL reference":          `<xml><Encrypt>a&#0;</Encrypt></xml>`,
		"surrogate reference":    `<xml><Encrypt>a&#xD800;</Encrypt></xml>`,
	}
	for name, doc := range bad {
		if _, err := ParseEnvelope([]byte(doc)); ReasonOf(err) != ReasonBody {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRewriteXMLReachesEveryLeaf(t *testing.T) {
	var paths []string
	out, err := RewriteXML([]byte(`<xml><a>1</a><info><name><![CDATA[x<br>]]></name><e/></info></xml>`), func(path, text string) string {
		paths = append(paths, path)
		return text + "]]>"
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(paths, " "); got != "a info.name info.e" {
		t.Errorf("paths %s", got)
	}
	again, err := parseXML(out)
	if err != nil || string(again.kids[1].kids[0].text) != "x<br>]]>" {
		t.Errorf("what is written does not read back: %v\n%s", err, out)
	}
}

// FuzzXML holds our reader against encoding/xml: whatever we accept, it reads to the same names and texts.
func FuzzXML(f *testing.F) {
	for _, doc := range []string{
		`<xml><a>1</a></xml>`, `<xml><a><![CDATA[<b>&amp;]]></a></xml>`, `<xml>&#x4f60;&lt;</xml>`, `<a/>`, `<a ></a >`,
		"<?xml version=\"1.0\"?><a>\r\n</a>", `<!DOCTYPE a><a/>`, `<a><b/>x<b/></a>`, `<a>]]></a>`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := parseXML(doc)
		if err != nil {
			if !errors.Is(err, errXML) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		want, err := reference(doc)
		if err != nil {
			return // encoding/xml is stricter about control characters, "]]>" in text and colons; that is no danger here
		}
		if a, b := outline(got), outline(want); a != b {
			t.Errorf("read differently:\n%s\n%s", a, b)
		}
	})
}

func outline(e element) string {
	var b bytes.Buffer
	b.WriteString("<" + e.name + ">")
	for _, k := range e.kids {
		b.WriteString(outline(k))
	}
	if len(e.kids) == 0 {
		// encoding/xml turns CR LF and CR into LF, we do not: compare without them.
		b.WriteString(strings.Trim(strings.NewReplacer("\r", "", "\n", "").Replace(string(e.text)), " \t"))
	}
	return b.String() + "</>"
}

func reference(doc []byte) (element, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	var stack []element
	for {
		tok, err := d.Token()
		if err != nil {
			if err == io.EOF {
				err = errors.New("no root")
			}
			return element{}, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			stack = append(stack, element{name: tok.Name.Local})
		case xml.CharData:
			if n := len(stack); n > 0 {
				stack[n-1].text = append(stack[n-1].text, tok...)
			}
		case xml.EndElement:
			n := len(stack)
			done := stack[n-1]
			if n == 1 {
				return done, nil
			}
			stack = stack[:n-1]
			stack[n-2].kids = append(stack[n-2].kids, done)
		}
	}
}
