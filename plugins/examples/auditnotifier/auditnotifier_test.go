package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

// robot is the other side: what it got, and what it answers.
type robot struct {
	got    []map[string]any
	urls   []string
	answer string
	down   bool
}

func (r *robot) take(request sdk.FetchRequest) (sdk.FetchResponse, error) {
	if r.down {
		return sdk.FetchResponse{}, errors.New("no route to host")
	}
	var message map[string]any
	if err := json.Unmarshal(request.Body, &message); err != nil {
		return sdk.FetchResponse{}, err
	}
	r.got, r.urls = append(r.got, message), append(r.urls, request.URL)
	return sdk.FetchResponse{Status: 200, Body: []byte(r.answer)}, nil
}

func newNotifier(t *testing.T, settings map[string]any) (*sdktest.Harness, *robot) {
	r := &robot{answer: `{"errcode":0,"errmsg":"ok"}`}
	return sdktest.New(t, New(), sdktest.Options{
		Outside: r.take, Settings: settings,
		MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wx1", NickName: "好味点餐", OwnerSpace: 11}},
	}), r
}

var rejection = sdk.Event{ID: 7, Type: "wechat.weapp_audit_fail", AppID: "wx1", SpaceID: 11, Data: map[string]string{"Reason": "1:页面&amp;内容不完整<br>2:类目不符"}}

func TestARejectionReachesTheRobotOnce(t *testing.T) {
	for kind, want := range map[string]struct{ url, text, all string }{
		"wecom":    {"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "text.content", `"mentioned_list":["@all"]`},
		"dingtalk": {"https://oapi.dingtalk.com/robot/send?access_token=k", "text.content", `"isAtAll":true`},
		"feishu":   {"https://open.feishu.cn/open-apis/bot/v2/hook/k", "content.text", `at user_id=`},
	} {
		h, r := newNotifier(t, map[string]any{"robot": kind, "url": want.url})
		if err := h.Event(rejection); err != nil {
			t.Fatal(err)
		}
		if len(r.got) != 1 || r.urls[0] != want.url {
			t.Fatalf("%s got %v at %v", kind, r.got, r.urls)
		}
		var at any = r.got[0]
		for step := range strings.SplitSeq(want.text, ".") {
			part, ok := at.(map[string]any)
			if !ok {
				t.Fatalf("%s got %v", kind, r.got)
			}
			at = part[step]
		}
		text, ok := at.(string)
		if !ok || !strings.Contains(text, "「好味点餐」审核被驳回") || !strings.Contains(text, "1:页面&内容不完整\n2:类目不符") {
			t.Errorf("%s was told %q", kind, text)
		}
		raw, err := json.Marshal(r.got[0])
		if err != nil || !strings.Contains(strings.ReplaceAll(string(raw), `\u003c`, "<"), want.all) {
			t.Errorf("%s: %s does not call everybody, %v", kind, raw, err)
		}
	}
}

func TestAMessageThatDidNotGoOutIsTriedAgain(t *testing.T) {
	h, r := newNotifier(t, map[string]any{"robot": "wecom", "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"})
	r.down = true
	if err := h.Event(rejection); err == nil {
		t.Fatal("a host that is down counts as told")
	}
	r.down, r.answer = false, `{"errcode":93000,"errmsg":"invalid webhook url"}`
	if err := h.Event(rejection); err == nil || !strings.Contains(sdk.Message(err), "93000") {
		t.Errorf("a refusal gave %v", err)
	}
	var page struct{ Items []struct{ ID, Reason string } }
	if err := h.API("GET", "/notices", nil, &page); err != nil || len(page.Items) != 0 {
		t.Errorf("what was not sent is listed: %+v, %v", page, err)
	}
	r.answer = `{"errcode":0}`
	if err := h.Event(rejection); err != nil {
		t.Fatal(err)
	}
	if err := h.API("GET", "/notices", nil, &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("sent and not listed: %+v, %v", page, err)
	}
	if err := h.API("POST", "/notices/"+page.Items[0].ID+"/resend", nil, nil); err != nil || len(r.got) != 3 {
		t.Errorf("sending once more gave %v, %d messages", err, len(r.got))
	}
}

func TestWithoutAnAddressNothingIsSent(t *testing.T) {
	h, r := newNotifier(t, nil)
	if err := h.Event(rejection); err == nil || !strings.Contains(sdk.Message(err), "还没有填写") || len(r.got) != 0 {
		t.Errorf("without settings: %v, %v", err, r.got)
	}
	h, r = newNotifier(t, map[string]any{"robot": "wecom", "url": "https://evil.example.com/"})
	if err := h.Event(rejection); err == nil || len(r.got) != 0 {
		t.Errorf("a host that was never asked for: %v, %v", err, r.got)
	}
}
