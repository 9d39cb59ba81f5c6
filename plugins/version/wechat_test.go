package version

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

const (
	testComponent = "wxc000000000000001"
	testApp       = "wxa000000000000001"
	merchantSpace = 11
	ownerSpace    = 22
)

// fakeWeChat is one platform and one mini program at WeChat, as far as this plugin calls it.
type fakeWeChat struct {
	mu    sync.Mutex
	calls []string
	// fail answers the next call of an endpoint instead; lose lets it happen and loses the answer.
	fail map[string][]error
	lose map[string]int
	hook map[string]func() // runs in the middle of a call

	now        int64 // unix seconds
	drafts     []wechat.Draft
	templates  []wechat.Template
	trial      *wechat.TrialVersion
	online     *wechat.OnlineVersion
	audit      map[string]any // answer of get_latest_auditstatus, nil for none
	gray       *wechat.GrayPlan
	history    []wechat.HistoryVersion
	categories []wechat.Category
	domains    wechat.Domains
	commits    []wechat.Commit
	submits    []wechat.Submit
	quota      wechat.Quota
	testers    []string
}

func newFakeWeChat() *fakeWeChat {
	return &fakeWeChat{
		fail: map[string][]error{}, lose: map[string]int{}, hook: map[string]func(){}, now: 1_795_000_000,
		drafts:     []wechat.Draft{{ID: 0, CreatedAt: 1_794_000_000, UserVersion: "1.0.0", UserDesc: "首版", Source: "示例开发号", SourceAppID: "wxd1", Developer: "小王"}},
		categories: []wechat.Category{{FirstClass: "商家自营", SecondClass: "食品", FirstID: 1, SecondID: 2}},
		quota:      wechat.Quota{Rest: 68, Limit: 100, SpeedUpRest: 2, SpeedUpLimit: 5},
	}
}

// sent counts the calls of an endpoint.
func (f *fakeWeChat) sent(endpoint string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, call := range f.calls {
		if call == endpoint {
			n++
		}
	}
	return n
}

func (f *fakeWeChat) Do(_ context.Context, request wechat.Request) (wechat.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, request.Endpoint)
	f.now++
	if hook := f.hook[request.Endpoint]; hook != nil {
		delete(f.hook, request.Endpoint)
		f.mu.Unlock()
		hook()
		f.mu.Lock()
	}
	if errs := f.fail[request.Endpoint]; len(errs) > 0 {
		f.fail[request.Endpoint] = errs[1:]
		return wechat.Response{}, errs[0]
	}
	answer, err := f.answer(request)
	if err != nil {
		return wechat.Response{}, err
	}
	if f.lose[request.Endpoint] > 0 {
		f.lose[request.Endpoint]--
		return wechat.Response{}, &wechat.CallError{Endpoint: request.Endpoint, Sent: true, Cause: errors.New("connection reset")}
	}
	if request.Endpoint == wechat.EndpointTrialQRCode {
		return wechat.Response{Body: []byte("\xff\xd8picture"), ContentType: "image/jpeg"}, nil
	}
	body, err := json.Marshal(answer)
	return wechat.Response{Body: body, ContentType: "application/json"}, err
}

func refusal(code int) error { return &wechat.Error{Code: code, Message: "refused", RID: "66-77-88"} }

type fields map[string]any

func (f *fakeWeChat) answer(request wechat.Request) (any, error) {
	switch request.Endpoint {
	case wechat.EndpointDrafts:
		return fields{"draft_list": f.drafts}, nil
	case wechat.EndpointTemplates:
		return fields{"template_list": f.templates}, nil
	case wechat.EndpointAddToTemplate, wechat.EndpointDeleteTemplate:
		return f.library(request)
	case wechat.EndpointVersionInfo:
		return fields{"exp_info": f.trial, "release_info": f.online}, nil
	case wechat.EndpointGrayPlan:
		return fields{"gray_release_plan": f.gray}, nil
	case wechat.EndpointLatestAudit:
		if f.audit == nil {
			return nil, refusal(wechat.CodeNoAudit)
		}
		return f.audit, nil
	case wechat.EndpointPages:
		return fields{"page_list": []string{"pages/home/home"}}, nil
	case wechat.EndpointCategories:
		return fields{"category_list": f.categories}, nil
	case wechat.EndpointQuota:
		return f.quota, nil
	case wechat.EndpointCodePrivacy, wechat.EndpointSpeedUp, wechat.EndpointTrialQRCode:
		return fields{}, nil
	case wechat.EndpointHistory:
		return fields{"version_list": f.history}, nil
	case wechat.EndpointBindTester, wechat.EndpointUnbindTester:
		return f.tester(request)
	case wechat.EndpointModifyDomain:
		return f.modifyDomain(request)
	default:
		return f.act(request)
	}
}

func (f *fakeWeChat) library(request wechat.Request) (any, error) {
	var in struct {
		DraftID    int64 `json:"draft_id"`
		TemplateID int64 `json:"template_id"`
	}
	if err := json.Unmarshal(request.Body, &in); err != nil {
		return nil, err
	}
	if request.Endpoint == wechat.EndpointDeleteTemplate {
		f.templates = slices.DeleteFunc(f.templates, func(t wechat.Template) bool { return t.ID == in.TemplateID })
		return fields{}, nil
	}
	for _, draft := range f.drafts {
		if draft.ID == in.DraftID {
			f.templates = append(f.templates, wechat.Template{ID: int64(len(f.templates)), DraftID: draft.ID, UserVersion: draft.UserVersion, CreatedAt: f.now})
		}
	}
	return fields{}, nil
}

func (f *fakeWeChat) tester(request wechat.Request) (any, error) {
	var in wechat.Tester
	if err := json.Unmarshal(request.Body, &in); err != nil {
		return nil, err
	}
	if request.Endpoint == wechat.EndpointUnbindTester {
		f.testers = slices.DeleteFunc(f.testers, func(who string) bool { return "u-"+who == in.UserStr })
		return fields{}, nil
	}
	f.testers = append(f.testers, in.WechatID)
	return fields{"userstr": "u-" + in.WechatID}, nil
}

func (f *fakeWeChat) modifyDomain(request wechat.Request) (any, error) {
	var in struct {
		Action string
		wechat.Domains
	}
	if err := json.Unmarshal(request.Body, &in); err != nil {
		return nil, err
	}
	if in.Action == wechat.DomainAdd {
		f.domains.Request = append(f.domains.Request, in.Request...)
		f.domains.WSRequest = append(f.domains.WSRequest, in.WSRequest...)
		f.domains.Upload = append(f.domains.Upload, in.Upload...)
		f.domains.Download = append(f.domains.Download, in.Download...)
	}
	return f.domains, nil
}

func (f *fakeWeChat) act(request wechat.Request) (any, error) {
	switch request.Endpoint {
	case wechat.EndpointCommit:
		var in wechat.Commit
		if err := json.Unmarshal(request.Body, &in); err != nil {
			return nil, err
		}
		f.commits = append(f.commits, in)
		f.trial = &wechat.TrialVersion{Time: f.now, Version: in.UserVersion, Desc: in.UserDesc}
	case wechat.EndpointSubmitAudit:
		var in wechat.Submit
		if err := json.Unmarshal(request.Body, &in); err != nil {
			return nil, err
		}
		f.submits = append(f.submits, in)
		id := 1000 + len(f.submits)
		f.audit = fields{"auditid": id, "status": wechat.AuditRunning, "user_version": f.trial.Version, "user_desc": f.trial.Desc, "submit_audit_time": f.now}
		return fields{"auditid": id}, nil
	case wechat.EndpointUndoAudit:
		f.audit["status"] = wechat.AuditUndone
	case wechat.EndpointRelease:
		f.publish()
	case wechat.EndpointGrayRelease:
		var in wechat.Gray
		if err := json.Unmarshal(request.Body, &in); err != nil {
			return nil, err
		}
		f.gray = &wechat.GrayPlan{Status: wechat.GrayRunning, CreatedAt: f.now, Percentage: in.Percentage}
		if in.Percentage == 100 {
			f.publish()
		}
	case wechat.EndpointRevertGray:
		f.gray.Status = wechat.GrayDeleted
	case wechat.EndpointRollback:
		back := f.history[0]
		f.history = f.history[1:]
		f.online = &wechat.OnlineVersion{Time: f.now, Version: back.UserVersion, Desc: back.UserDesc}
	default:
		return nil, errors.New("fake WeChat does not know " + request.Endpoint)
	}
	return fields{}, nil
}

func (f *fakeWeChat) publish() {
	if f.online != nil {
		f.history = append([]wechat.HistoryVersion{{AppVersion: int64(len(f.history) + 1), UserVersion: f.online.Version, UserDesc: f.online.Desc}}, f.history...)
	}
	f.online = &wechat.OnlineVersion{Time: f.now, Version: f.audit["user_version"].(string), Desc: f.audit["user_desc"].(string)}
	if f.gray != nil {
		f.gray.Status = wechat.GrayDone
	}
}

// decide ends the running review.
func (f *fakeWeChat) decide(status int, reason, shots string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audit["status"], f.audit["reason"], f.audit["ScreenShot"] = status, reason, shots
}

var everyScope = []string{"data.read", "domain.write", "code.commit", "code.trial", "code.audit", "code.release", "code.rollback", scopeTester}

// scene is the plugin, its host and WeChat.
type scene struct {
	*sdktest.Harness
	t      *testing.T
	v      *plugin
	wx     *fakeWeChat
	owner  *sdktest.Harness // the mini program's owner; the harness itself is the merchant
	nobody *sdktest.Harness // another space
}

func newScene(t *testing.T) *scene {
	t.Helper()
	p, v := declare()
	wx := newFakeWeChat()
	h := sdktest.New(t, p, sdktest.Options{
		House: true, WeChat: wx, Now: time.Unix(wx.now, 0), Frame: sdk.FrameAdmin,
		Components: []sdk.ComponentInfo{{AppID: testComponent, Name: "测试平台", State: "ready", Space: merchantSpace}},
		MiniPrograms: []sdk.MiniProgramInfo{{
			AppID: testApp, NickName: "测试小店", OwnerSpace: ownerSpace, State: "authorized", Scopes: everyScope,
			Components: []sdk.MiniProgramBinding{{Component: testComponent, State: "authorized", Sets: []int{18, 30}}},
		}},
		Rights: map[string]map[int64][]string{testApp: {merchantSpace: {"data.read", "code.commit", "code.trial"}}},
	})
	return &scene{
		Harness: h, t: t, v: v, wx: wx,
		owner:  h.As(sdk.ActorInfo{AccountID: 2, SpaceID: ownerSpace, Name: "店主", SpaceKind: "personal", Role: "owner"}),
		nobody: h.As(sdk.ActorInfo{AccountID: 3, SpaceID: 33, Name: "路人", SpaceKind: "merchant", Role: "owner"}),
	}
}

func (s *scene) app(path string) string { return "/miniprograms/" + testApp + path }

// must fails the test on err.
func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("unexpected failure: %v", err)
	}
}

// template puts a template into the library through REST.
func (s *scene) template() TemplateView {
	s.t.Helper()
	var made TemplateView
	s.must(s.API("POST", "/components/"+testComponent+"/templates", map[string]any{
		"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版",
		"schema":  []Setting{{Name: "shopName", Label: "店铺名称", Default: "我的小店"}},
		"domains": Domains{Request: []string{"https://api.example.com"}},
	}, &made))
	return made
}

// lanes reads the lanes by REST, as the owner.
func (s *scene) lanes() LanesView {
	s.t.Helper()
	var lanes LanesView
	s.must(s.owner.API("GET", s.app(""), nil, &lanes))
	return lanes
}

// committed brings a trial version up, ready to be submitted.
func (s *scene) committed(version string) {
	s.t.Helper()
	var made struct{ Items []TemplateView }
	s.must(s.API("GET", "/components/"+testComponent+"/templates", nil, &made))
	if len(made.Items) == 0 {
		made.Items = []TemplateView{s.template()}
	}
	s.must(s.API("POST", s.app("/commit"), map[string]any{"template_id": made.Items[0].TemplateID, "user_version": version, "user_desc": "说明 " + version}, nil))
	s.deliver(0)
	if got := s.lanes().Trial.Scan; got != scanClear {
		s.t.Fatalf("scan after the look is %q, want clear", got)
	}
}

// approved brings a version through review.
func (s *scene) approved(version string) {
	s.t.Helper()
	s.committed(version)
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	s.wx.decide(wechat.AuditPassed, "", "")
	s.must(s.pushed(wechat.AuditSuccess, nil))
}

// pushed delivers a push of WeChat about a review.
func (s *scene) pushed(event string, more map[string]string) error {
	s.wx.mu.Lock()
	stamp := strconv.FormatInt(s.wx.now, 10)
	s.wx.mu.Unlock()
	data := map[string]string{"Event": event, "SuccTime": stamp, "FailTime": stamp, "DelayTime": stamp}
	for name, value := range more {
		data[name] = value
	}
	return s.Event(sdk.Event{Type: "wechat." + event, Source: "wechat", Component: testComponent, AppID: testApp, Data: data})
}

// deliver gives the plugin its own events from the given one on, as the host would.
func (s *scene) deliver(from int) {
	s.t.Helper()
	for _, event := range s.Published()[from:] {
		if event.Type == "version."+eventUse {
			s.must(s.Event(event))
		}
	}
}

// news lists the published audit events.
func (s *scene) news() []string {
	var types []string
	for _, event := range s.Published() {
		if event.Type == "version.audit_passed" || event.Type == "version.audit_rejected" || event.Type == "version.audit_delayed" {
			types = append(types, event.Type)
		}
	}
	return types
}
