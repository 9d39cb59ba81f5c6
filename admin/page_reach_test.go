package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// otherExtensions are the methods that the page of a reach does not call.
type otherExtensions = Extensions

// fakeReach keeps one reach.
type fakeReach struct {
	otherExtensions
	now  plugin.Reach
	sent []plugin.ReachForm
}

func (f *fakeReach) ReachOf(_ context.Context, _ account.Actor, id string) (plugin.Reach, error) {
	if id != "coupon" {
		return plugin.Reach{}, fault.New(fault.NotFound, "plugin_not_found", "没有这个插件")
	}
	return f.now, nil
}

func (f *fakeReach) SetReach(_ context.Context, _ account.Actor, _ string, form plugin.ReachForm) (plugin.Reach, error) {
	if slices.Contains(form.SpaceIDs, 404) {
		return plugin.Reach{}, fault.InvalidInput().On("spaces", "没有编号为 404 的空间")
	}
	f.sent = append(f.sent, form)
	return f.now, nil
}

func withReach(t *testing.T) (*house, *fakeReach) {
	t.Helper()
	spaces := map[int64]account.Space{
		11: {ID: 11, Name: "晨光<b>软件", Kind: account.Merchant}, 12: {ID: 12, Name: "小张的空间", Kind: account.Personal}, 13: {ID: 13, Name: "星河科技", Kind: account.Merchant},
	}
	f := &fakeReach{now: plugin.Reach{Plugin: "coupon", Reach: plugin.ReachSpaces, Spaces: []plugin.Space{{ID: 11}}, Version: 7}}
	s := newRooms().services()
	s.SpaceExtensions = f
	s.Behind.NamedSpaces = func(_ context.Context, ids ...int64) (map[int64]account.Space, error) {
		out := map[int64]account.Space{}
		for _, id := range ids {
			if space, ok := spaces[id]; ok {
				out[id] = space
			}
		}
		return out, nil
	}
	s.Behind.Directory = func(_ context.Context, who account.Actor, q account.SpaceFilter) (out []account.SpaceEntry, next, total int64, err error) {
		if !who.Operator() {
			return nil, 0, 0, fmt.Errorf("asked by %s", who.Name)
		}
		for id := int64(11); id <= 13; id++ {
			if strings.Contains(spaces[id].Name, q.Query) {
				out = append(out, account.SpaceEntry{ID: id, Name: spaces[id].Name, Kind: spaces[id].Kind})
			}
		}
		return out, 0, int64(len(out)), nil
	}
	return open(t, Options{Services: s, Plugins: newFakePlugins(2), PublicURL: "https://fleet.example", Asset: func(name string) string { return "/assets/" + name }}), f
}

func TestSpacesAreFoundAddedAndTakenOutByNameBeforeAnythingIsSaved(t *testing.T) {
	h, f := withReach(t)
	const at = "/admin/reach/coupon"
	h.get("operator", at).want(t, 200, "晨光&lt;b&gt;软件", "商户", `name="space" value="11"`, "已选择 1 个", `value="take:11"`).lacks(t, "晨光<b>", `id="reach-found" aria-live="polite"><ul`)
	form := func(do, find string, chosen ...string) url.Values {
		return url.Values{"reach": {"spaces"}, "version": {"7"}, "do": {do}, "find": {find}, "space": chosen}
	}
	h.do("operator", "POST", at, form("find", "张", "11")).want(t, 200, "小张的空间", "普通用户", `value="add:12"`, `name="space" value="11"`).lacks(t, "星河科技")
	h.do("operator", "POST", at, form("find", "13", "11")).want(t, 200, "星河科技", `value="add:13"`)
	h.do("operator", "POST", at, form("find", "没有这个", "11")).want(t, 200, "没有找到空间")
	h.do("operator", "POST", at, form("find", "晨光", "11")).want(t, 200, "<span class=\"mf-muted mf-small\">已选择</span>").lacks(t, `value="add:11"`)
	h.do("operator", "POST", at, form("add:12", "张", "11")).want(t, 200, `name="space" value="11"`, `name="space" value="12"`, "已选择 2 个")
	h.do("operator", "POST", at, form("take:11", "", "11", "12")).want(t, 200, `name="space" value="12"`, "已选择 1 个").lacks(t, `name="space" value="11"`)
	if len(f.sent) != 0 {
		t.Fatalf("the picker saved %+v", f.sent)
	}
	if a := h.do("operator", "POST", at, form("", "", "12", "13")); a.StatusCode != 303 || len(f.sent) != 1 || !slices.Equal(f.sent[0].SpaceIDs, []int64{12, 13}) || f.sent[0].Version != 7 {
		t.Errorf("saved %+v with %d", f.sent, a.StatusCode)
	}
}

func TestNumbersOfNoSpaceAreRefusedAtTheField(t *testing.T) {
	h, f := withReach(t)
	for number, words := range map[string]string{"404": "没有编号为 404 的空间", `1" onx`: "不是空间编号：1&#34; onx", "-3": "不是空间编号：-3", "99999999999999999999": "不是空间编号：9"} {
		h.do("operator", "POST", "/admin/reach/coupon", url.Values{"reach": {"spaces"}, "space": {number}}).
			want(t, 400, words, `<p class="mf-error" id="reach-spaces-e"`, `aria-invalid="true"`, `<a href="#reach-spaces">`, "没有这个空间", "移除")
	}
	if len(f.sent) != 0 {
		t.Errorf("saved %+v", f.sent)
	}
	h.do("merchant", "POST", "/admin/reach/coupon", url.Values{"do": {"find"}}).want(t, 404)
}
