package admin

import (
	"errors"
	"fmt"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/wechat"
)

func TestErrorsOfWeChatAreExplained(t *testing.T) {
	for _, c := range []struct {
		name    string
		in      error
		kind    fault.Kind
		errcode int
	}{
		{"refused", fmt.Errorf("sync: %w", &wechat.Error{Code: 61007, Message: "api is unauthorized", RID: "6123"}), fault.WeChat, 61007},
		{"unknown code", &wechat.Error{Code: 999999, Message: "?"}, fault.WeChat, 999999},
		{"no answer", &wechat.CallError{Endpoint: "x", Cause: errors.New("refused")}, fault.Unavailable, 0},
		{"a fault stays", fault.New(fault.Conflict, "x", "y").Because(&wechat.Error{Code: 1}), fault.Conflict, 0},
		{"ours", errors.New("disk"), fault.Internal, 0},
	} {
		f := fault.From(explained(c.in))
		if f.Kind != c.kind || (c.errcode != 0 || c.name == "no answer") != (f.WeChat != nil) || (f.WeChat != nil && f.WeChat.ErrCode != c.errcode) || f.Message == "" {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	if explained(nil) != nil {
		t.Error("nothing became an error")
	}
}
