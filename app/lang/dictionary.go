package lang

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Hole stands in a key for text that is only known at run time. In a translation {} takes the next hole, {2} the second.
const Hole = "{}"

// remembered is how many looked-up texts are kept; then the memory starts anew.
const remembered = 8192

// Dictionary knows the English of Chinese sentences. Safe for concurrent use.
type Dictionary struct {
	exact    map[string]string
	patterns []pattern // most literal text first

	mu   sync.Mutex
	seen map[string]found
}

type found struct {
	text  string
	whole bool
}

// New reads a dictionary: a JSON object from Chinese to English. A translation that names a hole its key does not have is
// refused.
func New(data []byte) (*Dictionary, error) {
	var entries map[string]string
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("lang: dictionary: %w", err)
	}
	d := &Dictionary{exact: map[string]string{}, seen: map[string]found{}}
	for key, value := range entries {
		key = Fold(key)
		if !strings.Contains(key, Hole) {
			d.exact[key] = value
			continue
		}
		p, err := newPattern(key, value)
		if err != nil {
			return nil, err
		}
		d.patterns = append(d.patterns, p)
	}
	slices.SortFunc(d.patterns, func(a, b pattern) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.key, b.key)
	})
	return d, nil
}

// Fold is the form in which sentences are compared: every run of white space is one blank, none at the ends.
func Fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// Chinese reports whether s holds a Chinese character.
func Chinese(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

// Has reports whether the sentence, holes included, is an entry of its own.
func (d *Dictionary) Has(key string) bool {
	key = Fold(key)
	if _, ok := d.exact[key]; ok {
		return true
	}
	return slices.ContainsFunc(d.patterns, func(p pattern) bool { return p.key == key })
}

// Translate gives the English of s. White space around it stays. whole is false when some Chinese had to be left.
func (d *Dictionary) Translate(s string) (english string, whole bool) {
	if !Chinese(s) {
		return s, true
	}
	core := strings.TrimSpace(s)
	at := strings.Index(s, core)
	key := Fold(core)
	d.mu.Lock()
	f, ok := d.seen[key]
	d.mu.Unlock()
	if !ok {
		f.text, f.whole = d.lookUp(key, 2, levels)
		d.mu.Lock()
		if len(d.seen) >= remembered {
			clear(d.seen)
		}
		d.seen[key] = f
		d.mu.Unlock()
	}
	return s[:at] + f.text + s[at+len(core):], f.whole
}

// levels are what texts are cut at, one after the other: ends of sentences, halves of sentences, and everything that
// stands between words, numbers included.
var levels = []string{"。！？", "；：", "。！？；：，（）、“”·/|→\u00a0+-0123456789.,"}

// lookUp tries the sentence, the sentence with holes, what it is made of, and at last a sentence about somebody's own
// text. What is not known as a whole stays as it was: it is likely to be such a text. deep bounds how often the text in a
// hole is looked up, cuts are the levels that may still be cut at.
func (d *Dictionary) lookUp(s string, deep int, cuts []string) (string, bool) {
	if !Chinese(s) {
		return s, true
	}
	if text, ok := d.exact[s]; ok {
		return text, true
	}
	if text, ok := d.filled(s, deep, false); ok {
		return text, true
	}
	for i, ends := range cuts {
		if text, ok := d.made(s, ends, deep, cuts[i+1:]); ok {
			return text, true
		}
	}
	if text, ok := d.filled(s, deep, true); ok {
		return text, true
	}
	return s, false
}

// filled finds a sentence with holes. What stands in a hole must be known too; with names it may also be somebody's own
// text, as long as the sentence has words of its own at one end.
func (d *Dictionary) filled(s string, deep int, names bool) (string, bool) {
	for _, p := range d.patterns {
		holes, ok := p.match(s)
		if !ok || names && p.parts[0] == "" && p.parts[len(p.parts)-1] == "" {
			continue
		}
		for i, h := range holes {
			if h = Fold(h); !Chinese(h) {
				continue
			}
			text, known := h, false
			if deep > 0 {
				text, known = d.lookUp(h, deep-1, levels)
			}
			holes[i], ok = text, ok && (known || names)
		}
		if ok {
			return p.fill(holes), true
		}
	}
	return "", false
}

// marks is what stands in English for Chinese punctuation.
var marks = map[rune]string{'：': ": ", '，': ", ", '。': ". ", '；': "; ", '（': " (", '）': ") ", '、': ", ", '！': "! ", '？': "? ", '\u00a0': " "}

// made translates a text out of its parts, if every part is known.
func (d *Dictionary) made(s, ends string, deep int, cuts []string) (string, bool) {
	if !strings.ContainsAny(s, ends) {
		return "", false
	}
	var b strings.Builder
	for s != "" {
		at := strings.IndexAny(s, ends)
		part, end := s, ""
		if at >= 0 {
			_, size := utf8.DecodeRuneInString(s[at:])
			part, end = s[:at], s[at:at+size]
		}
		s = s[len(part)+len(end):]
		if !Chinese(part) {
			b.WriteString(part)
		} else {
			text, with, ok := d.part(part, end, deep, cuts)
			if !ok {
				return "", false
			}
			if b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
				b.WriteByte(' ')
			}
			b.WriteString(text + " ")
			if with {
				continue
			}
		}
		r, _ := utf8.DecodeRuneInString(end)
		mark, ok := marks[r]
		if !ok {
			b.WriteString(end)
			continue
		}
		before := strings.TrimRight(b.String(), " ")
		b.Reset()
		b.WriteString(before + mark)
	}
	return Fold(b.String()), true
}

// part looks one part up, with the mark behind it and without. with tells whether the translation has its mark.
func (d *Dictionary) part(s, end string, deep int, cuts []string) (text string, with, ok bool) {
	s = strings.TrimSpace(s)
	if end != "" {
		if text, ok := d.exact[s+end]; ok {
			return text, true, true
		}
		if text, ok := d.filled(s+end, deep, false); ok {
			return text, true, true
		}
	}
	text, ok = d.lookUp(s, deep, cuts)
	return text, false, ok
}

// pattern is a key with holes, cut into the text between them.
type pattern struct {
	key     string
	parts   []string // one more than there are holes
	out     []string // literal text and, at odd places, the number of a hole
	weight  int      // bytes of literal text
	longest string
}

func newPattern(key, value string) (pattern, error) {
	p := pattern{key: key, parts: strings.Split(key, Hole)}
	for _, s := range p.parts {
		p.weight += len(s)
		if len(s) > len(p.longest) {
			p.longest = s
		}
	}
	if p.longest == "" {
		return p, fmt.Errorf("lang: %q is nothing but holes", key)
	}
	next := 0
	for {
		at := hole.FindStringSubmatchIndex(value)
		if at == nil {
			p.out = append(p.out, value)
			return p, nil
		}
		n := next + 1
		if number := value[at[2]:at[3]]; number == "" {
			next++
		} else {
			var err error
			if n, err = strconv.Atoi(number); err != nil {
				return p, fmt.Errorf("lang: %q: hole of its translation: %w", key, err)
			}
		}
		if n < 1 || n >= len(p.parts) {
			return p, fmt.Errorf("lang: %q has no hole %d, its translation asks for it", key, n)
		}
		p.out = append(p.out, value[:at[0]], strconv.Itoa(n))
		value = value[at[1]:]
	}
}

var hole = regexp.MustCompile(`\{(\d*)\}`)

// match finds what stands in the holes; the text between two holes is taken where it comes first.
func (p pattern) match(s string) ([]string, bool) {
	if !strings.Contains(s, p.longest) || !strings.HasPrefix(s, p.parts[0]) {
		return nil, false
	}
	rest, last := s[len(p.parts[0]):], len(p.parts)-1
	holes := make([]string, 0, last)
	for _, part := range p.parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return nil, false
		}
		if part == "" { // two holes in a row: nothing tells them apart
			at = 0
		}
		holes = append(holes, strings.TrimSpace(rest[:at]))
		rest = rest[at+len(part):]
	}
	if !strings.HasSuffix(rest, p.parts[last]) {
		return nil, false
	}
	return append(holes, strings.TrimSpace(rest[:len(rest)-len(p.parts[last])])), true
}

func (p pattern) fill(holes []string) string {
	var b strings.Builder
	for i, s := range p.out {
		if i%2 == 1 {
			n, err := strconv.Atoi(s)
			if err != nil { // newPattern wrote it
				panic(err)
			}
			s = holes[n-1]
		}
		b.WriteString(s)
	}
	return b.String()
}
