package lang

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// spoken are the attributes whose value is read by people.
var spoken = []string{"placeholder", "title", "aria-label", "aria-description", "alt", "label", "data-label", "data-confirm", "data-confirm-title", "data-confirm-ok", "data-confirm-no", "data-title", "data-text"}

// silent are elements whose content is not prose of ours.
var silent = []atom.Atom{atom.Script, atom.Style, atom.Textarea, atom.Code, atom.Pre, atom.Noscript, atom.Iframe}

// HTML writes the page or fragment with its Chinese turned into English. Text inside translate="no", code, scripts and
// text fields stays; markup is copied byte for byte where nothing in it changes. left gets every text that could not be
// translated whole; it may be nil.
func (d *Dictionary) HTML(page []byte, left func(text string)) []byte {
	var out bytes.Buffer
	out.Grow(len(page) + len(page)/8)
	z := html.NewTokenizer(bytes.NewReader(page))
	var still still
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if z.Err() != io.EOF { // a reader of bytes has no other error; then the rest is better than nothing
				out.Write(z.Raw())
			}
			return out.Bytes()
		case html.TextToken:
			raw := z.Raw()
			if still.on() || !Chinese(string(raw)) {
				out.Write(raw)
				continue
			}
			d.write(&out, html.UnescapeString(string(raw)), left)
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := bytes.Clone(z.Raw())
			token := z.Token()
			quiet := still.on()
			if kind == html.StartTagToken {
				still.open(token)
			}
			if !quiet && d.attributes(&token, left) {
				out.WriteString(token.String())
				continue
			}
			out.Write(raw)
		case html.EndTagToken:
			raw := bytes.Clone(z.Raw())
			still.close(z.Token().Data)
			out.Write(raw)
		default:
			out.Write(z.Raw())
		}
	}
}

func (d *Dictionary) write(out *bytes.Buffer, text string, left func(string)) {
	english, whole := d.Translate(text)
	if !whole && left != nil {
		left(strings.TrimSpace(text))
	}
	out.WriteString(html.EscapeString(english))
}

// attributes translates what a tag says to people and reports whether anything changed.
func (d *Dictionary) attributes(t *html.Token, left func(string)) bool {
	changed := false
	for i, a := range t.Attr {
		if t.DataAtom == atom.Html && a.Key == "lang" {
			t.Attr[i].Val, changed = "en", true
			continue
		}
		if !Chinese(a.Val) || !slices.Contains(spoken, a.Key) && !(a.Key == "value" && button(*t)) {
			continue
		}
		english, whole := d.Translate(a.Val)
		if !whole && left != nil {
			left(a.Val)
		}
		t.Attr[i].Val, changed = english, true
	}
	return changed
}

// button reports whether a tag's value is the word on a button.
func button(t html.Token) bool {
	return t.DataAtom == atom.Input && slices.Contains([]string{"submit", "button", "reset"}, attribute(t, "type"))
}

// own reports whether an element holds users' own text.
func own(t html.Token) bool { return attribute(t, "translate") == "no" }

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// still follows the element whose content stays as it is: the outermost one, by counting its own kind.
type still struct {
	tag   string
	depth int
}

func (s *still) on() bool { return s.depth > 0 }

var void = []atom.Atom{atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr}

func (s *still) open(t html.Token) {
	switch {
	case slices.Contains(void, t.DataAtom):
	case s.depth > 0:
		if t.Data == s.tag {
			s.depth++
		}
	case own(t) || slices.Contains(silent, t.DataAtom):
		s.tag, s.depth = t.Data, 1
	}
}

func (s *still) close(tag string) {
	if s.depth > 0 && tag == s.tag {
		s.depth--
	}
}
