package version

import (
	"errors"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// testers reads the list by REST.
func testersOf(s *scene, api func(string, string, any, any) error, query string) []TesterView {
	s.t.Helper()
	var found sdk.Rows[TesterView]
	s.must(api("GET", "/testers"+query, nil, &found))
	return found.Items
}

// newShop is a scene whose mini program belongs to a merchant: the list in the back office is for merchants.
func newShop(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	s.owner = s.As(sdk.ActorInfo{AccountID: 2, SpaceID: ownerSpace, Name: "店主", SpaceKind: "merchant", Role: "owner"})
	return s
}

// TestATesterIsCheckedBeforeAnythingIsSent asks the check that a file's rows go through, and the form that saves: both
// blame the same field, and WeChat hears of neither.
func TestATesterIsCheckedBeforeAnythingIsSent(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		name, appid, id, field string
		save                   func(string, int64, int64, map[string]string) (int64, error)
		check                  func(string, any, any) error
	}{
		{"an unknown mini program", "wxnone", "zhang-san", "appid", s.owner.Save, s.owner.Call},
		{"somebody else's", testApp, "zhang-san", "appid", s.nobody.Save, s.nobody.Call},
		{"without the right", testApp, "zhang-san", "appid", s.Save, s.Call},
		{"no WeChat id", testApp, "张三", "wechat_id", s.owner.Save, s.owner.Call},
		{"a short one", testApp, "abc", "wechat_id", s.owner.Save, s.owner.Call},
	} {
		values := map[string]string{"appid": c.appid, "wechat_id": c.id}
		_, saved := c.save("testers", 0, 0, values)
		checked := c.check("check_testers", map[string]any{"id": 0, "values": values}, nil)
		for what, err := range map[string]error{"saved": saved, "checked": checked} {
			if told := sdk.FieldErrors(err); len(told) != 1 || told[c.field] == "" {
				t.Errorf("%s, %s: %v", c.name, what, err)
			}
		}
	}
	s.must(s.owner.Call("check_testers", map[string]any{"id": 0, "values": map[string]string{"appid": testApp, "wechat_id": "zhang-san"}}, nil))
	if n := s.wx.sent(wechat.EndpointBindTester); n != 0 || len(testersOf(s, s.owner.API, "")) != 0 {
		t.Errorf("%d were bound, listed %v", n, testersOf(s, s.owner.API, ""))
	}
}

// TestATesterIsAddedAndRemoved goes through form and REST; what is kept does not hold the WeChat id.
func TestATesterIsAddedAndRemoved(t *testing.T) {
	s := newShop(t)
	id, err := s.owner.Save("testers", 0, 0, map[string]string{"appid": testApp, "wechat_id": "zhang-san"})
	s.must(err)
	list := testersOf(s, s.API, "?appid="+testApp) // the merchant reads it with data.read
	if len(list) != 1 || list[0].ID != rowID(id) || list[0].WechatID != "zh****an" || list[0].By != "店主" || list[0].Name != "测试小店" || list[0].AddedAt == 0 {
		t.Fatalf("listed %+v", list)
	}
	if rows, _, err := s.Rows("testers", sdk.TableQuery{}); err == nil {
		for _, row := range rows {
			for _, cell := range row {
				if strings.Contains(cell, "zhang-san") {
					t.Errorf("the WeChat id is kept: %v", row)
				}
			}
		}
	}
	if len(testersOf(s, s.nobody.API, "")) != 0 {
		t.Error("another space lists them")
	}
	for _, who := range []func(string, string, any, any) error{s.nobody.API, s.API} {
		if err := who("DELETE", "/testers/"+rowID(id), nil, nil); err == nil || s.wx.sent(wechat.EndpointUnbindTester) > 0 && len(s.wx.testers) == 0 {
			t.Errorf("removed by who may not: %v", err)
		}
	}
	s.must(s.owner.API("DELETE", "/testers/"+rowID(id), nil, nil))
	if len(s.wx.testers) != 0 || len(testersOf(s, s.owner.API, "")) != 0 {
		t.Errorf("still there: %v", s.wx.testers)
	}
	if err := s.owner.API("DELETE", "/testers/"+rowID(id), nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("removing again answers %v", err)
	}
}

// TestWhatWeChatSaysOfATesterStandsAtTheField takes refusals about the person to their cell, and leaves no row.
func TestWhatWeChatSaysOfATesterStandsAtTheField(t *testing.T) {
	s := newScene(t)
	for code, field := range map[int]string{85001: "wechat_id", 85002: "appid", 85003: "wechat_id", 85004: "wechat_id"} {
		s.wx.fail[wechat.EndpointBindTester] = []error{refusal(code)}
		err := s.owner.API("POST", "/testers", map[string]string{"appid": testApp, "wechat_id": "zhang-san"}, nil)
		if sdk.FieldErrors(err)[field] == "" || wechat.Code(err) != code {
			t.Errorf("%d is answered %v", code, err)
		}
	}
	if list := testersOf(s, s.owner.API, ""); len(list) != 0 {
		t.Errorf("listed %v", list)
	}
}
