package market

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

func TestVisitorLogsInAndComesBack(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	f.page(f.As(visitor), "/"+made.Slug, `href="/login?return=`+url.QueryEscape("/p/market/"+made.Slug)+`"`)
	_, err := f.As(visitor).PostForm("/"+made.Slug+"/try", url.Values{})
	var failure *sdk.Error
	if !errors.As(err, &failure) || failure.Kind != sdk.KindUnauthenticated {
		t.Errorf("a visitor's form is answered by %v", err)
	}
}

func TestDoubleClickOnTryMakesOneInstallation(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	goes := map[string]bool{}
	for range 3 {
		answer, err := f.PostForm("/"+made.Slug+"/try", url.Values{"key": {"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}})
		f.must(err)
		goes[answer.View.GetRedirect()] = true
	}
	var found sdk.Rows[installationView]
	f.must(f.API("GET", "/installations", nil, &found))
	if len(goes) != 1 || len(found.Items) != 1 {
		t.Fatalf("%d addresses and %d installations", len(goes), len(found.Items))
	}
	f.page(f.Harness, "/"+made.Slug, "继续未完成的安装")
	f.page(f.Harness, "/installations", "扫码点餐", "待授权", "继续")
}

func TestWalkFromTryToTrial(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	if made.State != Choosing || made.Ticket == "" || !strings.Contains(made.URL, "/auth/") {
		t.Fatalf("began as %+v", made)
	}
	home := fmt.Sprintf("/installations/%d", made.ID)
	f.page(f.Harness, home, "待扫码", "在本页打开授权页", `hx-get="/p/market`+home+`/authorization"`, `href="/auth/`)
	if image, err := f.Raw(home + "/qrcode"); err != nil || image.Header.Get("Content-Type") != "image/png" || len(image.Body) < 100 {
		t.Errorf("QR: %v, %v", image.Header, err)
	}
	f.ticket = sdk.Ticket{ID: made.Ticket, State: "authorized", AppID: appReady}
	if body := f.page(f.Harness, home+"/authorization", "授权成功", "/choose?appid="+appReady); strings.Contains(body, "hx-trigger") {
		t.Error("a fragment that is final goes on polling")
	}
	f.page(f.Harness, home+"/choose?appid="+appReady, "小张奶茶", `value="`+appReady+`" checked`, "店铺名称", `value="#07c160"`)
	answer, err := f.PostForm(home+"/start", url.Values{"appid": {appReady}, "config.shop": {"小张奶茶"}, "config.color": {"#fff"}})
	if err != nil || answer.View.GetRedirect() != "/p/market"+home {
		t.Fatalf("start: %+v, %v", answer, err)
	}
	f.page(f.Harness, home, "校验权限", `data-state="run"`, `hx-trigger="every 1s, news"`, `data-news="/p/market/topics/installations"`)
	f.must(f.deliver())
	if told := f.News(); len(told) == 0 || told[0].SpaceID != user.SpaceID || !strings.Contains(string(told[0].Data), `"key":"`) {
		t.Errorf("the page was told %v", told)
	}
	done := f.page(f.Harness, home, "仅管理员和体验者可打开", "/p/version/trial-qrcode/"+appReady, "满意，提交审核上线", "/p/version/miniprograms/"+appReady)
	if strings.Contains(done, "hx-trigger") {
		t.Error("a finished installation goes on polling")
	}
	first := f.calls[0]
	if len(f.calls) != 4 || first.AppID != appReady || first.Component != platformApp || first.TemplateID != 7 || first.Version != "1.0.0" ||
		first.ExtJSON != `{"ext":{"color":"#fff","shop":"小张奶茶"}}` || first.Installation != fmt.Sprint(made.ID) {
		t.Errorf("%d calls, the first %+v", len(f.calls), first)
	}
	for _, actor := range f.actors {
		if actor.SpaceID != user.SpaceID {
			t.Errorf("a step ran as space %d, want the owner's", actor.SpaceID)
		}
	}
	var listing listingView
	f.must(f.API("GET", "/listings/"+made.Listing, nil, &listing))
	if listing.Installs != 1 {
		t.Errorf("the listing counts %d installations", listing.Installs)
	}
}

func TestOnlyAnOwnReadyMiniProgramCanBeChosen(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	f.Grant(appForeign, user.SpaceID, "data.read", "code.commit")
	for name, test := range map[string]struct{ appid, says string }{
		"none":                          {"", "请选择"},
		"somebody else's":               {appForeign, "没有找到这个小程序"},
		"unknown":                       {"wxnobody0000000001", "没有找到这个小程序"},
		"not authorised":                {appUnbound, "请先扫码授权"},
		"a permission set is missing":   {appMissing, "缺少「开发管理与数据分析」"},
		"another platform has the code": {appHeld, "已授权给其他第三方平台（" + otherApp + "）"},
	} {
		t.Run(name, func(t *testing.T) {
			address := fmt.Sprintf("/installations/%d/start", made.ID)
			if test.appid != "" {
				if err := f.API("POST", address, startBody(test.appid), nil); !strings.Contains(sdk.FieldErrors(err)["appid"], test.says) {
					t.Errorf("REST answers %v, %v", err, sdk.FieldErrors(err))
				}
			}
			answer, err := f.PostForm(address, url.Values{"appid": {test.appid}, "config.shop": {"店"}})
			if err != nil || answer.Status < 400 || !strings.Contains(answer.Body, test.says) || !strings.Contains(answer.Body, "小张奶茶") {
				t.Errorf("the form answers %d, %v", answer.Status, err)
			}
		})
	}
	body := f.page(f.Harness, fmt.Sprintf("/installations/%d/choose", made.ID), "小张奶茶", "不可安装")
	if strings.Contains(body, appForeign) {
		t.Error("the list shows a mini program of somebody else")
	}
	if body := f.page(f.Harness, fmt.Sprintf("/installations/%d/choose?q=%s", made.ID, appForeign), "没有找到"); strings.Contains(body, "小赵") {
		t.Error("the search finds a mini program of somebody else")
	}
	if found := f.read(made.ID); found.State != Choosing || found.AppID != "" {
		t.Errorf("after refusals it is %s with %q", found.State, found.AppID)
	}
}

func TestConfigurationComesBackWithItsErrors(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	answer, err := f.PostForm(fmt.Sprintf("/installations/%d/start", made.ID), url.Values{"appid": {appReady}, "config.shop": {""}, "config.color": {"#123456"}})
	if err != nil || answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "请填写店铺名称") ||
		!strings.Contains(answer.Body, `value="#123456"`) || !strings.Contains(answer.Body, `value="`+appReady+`" checked`) {
		t.Errorf("answer %d, %v:\n%s", answer.Status, err, answer.Body)
	}
}

func TestAbandonEndsEveryRight(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	f.install = func(call int, in installInput) (installOutput, error) {
		if call == 2 { // given up while a step runs
			f.must(f.API("POST", fmt.Sprintf("/installations/%d/abandon", began.ID), nil, nil))
		}
		return answerAfter(call, in), nil
	}
	if err := f.deliver(); err == nil {
		t.Error("the step that came too late is stored")
	}
	f.must(f.deliver())
	found := f.read(began.ID)
	if found.State != Abandoned || len(f.calls) != 2 || len(f.revoked) != 1 || !strings.HasPrefix(f.revoked[0], "21 ") {
		t.Errorf("%s after %d calls, revoked %v", found.State, len(f.calls), f.revoked)
	}
	f.page(f.Harness, fmt.Sprintf("/installations/%d", began.ID), "已放弃试用", "回到模板")
	for _, act := range []string{"retry", "authorize"} {
		if err := f.API("POST", fmt.Sprintf("/installations/%d/%s", began.ID, act), nil, nil); err == nil {
			t.Errorf("%s works on an abandoned installation", act)
		}
	}
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/abandon", began.ID), nil, nil))
}

func TestOthersSeeNothingAndTheMerchantOnlyWatches(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	home := fmt.Sprintf("/installations/%d", began.ID)
	for name, actor := range map[string]sdk.ActorInfo{"stranger": stranger, "rival": rival} {
		if err := f.As(actor).API("GET", home, nil, nil); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("%s reads it: %v", name, err)
		}
	}
	if err := f.As(visitor).API("GET", home, nil, nil); !sdk.Refused(err, "plugin.login") {
		t.Errorf("a visitor reads it: %v", err)
	}
	for _, act := range []string{"start", "retry", "abandon", "authorize"} {
		for name, actor := range map[string]sdk.ActorInfo{"stranger": stranger, "merchant": merchant} {
			var body any
			if act == "start" {
				body = startBody(appReady)
			}
			if err := f.As(actor).API("POST", home+"/"+act, body, nil); !errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("%s may %s: %v", name, act, err)
			}
		}
	}
	var seen installationView
	f.must(f.As(merchant).API("GET", home, nil, &seen))
	if seen.AppID != appReady || seen.Ticket != "" || seen.URL != "" || seen.Config != nil {
		t.Errorf("the merchant sees %+v", seen)
	}
	if body := f.page(f.As(merchant), home, "安装中"); strings.Contains(body, "放弃试用") {
		t.Error("the merchant is offered the owner's buttons")
	}
	if rows, _, err := f.As(merchant).Rows("installations", sdk.TableQuery{Filters: map[string]string{"state": "installing"}}); err != nil || len(rows) != 1 || rows[0]["owner"] != "小张的空间" {
		t.Errorf("安装记录: %v, %v", rows, err)
	}
	if rows, _, err := f.As(rival).Rows("installations", sdk.TableQuery{}); err != nil || len(rows) != 0 {
		t.Errorf("another merchant's 安装记录: %v, %v", rows, err)
	}
	for _, c := range []struct {
		name, query string
		who         sdk.ActorInfo
		want        int
	}{
		{"all", "", merchant, 1}, {"of the state", "?state=installing", merchant, 1}, {"of another state", "?state=failed", merchant, 0}, {"of the mini program", "?appid=" + appReady, merchant, 1},
		{"of another mini program", "?appid=" + appUnbound, merchant, 0}, {"another merchant's", "", rival, 0},
	} {
		var found sdk.Rows[customerView]
		f.must(f.As(c.who).API("GET", "/shelf/installations"+c.query, nil, &found))
		if len(found.Items) != c.want {
			t.Errorf("%s: %d installations by REST, want %d", c.name, len(found.Items), c.want)
		}
		for _, i := range found.Items {
			if i.Space != "小张的空间" || i.AppID != appReady || i.Ticket != "" || i.URL != "" || i.Config != nil {
				t.Errorf("%s: %+v", c.name, i)
			}
		}
	}
	for _, query := range []string{"?state=nonsense", "?limit=101"} {
		if err := f.As(merchant).API("GET", "/shelf/installations"+query, nil, nil); len(sdk.FieldErrors(err)) != 1 {
			t.Errorf("%s is answered %v", query, err)
		}
	}
}

func TestLosingTheAuthorisationIsMarkedOnceAndInOrder(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC).UnixMilli()
	event := func(kind string, at int64) {
		t.Helper()
		f.must(f.Event(sdk.Event{Type: kind, AppID: appReady, Component: platformApp, SpaceID: 21, At: at, Data: map[string]string{}}))
	}
	event("miniprogram.unauthorized", at)
	found := f.read(began.ID)
	if found.State != Failed || found.LostAt != at || !strings.Contains(found.Failure, "解除授权") {
		t.Fatalf("after the loss: %+v", found)
	}
	f.must(f.deliver())
	if len(f.calls) != 0 {
		t.Errorf("%d steps were made without an authorisation", len(f.calls))
	}
	event("miniprogram.authorized", at-1000) // an older event that comes late
	if f.read(began.ID).LostAt != at {
		t.Error("an older event takes the mark away")
	}
	var again installationView
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/authorize", began.ID), nil, &again))
	event("miniprogram.authorized", at+1000)
	if f.read(began.ID).LostAt != 0 {
		t.Error("a new authorisation leaves the mark")
	}
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/retry", began.ID), nil, nil))
	f.must(f.deliver())
	if f.read(began.ID).State != Done {
		t.Error("retry does not go on")
	}
}

func TestTicketStatesAreShown(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	for state, test := range map[string]struct {
		ticket sdk.Ticket
		says   string
	}{
		"expired":   {sdk.Ticket{State: "expired"}, "二维码已过期"},
		"cancelled": {sdk.Ticket{State: "cancelled"}, "已取消授权"},
		"owned":     {sdk.Ticket{State: "failed", Failure: "owned"}, "属于平台上的另一个账号"},
		"no ticket": {sdk.Ticket{}, "还没有授权链接"},
	} {
		f.ticket = test.ticket
		if body := f.page(f.Harness, fmt.Sprintf("/installations/%d/authorization", made.ID), test.says, "重新生成"); strings.Contains(body, "hx-trigger") {
			t.Errorf("%s goes on polling", state)
		}
	}
	answer, err := f.PostForm(fmt.Sprintf("/installations/%d/authorize", made.ID), nil)
	if err != nil || answer.View.GetRedirect() != fmt.Sprintf("/p/market/installations/%d", made.ID) {
		t.Errorf("renewing: %+v, %v", answer.View, err)
	}
	if renewed := f.read(made.ID); renewed.Ticket == made.Ticket {
		t.Error("the ticket is the old one")
	}
}

func TestAnInstallationStandsWithoutATicket(t *testing.T) {
	f := newFixture(t)
	listing := f.list()
	f.Stub("core.authorize", func(sdk.ActorInfo, json.RawMessage) (any, error) {
		return nil, sdk.Fail("component.down", "第三方平台暂时不可用").OfKind(sdk.KindUnavailable)
	})
	f.ticket = sdk.Ticket{}
	made := f.try(listing.Slug)
	f.page(f.Harness, fmt.Sprintf("/installations/%d", made.ID), "还没有授权链接", "重新生成")
	if _, err := f.Raw(fmt.Sprintf("/installations/%d/qrcode", made.ID)); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("QR without a link: %v", err)
	}
}

func TestTooManyUnfinishedInstallationsAreRefused(t *testing.T) {
	f := newFixture(t)
	listing := f.list()
	for range mostOpen {
		f.try(listing.Slug)
	}
	if err := f.API("POST", "/installations", map[string]string{"listing": listing.Slug}, nil); err == nil || !strings.Contains(sdk.Message(err), "太多未完成") {
		t.Errorf("answer %v", err)
	}
}

func TestEveryTransitionLeadsToAKnownState(t *testing.T) {
	reached := map[State]bool{Choosing: true}
	for state, acts := range transitions {
		if optionOf(installationStates, string(state)).Label == string(state) {
			t.Errorf("%s has no name for the screen", state)
		}
		for act, next := range acts {
			if _, known := transitions[next]; !known {
				t.Errorf("%s of %s leads to unknown %s", act, state, next)
			}
			reached[next] = true
		}
	}
	for state := range transitions {
		if !reached[state] {
			t.Errorf("%s is never reached", state)
		}
	}
}
