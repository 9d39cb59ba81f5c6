package command

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"minifleet/app/account"
	"minifleet/app/lang"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/resource"
)

// bells are the notices of a person, the newest first, as title, text and link.
func (h *newsHouse) bells(who account.Actor) [][3]string {
	h.t.Helper()
	for {
		n, err := h.p.notices.Dispatch(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	items, _, err := h.p.notices.List(h.t.Context(), who.AccountID, notice.Query{})
	if err != nil {
		h.t.Fatal(err)
	}
	var all [][3]string
	for _, i := range items {
		all = append(all, [3]string{i.Title, i.Text, i.Link})
	}
	return all
}

func TestWhoLosesAnExtensionFindsItInTheBell(t *testing.T) {
	h := newNewsHouse(t)
	operator := account.Actor{AccountID: 1 << 40, SpaceID: 1, Name: "平台", Role: account.RoleOwner, SpaceKind: account.Platform}
	var raw bytes.Buffer
	sum, err := archive.Pack(&raw, archive.Spec{ID: "coupon", Title: "优惠券", Version: "1.0.0", Protocol: archive.Protocol}, fstest.MapFS{archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH)): {Data: []byte("binary")}})
	if err != nil {
		t.Fatal(err)
	}
	catalog := plugin.NewCatalog(plugin.CatalogOptions{DB: h.p.db, Clock: h.p.clk, Trail: h.p.trail, Enabled: true, Tell: h.p.onArchive})
	made, err := catalog.Submit(t.Context(), h.merchant, "coupon.mfp", bytes.NewReader(raw.Bytes()), int64(raw.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Approve(t.Context(), operator, made.ID, sum); err != nil {
		t.Fatal(err)
	}
	h.insert("plugin_offer", map[string]any{"plugin": "coupon", "reach": plugin.ReachKinds, "kinds": "personal merchant", "version": 1, "updated_at": 1})
	for space, on := range map[int64]int{h.owner.SpaceID: 1, h.rival.SpaceID: 1, h.merchant.SpaceID: 0} {
		h.insert("plugin_space", map[string]any{"plugin": "coupon", "space_id": space, "is_on": on, "stopped_for": "", "settings": []byte{}, "shape": "", "version": 1, "created_at": 1, "updated_at": 1})
	}
	if err := catalog.Withdraw(t.Context(), operator, "coupon", "作者要求下架"); err != nil {
		t.Fatal(err)
	}
	lost := [3]string{
		"扩展「优惠券」已由平台下架，现已停用",
		"原因：作者要求下架\n页面、接口和定时任务已停止。数据和设置都保留，重新上架后自动恢复；需要继续使用请联系平台管理员。", "/my/extensions",
	}
	for _, who := range []account.Actor{h.owner, h.rival} {
		if got := h.bells(who); !slices.Equal(got, [][3]string{lost}) {
			t.Errorf("%s finds %q, want %q", who.Name, got, lost)
		}
	}
	if got := h.bells(h.merchant); len(got) != 2 || got[0][0] != "插件「优惠券 1.0.0」已下架" || !strings.Contains(got[0][1], "作者要求下架") {
		t.Errorf("the author finds %q", got)
	}

	news := extensionNews{h.p.notices, h.p.accounts}
	author := plugin.ExtensionNews{
		Plugin: "coupon", Kind: plugin.NewsAuthor, Title: "插件「优惠券」的可用范围已缩小", Text: "原来：所有空间\n现在：指定的 2 个空间\n有 3 个空间因此停用。有疑问请联系平台管理员。",
	}
	closed := plugin.ExtensionNews{
		Plugin: "coupon", Kind: plugin.NewsTaken, Title: "扩展「优惠券」不再对你的空间开放，现已停用",
		Text: "平台调整了它的可用范围，页面、接口和定时任务已停止。数据和设置都保留，重新开放后自动恢复；需要继续使用请联系平台管理员。",
	}
	for space, told := range map[int64]plugin.ExtensionNews{h.merchant.SpaceID: author, h.owner.SpaceID: author, h.rival.SpaceID: closed} {
		if err := news.Tell(t.Context(), space, told); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.bells(h.merchant); len(got) != 3 || got[0] != [3]string{author.Title, author.Text, "/admin/plugin-archives?plugin=coupon"} {
		t.Errorf("the author finds %q", got)
	}
	if got := h.bells(h.owner); len(got) != 1 {
		t.Errorf("a space that is no merchant's hears as an author: %q", got)
	}
	if got := h.bells(h.rival); len(got) != 2 || got[0][2] != "/my/extensions" {
		t.Errorf("whom it was closed to finds %q", got)
	}

	english, err := lang.New(resource.English())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []account.Actor{h.owner, h.merchant, h.rival} {
		for _, one := range h.bells(who) {
			for _, line := range append(strings.Split(one[1], "\n"), one[0]) {
				said, whole := english.Translate(line)
				if rest := strings.NewReplacer("优惠券", "", "作者要求下架", "").Replace(said); !whole || lang.Chinese(rest) {
					t.Errorf("%q is %q in English", line, said)
				}
			}
		}
	}
}
