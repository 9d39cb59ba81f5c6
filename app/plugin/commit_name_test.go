package plugin

import (
	"context"
	"slices"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// namedApps knows one mini program of space 1, authorised to wxours, and what space 7, the merchant of wxours, and space 8,
// the merchant of wxtheirs, may see.
type namedApps struct{ MiniPrograms }

func (namedApps) May(_ context.Context, space int64, appid, _ string) (bool, error) {
	return appid == "wxshop" && (space == 1 || space == 7), nil
}

func (namedApps) List(_ context.Context, q MiniProgramQuery) ([]MiniProgram, string, error) {
	shop := MiniProgram{AppID: "wxshop", OwnerSpace: 1, Components: []Binding{{Component: "wxours"}}}
	sees := q.System || q.Actor.SpaceID == 1 || q.Actor.SpaceID == 7
	if !sees || q.AppIDs != nil && !slices.Contains(q.AppIDs, shop.AppID) || q.Component != "" && q.Component != "wxours" {
		return nil, "", nil
	}
	return []MiniProgram{shop}, "", nil
}

type namedComponents struct{}

func (namedComponents) List(_ context.Context, who account.Actor, system bool) ([]Component, error) {
	all := []Component{{AppID: "wxours", SpaceID: 7}, {AppID: "wxtheirs", SpaceID: 8}}
	if system {
		return all, nil
	}
	return slices.DeleteFunc(all, func(c Component) bool { return c.SpaceID != who.SpaceID }), nil
}

// TestAnEventOfAPluginNamesOnlyWhatItsCallHasToDoWith is the table of who may publish under which platform app and about
// which mini program: what a merchant reads in their log, and what their subscribers act on, is theirs.
func TestAnEventOfAPluginNamesOnlyWhatItsCallHasToDoWith(t *testing.T) {
	c := committer{components: namedComponents{}}
	c.apps = namedApps{}
	person := func(space int64) authority {
		return authority{kind: byPerson, actor: account.Actor{AccountID: space, SpaceID: space, Role: account.RoleOwner}}
	}
	delegated := func(space int64, appid string) authority {
		a := person(space)
		a.kind, a.appid = byDelegation, appid
		return a
	}
	heard := authority{kind: byEvent, component: "wxours", appid: "wxshop"}
	wide := authority{kind: byEvent, component: "wxours"}
	for _, tc := range []struct {
		name             string
		by               authority
		component, appid string
		may              bool
	}{
		{"a person, nothing named", person(9), "", "", true},
		{"the merchant, their own platform app", person(7), "wxours", "", true},
		{"the owner, the platform app of their mini program", person(1), "wxours", "", true},
		{"another merchant, this one's platform app", person(8), "wxours", "", false},
		{"the merchant, another's platform app", person(7), "wxtheirs", "", false},
		{"a passer-by, a platform app", person(9), "wxours", "", false},
		{"a platform app that there is not", person(7), "wxnowhere", "", false},
		{"the owner, their mini program under its platform app", person(1), "wxours", "wxshop", true},
		{"the owner, their mini program under a foreign platform app", person(1), "wxtheirs", "wxshop", false},
		{"another merchant, the mini program under their own platform app", person(8), "wxtheirs", "wxshop", false},
		{"another merchant, the mini program under its platform app", person(8), "wxours", "wxshop", false},
		{"another merchant, the mini program alone", person(8), "", "wxshop", false},
		{"a delegation for the mini program", delegated(1, "wxshop"), "wxours", "wxshop", true},
		{"a delegation for another one", delegated(1, "wxother"), "wxours", "wxshop", false},
		{"a delegation, a foreign platform app", delegated(1, "wxshop"), "wxtheirs", "wxshop", false},
		{"an event's call, what the event named", heard, "wxours", "wxshop", true},
		{"an event's call, the event's platform app alone", heard, "wxours", "", true},
		{"an event's call, another platform app", heard, "wxtheirs", "", false},
		{"an event's call, another mini program", heard, "wxours", "wxother", false},
		{"a platform app's event, a mini program of it", wide, "wxours", "wxshop", false},
		{"a job of the platform", authority{kind: byJob}, "wxtheirs", "wxshop", true},
	} {
		err := c.mayPublish(t.Context(), tc.by, []*pluginpb.NewEvent{{Type: "x", Component: tc.component, Appid: tc.appid, Data: []byte("{}")}})
		if (err == nil) != tc.may || err != nil && fault.From(err).Code != "plugin.not_yours" {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	// One that is refused takes the whole commit with it.
	err := c.mayPublish(t.Context(), person(7), []*pluginpb.NewEvent{{Type: "x", Component: "wxours"}, {Type: "y", Component: "wxtheirs"}})
	if fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the second of two: %v", err)
	}
}
