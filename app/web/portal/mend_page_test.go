package portal_test

import (
	"testing"

	"minifleet/app/account"
	"minifleet/app/miniprogram/authtest"
)

func TestMendLeadsToThePageAndTellsOthersWhomToTurnTo(t *testing.T) {
	h := open(t)
	owner, _ := h.member("mend-owner@example.test", account.Personal)
	merchant, _ := h.member("mend-merchant@example.test", account.Merchant)
	q := "?appid=" + authtest.ShopID + "&component=" + authtest.PlatformID
	owner.get("/mend/reauthorize"+q).wantRedirect(t, "/my/miniprograms/"+authtest.ShopID)
	owner.get("/mend/start_push"+q).wantPage(t, 403, "服务商处理")
	merchant.get("/mend/start_push"+q).wantRedirect(t, "/admin/components/"+authtest.PlatformID)
	merchant.get("/mend/submit"+q).wantRedirect(t, "/p/version/miniprograms/"+authtest.ShopID+"/audit")
	merchant.get("/mend/submit?appid=../../logout").wantPage(t, 404)
	merchant.get("/mend/mp_console").wantPage(t, 404)
	merchant.get("/mend/nothing").wantPage(t, 404)
	if a := h.browser().get("/mend/reauthorize" + q); a.status != 303 {
		t.Errorf("a visitor: %d", a.status)
	}
}
