package version

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

const draftAddress = "/drafts/template?component=" + testComponent + "&draft_id=0&created_at=1794000000"

func templateValues(change ...string) url.Values {
	values := url.Values{
		"component": {testComponent}, "draft_id": {"0"}, "created_at": {"1794000000"}, "name": {"点餐"}, "version": {"1.0.0"}, "notes": {"首版"},
		"settings": {"shopName,店铺名称,我的小店"}, "domains": {"https://api.example.com\nwss://ws.example.com"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return values
}

func TestADraftBecomesATemplateOnTheScreens(t *testing.T) {
	s := newScene(t)
	page, err := s.Get("/drafts")
	s.must(err)
	if !strings.Contains(page.Body, "暂无草稿") || s.wx.sent(wechat.EndpointDrafts) != 0 {
		t.Fatalf("the page asks WeChat by itself: %s", page.Body)
	}
	page, err = s.PostForm("/drafts/sync", url.Values{"component": {testComponent}})
	s.must(err)
	if page.View.GetRedirect() != "/admin/p/version/drafts?component="+testComponent {
		t.Fatalf("after the sync: %q", page.View.GetRedirect())
	}
	page, err = s.Get("/drafts?component=" + testComponent)
	s.must(err)
	for _, word := range []string{"示例开发号", "小王", "首版", "设为模板", "如何上传草稿", "模板库已用 0/200"} {
		if !strings.Contains(page.Body, word) {
			t.Errorf("drafts lack %q", word)
		}
	}
	page, err = s.Get(draftAddress)
	s.must(err)
	if !strings.Contains(page.Body, `value="1.0.0"`) || !strings.Contains(page.Body, `value="示例开发号"`) {
		t.Fatalf("the form suggests nothing: %s", page.Body)
	}
	page, err = s.PostForm("/drafts/template", templateValues())
	s.must(err)
	id := s.templateID()
	if page.View.GetRedirect() != "/admin/p/version/templates/"+id {
		t.Fatalf("after adding: %d %q %s", page.Status, page.View.GetRedirect(), page.Body)
	}
	page, err = s.Get("/templates/" + id)
	s.must(err)
	for _, word := range []string{"/admin/p/market/listings/new?template=" + id, "shopName", "https://api.example.com", "可用"} {
		if !strings.Contains(page.Body, word) {
			t.Errorf("the template's page lacks %q", word)
		}
	}
}

func TestTheTemplateFormBlamesTheField(t *testing.T) {
	for field, change := range map[string][]string{
		"name": {"name", " "}, "version": {"version", ""}, "notes": {"notes", ""}, "settings": {"settings", "1bad,名称"}, "domains": {"domains", "http://api.example.com"},
	} {
		t.Run(field, func(t *testing.T) {
			s := newScene(t)
			_, err := s.PostForm("/drafts/sync", url.Values{"component": {testComponent}})
			s.must(err)
			page, err := s.PostForm("/drafts/template", templateValues(change...))
			s.must(err)
			if page.Status != 400 || !strings.Contains(page.Body, "mf-error") || s.wx.sent(wechat.EndpointAddToTemplate) != 0 {
				t.Fatalf("answer %d: %s", page.Status, page.Body)
			}
		})
	}
}

func TestTwoClicksOnOneDraftMakeOneTemplate(t *testing.T) {
	s := newScene(t)
	var second error
	s.wx.hook[wechat.EndpointAddToTemplate] = func() {
		second = s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "notes": "首版"}, nil)
	}
	first := s.template()
	if !errors.Is(second, sdk.ErrConflict) {
		t.Fatalf("the click meanwhile got %v", second)
	}
	again := s.template()
	if again.ID != first.ID || s.wx.sent(wechat.EndpointAddToTemplate) != 1 {
		t.Fatalf("templates %s and %s, sent %d", first.ID, again.ID, s.wx.sent(wechat.EndpointAddToTemplate))
	}
}

func TestALostAnswerToAddingIsSettledByTheLibrary(t *testing.T) {
	t.Run("it had happened", func(t *testing.T) {
		s := newScene(t)
		s.wx.lose[wechat.EndpointAddToTemplate] = 1
		err := s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版"}, nil)
		if err == nil || s.template().TemplateID != 0 || s.wx.sent(wechat.EndpointAddToTemplate) != 1 {
			t.Fatalf("first %v, sent %d", err, s.wx.sent(wechat.EndpointAddToTemplate))
		}
	})
	t.Run("it had not", func(t *testing.T) {
		s := newScene(t)
		s.wx.fail[wechat.EndpointAddToTemplate] = []error{&wechat.CallError{Sent: true, Cause: errors.New("timeout")}}
		err := s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版"}, nil)
		if err == nil || s.template().State != templateReady || s.wx.sent(wechat.EndpointAddToTemplate) != 2 || len(s.wx.templates) != 1 {
			t.Fatalf("first %v, sent %d", err, s.wx.sent(wechat.EndpointAddToTemplate))
		}
	})
	t.Run("a refusal leaves nothing behind", func(t *testing.T) {
		s := newScene(t)
		s.wx.fail[wechat.EndpointAddToTemplate] = []error{refusal(85065)}
		err := s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版"}, nil)
		if wechat.Code(err) != 85065 {
			t.Fatalf("refusal came back as %v", err)
		}
		if s.template().State != templateReady {
			t.Fatal("the draft cannot be added any more")
		}
	})
}

func TestADraftThatWasOverwrittenIsNotTaken(t *testing.T) {
	s := newScene(t)
	_, err := s.PostForm("/drafts/sync", url.Values{"component": {testComponent}})
	s.must(err)
	s.wx.drafts[0].CreatedAt++
	page, err := s.PostForm("/drafts/template", templateValues())
	s.must(err)
	if page.Status != 409 || !strings.Contains(page.Body, "被新的上传覆盖") || s.wx.sent(wechat.EndpointAddToTemplate) != 0 {
		t.Fatalf("answer %d: %s", page.Status, page.Body)
	}
}

func TestATemplateInUseIsNotDeleted(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	id := s.templateID()
	page, err := s.Get("/templates/" + id)
	s.must(err)
	if !strings.Contains(page.Body, `disabled data-act="delete"`) || !strings.Contains(page.Body, "还有 1 个小程序") {
		t.Fatalf("the page lets it go: %s", page.Body)
	}
	page, err = s.PostForm("/templates/"+id+"/delete", nil)
	s.must(err)
	if page.Status != 409 || s.wx.sent(wechat.EndpointDeleteTemplate) != 0 {
		t.Fatalf("deleting answers %d", page.Status)
	}
	s.must(s.Event(sdk.Event{Type: "miniprogram.unauthorized", Component: testComponent, AppID: testApp}))
}

func TestAFreeTemplateIsDeletedAtWeChatToo(t *testing.T) {
	s := newScene(t)
	made := s.template()
	page, err := s.PostForm("/templates/"+made.ID+"/delete", nil)
	s.must(err)
	if page.View.GetRedirect() == "" || len(s.wx.templates) != 0 {
		t.Fatalf("answer %d, left %v", page.Status, s.wx.templates)
	}
	if _, err := s.Get("/templates/" + made.ID); !errors.Is(err, sdk.ErrNotFound) {
		t.Fatalf("the page answers %v", err)
	}
	var gone *sdk.Error
	if err := s.Call("template", templateQuery{ID: made.ID}, nil); !errors.As(err, &gone) || gone.Kind != sdk.KindNotFound {
		t.Fatalf("the operation answers %v", err)
	}
}

func TestTheOperationTemplateTellsOnlyTheMerchant(t *testing.T) {
	s := newScene(t)
	made := s.template()
	var told TemplateView
	s.must(s.Call("template", templateQuery{ID: made.ID}, &told))
	if !reflect.DeepEqual(told, made) || !reflect.DeepEqual(told.Sets, []int{18, 30}) || told.Space != "11" {
		t.Fatalf("told %+v, want %+v", told, made)
	}
	zero := int64(0)
	s.must(s.Call("template", templateQuery{Component: testComponent, TemplateID: &zero}, &told))
	if err := s.owner.Call("template", templateQuery{ID: made.ID}, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Fatalf("the owner was told: %v", err)
	}
}

func TestParsingConfigurationLines(t *testing.T) {
	got, err := parseSettings("shopName*,店铺名称,我的小店\n\n color，主色，#0a0|浅,深 \nplain")
	want := []Setting{
		{Name: "shopName", Label: "店铺名称", Default: "我的小店", Required: true}, {Name: "color", Label: "主色", Default: "#0a0|浅,深"}, {Name: "plain", Label: "plain"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if again, err := parseSettings(settingLines(got)); err != nil || !reflect.DeepEqual(again, got) {
		t.Fatalf("round trip gave %+v, %v", again, err)
	}
	for _, bad := range []string{"1x,名称", "a,甲\na,乙", "含空 格,名称", strings.Repeat("x", 41)} {
		if _, err := parseSettings(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestParsingDomainLines(t *testing.T) {
	got, err := parseDomains("https://a.example.com/\nwss://b.example.com\nhttps://a.example.com\n")
	if err != nil || !reflect.DeepEqual(got, Domains{
		Request: []string{"https://a.example.com"}, Upload: []string{"https://a.example.com"}, Download: []string{"https://a.example.com"}, WebSocket: []string{"wss://b.example.com"},
	}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"http://a.example.com", "a.example.com", "https://a.example.com/path", "https://localhost", "ftp://a.example.com"} {
		if _, err := parseDomains(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestSuggestingTheNextVersion(t *testing.T) {
	for _, test := range []struct{ last, draft, want string }{
		{"", "", "1.0.0"}, {"", "2.1.0", "2.1.0"}, {"1.2.3", "1.2.3", "1.3.0"}, {"1.2.3", "夏季版", "1.3.0"}, {"夏季版", "x", ""}, {"1.2.3", "1.2.4", "1.2.4"},
	} {
		if got := nextVersion(test.last, test.draft); got != test.want {
			t.Errorf("after %q with draft %q: %q, want %q", test.last, test.draft, got, test.want)
		}
	}
}

func TestAStuckTemplateCanBeSettledByHand(t *testing.T) {
	s := newScene(t)
	s.wx.fail[wechat.EndpointTemplates] = []error{refusal(-1)} // the id cannot be read right after adding
	err := s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版"}, nil)
	if err == nil {
		t.Fatal("an unread id was taken for success")
	}
	id := s.templateID()
	page, err := s.Get("/templates/" + id)
	s.must(err)
	if !strings.Contains(page.Body, "重新核对") {
		t.Fatalf("no way on: %s", page.Body)
	}
	s.Advance(2 * time.Minute)
	page, err = s.PostForm("/templates/"+id+"/settle", nil)
	s.must(err)
	if page.View.GetRedirect() == "" || s.template().TemplateID != 0 {
		t.Fatalf("settling answers %d %s", page.Status, page.Body)
	}
}
