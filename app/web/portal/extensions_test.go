package portal_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// fakeExtensions is one extension with every kind of setting. It keeps what it was given.
type fakeExtensions struct {
	x     plugin.Extension
	saved map[string]any
	err   error
}

func newFakeExtensions() *fakeExtensions {
	least, most := 1.0, 200.0
	return &fakeExtensions{x: plugin.Extension{
		ID: "robot", Title: "审核机器人", Version: "1.2.0", State: plugin.Serving, Description: "小程序审核被驳回时，把原因发到群里。", Author: "示例作者",
		May: []plugin.May{{Title: "会收到哪些事件", Items: []string{"审核不通过", "审核通过"}}, {Title: "能访问哪些外部地址", Items: []string{"hooks.example.com"}}},
		Settings: []plugin.Setting{
			{Name: "url", Title: "机器人地址", Kind: plugin.SettingURL, Required: true, Help: "在群里添加机器人后得到"}, {Name: "key", Title: "签名密钥", Kind: plugin.SettingPassword, Secret: true},
			{Name: "limit", Title: "每天最多", Kind: plugin.SettingInteger, Least: &least, Most: &most}, {Name: "note", Title: "备注", Kind: plugin.SettingArea},
			{Name: "level", Title: "级别", Kind: plugin.SettingChoice, Choices: []plugin.Choice{{Value: "all", Title: "全部"}, {Value: "bad", Title: "只有驳回"}}}, {Name: "at", Title: "提醒所有人", Kind: plugin.SettingBoolean},
		},
		Values: map[string]any{"url": "https://hooks.example.com/<a>", "limit": 20, "level": "bad", "at": true}, Filled: []string{"key"}, Ready: true, Revision: 7,
	}}
}

func (f *fakeExtensions) Extensions(context.Context, account.Actor) ([]plugin.Extension, error) {
	return []plugin.Extension{f.x}, nil
}

func (f *fakeExtensions) Extension(_ context.Context, _ account.Actor, id string) (plugin.Extension, error) {
	if id != f.x.ID {
		return plugin.Extension{}, fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")
	}
	return f.x, nil
}

func (f *fakeExtensions) SwitchOn(context.Context, account.Actor, string) (plugin.Extension, error) {
	f.x.On = true
	return f.x, nil
}

func (f *fakeExtensions) SwitchOff(context.Context, account.Actor, string) (plugin.Extension, error) {
	f.x.On = false
	return f.x, nil
}

func (f *fakeExtensions) SaveSettings(_ context.Context, _ account.Actor, _ string, form plugin.SettingsForm) (plugin.Extension, error) {
	f.saved = form.Values
	f.saved["revision"] = form.Revision
	return f.x, f.err
}

func (f *fakeExtensions) FormSettings(_ string, text func(string) string, remove func(string) bool) (map[string]any, error) {
	return map[string]any{"url": text("url"), "key": text("key"), "cleared": remove("key")}, nil
}

func TestAPersonSwitchesAnExtensionAndFillsInItsSettings(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	x := h.extensions
	if got := b.get("/my/extensions"); got.status != http.StatusOK || !strings.Contains(got.body, `data-extension="robot"`) || !strings.Contains(got.body, `data-state="off"`) {
		t.Errorf("the list answers %d\n%s", got.status, got.body)
	}
	for _, from := range []string{"/my/miniprograms", "/account"} {
		if !strings.Contains(b.get(from).body, `href="/my/extensions"`) {
			t.Errorf("%s does not lead to the extensions", from)
		}
	}
	page := b.get("/my/extensions/robot").body
	for _, want := range []string{"https://hooks.example.com/&lt;a&gt;", "审核不通过", `value="bad" selected`, `value="true" checked`, "已填写，留空则不变", `data-test="save-on"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s on the page", want)
		}
	}
	if got := b.post("/my/extensions/robot/on"); got.status != http.StatusSeeOther || !x.x.On {
		t.Errorf("on answers %d", got.status)
	}
	if got := b.post("/my/extensions/robot/off"); got.status != http.StatusSeeOther || x.x.On {
		t.Errorf("off answers %d", got.status)
	}
	got := b.post("/my/extensions/robot/settings", "_revision", "7", "_on", "1", "_clear", "key", "url", "https://new.example.com", "key", "s3cret")
	if got.status != http.StatusSeeOther || x.saved["url"] != "https://new.example.com" || x.saved["revision"] != int64(7) || x.saved["cleared"] != true || !x.x.On {
		t.Errorf("saving answers %d with %v", got.status, x.saved)
	}
	x.err = fault.InvalidInput().On("url", "请填写完整的网址")
	got = b.post("/my/extensions/robot/settings", "url", "nowhere", "key", "s3cret")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, `value="nowhere"`) || !strings.Contains(got.body, `<a href="#set-url"><span>机器人地址</span>：<span>请填写完整的网址</span></a>`) || strings.Contains(got.body, "s3cret") {
		t.Errorf("a refusal answers %d\n%s", got.status, got.body)
	}
	if got := b.get("/my/extensions/other"); got.status != http.StatusNotFound {
		t.Errorf("one that is not available answers %d", got.status)
	}
}

func TestExtensionPagesFitPhoneAndDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser: part of `make test`, not of `make check`")
	}
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	for name, size := range map[string][2]int{"360": {360, 740}, "1366": {1366, 800}} {
		t.Run(name, func(t *testing.T) {
			c := h.chrome(size[0], size[1])
			c.login(b)
			c.look("/my/extensions", "extensions-"+name)
			c.look("/my/extensions/robot", "extension-"+name)
		})
	}
}

func TestAnExtensionThatDoesNotRunSaysSo(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	for state, wants := range map[plugin.State][2]string{
		plugin.Starting: {"正在启动，通常几秒内恢复", `data-life="starting"`}, plugin.Backoff: {"正在启动，通常几秒内恢复", `data-life="starting"`},
		plugin.Broken: {"多次启动失败，请联系平台运营方", `data-life="failing"`}, plugin.Probing: {"多次启动失败，请联系平台运营方", `data-life="failing"`},
	} {
		h.extensions.x.State, h.extensions.x.Ready = state, false
		page, list := b.get("/my/extensions/robot").body, b.get("/my/extensions").body
		if !strings.Contains(page, wants[0]) || !strings.Contains(page, "恢复运行后才能开启") || strings.Contains(page, `data-test="on"`) || !strings.Contains(list, wants[1]) {
			t.Errorf("%s\n%s\n%s", state, page, list)
		}
	}
	h.extensions.x.State = plugin.Upgrading
	if page := b.get("/my/extensions/robot").body; strings.Contains(page, `data-test="away"`) {
		t.Errorf("while a successor starts it serves\n%s", page)
	}
}
