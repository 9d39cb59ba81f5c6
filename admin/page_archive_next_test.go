package admin

import (
	"context"
	"net/url"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
)

// oneServing is a catalog with one archive, which serves.
type oneServing struct{ Catalog }

func (oneServing) Enabled() bool  { return true }
func (oneServing) Isolated() bool { return true }

func (oneServing) Archive(context.Context, account.Actor, int64) (plugin.Archive, error) {
	a := plugin.Archive{ID: 5, Plugin: "coupon", Version: "1.0.0", State: plugin.ArchiveApproved, Serving: true, SpaceID: 10, SubmittedBy: 1}
	a.Spec.Title = "优惠券"
	return a, nil
}

func (oneServing) Baseline(context.Context, account.Actor, plugin.Archive) (*plugin.Archive, error) {
	return nil, nil
}

type nobody struct{}

func (nobody) Names(context.Context, []int64, []int64) (people, places map[int64]string, err error) {
	return nil, nil, nil
}

// spaceHas is what a space knows of the extension: nothing, or whether it is on.
type spaceHas struct {
	otherExtensions
	open, on bool
}

func (s spaceHas) Extension(_ context.Context, _ account.Actor, id string) (plugin.Extension, error) {
	if !s.open {
		return plugin.Extension{}, fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")
	}
	return plugin.Extension{ID: id, On: s.on}, nil
}

func TestAnApprovedArchiveLeadsItsMerchantOn(t *testing.T) {
	const link = `href="/admin/extensions/coupon"`
	for name, c := range map[string]struct {
		has        spaceHas
		who        string
		says, lack []string
	}{
		"not open to the space yet": {spaceHas{}, "merchant", []string{"平台还没有对你的空间开放", `href="/admin/extensions">`}, []string{link}},
		"open and off":              {spaceHas{open: true}, "merchant", []string{"可以开启了", link, "去开启"}, nil},
		"open and on":               {spaceHas{open: true, on: true}, "merchant", []string{"你的空间已开启", link, "查看扩展"}, []string{"去开启"}},
		"an operator":               {spaceHas{}, "operator", []string{`data-test="to-reach"`}, []string{`data-test="next"`}},
		"a clerk who may not":       {spaceHas{open: true}, "clerk", nil, []string{`data-test="next"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRooms().services()
			s.Catalog, s.Submitters, s.SpaceExtensions = oneServing{}, nobody{}, c.has
			h := open(t, Options{Services: s, Accounts: staff{}})
			a := h.get(c.who, "/admin/plugin-archives/5")
			if c.who != "clerk" {
				a.want(t, 200, c.says...)
			}
			a.lacks(t, c.lack...)
		})
	}
}

// strictCatalog wants a reason.
type strictCatalog struct{ oneServing }

func (strictCatalog) Withdraw(_ context.Context, _ account.Actor, _, reason string) error {
	if reason == "" {
		return fault.InvalidInput().On("reason", "请填写原因，提交者会看到")
	}
	return nil
}

func (strictCatalog) Entry(context.Context, account.Actor, string) (plugin.Entry, bool, error) {
	return plugin.Entry{}, true, nil
}

type thirdParty struct{ fakeProcesses }

func (*thirdParty) Status(context.Context) []Process {
	return []Process{{ID: "coupon", Title: "优惠券", State: "starting", Third: true}, {ID: "settled", Title: "驳回提醒", State: "serving", Third: true}}
}

func TestAPluginsPageFollowsItsStartAndAsksWhyItIsWithdrawn(t *testing.T) {
	s := newRooms().services()
	s.Catalog, s.Submitters, s.Processes = strictCatalog{}, nobody{}, &thirdParty{}
	h := open(t, Options{Services: s})
	h.get("operator", "/admin/plugins/coupon").want(t, 200, `id="process" hx-get="/admin/plugins/coupon" hx-trigger="every 2s"`)
	h.get("operator", "/admin/plugins/settled").want(t, 200, `id="process"`).lacks(t, "every 2s")
	h.do("operator", "POST", "/admin/plugins/coupon/withdraw", url.Values{"reason": {"  "}}).want(t, 400, `id="withdraw-error" role="alert">请填写原因，提交者会看到`, `aria-invalid="true"`)
	if a := h.do("operator", "POST", "/admin/plugins/coupon/withdraw", url.Values{"reason": {"停止维护"}}); a.StatusCode != 303 {
		t.Errorf("withdrawn with %d", a.StatusCode)
	}
}

// hostile is what an author may call things: words, never elements.
const hostile = `"><img src=x onerror=alert(1)></label><script>alert(2)</script>`

type hostileWords struct{ oneServing }

func (hostileWords) Archive(context.Context, account.Actor, int64) (plugin.Archive, error) {
	a := plugin.Archive{ID: 5, Plugin: "coupon", Version: "1.0.0", State: plugin.ArchivePending, SpaceID: 10, Reason: hostile, Platforms: []string{"linux-amd64"}}
	a.Spec.Title, a.Spec.Description, a.Spec.Author = hostile, hostile, hostile
	a.Spec.Capabilities.Jobs = []archive.Job{{Name: "job", Title: hostile, Spec: "5 0 * * *"}}
	a.Spec.Capabilities.Data = []archive.Data{{Name: "rows", Title: hostile, Visibility: "space"}}
	return a, nil
}

type hostileExtension struct{ otherExtensions }

func (hostileExtension) Extension(_ context.Context, _ account.Actor, id string) (plugin.Extension, error) {
	return plugin.Extension{
		ID: id, State: plugin.Broken, Title: hostile, Description: hostile, Author: hostile, Version: "1.0.0", May: []plugin.May{{Title: "数据", Items: []string{hostile}}},
		Settings: []plugin.Setting{
			{Name: "key", Title: hostile, Help: hostile, Kind: plugin.SettingPassword, Secret: true, Required: true}, {Name: "note", Title: hostile, Kind: plugin.SettingArea},
			{Name: "mode", Title: hostile, Kind: plugin.SettingChoice, Choices: []plugin.Choice{{Value: hostile, Title: hostile}}},
		},
		Values: map[string]any{"note": "</textarea>" + hostile, "mode": hostile},
	}, nil
}

func (h hostileExtension) Extensions(ctx context.Context, who account.Actor) ([]plugin.Extension, error) {
	x, err := h.Extension(ctx, who, "coupon")
	return []plugin.Extension{x}, err
}

func (hostileExtension) FormSettings(string, func(string) string, func(string) bool) (map[string]any, error) {
	return nil, fault.InvalidInput().On("note", hostile)
}

func TestWordsOfAnExtensionStayWords(t *testing.T) {
	s := newRooms().services()
	s.Catalog, s.Submitters, s.SpaceExtensions = hostileWords{}, nobody{}, hostileExtension{}
	h := open(t, Options{Services: s})
	const text = "&lt;img src=x onerror=alert(1)&gt;"
	for who, pages := range map[string][]string{"operator": {"/admin/plugin-archives/5"}, "merchant": {"/admin/plugin-archives/5", "/admin/extensions", "/admin/extensions/coupon"}} {
		for _, page := range pages {
			h.get(who, page).want(t, 200, text).lacks(t, "<img src=x", "<script>alert", "</textarea>\"")
		}
	}
	refused := h.do("merchant", "POST", "/admin/extensions/coupon/settings", url.Values{"key": {"typed-secret"}, "note": {"</textarea>" + hostile}})
	refused.want(t, 400, text, `href="#set-note"`).lacks(t, "<img src=x", "<script>alert", "</textarea>\"", "typed-secret")
}
