package market

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

const (
	platformApp = "wxplatform000000001"
	otherApp    = "wxplatform000000002"
	appReady    = "wxready0000000001"
	appMissing  = "wxmissing00000001"
	appHeld     = "wxheld00000000001"
	appUnbound  = "wxunbound00000001"
	appForeign  = "wxforeign00000001"
)

var (
	merchant = sdk.ActorInfo{AccountID: 1, SpaceID: 11, Name: "王老板", Space: "好味科技", SpaceKind: "merchant", Role: "owner"}
	rival    = sdk.ActorInfo{AccountID: 2, SpaceID: 12, Name: "李老板", Space: "别家科技", SpaceKind: "merchant", Role: "owner"}
	user     = sdk.ActorInfo{AccountID: 3, SpaceID: 21, Name: "小张", Space: "小张的空间", SpaceKind: "personal", Role: "owner"}
	stranger = sdk.ActorInfo{AccountID: 4, SpaceID: 22, Name: "小赵", Space: "小赵的空间", SpaceKind: "personal", Role: "owner"}
	visitor  = sdk.ActorInfo{}
)

func bound(component string, sets ...int) sdk.MiniProgramBinding {
	return sdk.MiniProgramBinding{Component: component, State: "authorized", Sets: sets}
}

// fixture is the plugin with its neighbours played: version, the ticket's state, the end of a grant.
type fixture struct {
	*sdktest.Harness
	t *testing.T

	mu        sync.Mutex
	delivered int
	template  Template
	ticket    sdk.Ticket
	revoked   []string
	calls     []installInput
	actors    []sdk.ActorInfo
	install   func(call int, in installInput) (installOutput, error)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, template: Template{
		ID: "501", Component: platformApp, TemplateID: 7, Name: "扫码点餐", Version: "1.0.0", Notes: "首个版本", Sets: []int{18, 30}, Space: "11",
		Schema: json.RawMessage(`[{"name":"shop","label":"店铺名称","required":true},{"name":"color","label":"主色","default":"#07c160"}]`),
	}}
	f.Harness = sdktest.New(t, New(), sdktest.Options{
		House: true,
		Actor: user,
		MiniPrograms: []sdk.MiniProgramInfo{
			{AppID: appReady, NickName: "小张奶茶", OwnerSpace: 21, Components: []sdk.MiniProgramBinding{bound(platformApp, 18, 30)}},
			{AppID: appMissing, NickName: "小张烧烤", OwnerSpace: 21, Components: []sdk.MiniProgramBinding{bound(platformApp, 30)}},
			{AppID: appHeld, NickName: "小张花店", OwnerSpace: 21, Components: []sdk.MiniProgramBinding{bound(otherApp, 18)}},
			{AppID: appUnbound, NickName: "小张书店", OwnerSpace: 21},
			{AppID: appForeign, NickName: "小赵便利", OwnerSpace: 22, Components: []sdk.MiniProgramBinding{bound(platformApp, 18, 30)}},
		},
	})
	f.install = f.oneStepEach
	f.Stub("version.template", f.readTemplate)
	f.Stub("version.install", f.callInstall)
	f.Stub("core.authorize.state", func(sdk.ActorInfo, json.RawMessage) (any, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.ticket, nil
	})
	f.Stub("core.grant.revoke", func(actor sdk.ActorInfo, input json.RawMessage) (any, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.revoked = append(f.revoked, fmt.Sprint(actor.SpaceID, " ", string(input)))
		return struct{}{}, nil
	})
	f.ticket.State = "waiting"
	return f
}

func (f *fixture) readTemplate(actor sdk.ActorInfo, input json.RawMessage) (any, error) {
	var in struct{ ID string }
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, err
	}
	if in.ID != f.template.ID || actor.SpaceID != 11 {
		return nil, sdk.NotFound("version.no_template", "没有找到这个模板")
	}
	return f.template, nil
}

func (f *fixture) callInstall(actor sdk.ActorInfo, input json.RawMessage) (any, error) {
	var in installInput
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.calls, f.actors = append(f.calls, in), append(f.actors, actor)
	call := len(f.calls)
	f.mu.Unlock()
	return f.install(call, in)
}

// oneStepEach does one step per call and is done after the fourth.
func (f *fixture) oneStepEach(call int, in installInput) (installOutput, error) {
	return answerAfter(call, in), nil
}

func answerAfter(done int, in installInput) installOutput {
	steps := plannedSteps()
	for i := range steps {
		if i < done {
			steps[i].State, steps[i].StartedAt, steps[i].EndedAt = stepDone, int64(1000*i+1), int64(1000*i+900)
		}
	}
	state := "running"
	if done >= len(steps) {
		state = "done"
	}
	return installOutput{Installation: in.Installation, Steps: steps, State: state, Next: state == "running"}
}

// deliver hands every event published since the last time to the plugin, and those that come of it.
func (f *fixture) deliver() error {
	for {
		events := f.Published()
		if f.delivered >= len(events) {
			return nil
		}
		if err := f.Event(events[f.delivered]); err != nil {
			return err
		}
		f.delivered++
	}
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func input() ListingInput {
	return ListingInput{Template: "501", Title: "扫码点餐", Summary: "三分钟开张", Category: "餐饮", Description: "顾客扫桌码点餐，后厨自动出单。\n支持会员积分。"}
}

// list puts the standard listing on the shelf.
func (f *fixture) list() listingView {
	f.t.Helper()
	var made listingView
	f.must(f.As(merchant).API("POST", "/listings", input(), &made))
	return made
}

// try begins an installation over REST.
func (f *fixture) try(slug string) installationView {
	f.t.Helper()
	var made installationView
	f.must(f.API("POST", "/installations", map[string]string{"listing": slug}, &made))
	return made
}

func (f *fixture) read(id int64) installationView {
	f.t.Helper()
	var found installationView
	f.must(f.API("GET", fmt.Sprintf("/installations/%d", id), nil, &found))
	return found
}

func startBody(appid string) map[string]any {
	return map[string]any{"appid": appid, "config": map[string]string{"shop": "小张奶茶"}}
}

// begin begins and starts an installation on the mini program that is ready.
func (f *fixture) begin() installationView {
	f.t.Helper()
	made := f.try(f.list().Slug)
	var started installationView
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/start", made.ID), startBody(appReady), &started))
	return started
}

// page reads a page and fails the test unless it holds every wanted part.
func (f *fixture) page(h *sdktest.Harness, address string, wanted ...string) string {
	f.t.Helper()
	answer, err := h.Get(address)
	f.must(err)
	for _, part := range wanted {
		if !strings.Contains(answer.Body, part) {
			f.t.Errorf("%s lacks %q:\n%s", address, part, answer.Body)
		}
	}
	return answer.Body
}

func listingForm(in ListingInput) url.Values {
	return url.Values{"template": {in.Template}, "title": {in.Title}, "summary": {in.Summary}, "category": {in.Category}, "description": {in.Description}}
}
