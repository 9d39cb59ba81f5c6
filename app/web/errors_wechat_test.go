package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/wechat"
)

func TestAnErrorOfWeChatSaysReasonActorAndMomentInRESTAndOnThePage(t *testing.T) {
	refused := fault.New(fault.TooMany, "wechat_paused", "请在 5 秒后再试").Later(4200 * time.Millisecond)
	refused.WeChat = wechat.RefusalOf(&wechat.Error{Code: 61007, Message: "api is unauthorized", RID: "r-1", Endpoint: "code.commit", AppID: "wx1", Component: "wx2", At: 1_700_000_000_000})
	rest := httptest.NewRecorder()
	fail(rest, httptest.NewRequest(http.MethodGet, "/api/v1/x", nil), refused)
	var body struct {
		Error struct {
			WeChat map[string]any `json:"wechat"`
		} `json:"error"`
	}
	if err := json.Unmarshal(rest.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	got := body.Error.WeChat
	if rest.Code != 429 || rest.Header().Get("Retry-After") != "5" || got["errcode"] != 61007.0 || got["rid"] != "r-1" || got["who"] != "小程序管理员" ||
		got["reason"] == "" || got["appid"] != "wx1" || got["mend"].(map[string]any)["act"] != "reauthorize" {
		t.Fatalf("%d %v %s", rest.Code, rest.Header(), rest.Body)
	}
	page := httptest.NewRecorder()
	fail(page, httptest.NewRequest(http.MethodGet, "/x", nil), refused)
	for _, want := range []string{"小程序没有授予所需的权限集", "谁来处理", "小程序管理员", "复制诊断信息", "rid: r-1", "/mend/reauthorize?appid=wx1&amp;component=wx2"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if page.Header().Get("Retry-After") != "5" {
		t.Error("the page says no moment")
	}
}
