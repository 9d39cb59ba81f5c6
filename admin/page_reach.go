package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// reachFound is how many spaces a search shows; more ask for more words.
const reachFound = 8

// reachView is the operator's form of whom an extension is open to. What was chosen and not saved yet travels in the form
// itself, so that searching, adding and taking out work without a script.
type reachView struct {
	refusals
	plugin.Reach
	Kinds  []reachKind
	Chosen []chosenSpace
	Find   string
	Asked  bool // a search was made
	Found  []chosenSpace
	More   bool // the search has more than Found
}

type reachKind struct {
	Kind account.Kind
	On   bool
}

// chosenSpace is a space in the form. Number is what was sent, which may be no number of a space: then Known is false.
type chosenSpace struct {
	Number, Name string
	Kind         account.Kind
	Known, Taken bool // Taken: a found one that is chosen already
}

// reachInput is the form as it was sent.
type reachInput struct {
	plugin.ReachForm
	chosen []string // numbers of spaces as they were sent
	find   string
	asked  bool
}

func readReach(f url.Values) (in reachInput) {
	in.Reach = f.Get("reach")
	for _, kind := range f["kind"] {
		in.Kinds = append(in.Kinds, account.Kind(kind))
	}
	for _, number := range f["space"] {
		if number = strings.TrimSpace(number); number != "" && !slices.Contains(in.chosen, number) {
			in.chosen = append(in.chosen, number)
		}
	}
	in.find = strings.TrimSpace(f.Get("find"))
	if n, err := strconv.ParseInt(f.Get("version"), 10, 64); err == nil {
		in.Version = n
	}
	return in
}

// numbers are the chosen spaces; what is no number is refused on the field.
func (in *reachInput) numbers() error {
	wrong := fault.InvalidInput()
	for _, word := range in.chosen {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || n <= 0 {
			return wrong.On("spaces", "不是空间编号："+word).OrNil()
		}
		in.SpaceIDs = append(in.SpaceIDs, n)
	}
	return nil
}

// pick carries out a button of the picker: find, add:NUMBER or take:NUMBER. It reports whether the button was one of them;
// nothing is saved then.
func (in *reachInput) pick(do string) bool {
	word, number, _ := strings.Cut(do, ":")
	switch {
	case word == "find":
	case word == "add" && number != "":
		if !slices.Contains(in.chosen, number) {
			in.chosen = append(in.chosen, number)
		}
	case word == "take":
		in.chosen = slices.DeleteFunc(in.chosen, func(n string) bool { return n == number })
	default:
		return false
	}
	in.asked = word == "find" || in.find != ""
	return true
}

func (a *Admin) reachView(ctx context.Context, actor account.Actor, reach plugin.Reach, in reachInput, problem *fault.Error) (View, error) {
	v := reachView{refusals: refusals{problem}, Reach: reach, Find: in.find, Asked: in.asked}
	v.Reach.Reach = in.Reach
	for _, kind := range []account.Kind{account.Merchant, account.Personal, account.Platform} {
		v.Kinds = append(v.Kinds, reachKind{kind, slices.Contains(in.Kinds, kind)})
	}
	var err error
	if v.Chosen, err = a.spacesNumbered(ctx, in.chosen); err != nil {
		return View{}, err
	}
	if in.asked {
		if v.Found, v.More, err = a.findSpaces(ctx, actor, in.find); err != nil {
			return View{}, err
		}
		for i, one := range v.Found {
			v.Found[i].Taken = slices.Contains(in.chosen, one.Number)
		}
	}
	id := reach.Plugin
	return View{
		Title: "可用范围", Subtitle: id, Trail: []Link{{"插件", Prefix + "/plugins"}, {id, Prefix + "/plugins/" + id}}, Body: a.render("reach", v), Status: statusOf(problem),
	}, nil
}

// spacesNumbered puts names to numbers, in their order.
func (a *Admin) spacesNumbered(ctx context.Context, numbers []string) ([]chosenSpace, error) {
	var ids []int64
	for _, number := range numbers {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	named, err := a.o.Services.Behind.NamedSpaces(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]chosenSpace, len(numbers))
	for i, number := range numbers {
		out[i].Number = number
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			space, known := named[n]
			out[i].Name, out[i].Kind, out[i].Known = space.Name, space.Kind, known
		}
	}
	return out, nil
}

// findSpaces looks for spaces by a part of their name or by their whole number.
func (a *Admin) findSpaces(ctx context.Context, actor account.Actor, words string) (found []chosenSpace, more bool, err error) {
	if _, bad := strconv.ParseInt(words, 10, 64); bad == nil {
		byNumber, err := a.spacesNumbered(ctx, []string{words})
		if err != nil || byNumber[0].Known {
			return byNumber, false, err
		}
	}
	list, next, _, err := a.o.Services.Behind.Directory(ctx, actor, account.SpaceFilter{Query: words, Limit: reachFound})
	if err != nil {
		return nil, false, err
	}
	for _, s := range list {
		found = append(found, chosenSpace{Number: strconv.FormatInt(s.ID, 10), Name: s.Name, Kind: s.Kind, Known: true})
	}
	return found, next != 0, nil
}

func (a *Admin) reachPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	reach, err := a.o.Services.SpaceExtensions.ReachOf(ctx, actor, r.PathValue("id"))
	if err != nil {
		return View{}, err
	}
	in := reachInput{ReachForm: plugin.ReachForm{Reach: reach.Reach, Kinds: reach.Kinds}}
	for _, s := range reach.Spaces {
		in.chosen = append(in.chosen, strconv.FormatInt(s.ID, 10))
	}
	return a.reachView(ctx, actor, reach, in, nil)
}

func (a *Admin) saveReach(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id := r.PathValue("id")
	before, err := a.o.Services.SpaceExtensions.ReachOf(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	in := readReach(r.PostForm)
	if in.Version != 0 {
		before.Version = in.Version // of the form that was opened: what another saved meanwhile stays noticed
	}
	if in.pick(r.PostForm.Get("do")) {
		return a.reachView(ctx, actor, before, in, nil)
	}
	if in.Reach == plugin.ReachSpaces {
		err = in.numbers()
	}
	if err == nil {
		_, err = a.o.Services.SpaceExtensions.SetReach(ctx, actor, id, in.ReachForm)
	}
	if err != nil {
		problem := fault.From(err)
		if problem.Kind != fault.Invalid && problem.Kind != fault.Conflict {
			return View{}, err
		}
		return a.reachView(ctx, actor, before, in, problem)
	}
	a.flash.put(actor, "可用范围已保存，立即生效")
	return View{Redirect: Prefix + "/reach/" + id}, nil
}
