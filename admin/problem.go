package admin

import (
	"errors"
	"fmt"

	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// explained turns WeChat's own errors into what a person can read: the reason, what to do, the code and the rid.
// Every other error stays as it is.
func explained(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var refused *wechat.Error
	if errors.As(err, &refused) {
		f := fault.New(fault.WeChat, "wechat.refused", fmt.Sprintf("微信返回错误 %d", refused.Code)).Because(err)
		if e, ok := wechat.Explain(refused.Code); ok {
			f.Message = e.Reason + "。" + e.Action
		}
		f.WeChat = &fault.Upstream{ErrCode: refused.Code, ErrMsg: refused.Message, RID: refused.RID}
		return f
	}
	var lost *wechat.CallError
	if errors.As(err, &lost) {
		return fault.New(fault.WeChat, "wechat.no_answer", "没有收到微信的回答，请检查服务器的出口网络后重试").Because(err)
	}
	return err
}
