package dictionary

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.json
var files embed.FS

// actsFile lists the acts; every other file lists entries.
const actsFile = "acts.json"

// Class says in one word what becomes of a refused call.
type Class string

// The classes.
const (
	Retry    Class = "retry"    // transient: the same call may work in a moment
	Refresh  Class = "refresh"  // the token is renewed and the call repeated once
	Wait     Class = "wait"     // nothing to do but wait: a limit, a review, a scan
	User     Class = "user"     // who operates, or the mini program's owner, must act
	Merchant Class = "merchant" // the owner of the third-party platform must act
	Bug      Class = "bug"      // we called wrongly
	Done     Class = "done"     // it is already as wanted, or nobody can do anything
)

// Who has to act. The words of the screens are in Label.
type Who string

// The actors.
const (
	Nobody   Who = "nobody"
	System   Who = "system"
	Person   Who = "user" // whoever made the call
	Owner    Who = "owner"
	Provider Who = "merchant"
	Operator Who = "operator"
)

// Label is the actor in the words of the screens.
func (w Who) Label() string {
	switch w {
	case Nobody:
		return "无需处理"
	case System:
		return "系统自动处理"
	case Person:
		return "操作人"
	case Owner:
		return "小程序管理员"
	case Provider:
		return "服务商"
	default:
		return "平台管理员"
	}
}

// Text is a sentence in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Entry is what some errcodes mean. Kind is the finer class of 02 L.2. Act names what mends it, "" for nothing.
type Entry struct {
	Codes  []int
	Class  Class
	Kind   string
	Who    Who
	Act    string
	Reason Text
	Todo   Text
}

// Act is something the product can do about an error: a page of ours, or Href at WeChat. Needs says what its address is
// about: "appid", "component" or nothing.
type Act struct {
	Name  string `json:"name"`
	Needs string `json:"needs"`
	Href  string `json:"href"`
	Title Text   `json:"title"`
}

// code is a number, or a family like "300000-300099".
type code []int

func (c *code) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if unquoted, err := strconv.Unquote(text); err == nil {
		from, to, ok := strings.Cut(unquoted, "-")
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if !ok || err1 != nil || err2 != nil || last <= first || last-first > 1000 {
			return fmt.Errorf("%s is no family of codes", raw)
		}
		for n := first; n <= last; n++ {
			*c = append(*c, n)
		}
		return nil
	}
	n, err := strconv.Atoi(text)
	*c = code{n}
	return err
}

type raw struct {
	Codes  []code `json:"codes"`
	Class  Class  `json:"class"`
	Kind   string `json:"kind"`
	Who    Who    `json:"who"`
	Act    string `json:"act"`
	Reason Text   `json:"reason"`
	Todo   Text   `json:"todo"`
}

// book is everything read.
type book struct {
	entries []Entry
	byCode  map[int]int
	acts    map[string]Act
}

// loaded reads the embedded files once. They are part of the build and a test reads them, so a file that does not parse
// cannot get into a binary that passed.
var loaded = sync.OnceValue(func() book {
	b, err := read()
	if err != nil {
		panic(err)
	}
	return b
})

func read() (book, error) {
	b := book{byCode: map[int]int{}, acts: map[string]Act{}}
	names, err := files.ReadDir(".")
	if err != nil {
		return b, err
	}
	for _, file := range names {
		data, err := files.ReadFile(file.Name())
		if err != nil {
			return b, err
		}
		if file.Name() == actsFile {
			err = b.readActs(data)
		} else {
			err = b.readEntries(data)
		}
		if err != nil {
			return b, fmt.Errorf("dictionary: %s: %w", path.Base(file.Name()), err)
		}
	}
	return b, nil
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (b *book) readActs(data []byte) error {
	var acts []Act
	if err := strict(data, &acts); err != nil {
		return err
	}
	for _, a := range acts {
		if _, twice := b.acts[a.Name]; twice {
			return fmt.Errorf("act %s stands twice", a.Name)
		}
		b.acts[a.Name] = a
	}
	return nil
}

func (b *book) readEntries(data []byte) error {
	var rows []raw
	if err := strict(data, &rows); err != nil {
		return err
	}
	for _, r := range rows {
		e := Entry{Class: r.Class, Kind: r.Kind, Who: r.Who, Act: r.Act, Reason: r.Reason, Todo: r.Todo}
		for _, c := range r.Codes {
			e.Codes = append(e.Codes, c...)
		}
		for _, c := range e.Codes {
			if _, twice := b.byCode[c]; twice {
				return fmt.Errorf("errcode %d stands twice", c)
			}
			b.byCode[c] = len(b.entries)
		}
		b.entries = append(b.entries, e)
	}
	return nil
}

// Lookup finds an errcode; false for one the dictionary does not know.
func Lookup(errcode int) (Entry, bool) {
	b := loaded()
	i, ok := b.byCode[errcode]
	if !ok {
		return Entry{}, false
	}
	return b.entries[i], true
}

// Entries gives every entry; the caller may change the slice.
func Entries() []Entry { return slices.Clone(loaded().entries) }

// LookupAct finds an act by name.
func LookupAct(name string) (Act, bool) {
	a, ok := loaded().acts[name]
	return a, ok
}

// Acts gives every act, sorted by name.
func Acts() []Act {
	b := loaded()
	out := make([]Act, 0, len(b.acts))
	for _, a := range b.acts {
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y Act) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// English gives the translations of every sentence of the files, for the pages' dictionary.
func English() map[string]string {
	out := map[string]string{}
	for _, e := range loaded().entries {
		out[e.Reason.ZH], out[e.Todo.ZH] = e.Reason.EN, e.Todo.EN
	}
	for _, a := range loaded().acts {
		out[a.Title.ZH] = a.Title.EN
	}
	return out
}
