package dictionary

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func TestEveryCodeOfTheFactsIsExplained(t *testing.T) {
	raw, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		first, last := line, line
		if i := strings.LastIndex(line, "-"); i > 0 {
			first, last = line[:i], line[i+1:]
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil {
			t.Fatalf("codes.txt: %q", line)
		}
		for c := from; c <= to; c++ {
			n++
			if _, ok := Lookup(c); !ok {
				t.Errorf("errcode %d is not in the dictionary", c)
			}
		}
	}
	if n < 500 {
		t.Fatalf("only %d codes in the list", n)
	}
}

func TestTheClassFitsWhoeverHasToAct(t *testing.T) {
	acting := map[Class][]Who{
		Retry: {System}, Refresh: {System}, Wait: {System, Person, Owner, Provider}, User: {Person, Owner, Nobody},
		Merchant: {Provider}, Bug: {Operator}, Done: {Nobody, System},
	}
	kinds := " TOKEN RETRY WAIT RATE QUOTA AUTH PLATFORM STATE INPUT USER BLOCKED OK "
	for _, e := range Entries() {
		whos, ok := acting[e.Class]
		if !ok {
			t.Errorf("%v: no class %q", e.Codes, e.Class)
		}
		fits := false
		for _, w := range whos {
			fits = fits || w == e.Who
		}
		if !fits {
			t.Errorf("%v: class %s, but %s acts", e.Codes, e.Class, e.Who)
		}
		if !strings.Contains(kinds, " "+e.Kind+" ") {
			t.Errorf("%v: no kind %q", e.Codes, e.Kind)
		}
		if e.Act != "" {
			if _, ok := LookupAct(e.Act); !ok {
				t.Errorf("%v: no act %q", e.Codes, e.Act)
			}
		}
		for _, s := range []Text{e.Reason, e.Todo} {
			if !han(s.ZH) || s.EN == "" {
				t.Errorf("%v: a sentence is missing: %+v", e.Codes, s)
			}
		}
	}
}

func han(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

func TestASentenceHasOneEnglish(t *testing.T) {
	seen := map[string]string{}
	for _, e := range Entries() {
		for _, s := range []Text{e.Reason, e.Todo} {
			if before, ok := seen[s.ZH]; ok && before != s.EN {
				t.Errorf("%q: %q and %q", s.ZH, before, s.EN)
			}
			seen[s.ZH] = s.EN
		}
	}
}
