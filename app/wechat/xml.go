package wechat

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Bounds of an XML document. WeChat's own pushes stay far below them.
const (
	xmlMaxDepth    = 8
	xmlMaxElements = 1024
	xmlMaxName     = 64
)

// element is one parsed XML element. text is the character data of a leaf; it may alias the input.
type element struct {
	name string
	text []byte
	kids []element
}

// errXML is wrapped by every complaint of the XML reader.
var errXML = errors.New("xml refused")

// parseXML reads the small part of XML that WeChat sends: elements without attributes, character data, CDATA sections,
// the five predefined entities and character references. Everything that makes XML dangerous (DOCTYPE, entities of its
// own, processing instructions, attributes, deep nesting) is not implemented, hence refused.
func parseXML(doc []byte) (element, error) {
	if !utf8.Valid(doc) {
		return element{}, fmt.Errorf("%w: not UTF-8", errXML)
	}
	r := xmlReader{in: doc}
	r.skipSpace()
	if bytes.HasPrefix(r.rest(), []byte("<?xml ")) {
		end := bytes.Index(r.rest(), []byte("?>"))
		if end < 0 {
			return element{}, r.fail("unfinished declaration")
		}
		r.pos += end + 2
		r.skipSpace()
	}
	root, err := r.element(1)
	if err != nil {
		return element{}, err
	}
	r.skipSpace()
	if r.pos != len(r.in) {
		return element{}, r.fail("data after the document")
	}
	return root, nil
}

type xmlReader struct {
	in       []byte
	pos      int
	elements int
}

func (r *xmlReader) rest() []byte { return r.in[r.pos:] }

func (r *xmlReader) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errXML, what, r.pos)
}

func (r *xmlReader) skipSpace() {
	for r.pos < len(r.in) && isSpace(r.in[r.pos]) {
		r.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// element reads one element; r stands on its '<'.
func (r *xmlReader) element(level int) (element, error) {
	if level > xmlMaxDepth {
		return element{}, r.fail("nested too deep")
	}
	if r.elements++; r.elements > xmlMaxElements {
		return element{}, r.fail("too many elements")
	}
	if r.pos >= len(r.in) || r.in[r.pos] != '<' {
		return element{}, r.fail("no element")
	}
	r.pos++
	name, err := r.name()
	if err != nil {
		return element{}, err
	}
	e := element{name: name}
	r.skipSpace()
	if bytes.HasPrefix(r.rest(), []byte("/>")) {
		r.pos += 2
		return e, nil
	}
	if r.pos >= len(r.in) || r.in[r.pos] != '>' {
		return element{}, r.fail("attribute or unfinished tag")
	}
	r.pos++
	return e, r.content(&e, level)
}

// content fills e up to and including its end tag.
func (r *xmlReader) content(e *element, level int) error {
	var owned bool // e.text is a copy of ours and may grow
	for {
		rest := r.rest()
		lt := bytes.IndexByte(rest, '<')
		if lt < 0 {
			return r.fail("unfinished element")
		}
		if lt > 0 {
			text, err := r.characters(rest[:lt])
			if err != nil {
				return err
			}
			e.text, owned = join(e.text, text, owned)
			r.pos += lt
			rest = rest[lt:]
		}
		switch {
		case bytes.HasPrefix(rest, []byte("</")):
			r.pos += 2
			return r.endTag(e)
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			body := rest[len("<![CDATA["):]
			end := bytes.Index(body, []byte("]]>"))
			if end < 0 {
				return r.fail("unfinished CDATA")
			}
			e.text, owned = join(e.text, body[:end], owned)
			r.pos += len("<![CDATA[") + end + len("]]>")
		case bytes.HasPrefix(rest, []byte("<!")), bytes.HasPrefix(rest, []byte("<?")):
			return r.fail("declaration, comment or instruction")
		default:
			kid, err := r.element(level + 1)
			if err != nil {
				return err
			}
			e.kids = append(e.kids, kid)
		}
	}
}

// join appends b to a without writing into the input that a may alias.
func join(a, b []byte, owned bool) ([]byte, bool) {
	if len(a) == 0 && !owned {
		return b, false
	}
	if !owned {
		a = bytes.Clone(a)
	}
	return append(a, b...), true
}

func (r *xmlReader) endTag(e *element) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	r.skipSpace()
	if name != e.name || r.pos >= len(r.in) || r.in[r.pos] != '>' {
		return r.fail("end tag does not match " + strconv.Quote(e.name))
	}
	r.pos++
	if len(e.kids) > 0 {
		e.text = nil // blanks between the children
		return nil
	}
	// Layout around a CDATA section or a number means nothing, and WeChat puts line breaks there now and then.
	e.text = bytes.Trim(e.text, " \t\r\n")
	return nil
}

func (r *xmlReader) name() (string, error) {
	start := r.pos
	for r.pos < len(r.in) {
		c := r.in[r.pos]
		if isAlnum(c) || c == '_' || (r.pos > start && (c == '-' || c == '.')) {
			r.pos++
			continue
		}
		break
	}
	n := r.pos - start
	if n == 0 || n > xmlMaxName || r.in[start] >= '0' && r.in[start] <= '9' {
		return "", r.fail("bad name")
	}
	return intern(r.in[start:r.pos]), nil
}

// intern gives the names of nearly every push without allocating.
func intern(b []byte) string {
	switch string(b) {
	case "xml":
		return "xml"
	case "AppId":
		return "AppId"
	case "Encrypt":
		return "Encrypt"
	case "ToUserName":
		return "ToUserName"
	case "FromUserName":
		return "FromUserName"
	case "CreateTime":
		return "CreateTime"
	case "InfoType":
		return "InfoType"
	case "MsgType":
		return "MsgType"
	case "Event":
		return "Event"
	default:
		return string(b)
	}
}

// characters resolves the references in a run of character data.
func (r *xmlReader) characters(run []byte) ([]byte, error) {
	if bytes.IndexByte(run, '&') < 0 {
		return run, nil
	}
	out := make([]byte, 0, len(run))
	for len(run) > 0 {
		amp := bytes.IndexByte(run, '&')
		if amp < 0 {
			return append(out, run...), nil
		}
		out = append(out, run[:amp]...)
		run = run[amp+1:]
		semi := bytes.IndexByte(run, ';')
		if semi < 1 || semi > 10 {
			return nil, r.fail("bad reference")
		}
		c, ok := resolve(string(run[:semi]))
		if !ok {
			return nil, r.fail("unknown entity")
		}
		out = utf8.AppendRune(out, c)
		run = run[semi+1:]
	}
	return out, nil
}

func resolve(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return 0, false
	}
	return rune(n), true
}

// Envelope is the clear outer body of a push: exactly one Encrypt, and who it says it is for (unsigned: a hint only).
type Envelope struct {
	AppID      string // ticket URL
	ToUserName string // message URL
	Encrypt    string // base64, as received
}

// ParseEnvelope reads the outer XML of a push. The caller bounds the size of body.
func ParseEnvelope(body []byte) (Envelope, error) {
	root, err := parseXML(body)
	if err != nil {
		return Envelope{}, Refuse(ReasonBody, err)
	}
	if root.name != "xml" {
		return Envelope{}, Refuse(ReasonBody, fmt.Errorf("%w: root is %q", errXML, root.name))
	}
	var env Envelope
	for i, kid := range root.kids {
		for _, before := range root.kids[:i] {
			if before.name == kid.name {
				return Envelope{}, Refuse(ReasonBody, fmt.Errorf("%w: %s twice", errXML, kid.name))
			}
		}
		switch kid.name {
		case "AppId":
			env.AppID = string(kid.text)
		case "ToUserName":
			env.ToUserName = string(kid.text)
		case "Encrypt":
			env.Encrypt = string(kid.text)
		}
	}
	if env.Encrypt == "" {
		return Envelope{}, Refuse(ReasonBody, fmt.Errorf("%w: no Encrypt", errXML))
	}
	return env, nil
}
