package version

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func (s *scene) page(path string) string {
	s.t.Helper()
	page, err := s.owner.In(sdk.FramePortal).Get(s.app(path))
	s.must(err)
	if page.Status != 200 {
		s.t.Fatalf("GET %s answers %d: %s", path, page.Status, page.Body)
	}
	return page.Body
}

func holdsAll(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(body, word) {
			t.Errorf("lacks %q in:\n%s", word, body)
		}
	}
}

func TestAnEmptyMiniProgramShowsTheWordsOfMPWeixin(t *testing.T) {
	s := newScene(t)
	holdsAll(t, s.page(""), "尚未提交线上版本", "暂无提交审核的版本或者版本已发布上线", "暂无体验版本", "还没有审核记录",
		"提交审核：还没有体验版，请先上传代码", "撤回审核、加急审核：没有正在审核的版本", "全量发布、灰度发布：还没有审核通过的版本",
		"版本回退：还没有线上版本", "上传新版本：模板在服务商的模板库中")
}

func TestEveryFormSaysWhyItCannotBeUsed(t *testing.T) {
	s := newScene(t)
	for path, reason := range map[string]string{
		"/audit": "还没有体验版", "/gray": "还没有审核通过的版本", "/rollback": "还没有线上版本", "/commit": "模板在服务商的模板库中",
		"/confirm/release": "还没有审核通过的版本", "/confirm/withdraw": "没有正在审核的版本", "/confirm/speedup": "没有正在审核的版本", "/confirm/ungray": "没有进行中的灰度发布",
	} {
		body := s.page(path)
		holdsAll(t, body, "现在不能操作", reason)
		if strings.Contains(body, "<form") {
			t.Errorf("%s offers a form all the same", path)
		}
	}
}

func TestNoPageHoldsInlineScriptOrStyle(t *testing.T) {
	s := newScene(t)
	twoVersions(s)
	for _, path := range []string{"", "/audit", "/commit", "/gray", "/rollback", "/confirm/release"} {
		for _, bad := range []string{"<script", "<style", " style=", " onclick=", " onsubmit=", "javascript:"} {
			if strings.Contains(s.page(path), bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
	}
}

func TestTheOwnerGoesThroughReviewAndReleaseOnTheScreens(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	portal := s.owner.In(sdk.FramePortal)
	holdsAll(t, s.page(""), `src="/p/version/trial-qrcode/`+testApp, `href="/p/version/miniprograms/`+testApp+`/audit"`)
	holdsAll(t, s.page("/audit"), "剩余 68 次（共 100 次，提交后剩 67 次）", "商家自营 / 食品", "pages/home/home", "提交审核")

	post := func(path string, values url.Values) string {
		t.Helper()
		page, err := portal.PostForm(s.app(path), values)
		s.must(err)
		if page.View.GetRedirect() != "/p/version/miniprograms/"+testApp {
			t.Fatalf("POST %s answers %d: %s", path, page.Status, page.Body)
		}
		return page.View.GetFlash()
	}
	form := url.Values{"category_1": {"0"}, "address_1": {"pages/home/home"}, "title_1": {"首页"}, "tag_1": {"餐饮 点餐"}, "version_desc": {"首版"}, "privacy_api_not_use": {"1"}}
	post("/audit", form)
	if got := s.wx.submits[0]; len(got.Items) != 1 || got.Items[0].FirstID != 1 || got.Items[0].Tag != "餐饮 点餐" || !got.PrivacyAPINotUse {
		t.Fatalf("submitted %+v", got)
	}
	holdsAll(t, s.page(""), "审核中", "店主", `href="/p/version/miniprograms/`+testApp+`/confirm/withdraw"`)
	holdsAll(t, s.page("/confirm/speedup"), "本月剩余 2 次加急")
	post("/confirm/speedup", nil)
	holdsAll(t, s.page(""), "已加急", "加急审核：已经加急")
	post("/confirm/withdraw", nil)
	holdsAll(t, s.page(""), "已撤回")
	holdsAll(t, s.page("/audit"), `value="首页"`, `value="餐饮 点餐"`) // the last submit is remembered

	post("/audit", form)
	s.wx.decide(wechat.AuditPassed, "", "")
	s.must(s.pushed(wechat.AuditSuccess, nil))
	holdsAll(t, s.page("/confirm/release"), "确定全量发布 1.0.0？")
	if flash := post("/confirm/release", nil); flash != "已全量发布" {
		t.Fatalf("flash %q", flash)
	}
	holdsAll(t, s.page(""), "已上线", "全量发布、灰度发布：审核通过的版本已经发布")

	s.approved("1.1.0")
	page, err := portal.PostForm(s.app("/gray"), url.Values{"gray_percentage": {"0"}})
	s.must(err)
	if page.Status != 400 || !strings.Contains(page.Body, "比例为 0 时") {
		t.Fatalf("gray 0 answers %d: %s", page.Status, page.Body)
	}
	post("/gray", url.Values{"gray_percentage": {"30"}})
	holdsAll(t, s.page(""), "灰度中 30%", "扩大灰度", "版本回退：灰度发布中不可回退，请先终止灰度")
	holdsAll(t, s.page("/gray"), `min="31"`)
	post("/gray", url.Values{"gray_percentage": {"100"}})
	holdsAll(t, s.page("/rollback"), "1.0.0")
	page, err = portal.PostForm(s.app("/rollback"), url.Values{})
	s.must(err)
	holdsAll(t, page.Body, "请选择一个版本")
	if flash := post("/rollback", url.Values{"app_version": {"1"}, "from": {"1.1.0"}}); flash != "已回退到 1.0.0" {
		t.Fatalf("flash %q", flash)
	}
}

func TestTheSubmitFormBlamesTheField(t *testing.T) {
	for field, values := range map[string]url.Values{
		"category_1": {}, "title_1": {"category_1": {"0"}, "title_1": {strings.Repeat("长", 33)}}, "tag_1": {"category_1": {"0"}, "tag_1": {strings.Repeat("签", 21)}},
		"address_1": {"category_1": {"0"}, "address_1": {"pages/none"}}, "version_desc": {"category_1": {"0"}, "version_desc": {strings.Repeat("长", 201)}},
	} {
		t.Run(field, func(t *testing.T) {
			s := newScene(t)
			s.committed("1.0.0")
			page, err := s.owner.PostForm(s.app("/audit"), values)
			s.must(err)
			if page.Status != 400 || !strings.Contains(page.Body, "mf-field-bad") || s.wx.sent(wechat.EndpointSubmitAudit) != 0 {
				t.Fatalf("answer %d: %s", page.Status, page.Body)
			}
			if pending := s.lanes().Pending; pending != nil {
				t.Fatalf("marked %+v", pending)
			}
		})
	}
}

func TestARefusalIsShownWithCodeAndRid(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	s.wx.fail[wechat.EndpointRelease] = []error{refusal(86002)}
	page, err := s.owner.PostForm(s.app("/confirm/release"), nil)
	s.must(err)
	if page.Status != 502 {
		t.Fatalf("status %d", page.Status)
	}
	holdsAll(t, page.Body, "名称、头像或简介", "谁来处理", "小程序管理员", "errcode 86002", "66-77-88", "复制诊断信息", `data-mend="mp_console"`)
}

func TestAMerchantUploadsAnotherVersion(t *testing.T) {
	s := newScene(t)
	s.template()
	id := s.templateID()
	page, err := s.Get(s.app("/commit?template=" + id))
	s.must(err)
	holdsAll(t, page.Body, "点餐 1.0.0", `name="config.shopName"`, `value="我的小店"`, "高级：ext.json")
	page, err = s.PostForm(s.app("/commit"), url.Values{"template": {id}, "config.shopName": {"新店"}, "user_version": {"1.0.0"}, "user_desc": {"首版"}})
	s.must(err)
	if page.View.GetRedirect() == "" || s.wx.commits[0].ExtJSON != `{"ext":{"shopName":"新店"},"extAppid":"`+testApp+`"}` {
		t.Fatalf("answer %d %s, sent %+v", page.Status, page.Body, s.wx.commits)
	}
}

func TestTheTableLeadsToThePage(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	var id int64
	for try := int64(1000); try < 1100 && id == 0; try++ {
		if result, err := s.Act("lanes", "open", try); err == nil {
			id = try
			if result.Redirect != "/miniprograms/"+testApp {
				t.Fatalf("leads to %q", result.Redirect)
			}
		}
	}
	if id == 0 {
		t.Fatal("no row leads anywhere")
	}
	if _, err := s.nobody.Act("lanes", "open", id); !errors.Is(err, sdk.ErrNotFound) {
		t.Fatalf("another space was led: %v", err)
	}
}
