package admin

import (
	"context"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
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
