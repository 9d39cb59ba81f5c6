package command

import (
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/wechat"
)

// TestEachReviewIsToldToOwnerAndMerchantInItsOwnWords sends every push about an account through the door and reads what
// the owner of the mini program and the merchant of the platform app find in their lists; nobody else finds anything.
func TestEachReviewIsToldToOwnerAndMerchantInItsOwnWords(t *testing.T) {
	h := newNewsHouse(t)
	const named = "「" + newsShopName + "」"
	for _, c := range []struct {
		name, kind, body     string
		event, title, result string // event "": nobody is told
	}{
		{"a name that is refused", wechat.MessageURL, "<Event>wxa_nickname_audit</Event><ret>2</ret><nickname>晨光</nickname><reason>与他人重名</reason>", notice.ReviewRejected, "名称审核结果", "晨光 未通过：与他人重名"},
		{"a name that is accepted", wechat.MessageURL, "<Event>wxa_nickname_audit</Event><ret>3</ret><nickname>晨光</nickname>", notice.ReviewPassed, "名称审核结果", "晨光 通过"},
		{"a name, on the other URL", wechat.TicketURL, "<InfoType>wxa_nickname_audit</InfoType><appid>" + newsShop + "</appid><ret>3</ret><nickname>晨星</nickname>", notice.ReviewPassed, "名称审核结果", "晨星 通过"},
		{"a category that is refused", wechat.MessageURL, "<Event>wxa_category_audit</Event><ret>2</ret><first>1</first><second>2</second><reason>资质不符</reason>", notice.ReviewRejected, "类目审核结果", "类目 1/2 未通过：资质不符"},
		{"a privacy interface", wechat.MessageURL, "<Event>wxa_privacy_apply</Event><result_info><api_name>wx.getLocation</api_name><status>3</status></result_info>", notice.ReviewPassed, "隐私接口审核结果", "wx.getLocation 通过"},
		{"a filing's face check that failed", wechat.TicketURL, "<InfoType>notify_icpfiling_verify_result</InfoType><verify_appid>" + newsShop + "</verify_appid><result>2</result>", notice.ReviewRejected, "备案人脸核验结果", "未通过"},
		{"a filing's face check", wechat.TicketURL, "<InfoType>notify_icpfiling_verify_result</InfoType><verify_appid>" + newsShop + "</verify_appid><result>3</result>", notice.ReviewPassed, "备案人脸核验结果", "通过"},
		{"a filing's result, whose numbers nobody explains", wechat.TicketURL, "<InfoType>notify_apply_icpfiling_result</InfoType><authorizer_appid>" + newsShop + "</authorizer_appid><beian_status>4</beian_status>", notice.ReviewRejected, "备案审核结果", "备案状态 4"},
		{"certification and filing done", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth_and_icp</InfoType><appid>" + newsShop + "</appid><procedure_status>26</procedure_status>", notice.ReviewPassed, "认证及备案进度", "认证和备案全部完成"},
		{"a filing sent back by the authority", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth_and_icp</InfoType><appid>" + newsShop + "</appid><procedure_status>25</procedure_status>", notice.ReviewRejected, "认证及备案进度", "备案被管局驳回"},
		{"certification and filing on their way", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth_and_icp</InfoType><appid>" + newsShop + "</appid><procedure_status>22</procedure_status>", "", "", ""},
		{"a certification sent back", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth</InfoType><appid>" + newsShop + "</appid><task_status>6</task_status><apply_status>3</apply_status><message>缺少营业执照</message>", notice.ReviewRejected, "微信认证进度", "认证被打回，需要补充资料：缺少营业执照"},
		{"a certification", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth</InfoType><appid>" + newsShop + "</appid><task_status>9</task_status><apply_status>4</apply_status>", notice.ReviewPassed, "微信认证进度", "认证通过"},
		{"a certification on its way", wechat.TicketURL, "<InfoType>notify_3rd_wxa_auth</InfoType><appid>" + newsShop + "</appid><task_status>0</task_status><apply_status>2</apply_status>", "", "", ""},
		{"a certification that ends soon", wechat.TicketURL, "<InfoType>notify_3rd_wxa_wxverify</InfoType><appid>" + newsShop + "</appid><expired>1790000000</expired><message>请尽快年审</message>", notice.CertificationDue, "微信认证到期提醒", "到期 2026-09-21，请尽快年审"},
		{"a certification that ended", wechat.MessageURL, "<Event>verify_expired</Event><ExpiredTime>1790000000</ExpiredTime>", notice.CertificationDue, "认证过期", "到期 2026-09-21"},
		{"a violation", wechat.MessageURL, "<Event>wxa_illegal_record</Event><illegal_record_id>1</illegal_record_id><rule_name>滥用模板消息</rule_name><illegal_reason>诱导分享</illegal_reason>", notice.Violation, "小程序违规", "滥用模板消息：诱导分享"},
		{"an appeal that was refused", wechat.MessageURL, "<Event>wxa_appeal_record</Event><appeal_status>3</appeal_status><audit_reason>证据不足</audit_reason>", notice.Violation, "申诉结果", "申诉未通过：证据不足"},
		{"orders that were not shipped", wechat.MessageURL, "<Event>trade_manage_remind_shipping</Event><msg>还有 3 笔订单未发货</msg>", notice.TradeReminder, "提醒发货", "还有 3 笔订单未发货"},
	} {
		h.push(newsApp, c.kind, c.body)
		for who, link := range map[string]string{"owner": "/my/miniprograms/" + newsShop, "merchant": "/admin/miniprograms"} {
			actor := h.owner
			if who == "merchant" {
				actor = h.merchant
			}
			var want []string
			if c.event != "" {
				want = []string{strings.Join([]string{c.event, named + c.title, "AppID " + newsShop + "\n结果：" + c.result, link}, newsMark)}
			}
			if got := h.told(actor); !slices.Equal(got, want) {
				t.Errorf("%s: the %s was told %q, want %q", c.name, who, got, want)
			}
		}
	}
	if got := h.told(h.rival); len(got) != 0 {
		t.Errorf("another merchant was told %q", got)
	}
}

// TestARivalsForgedPushReachesNobody binds a platform app, as anybody may who opens a merchant space, and signs news about
// somebody else's mini program under its own keys.
func TestARivalsForgedPushReachesNobody(t *testing.T) {
	h := newNewsHouse(t)
	forge := func() {
		for kind, bodies := range map[string][]string{
			wechat.TicketURL: {
				"<InfoType>wxa_illegal_record</InfoType><appid>" + newsShop + "</appid><rule_name>请到 http://pay.example 缴费</rule_name>",
				"<InfoType>notify_third_fasteregister</InfoType><appid>" + newsShop + "</appid><status>0</status>",
				"<InfoType>notify_3rd_wxa_wxverify</InfoType><appid>" + newsShop + "</appid><message>缴费</message>",
				"<InfoType>unauthorized</InfoType><AuthorizerAppid>" + newsShop + "</AuthorizerAppid>",
			},
			wechat.MessageURL: {"<Event>weapp_audit_fail</Event><Reason>缴费</Reason>", "<Event>wxa_nickname_audit</Event><ret>2</ret><reason>缴费</reason>"},
		} {
			for _, body := range bodies {
				h.push(rivalApp, kind, body)
			}
		}
	}
	forge()
	// Who was shown the door has no news either.
	h.authorised(rivalApp, miniprogram.Revoked)
	forge()
	if got := h.told(h.owner); len(got) != 0 {
		t.Errorf("the owner was told %q", got)
	}
	if got := h.told(h.merchant); len(got) != 0 {
		t.Errorf("the merchant was told %q", got)
	}
	for _, line := range h.told(h.rival) {
		if strings.Contains(line, newsShopName) {
			t.Errorf("the rival learned the name: %s", line)
		}
	}
	m, err := h.p.apps.Find(t.Context(), newsShop)
	if err != nil || !m.AuthorizedTo(newsApp) {
		t.Errorf("the authorisation was touched: %+v %v", m, err)
	}
}

// What the house tells of is not told for a plugin that bears its name.
func TestAPluginCannotSpeakForTheHouse(t *testing.T) {
	h := newNewsHouse(t)
	err := h.p.events.AppendTx(t.Context(), []event.Record{
		{Type: miniprogram.StatusChanged, Source: "plugin:miniprogram", Component: newsApp, AppID: newsShop, Payload: []byte(`{"before":1,"after":16}`)},
		{Type: "miniprogram.unauthorized", Source: "plugin:miniprogram", Component: newsApp, AppID: newsShop, Payload: []byte("{}")},
		{Type: "release_check.text", Source: "plugin:release_check", Component: newsApp, AppID: "wx570bc396a51b8ff8", Payload: []byte("{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.p.events.Wake()
	h.quiet()
	for _, who := range []account.Actor{h.owner, h.merchant} {
		if got := h.told(who); len(got) != 0 {
			t.Errorf("%s was told %q", who.Name, got)
		}
	}
}

// A registration that failed has no mini program yet: it is the merchant's news alone.
func TestAFailedRegistrationIsTheMerchantsNews(t *testing.T) {
	h := newNewsHouse(t)
	h.push(newsApp, wechat.TicketURL, "<InfoType>notify_third_fasteregister</InfoType><status>100001</status><msg>已下发的模板消息法人并未确认且已超时</msg><info><name>晨光餐饮有限公司</name></info>")
	want := strings.Join([]string{notice.RegisterFailed, "「晨光餐饮有限公司」快速注册结果", "结果：晨光餐饮有限公司 失败 (100001) 已下发的模板消息法人并未确认且已超时", "/admin/miniprograms"}, newsMark)
	if got := h.told(h.merchant); !slices.Equal(got, []string{want}) {
		t.Errorf("the merchant was told %q, want %q", got, want)
	}
	if got := h.told(h.owner); len(got) != 0 {
		t.Errorf("the owner was told %q", got)
	}
}
