package version

import (
	"errors"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func TestATemplateIsReadAndDeletedByREST(t *testing.T) {
	s := newScene(t)
	made := s.template()
	at := "/templates/" + made.ID
	for _, call := range [][2]string{{"GET", at}, {"POST", at + "/settle"}, {"DELETE", at}, {"GET", "/templates/x"}, {"DELETE", "/templates/999"}} {
		if err := s.nobody.API(call[0], call[1], nil, nil); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("another merchant's %s %s answers %v", call[0], call[1], err)
		}
	}
	var read TemplateView
	s.must(s.API("GET", at, nil, &read))
	if read.ID != made.ID || read.Name != "点餐" || read.State != templateReady {
		t.Fatalf("read %+v", read)
	}
	var gone TemplateGone
	s.must(s.API("DELETE", at, nil, &gone))
	if gone.ID != made.ID || gone.State != "deleted" || len(s.wx.templates) != 0 {
		t.Fatalf("deleting answers %+v and leaves %v", gone, s.wx.templates)
	}
	if err := s.API("GET", at, nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Fatalf("it is still there: %v", err)
	}
}

func TestRESTKeepsATemplateThatIsUsedOrBeingAdded(t *testing.T) {
	s := newScene(t)
	s.wx.fail[wechat.EndpointTemplates] = []error{refusal(-1)} // the id cannot be read right after adding
	if err := s.API("POST", "/components/"+testComponent+"/templates", map[string]any{"draft_id": 0, "name": "点餐", "version": "1.0.0", "notes": "首版"}, nil); err == nil {
		t.Fatal("an unread id was taken for success")
	}
	at := "/templates/" + s.templateID()
	s.Advance(2 * time.Minute)
	var settled TemplateView
	s.must(s.API("POST", at+"/settle", nil, &settled))
	if settled.State != templateReady || settled.TemplateID != 0 {
		t.Fatalf("settled %+v", settled)
	}
	s.must(s.API("POST", at+"/settle", nil, &settled)) // once more changes nothing
	s.committed("1.0.0")
	var used *sdk.Error
	if err := s.API("DELETE", at, nil, nil); !errors.As(err, &used) || used.Kind != sdk.KindConflict || s.wx.sent(wechat.EndpointDeleteTemplate) != 0 {
		t.Fatalf("deleting a used template answers %v", err)
	}
}

func TestRESTTellsWhatTheFormsOfferToChoose(t *testing.T) {
	s := newScene(t)
	twoVersions(s)
	var choices AuditChoices
	s.must(s.owner.API("GET", s.app("/audit/choices"), nil, &choices))
	if len(choices.Pages) == 0 || len(choices.Categories) == 0 || choices.Quota == nil || choices.Quota.Rest != 68 {
		t.Errorf("choices %+v", choices)
	}
	s.wx.fail[wechat.EndpointQuota] = []error{refusal(-1)}
	s.must(s.owner.API("GET", s.app("/audit/choices"), nil, &choices))
	if choices.Quota != nil || choices.QuotaProblem == "" || len(choices.Pages) == 0 {
		t.Errorf("without a quota: %+v", choices)
	}
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	var history sdk.Rows[wechat.HistoryVersion]
	s.must(s.owner.API("GET", s.app("/history"), nil, &history))
	if len(history.Items) == 0 || *history.Total != int64(len(history.Items)) {
		t.Fatalf("history %+v", history)
	}
	s.must(s.owner.API("POST", s.app("/rollback"), map[string]any{"app_version": history.Items[0].AppVersion}, nil))
	if got := s.lanes().Online.Version; got != history.Items[0].UserVersion {
		t.Errorf("online is %s, want %s", got, history.Items[0].UserVersion)
	}
	for _, path := range []string{"/history", "/audit/choices"} {
		if err := s.nobody.API("GET", s.app(path), nil, nil); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("another space's %s answers %v", path, err)
		}
	}
}
