package plugin_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestSettingsReachTheirOwnSpaceAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newExtHouse(t, db).run(t).ready(t)
		h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
		h.switchOn(t, ada, map[string]any{"key": "ada-key", "count": 7, "loud": true, "note": "第一行\n第二行"})
		h.switchOn(t, bob, map[string]any{"mode": "fail"})
		out, err := h.extDo(t, ada, command{})
		want := extSettings{URL: "https://hooks.example.com/ada", Key: "ada-key", Count: 7, Mode: "good", Note: "第一行\n第二行", Loud: true}
		if err != nil || out.Settings != want {
			t.Errorf("ada's settings are %+v, %v; want %+v", out.Settings, err, want)
		}
		out, err = h.extDo(t, bob, command{})
		want = extSettings{URL: "https://hooks.example.com/bob", Count: 5, Mode: "fail"}
		if err != nil || out.Settings != want {
			t.Errorf("bob's settings are %+v, %v; want %+v", out.Settings, err, want)
		}
		seen, err := h.Extension(t.Context(), bob, "ext")
		if err != nil || seen.Values["url"] != "https://hooks.example.com/bob" || len(seen.Filled) != 0 {
			t.Errorf("bob sees %+v, %v", seen, err)
		}
		for _, id := range []string{"the one key of ada", "the one key of bob"} { // both spaces use the same idempotency key
			who := ada
			if strings.HasSuffix(id, "bob") {
				who = bob
			}
			if out, err := h.extDo(t, who, command{Do: "once", Text: id}); err != nil || !slices.Equal(out.Seen, []string{id}) {
				t.Errorf("with a key that another space has used too: %v, %v", out.Seen, err)
			}
		}
	})
}

func TestSecretsAreSealedMaskedAndKeptWhenLeftEmpty(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{"key": "s3cret-value"})
	save := func(values map[string]any) plugin.Extension {
		t.Helper()
		values["url"] = "https://hooks.example.com/new"
		x, err := h.SaveSettings(t.Context(), ada, "ext", plugin.SettingsForm{Values: values})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for name, values := range map[string]map[string]any{"left out": {}, "left empty": {"key": ""}} {
		x := save(values)
		raw, err := json.Marshal(x)
		if err != nil || strings.Contains(string(raw), "s3cret") || !slices.Equal(x.Filled, []string{"key"}) {
			t.Errorf("%s: a page sees %s, %v", name, raw, err)
		}
		if out, err := h.extDo(t, ada, command{}); err != nil || out.Settings.Key != "s3cret-value" || out.Settings.URL != "https://hooks.example.com/new" {
			t.Errorf("%s: the plugin has %+v, %v", name, out.Settings, err)
		}
	}
	if x := save(map[string]any{"key": nil}); len(x.Filled) != 0 {
		t.Errorf("taken away, and still filled: %v", x.Filled)
	}
	if out, err := h.extDo(t, ada, command{}); err != nil || out.Settings.Key != "" {
		t.Errorf("taken away, and the plugin has %+v, %v", out.Settings, err)
	}
}

func TestWrongSettingsAreToldByFieldInChinese(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	cases := map[string]struct {
		values map[string]any
		field  string
		words  string
	}{
		"a required one missing":   {map[string]any{}, "url", "必填"},
		"a required one empty":     {map[string]any{"url": ""}, "url", "必填"},
		"no address":               {map[string]any{"url": "hooks"}, "url", "请填写完整的网址"},
		"an address that is code":  {map[string]any{"url": "javascript:alert(1)"}, "url", "请填写完整的网址"},
		"too few":                  {map[string]any{"url": "https://a.example", "count": 0}, "count", "不能小于 1"},
		"too many":                 {map[string]any{"url": "https://a.example", "count": 11}, "count", "不能大于 10"},
		"half a number":            {map[string]any{"url": "https://a.example", "count": 1.5}, "count", "应为整数"},
		"text for a number":        {map[string]any{"url": "https://a.example", "count": "7"}, "count", "应为整数"},
		"what is no choice":        {map[string]any{"url": "https://a.example", "mode": "bad"}, "mode", "请从列表中选择"},
		"too long":                 {map[string]any{"url": "https://a.example", "note": strings.Repeat("长", 21)}, "note", "最多 20 个字"},
		"text for yes or no":       {map[string]any{"url": "https://a.example", "loud": "yes"}, "loud", "应为是或否"},
		"one that does not exist":  {map[string]any{"url": "https://a.example", "colour": "red"}, "colour", "没有这个设置"},
		"an object":                {map[string]any{"url": map[string]any{"a": 1}}, "url", "应为文字"},
		"a secret that is no text": {map[string]any{"url": "https://a.example", "key": 5}, "key", "应为文字"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := h.SaveSettings(t.Context(), ada, "ext", plugin.SettingsForm{Values: test.values})
			failure := wantKind(t, err, fault.Invalid)
			if len(failure.Fields) != 1 || failure.Fields[0].Name != test.field || !strings.HasPrefix(failure.Fields[0].Message, test.words) {
				t.Errorf("told %+v, want %s: %s", failure.Fields, test.field, test.words)
			}
		})
	}
	_, err := h.SaveSettings(t.Context(), ada, "ext", plugin.SettingsForm{Values: map[string]any{"url": "https://a.example/" + strings.Repeat("a", 17<<10)}})
	wantKind(t, err, fault.Invalid)
	_, err = h.SwitchOn(t.Context(), ada, "ext")
	if failure := wantKind(t, err, fault.Conflict); failure.Code != "plugin.settings" || len(failure.Fields) != 1 {
		t.Errorf("switched on without settings: %+v", failure)
	}
	if n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_space"); err != nil || n != 0 {
		t.Errorf("%d rows were kept, %v", n, err)
	}
}

func TestAFormIsReadByTheSchema(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	typed := map[string]string{"url": " https://a.example/x ", "key": " with space ", "count": "9", "mode": "fail", "note": " a ", "loud": "true"}
	values, err := h.FormSettings("ext", func(name string) string { return typed[name] }, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveSettings(t.Context(), ada, "ext", plugin.SettingsForm{Values: values}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SwitchOn(t.Context(), ada, "ext"); err != nil {
		t.Fatal(err)
	}
	out, err := h.extDo(t, ada, command{})
	if want := (extSettings{URL: "https://a.example/x", Key: " with space ", Count: 9, Mode: "fail", Note: " a ", Loud: true}); err != nil || out.Settings != want {
		t.Errorf("the form became %+v, %v", out.Settings, err)
	}
	typed = map[string]string{"url": "https://a.example/x", "count": "nine", "mode": "other"}
	_, err = h.FormSettings("ext", func(name string) string { return typed[name] }, func(string) bool { return false })
	if failure := wantKind(t, err, fault.Invalid); len(failure.Fields) != 2 {
		t.Errorf("told %+v", failure.Fields)
	}
}

func TestTwoPeopleDoNotOverwriteEachOther(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{})
	shown, err := h.Extension(t.Context(), ada, "ext")
	if err != nil {
		t.Fatal(err)
	}
	form := plugin.SettingsForm{Values: map[string]any{"url": "https://first.example"}, Revision: shown.Revision}
	if _, err := h.SaveSettings(t.Context(), ada, "ext", form); err != nil {
		t.Fatal(err)
	}
	form.Values = map[string]any{"url": "https://second.example"}
	_, err = h.SaveSettings(t.Context(), ada, "ext", form)
	wantKind(t, err, fault.Conflict)
}

func TestSettingsThatNoLongerFitSwitchTheExtensionOff(t *testing.T) {
	h := newExtHouse(t, storetest.Open(t)).run(t).ready(t)
	h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
	h.switchOn(t, ada, map[string]any{"count": 9}) // the next version takes 4 at most
	h.switchOn(t, bob, map[string]any{"count": 2, "mode": "fail"})
	if err := h.Renew(t.Context(), "ext", argv("extnext")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.extDo(t, ada, command{}); !sameAsUnknown(err) {
		t.Errorf("ada's settings do not fit, and the extension answers %v", err)
	}
	if out, err := h.extDo(t, bob, command{}); err != nil || out.Settings.Count != 2 || out.Settings.Mode != "good" {
		t.Errorf("bob's settings fit, and the extension answers %+v, %v", out.Settings, err)
	}
	h.core.mu.Lock()
	news := slices.Clone(h.core.news)
	h.core.mu.Unlock()
	if len(news) != 1 || !strings.HasPrefix(news[0], "11 ext 扩展「扩展」已停用") {
		t.Errorf("told %v", news)
	}
	x, err := h.Extension(t.Context(), ada, "ext")
	if err != nil || x.On || x.Stopped != "settings" || x.Ready || x.Problem == nil || x.Problem.Fields[0].Name != "count" {
		t.Errorf("ada's page says %+v, %v", x, err)
	}
	_, err = h.SwitchOn(t.Context(), ada, "ext")
	wantKind(t, err, fault.Conflict)
	h.switchOn(t, ada, map[string]any{"count": 4})
	if out, err := h.extDo(t, ada, command{}); err != nil || out.Settings.Count != 4 {
		t.Errorf("filled in again: %+v, %v", out.Settings, err)
	}
	// Its next start finds nothing to do, and nobody is told a second time.
	if err := h.Restart(t.Context(), "ext"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.extDo(t, ada, command{}); err != nil {
		t.Error(err)
	}
	if h.core.mu.Lock(); len(h.core.news) != 1 {
		t.Errorf("told %v", h.core.news)
	}
	h.core.mu.Unlock()
}
