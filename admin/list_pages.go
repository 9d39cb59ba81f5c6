package admin

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// listViewPages keep what a member keeps about lists; every list of the back office posts here.
func (a *Admin) listViewPages() []Page {
	return []Page{
		{Pattern: "POST /lists/{list}/choice", Handle: a.chooseList},
		{Pattern: "POST /lists/{list}/filters", Handle: a.saveFilter},
		{Pattern: "POST /lists/{list}/filters/{id}", Handle: a.changeFilter},
	}
}

var listNames = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,119}$`)

// listBack is the list's name, and where the form came from.
func listBack(r *http.Request) (name, back string, err error) {
	name, back = r.PathValue("list"), r.PostForm.Get("return")
	if !listNames.MatchString(name) || !localPath(back) {
		return "", "", fault.New(fault.Invalid, "list", "这个表单不完整，请从列表重新打开")
	}
	return name, back, nil
}

func (a *Admin) chooseList(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	name, back, err := listBack(r)
	if err != nil {
		return View{}, err
	}
	c := listChoice{Dense: r.PostForm.Get("density") == "dense"}
	shown := r.PostForm["column"]
	for _, known := range r.PostForm["known"] {
		if !slices.Contains(shown, known) && len(c.Hidden) < 100 && len(known) <= 60 {
			c.Hidden = append(c.Hidden, known)
		}
	}
	if len(shown) == 0 {
		return View{}, fault.New(fault.Invalid, "columns", "至少要显示一列")
	}
	if err := a.lists.choose(ctx, actor.MemberID, name, c); err != nil {
		return View{}, err
	}
	return View{Redirect: back}, nil
}

func (a *Admin) saveFilter(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	name, back, err := listBack(r)
	if err != nil {
		return View{}, err
	}
	if err := a.lists.save(ctx, actor.MemberID, name, r.PostForm.Get("title"), r.PostForm.Get("query")); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "筛选已保存，在“我的筛选”里随时打开")
	return View{Redirect: back}, nil
}

func (a *Admin) changeFilter(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	name, back, err := listBack(r)
	if err != nil {
		return View{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return View{}, gone(0, nil)
	}
	words := ""
	switch r.PostForm.Get("do") {
	case "rename":
		words, err = "已改名", a.lists.rename(ctx, actor.MemberID, name, id, r.PostForm.Get("title"))
	case "delete":
		words, err = "筛选已删除", a.lists.remove(ctx, actor.MemberID, name, id)
	case "default":
		words, err = "打开列表时会先用这个筛选", a.lists.standard(ctx, actor.MemberID, name, id)
	case "plain":
		words, err = "打开列表时不再先筛选", a.lists.standard(ctx, actor.MemberID, name, 0)
	default:
		err = fault.New(fault.Invalid, "list", "这个表单不完整，请从列表重新打开")
	}
	if err != nil {
		return View{}, err
	}
	a.flash.put(actor, words)
	return View{Redirect: back}, nil
}
